/* Texts of all ranks, each once: repetitions are removed by the rank that a text's hash names, so
 * that no rank holds every rank's copy. */
#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "comm/internal.h"
#include "table/string_map.h"

/* Order by that rank; counts [size]. */
static Status order_by_hash(Table *texts, int size, int64_t *counts, Error *error)
{
    Status status;
    int32_t *to = NULL;
    TRY(fault_point("comm.union_texts", error));
    TRY(mem_resize(&to, texts->rows, sizeof *to, "dictionary", error));
    for (int64_t row = 0; row < texts->rows; row++) {
        Hash128 hash = hash128(column_text(&texts->columns[0], row));
        to[row] = (int32_t)(hash.low % (uint64_t)size);
    }
    TRY(table_sort_by_group(texts, &to, size, counts, error));
out:
    mem_free(&to);
    return status;
}

/* Keep the first of equal texts. */
static Status drop_repeated(Table *texts, Error *error)
{
    Status status;
    StringMap seen = {0};
    int64_t *order = NULL, n = 0;
    TRY(mem_resize(&order, texts->rows, sizeof *order, "dictionary", error));
    for (int64_t row = 0; row < texts->rows; row++) {
        int32_t code, before = seen.count;
        TRY(string_map_add(&seen, column_text(&texts->columns[0], row), &code, error));
        if (code == before)
            order[n++] = row;
    }
    TRY(table_gather(texts, order, n, error));
out:
    string_map_free(&seen);
    mem_free(&order);
    return status;
}

Status comm_union_texts(Comm *comm, Table *texts, Error *error)
{
    Status status;
    int64_t *counts = mem_new(comm->size, sizeof *counts);
    vesper_assert(texts->n_columns == 1 && texts->n_text_columns == 1);
    const SortKey by_text = {texts->columns[0].name, false};
    TRY_ALL(comm, order_by_hash(texts, comm->size, counts, error), error);
    TRY(comm_exchange_table(comm, texts, counts, NULL, error));
    TRY_ALL(comm, drop_repeated(texts, error), error);
    TRY(comm_gather_table(comm, texts, error));
    TRY_ALL(comm, table_sort(texts, &by_text, 1, error), error);
out:
    mem_free(&counts);
    return status;
}
