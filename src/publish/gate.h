/* Gate: whether a night's tables may take the place of those that the target shows.
 *
 * The night is compared with the last one that was accepted for the same target, and its models
 * with their naive rivals. A rule whose figures rest on too little is not checked. */
#ifndef VESPER_PUBLISH_GATE_H
#define VESPER_PUBLISH_GATE_H

#include "store/nights.h"
#include "store/results.h"

/* NaN: no limit. */
typedef struct GateLimits {
    double rows_down;     /* a table may have at least so many times the rows it had, */
    double rows_up;       /* and at most so many times */
    int64_t rows_least;   /* or as many, if that is more: below, a table's rows are noise */
    double rival_margin;  /* share by which a model may be worse than its rival */
    double accuracy_fall; /* share by which it may be worse than in the last accepted night */
    double bias_rise;     /* by how much forecasts' bias may go further from 0; 0.1: 10 points */
    int64_t users_least;  /* customers that a measure of recommendations must rest on */
    int64_t series_least; /* the same, series of a measure of forecasts */
    int64_t days_least;   /* days of history without which no model is judged */
    double rejected;      /* share of the rows taken in that may have been rejected */
} GateLimits;

/* A table that had so many rows, or fewer where rows_least says so, may be empty now. */
enum { GATE_EMPTIED_LEAST = 10, GATE_REJECTED_LEAST = 10 };

/* One rule, applied. */
typedef struct GateRule {
    const char *name;         /* part, rows, rival, accuracy, bias, rejected */
    char of[STORE_NAME_SIZE]; /* part, table or measure; "" of rows taken in */
    double now;
    double beside;      /* of the last accepted night, or of the rival; NaN: there was none */
    double least, most; /* what `now` may be; NaN: no limit */
    bool holds;
    char text[NIGHT_TEXT_SIZE]; /* why not, for people; "" if it holds */
} GateRule;

/* All zero is empty. */
typedef struct GateVerdict {
    GateRule *rules; /* [n] those that were checked */
    int n;
    int n_failed;
} GateVerdict;

/* Judge a night. `before`: the last accepted one; NULL: there is none, and what asks for one is not
 * checked. `in_force`: what the target shows, which may be of a later day; NULL: nothing. The same
 * figures give the same verdict. Local. */
void gate_judge(const GateLimits *limits, const Night *now, const Night *before,
                const Night *in_force, GateVerdict *verdict);
void gate_verdict_free(GateVerdict *verdict);

/* The measures that a Night can have. */
#define GATE_DISCOVER "discover_ndcg_20"     /* rec_user, beside what is popular */
#define GATE_BUY_AGAIN "buy_again_recall_10" /* buy_again, beside what is popular */
#define GATE_FORECAST "forecast_rmsse"       /* what is published, beside naive */
#define GATE_FORECAST_BIAS "forecast_bias"   /* of the same */

/* Tables and measures of the night from its results: rec_accuracy and forecast_accuracy, if they
 * are there. night->parts are known. On one rank. Local. */
Status gate_read_figures(ResultReader *reader, Night *night, Error *error) VESPER_MUST_USE;

#endif
