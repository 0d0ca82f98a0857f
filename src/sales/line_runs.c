/* Runs of order lines; see line_runs.h. */
#include "sales/line_runs.h"

#include "base/memory.h"

bool line_runs_serve(uint32_t key_needs)
{
    return (key_needs & (LINES_PRODUCT | LINES_QUANTITY | LINES_PRICE | LINES_DISCOUNT)) == 0;
}

void line_runs_free(LineRuns *runs)
{
    for (int s = 0; s < SUM_COUNT; s++)
        mem_free(&runs->sums[s]);
    for (int i = 0; i < RUN_CODES; i++)
        mem_free(&runs->codes[i]);
    for (int i = 0; i < RUN_FLAGS; i++)
        mem_free(&runs->flags[i]);
    mem_free(&runs->kept);
    mem_free(&runs->starts);
    *runs = (LineRuns){.capacity = 0};
}

static Status make_room(LineRuns *runs, int64_t n, Error *error)
{
    static const char what[] = "runs of order lines";
    Status status = STATUS_OK;
    if (runs->starts && n <= runs->capacity)
        return STATUS_OK;
    for (int s = 0; s <= SUM_LINES; s++) {
        if (s != SUM_MARGIN)
            TRY(mem_resize(&runs->sums[s], n, sizeof(int64_t), what, error));
    }
    for (int i = 0; i < RUN_CODES; i++)
        TRY(mem_resize(&runs->codes[i], n, sizeof(int32_t), what, error));
    for (int i = 0; i < RUN_FLAGS; i++)
        TRY(mem_resize(&runs->flags[i], n, 1, what, error));
    TRY(mem_resize(&runs->kept, n, 1, what, error));
    TRY(mem_resize(&runs->starts, n + 1, sizeof(int64_t), what, error));
    runs->capacity = n;
out:
    return status;
}

/* begins[i] := 1 where line i differs from the one before in a column; byte by byte, so that it
 * vectorises. */
static void mark_codes(const int32_t *codes, int64_t n, uint8_t *begins)
{
    for (int64_t i = 1; codes && i < n; i++)
        begins[i] |= codes[i] != codes[i - 1];
}

static void mark_flags(const int8_t *flags, int64_t n, uint8_t *begins)
{
    for (int64_t i = 1; flags && i < n; i++)
        begins[i] |= flags[i] != flags[i - 1];
}

/* Where runs begin; returns how many there are. `kept` serves as scratch memory. */
static int64_t find_starts(const OrderLines *lines, LineRuns *runs)
{
    int64_t n = lines->n, n_runs = 0;
    uint8_t *begins = runs->kept;
    for (int64_t i = 0; i < n; i++)
        begins[i] = i == 0;
    mark_codes(lines->customer, n, begins);
    mark_codes(lines->order, n, begins);
    mark_codes(lines->day, n, begins);
    mark_codes(lines->country, n, begins);
    mark_codes(lines->channel, n, begins);
    mark_codes(lines->currency, n, begins);
    mark_codes(lines->segment, n, begins);
    mark_codes(lines->order_day, n, begins);
    mark_codes(lines->cohort, n, begins);
    mark_flags(lines->hour, n, begins);
    mark_flags(lines->returning, n, begins);
    mark_flags(lines->cancelled, n, begins);
    for (int64_t i = 0; i < n; i++) {
        runs->starts[n_runs] = i;
        n_runs += begins[i];
    }
    runs->starts[n_runs] = n;
    return n_runs;
}

static const int32_t *first_codes(const LineRuns *runs, const int32_t *codes, int32_t *firsts)
{
    for (int64_t r = 0; codes && r < runs->items.n; r++)
        firsts[r] = codes[runs->starts[r]];
    return codes ? firsts : NULL;
}

static const int8_t *first_flags(const LineRuns *runs, const int8_t *flags, int8_t *firsts)
{
    for (int64_t r = 0; flags && r < runs->items.n; r++)
        firsts[r] = flags[runs->starts[r]];
    return flags ? firsts : NULL;
}

/* Sums of quantities and values; without prices only of quantities. */
static void sum_run(const OrderLines *lines, LineRuns *runs, int64_t run)
{
    int64_t gross = 0, returned = 0, units = 0, units_returned = 0, discount = 0;
    bool is_cancelled = lines->cancelled && lines->cancelled[runs->starts[run]], has_sale = false;
    for (int64_t i = runs->starts[run]; i < runs->starts[run + 1]; i++) {
        int64_t quantity = lines->quantity[i];
        int64_t value = lines->price ? quantity * lines->price[i] : 0;
        bool is_sale = quantity > 0;
        gross += is_sale ? value : 0;
        units += is_sale ? quantity : 0;
        returned += is_sale ? 0 : -value;
        units_returned += is_sale ? 0 : -quantity;
        has_sale |= is_sale;
        discount += lines->discount ? lines->discount[i] : 0;
    }
    runs->kept[run] = has_sale && !is_cancelled;
    runs->sums[SUM_GROSS][run] = gross;
    runs->sums[SUM_RETURNED][run] = returned + (is_cancelled ? gross : 0);
    runs->sums[SUM_NET][run] = runs->sums[SUM_GROSS][run] - runs->sums[SUM_RETURNED][run];
    runs->sums[SUM_DISCOUNT][run] = is_cancelled ? 0 : discount;
    runs->sums[SUM_UNITS][run] = units;
    runs->sums[SUM_UNITS_RETURNED][run] = units_returned + (is_cancelled ? units : 0);
    runs->sums[SUM_KEPT_VALUE][run] = is_cancelled ? 0 : gross;
    runs->sums[SUM_KEPT_UNITS][run] = is_cancelled ? 0 : units;
}

Status line_runs_make(const OrderLines *lines, LineRuns *runs, Error *error)
{
    Status status = STATUS_OK;
    TRY(make_room(runs, lines->n, error));
    runs->items = (OrderLines){.partition = lines->partition, .n = find_starts(lines, runs)};
    OrderLines *items = &runs->items;
    items->customer = first_codes(runs, lines->customer, runs->codes[0]);
    items->order = first_codes(runs, lines->order, runs->codes[1]);
    items->day = first_codes(runs, lines->day, runs->codes[2]);
    items->country = first_codes(runs, lines->country, runs->codes[3]);
    items->channel = first_codes(runs, lines->channel, runs->codes[4]);
    items->currency = first_codes(runs, lines->currency, runs->codes[5]);
    items->segment = first_codes(runs, lines->segment, runs->codes[6]);
    items->order_day = first_codes(runs, lines->order_day, runs->codes[7]);
    items->cohort = first_codes(runs, lines->cohort, runs->codes[8]);
    items->hour = first_flags(runs, lines->hour, runs->flags[0]);
    items->returning = first_flags(runs, lines->returning, runs->flags[1]);
    items->cancelled = first_flags(runs, lines->cancelled, runs->flags[2]);
    for (int64_t run = 0; run < items->n; run++) {
        runs->sums[SUM_LINES][run] = runs->starts[run + 1] - runs->starts[run];
        if (lines->quantity)
            sum_run(lines, runs, run);
    }
out:
    return status;
}
