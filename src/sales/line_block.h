/* LineBlock: some order lines of a partition at a time, few enough to stay in the near caches, so
 * many that each group-by finds what it keeps there once for many; with what they add to sums, made
 * once for all group-bys; and their runs.
 *
 * A run is of lines that differ in nothing but product, price, quantity and discount. A group-by
 * that does not look at these takes runs for lines: there are several times fewer. Local. */
#ifndef VESPER_SALES_LINE_BLOCK_H
#define VESPER_SALES_LINE_BLOCK_H

#include "sales/line_sums.h"

enum {
    LINE_BLOCK = 8192,
    LINE_BLOCK_PADDED = LINE_BLOCK + 8, /* columns one after another begin in other cache sets */
    RUN_CODES = 9,
    RUN_FLAGS = 3
};

/* Asks for LineItems.kept, beside the bits of GroupSum. */
#define ITEMS_KEPT (1U << SUM_COUNT)

/* Lines or runs, and what they add. Runs have no product, price, quantity and discount. */
typedef struct LineItems {
    OrderLines columns;
    const int64_t *sums[SUM_COUNT]; /* [columns.n]; NULL: not asked for */
    const uint8_t *kept;            /* [columns.n] 1: a kept sale, or a run with one */
} LineItems;

typedef struct LineBlock {
    const Shop *shop;
    uint32_t line_sums, run_sums; /* bits that are asked for; no run_sums: no runs are made */
    LineItems lines, runs;
    /* What they point to. */
    int64_t sums_of_lines[SUM_COUNT][LINE_BLOCK_PADDED], sums_of_runs[SUM_COUNT][LINE_BLOCK_PADDED];
    uint8_t lines_kept[LINE_BLOCK], runs_kept[LINE_BLOCK];
    int32_t codes[RUN_CODES][LINE_BLOCK_PADDED];
    int8_t flags[RUN_FLAGS][LINE_BLOCK];
    uint8_t begins[LINE_BLOCK]; /* 1: a run begins */
    int32_t starts[LINE_BLOCK + 1];
} LineBlock;

/* Whether a group-by with these needs (LINES_...) of its keys and conditions may take runs. */
bool line_runs_serve(uint32_t key_needs);

/* Free with mem_free. */
LineBlock *line_block_new(const Shop *shop, uint32_t line_sums, uint32_t run_sums) VESPER_MUST_USE;

/* Lines of a block at most; tests set it small. */
extern int64_t line_block_lines;

/* The lines of a partition from `begin` on, as many as a block takes. A run that goes on behind it
 * is two. */
void line_block_make(LineBlock *block, const OrderLines *lines, int64_t begin);

#endif
