/* See fetch_plan.h. The rows that a block names are kept as bits, whose order gives each its place.
 */
#include "recommend/fetch_plan.h"

#include "base/memory.h"

#include <string.h>

/* Numbers below a bound. */
typedef struct NumberSet {
    uint64_t *bits;  /* [words] */
    int32_t *before; /* [words] members in the words before */
    int64_t words;
    int64_t n;
} NumberSet;

static Status number_set_make(NumberSet *set, int32_t bound, Error *error)
{
    Status status;
    set->words = ((int64_t)bound + 63) / 64;
    TRY(mem_resize(&set->bits, set->words, sizeof *set->bits, "set of rows", error));
    TRY(mem_resize(&set->before, set->words, sizeof *set->before, "set of rows", error));
out:
    return status;
}

static void number_set_free(NumberSet *set)
{
    mem_free(&set->bits);
    mem_free(&set->before);
}

static void number_set_clear(NumberSet *set)
{
    if (set->words > 0)
        memset(set->bits, 0, (size_t)set->words * sizeof *set->bits);
    set->n = 0;
}

static void number_set_add(NumberSet *set, int32_t number)
{
    uint64_t bit = (uint64_t)1 << (number % 64);
    uint64_t *word = &set->bits[number / 64];
    set->n += (*word & bit) == 0;
    *word |= bit;
}

/* List the members and count those before each word. */
static void number_set_list(NumberSet *set, int32_t *numbers)
{
    int32_t at = 0;
    for (int64_t w = 0; w < set->words; w++) {
        set->before[w] = at;
        for (uint64_t bits = set->bits[w]; bits != 0; bits &= bits - 1)
            numbers[at++] = (int32_t)(w * 64 + __builtin_ctzll(bits));
    }
}

/* Place of a member; after number_set_list. */
static int32_t number_set_place(const NumberSet *set, int32_t number)
{
    uint64_t below = ((uint64_t)1 << (number % 64)) - 1;
    return set->before[number / 64] + __builtin_popcountll(set->bits[number / 64] & below);
}

/* A row on its way into a plan. */
typedef struct RowEntries {
    const int32_t *columns;
    const float *values;
    int64_t n;
} RowEntries;

static Status list_rows(const SparseSide *side, RowEntries **list, Error *error)
{
    Status status;
    int32_t at = 0;
    TRY(mem_resize(list, sparse_own_rows(side), sizeof **list, "rows of a half-step", error));
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            int64_t begin = rows->starts[r];
            (*list)[at++] = (RowEntries){rows->columns + begin, rows->values + begin,
                                         rows->starts[r + 1] - begin};
        }
    }
out:
    return status;
}

static Status add_block(FetchPlan *plan, Error *error)
{
    Status status;
    TRY(mem_resize(&plan->blocks, plan->n_blocks + 1, sizeof *plan->blocks, "blocks of rows",
                   error));
    plan->blocks[plan->n_blocks++] = (FetchBlock){0};
out:
    return status;
}

/* The last block ends before row `end`: its numbers, and the places of its entries from `place` on,
 * which is moved behind them. */
static Status close_block(FetchPlan *plan, const RowEntries *list, NumberSet *set, int32_t end,
                          int32_t **place, Error *error)
{
    Status status;
    FetchBlock *block = &plan->blocks[plan->n_blocks - 1];
    block->end = end;
    block->n = set->n;
    TRY(mem_resize(&block->numbers, set->n, sizeof *block->numbers, "rows to fetch", error));
    number_set_list(set, block->numbers);
    for (int32_t r = block->first; r < end; r++) {
        plan->rows[r] = (AlsRow){.n = list[r].n, .places = *place, .values = list[r].values};
        for (int64_t e = 0; e < list[r].n; e++)
            *(*place)++ = number_set_place(set, list[r].columns[e]);
    }
    number_set_clear(set);
out:
    return status;
}

static Status cut_blocks(const SparseSide *side, const RowEntries *list, int64_t most,
                         FetchPlan *plan, Error *error)
{
    Status status;
    NumberSet set = {0};
    int32_t n_rows = sparse_own_rows(side);
    int64_t entries = 0;
    for (int32_t r = 0; r < n_rows; r++)
        entries += list[r].n;
    TRY(number_set_make(&set, side->n_columns, error));
    number_set_clear(&set);
    TRY(mem_resize(&plan->rows, n_rows, sizeof *plan->rows, "rows of a half-step", error));
    TRY(mem_resize(&plan->places, entries, sizeof *plan->places, "entries of a half-step", error));
    int32_t *place = plan->places;
    TRY(add_block(plan, error));
    for (int32_t r = 0; r < n_rows; r++) {
        if (most > 0 && r > plan->blocks[plan->n_blocks - 1].first && set.n + list[r].n > most) {
            TRY(close_block(plan, list, &set, r, &place, error));
            TRY(add_block(plan, error));
            plan->blocks[plan->n_blocks - 1].first = r;
        }
        for (int64_t e = 0; e < list[r].n; e++)
            number_set_add(&set, list[r].columns[e]);
    }
    TRY(close_block(plan, list, &set, n_rows, &place, error));
out:
    number_set_free(&set);
    return status;
}

static Status make_local(const SparseSide *side, int64_t row_bytes, int64_t memory, FetchPlan *plan,
                         Error *error)
{
    Status status;
    RowEntries *list = NULL;
    TRY(list_rows(side, &list, error));
    TRY(cut_blocks(side, list, memory > 0 ? 1 + memory / row_bytes : 0, plan, error));
out:
    mem_free(&list);
    return status;
}

static Status even_out(FetchPlan *plan, int64_t n_blocks, Error *error)
{
    Status status = STATUS_OK;
    int32_t end = plan->blocks[plan->n_blocks - 1].end;
    while (plan->n_blocks < n_blocks) {
        TRY(add_block(plan, error));
        plan->blocks[plan->n_blocks - 1].first = end;
        plan->blocks[plan->n_blocks - 1].end = end;
    }
out:
    return status;
}

Status fetch_plan_make(Comm *comm, const SparseSide *side, int64_t row_bytes, int64_t memory,
                       FetchPlan *plan, Error *error)
{
    Status status;
    *plan = (FetchPlan){0};
    TRY_ALL(comm, make_local(side, row_bytes, memory, plan, error), error);
    int64_t most = plan->n_blocks;
    comm_max_i64(comm, &most, 1);
    TRY_ALL(comm, even_out(plan, most, error), error);
out:
    if (status != STATUS_OK)
        fetch_plan_free(plan);
    return status;
}

void fetch_plan_free(FetchPlan *plan)
{
    for (int64_t b = 0; b < plan->n_blocks; b++)
        mem_free(&plan->blocks[b].numbers);
    mem_free(&plan->blocks);
    mem_free(&plan->rows);
    mem_free(&plan->places);
    *plan = (FetchPlan){0};
}
