/* Dates and numbers in files of series. Local. */
#ifndef VESPER_FORECAST_SERIES_TEXT_H
#define VESPER_FORECAST_SERIES_TEXT_H

#include "forecast/series.h"

/* How the dates of a file are written. */
typedef enum SeriesDateKind {
    SERIES_DATE_NUMBER, /* 17 or -3: the period's number */
    SERIES_DATE_MONTH,  /* 2024-05 */
    SERIES_DATE_DAY,    /* 2024-05-01 */
    SERIES_DATE_HOUR,   /* 2024-05-01T13:00, 2024-05-01 13, 2024-05-01 13:00:00 */
    SERIES_DATE_KINDS
} SeriesDateKind;

typedef struct SeriesDate {
    SeriesDateKind kind;
    int32_t number; /* the number; months, days or hours since 1970 began */
} SeriesDate;

/* False if `text` is none of these. */
bool series_date_parse(Bytes text, SeriesDate *date);
const char *series_date_example(SeriesDateKind kind); /* "a day like 2024-05-01" */

/* Periods of the frequency can be told from dates of this kind. */
bool series_date_fits(SeriesDateKind kind, Frequency frequency);
int32_t series_date_period(SeriesDate date, Frequency frequency);

typedef enum SeriesNumber { SERIES_NUMBER, SERIES_MISSING, SERIES_NO_NUMBER } SeriesNumber;

/* A finite decimal number with a point; empty, NA and NaN are missing (*value is NaN). */
SeriesNumber series_number_parse(Bytes text, double *value);

/* Take the next field of a CSV record, without the quotes around it, from *rest; false after the
 * last. Quotes doubled inside stay doubled. */
bool series_next_field(Bytes *rest, char delimiter, Bytes *field);

#endif
