/* LineRuns: runs of order lines that differ in nothing but product, price and quantity, with what
 * they add up to. A group-by that does not look at products takes runs for lines: there are several
 * times fewer, and the sums are made once for all group-bys. Local. */
#ifndef VESPER_SALES_LINE_RUNS_H
#define VESPER_SALES_LINE_RUNS_H

#include "sales/line_sums.h"

enum { RUN_CODES = 9, RUN_FLAGS = 3 };

struct LineRuns {
    OrderLines items;         /* one a run; without product, quantity, price and discount */
    int64_t *sums[SUM_COUNT]; /* [items.n]; of margins, orders, customers and days none */
    uint8_t *kept;            /* [items.n] 1: the run has a kept sale */
    int64_t capacity;
    int64_t *starts; /* [items.n + 1] lines */
    /* What `items` points to, [capacity]. */
    int32_t *codes[RUN_CODES];
    int8_t *flags[RUN_FLAGS];
};

/* Whether a group-by with these needs (LINES_...) of its keys and conditions may take runs. */
bool line_runs_serve(uint32_t key_needs);

void line_runs_free(LineRuns *runs);
/* *runs := of one partition. */
Status line_runs_make(const OrderLines *lines, LineRuns *runs, Error *error) VESPER_MUST_USE;

#endif
