/* What every model of one series must bear: odd shapes, and its work space. */
#ifndef VESPER_TESTS_UNIT_SERIES_SHAPES_H
#define VESPER_TESTS_UNIT_SERIES_SHAPES_H

#include "base/memory.h"
#include "base/random.h"
#include "kernel/fit.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

typedef FitOutcome SeriesForecast(SeriesView series, int horizon, double *mean, double *work);
typedef int64_t SeriesWork(int n, int season, int horizon);

typedef enum SeriesShape {
    SHAPE_CONSTANT,
    SHAPE_ZERO,
    SHAPE_ONE_SALE,
    SHAPE_SALES_THEN_ZERO,
    SHAPE_LINE,
    SHAPE_NEGATIVE,
    SHAPE_HUGE,
    SHAPE_TINY,
    SHAPE_COUNTS,
    SHAPES
} SeriesShape;

enum { SHAPE_LONGEST = 120, SHAPE_HORIZON = 9 };

static inline void shape_fill(SeriesShape shape, double *y, int n)
{
    Random random = random_stream(1, (uint64_t)n);
    for (int t = 0; t < n; t++) {
        double noise = random_normal(&random);
        switch (shape) {
        case SHAPE_CONSTANT:
            y[t] = 12.5;
            break;
        case SHAPE_ZERO:
            y[t] = 0.0;
            break;
        case SHAPE_ONE_SALE:
            y[t] = t == n / 2 ? 3.0 : 0.0;
            break;
        case SHAPE_SALES_THEN_ZERO:
            y[t] = t < n / 4 ? floor(fabs(5.0 * noise)) : 0.0;
            break;
        case SHAPE_LINE:
            y[t] = 10.0 + 0.5 * t;
            break;
        case SHAPE_NEGATIVE:
            y[t] = -20.0 + 5.0 * noise;
            break;
        case SHAPE_HUGE:
            y[t] = 1e12 * (1.0 + 0.1 * noise);
            break;
        case SHAPE_TINY:
            y[t] = 1e-12 * fabs(noise);
            break;
        default:
            y[t] = floor(fabs(2.0 * noise));
        }
    }
}

/* One forecast, with work space that holds no numbers, and in which a write behind its end shows.
 */
static inline FitOutcome shape_forecast(SeriesForecast *forecast, SeriesWork *work_of,
                                        SeriesView series, int horizon, double *mean)
{
    static const double behind = 4711.25;
    int64_t size = work_of(series.n, series.season, horizon);
    double *work = mem_new(size + 1, sizeof *work);
    for (int64_t i = 0; i < size; i++)
        work[i] = NAN;
    work[size] = behind;
    FitOutcome outcome = forecast(series, horizon, mean, work);
    CU_ASSERT_EQUAL(work[size], behind);
    mem_free(&work);
    return outcome;
}

/* A model that needs no more than 14 values, nor a season, has a finite forecast of every shape,
 * twice the same; that of a constant is the constant to `share` of it. */
static inline void check_shapes(SeriesForecast *forecast, SeriesWork *work_of, double share)
{
    static const int lengths[] = {0, 1, 2, 3, 4, 5, 6, 8, 14, 15, 28, 49, SHAPE_LONGEST};
    static const int seasons[] = {1, 2, 4, 7, 12, 365};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (size_t s = 0; s < sizeof seasons / sizeof *seasons; s++)
            for (int shape = 0; shape < SHAPES; shape++) {
                double y[SHAPE_LONGEST] = {0.0};
                double mean[SHAPE_HORIZON], again[SHAPE_HORIZON];
                SeriesView series = {y, lengths[l], seasons[s]};
                shape_fill((SeriesShape)shape, y, lengths[l]);
                FitOutcome outcome = shape_forecast(forecast, work_of, series, SHAPE_HORIZON, mean);
                CU_ASSERT(lengths[l] < 14 || outcome == FIT_OK);
                if (outcome != FIT_OK)
                    continue;
                shape_forecast(forecast, work_of, series, SHAPE_HORIZON, again);
                CU_ASSERT_EQUAL(memcmp(mean, again, sizeof mean), 0);
                for (int step = 0; step < SHAPE_HORIZON; step++) {
                    CU_ASSERT(isfinite(mean[step]));
                    if (shape == SHAPE_CONSTANT || shape == SHAPE_ZERO)
                        CU_ASSERT(fabs(mean[step] - y[0]) <= share * 12.5);
                }
            }
}

#endif
