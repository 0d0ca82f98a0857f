/* A shop whose lines every rank knows, and groups of them made the naive way and spread over the
 * ranks by chance: what the tests of tables made of groups begin with. */
#ifndef VESPER_TESTS_RANK_PERIOD_MODEL_H
#define VESPER_TESTS_RANK_PERIOD_MODEL_H

#include "sales/aggregate.h"

typedef struct PeriodLine {
    int32_t day;
    int32_t product;  /* code */
    int32_t customer; /* -1: anonymous */
    int32_t order;
    int32_t quantity;
    int64_t price;
    bool is_cancelled;
} PeriodLine;

typedef struct PeriodShape {
    int64_t lines;
    int32_t products;
    int32_t customers;
    int32_t last_day;
    int32_t span;       /* days that lines are on */
    bool on_bounds;     /* lines only on days at a bound between classes of days */
    int returned;       /* per cent of lines */
    int cancelled;      /* per cent of orders */
    int32_t days_after; /* from the last line to the night's day */
    int32_t days_ahead; /* from the shop's first day to the first line */
} PeriodShape;

/* All zero is empty. */
typedef struct PeriodModel {
    int64_t n;
    PeriodLine *lines;
    Shop shop; /* product names, catalogue, days */
} PeriodModel;

Status period_model_make(const PeriodShape *shape, PeriodModel *model, Error *error);
void period_model_free(PeriodModel *model);

bool period_line_is_kept(const PeriodLine *line);

/* Naive sums over the lines of a product (-1: any) on days [begin, end). */
typedef struct PeriodSums {
    int64_t lines, net, units, units_returned, orders, customers;
} PeriodSums;
PeriodSums period_sums(const PeriodModel *model, int32_t product, int32_t begin, int32_t end);

#define PERIOD_NO_KEY UINT64_MAX

/* Groups of the lines by keys [n] (PERIOD_NO_KEY: left out), all sums. Runs of them go to the ranks
 * as `seed` says; of three or more ranks the middle one has none. */
Status period_groups(const PeriodModel *model, const uint64_t *keys, const KeyLayout *layout,
                     uint64_t seed, Groups *groups, Error *error);

/* One value as text, with a comma behind it; NULL for what is missing. */
void period_append_i64(Buffer *text, int64_t value);
void period_append_real(Buffer *text, double value, int digits);
void period_append_text(Buffer *text, const char *value);

/* Rows of all ranks, in rank order, one a line, each value as above. Collective. */
Status period_print(Comm *comm, const Table *rows, int digits, Buffer *text, Error *error);

/* True if they are the same; shows the first line that differs. */
bool period_texts_agree(const char *what, const Buffer *got, const Buffer *expected);

#endif
