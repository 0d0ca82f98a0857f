/* Order lines block by block, and their runs; see line_block.h. */
#include "sales/line_block.h"

#include "base/memory.h"

#include <string.h>

/* One version for processors with AVX2, one for all; of a static function (table/narrow.c). */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

int64_t line_block_lines = LINE_BLOCK;

bool line_runs_serve(uint32_t key_needs)
{
    return (key_needs & (LINES_PRODUCT | LINES_QUANTITY | LINES_PRICE | LINES_DISCOUNT)) == 0;
}

LineBlock *line_block_new(const Shop *shop, uint32_t line_sums, uint32_t run_sums)
{
    LineBlock *block = mem_new(1, sizeof *block);
    block->shop = shop;
    block->line_sums = line_sums;
    block->run_sums = run_sums;
    for (int64_t i = 0; i < LINE_BLOCK; i++)
        block->sums_of_lines[SUM_LINES][i] = 1;
    return block;
}

/* ---- lines ---- */

/* A column from a line on; one that is not there stays so. */
static const int32_t *from_i32(const int32_t *column, int64_t begin)
{
    return column != NULL ? column + begin : NULL;
}

static const int64_t *from_i64(const int64_t *column, int64_t begin)
{
    return column != NULL ? column + begin : NULL;
}

static const int8_t *from_i8(const int8_t *column, int64_t begin)
{
    return column != NULL ? column + begin : NULL;
}

static OrderLines slice(const OrderLines *lines, int64_t begin, int64_t n)
{
    return (OrderLines){.partition = lines->partition,
                        .n = n,
                        .customer = from_i32(lines->customer, begin),
                        .order = from_i32(lines->order, begin),
                        .day = from_i32(lines->day, begin),
                        .product = from_i32(lines->product, begin),
                        .quantity = from_i32(lines->quantity, begin),
                        .price = from_i64(lines->price, begin),
                        .discount = from_i64(lines->discount, begin),
                        .cancelled = from_i8(lines->cancelled, begin),
                        .country = from_i32(lines->country, begin),
                        .channel = from_i32(lines->channel, begin),
                        .currency = from_i32(lines->currency, begin),
                        .hour = from_i8(lines->hour, begin),
                        .segment = from_i32(lines->segment, begin),
                        .returning = from_i8(lines->returning, begin),
                        .order_day = from_i32(lines->order_day, begin),
                        .cohort = from_i32(lines->cohort, begin)};
}

FOR_ALL_PROCESSORS
static void mark_kept(const OrderLines *lines, uint8_t *restrict kept)
{
    for (int64_t i = 0; i < lines->n; i++)
        kept[i] = order_line_is_kept(lines, i);
}

static void add_sums_of_lines(LineBlock *block)
{
    const OrderLines *lines = &block->lines.columns;
    uint32_t wanted = block->line_sums | block->run_sums;
    for (int s = 0; s < SUM_COUNT; s++) {
        if (!(wanted & 1U << s))
            continue;
        if (s != SUM_LINES)
            line_sum_compute((GroupSum)s, lines, block->shop, 0, NULL, lines->n,
                             block->sums_of_lines[s]);
        block->lines.sums[s] = block->sums_of_lines[s];
    }
    if (wanted & ITEMS_KEPT) {
        mark_kept(lines, block->lines_kept);
        block->lines.kept = block->lines_kept;
    }
}

/* ---- runs ---- */

static inline void mark_changes(const int32_t *codes, int64_t n, uint8_t *restrict begins)
{
    for (int64_t i = 1; codes && i < n; i++)
        begins[i] |= codes[i] != codes[i - 1];
}

static inline void mark_flag_changes(const int8_t *flags, int64_t n, uint8_t *restrict begins)
{
    for (int64_t i = 1; flags && i < n; i++)
        begins[i] |= flags[i] != flags[i - 1];
}

/* begins[i] := 1 where line i differs from the one before. What is derived from the customer and
 * the order changes with them alone. */
FOR_ALL_PROCESSORS
static void mark_begins(const OrderLines *lines, uint8_t *begins)
{
    int64_t n = lines->n;
    memset(begins, 0, (size_t)n);
    begins[0] = 1;
    mark_changes(lines->customer, n, begins);
    mark_changes(lines->order, n, begins);
    mark_changes(lines->day, n, begins);
    mark_changes(lines->country, n, begins);
    mark_changes(lines->channel, n, begins);
    mark_changes(lines->currency, n, begins);
    mark_flag_changes(lines->hour, n, begins);
    mark_flag_changes(lines->cancelled, n, begins);
}

/* starts [n_runs + 1]; returns n_runs. */
static int64_t find_starts(const uint8_t *begins, int64_t n, int32_t *starts)
{
    int64_t n_runs = 0;
    for (int64_t i = 0; i < n; i++) {
        starts[n_runs] = (int32_t)i;
        n_runs += begins[i];
    }
    starts[n_runs] = (int32_t)n;
    return n_runs;
}

static const int32_t *first_codes(const LineBlock *block, const int32_t *codes, int32_t *firsts)
{
    for (int64_t r = 0; codes && r < block->runs.columns.n; r++)
        firsts[r] = codes[block->starts[r]];
    return codes ? firsts : NULL;
}

static const int8_t *first_flags(const LineBlock *block, const int8_t *flags, int8_t *firsts)
{
    for (int64_t r = 0; flags && r < block->runs.columns.n; r++)
        firsts[r] = flags[block->starts[r]];
    return flags ? firsts : NULL;
}

static void take_columns(LineBlock *block)
{
    const OrderLines *lines = &block->lines.columns;
    OrderLines *runs = &block->runs.columns;
    runs->customer = first_codes(block, lines->customer, block->codes[0]);
    runs->order = first_codes(block, lines->order, block->codes[1]);
    runs->day = first_codes(block, lines->day, block->codes[2]);
    runs->country = first_codes(block, lines->country, block->codes[3]);
    runs->channel = first_codes(block, lines->channel, block->codes[4]);
    runs->currency = first_codes(block, lines->currency, block->codes[5]);
    runs->segment = first_codes(block, lines->segment, block->codes[6]);
    runs->order_day = first_codes(block, lines->order_day, block->codes[7]);
    runs->cohort = first_codes(block, lines->cohort, block->codes[8]);
    runs->hour = first_flags(block, lines->hour, block->flags[0]);
    runs->returning = first_flags(block, lines->returning, block->flags[1]);
    runs->cancelled = first_flags(block, lines->cancelled, block->flags[2]);
}

enum { SUMS_AT_ONCE = 4 };

/* sums[k] [n_runs] := of added[k] [n] over each run: what is added up so far, where a run ends,
 * less that where it begins. No branch depends on how long runs are. `n_sums` is constant where it
 * is called. */
static inline void sum_runs(const int64_t *const *added, const uint8_t *restrict begins, int64_t n,
                            int64_t n_runs, int n_sums, int64_t *const *sums)
{
    int64_t totals[SUMS_AT_ONCE] = {0}, run = -1;
    for (int64_t i = 0; i < n; i++) {
        run += begins[i];
        for (int k = 0; k < n_sums; k++) {
            totals[k] += added[k][i];
            sums[k][run] = totals[k];
        }
    }
    for (int k = 0; k < n_sums; k++) {
        for (int64_t r = n_runs - 1; r > 0; r--)
            sums[k][r] -= sums[k][r - 1];
    }
}

static void add_sums_of_runs(LineBlock *block)
{
    int64_t n = block->lines.columns.n, n_runs = block->runs.columns.n;
    for (int s = 0; s < SUM_COUNT;) {
        const int64_t *added[SUMS_AT_ONCE];
        int64_t *sums[SUMS_AT_ONCE];
        int n_sums = 0;
        for (; s < SUM_COUNT && n_sums < SUMS_AT_ONCE; s++) {
            if (!(block->run_sums & 1U << s) || s == SUM_LINES)
                continue;
            added[n_sums] = block->sums_of_lines[s];
            block->runs.sums[s] = sums[n_sums++] = block->sums_of_runs[s];
        }
        if (n_sums == 1)
            sum_runs(added, block->begins, n, n_runs, 1, sums);
        else if (n_sums == 2)
            sum_runs(added, block->begins, n, n_runs, 2, sums);
        else if (n_sums == 3)
            sum_runs(added, block->begins, n, n_runs, 3, sums);
        else if (n_sums == 4)
            sum_runs(added, block->begins, n, n_runs, 4, sums);
    }
}

static void count_lines(LineBlock *block)
{
    int64_t *lines = block->sums_of_runs[SUM_LINES];
    for (int64_t r = 0; r < block->runs.columns.n; r++)
        lines[r] = block->starts[r + 1] - block->starts[r];
    block->runs.sums[SUM_LINES] = lines;
}

static void mark_runs_kept(const uint8_t *restrict lines_kept, const uint8_t *restrict begins,
                           int64_t n, uint8_t *restrict runs_kept)
{
    int64_t run = -1;
    uint8_t any = 0;
    for (int64_t i = 0; i < n; i++) {
        run += begins[i];
        any = (uint8_t)((any & (begins[i] - 1)) | lines_kept[i]);
        runs_kept[run] = any;
    }
}

static void make_runs(LineBlock *block)
{
    const LineItems *lines = &block->lines;
    int64_t n = lines->columns.n;
    mark_begins(&lines->columns, block->begins);
    int64_t n_runs = find_starts(block->begins, n, block->starts);
    block->runs.columns = (OrderLines){.partition = lines->columns.partition, .n = n_runs};
    take_columns(block);
    add_sums_of_runs(block);
    count_lines(block);
    if (block->run_sums & ITEMS_KEPT) {
        mark_runs_kept(lines->kept, block->begins, n, block->runs_kept);
        block->runs.kept = block->runs_kept;
    }
}

void line_block_make(LineBlock *block, const OrderLines *lines, int64_t begin)
{
    int64_t n = lines->n - begin < line_block_lines ? lines->n - begin : line_block_lines;
    vesper_assert(n > 0);
    block->lines.columns = slice(lines, begin, n);
    add_sums_of_lines(block);
    if (block->run_sums)
        make_runs(block);
}
