/* See warm_start.h. Items are numbered by the order of their ids, which new products change, so
 * they are known by their codes, which stay. */
#include "recommend/warm_start.h"

#include "base/fault.h"
#include "base/memory.h"
#include "recommend/factor_tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FACTORS ".factors"

static const ColumnSpec product_columns[] = {{"product", COLUMN_I32, UNIT_CODE}};
static const ColumnSpec learned_columns[] = {{"started_from", COLUMN_TEXT, UNIT_NONE},
                                             {"iterations", COLUMN_I32, UNIT_COUNT},
                                             {"loss", COLUMN_F64, UNIT_NONE}};

/* ---- keeping ---- */

/* Of rank 0: all item numbers' products. */
static Status fill_products(const Shop *shop, bool is_root, Table *rows, Error *error)
{
    Status status;
    int32_t n = is_root ? shop->product.count : 0;
    table_init(rows, product_columns, 1);
    TRY(table_set_rows(rows, n, error));
    if (n > 0)
        memcpy(rows->columns[0].data, shop->product.code, (size_t)n * sizeof(int32_t));
out:
    return status;
}

static Status fill_learned(const char *source, const Ials *model, bool is_root, Table *rows,
                           Error *error)
{
    Status status = STATUS_OK;
    table_init(rows, learned_columns, 3);
    if (!is_root)
        goto out;
    TRY(table_add_row(rows, error));
    TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(source), error));
    ((int32_t *)rows->columns[1].data)[0] = model->iterations;
    ((double *)rows->columns[2].data)[0] = model->losses[model->iterations - 1];
out:
    return status;
}

static void name_factors(const char *run, char name[STORE_NAME_SIZE])
{
    (void)snprintf(name, STORE_NAME_SIZE, "%.50s" FACTORS, run);
}

Status warm_start_keep(Comm *comm, Store *store, const Shop *shop, const char *run,
                       const char *source, const Ials *model, Error *error)
{
    Status status;
    bool is_root = comm_rank(comm) == 0;
    char name[STORE_NAME_SIZE];
    ResultWriter *writer = NULL;
    Table products = {0}, learned = {0};
    name_factors(run, name);
    TRY_ALL(comm, fault_point("recommend.factors", error), error);
    TRY(results_begin(comm, store, name, &writer, error));
    TRY_ALL(comm, fill_products(shop, is_root, &products, error), error);
    TRY(results_write(comm, writer, "products", "product", &products, error));
    TRY(factor_table_write(comm, writer, "items", model->items, model->item_factors, model->d,
                           error));
    TRY_ALL(comm, fill_learned(source, model, is_root, &learned, error), error);
    TRY(results_write(comm, writer, "learned", "", &learned, error));
    TRY(results_commit(comm, &writer, error));
out:
    results_discard(comm, &writer);
    table_free(&products);
    table_free(&learned);
    return status;
}

/* ---- finding ---- */

/* "-recommend-HASH.factors" of GENERATION-recommend-HASH. */
static Status find_source(const Store *store, const char *run, char source[STORE_NAME_SIZE],
                          Error *error)
{
    char name[STORE_NAME_SIZE];
    name_factors(run, name);
    return results_find_before(store, name + strspn(name, "0123456789"), source, error);
}

/* *number_of [products] := the item number that each product had, -1 none; *n := how many it had.
 */
static Status read_products(ResultReader *reader, const Shop *shop, int32_t **number_of, int64_t *n,
                            Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    const ResultTable *table = results_table(reader, 0);
    TRY(mem_resize(number_of, shop->product.count, sizeof **number_of, "products", error));
    for (int32_t i = 0; i < shop->product.count; i++)
        (*number_of)[i] = -1;
    *n = table->rows;
    for (int64_t at = 0; at < *n; at += rows.rows) {
        TRY(results_read_block(reader, 0, at / RESULT_BLOCK, &rows, error));
        const Column *product = table_find_const(&rows, "product");
        for (int64_t i = 0; product != NULL && i < rows.rows; i++) {
            int64_t code = column_integer(product, i);
            if (code >= 0 && code < shop->product.count)
                (*number_of)[code] = (int32_t)(at + i);
        }
    }
out:
    table_free(&rows);
    return status;
}

/* Of this rank's items, in the order of their numbers, which is that of their old numbers. */
static Status read_own(ResultReader *reader, int place, const Shop *shop, const SparseSide *items,
                       const int32_t *number_of, int64_t d, float *own, Error *error)
{
    Status status = STATUS_OK;
    float *read = NULL;
    int32_t first = sparse_own_first(items), n = sparse_own_rows(items);
    int64_t least = INT64_MAX, most = -1;
    memset(own, 0, (size_t)(n * d) * sizeof *own);
    for (int32_t i = 0; i < n; i++) {
        int32_t number = number_of[shop->product.code[first + i]];
        least = number >= 0 && number < least ? number : least;
        most = number > most ? number : most;
    }
    if (most < 0)
        goto out;
    TRY(mem_resize(&read, (most - least + 1) * d, sizeof *read, "factors of the last night",
                   error));
    TRY(factor_table_read(reader, place, least * d, (most - least + 1) * d, read, error));
    for (int32_t i = 0; i < n; i++) {
        int32_t number = number_of[shop->product.code[first + i]];
        if (number >= 0)
            memcpy(own + i * d, read + (number - least) * d, (size_t)d * sizeof *own);
    }
out:
    mem_free(&read);
    return status;
}

static Status read_source(const Store *store, const Shop *shop, const SparseSide *items, int64_t d,
                          WarmStart *start, Error *error)
{
    Status status;
    ResultReader *reader = NULL;
    int32_t *number_of = NULL;
    int64_t n = 0;
    TRY(mem_resize(&start->items, sparse_own_rows(items) * d, sizeof *start->items,
                   "factors to begin with", error));
    TRY(results_open(store, start->source, &reader, error));
    if (results_count(reader) > 0)
        TRY(read_products(reader, shop, &number_of, &n, error));
    int place = factor_table_find(reader, "items", n * d);
    if (place < 0)
        FAIL(error, STATUS_IO,
             "results/%s has no factors of %" PRId64 " products: remove it, and the next night "
             "begins without",
             start->source, n);
    TRY(read_own(reader, place, shop, items, number_of, d, start->items, error));
out:
    results_close(&reader);
    mem_free(&number_of);
    return status;
}

Status warm_start_find(Comm *comm, const Store *store, const Shop *shop, const char *run,
                       const SparseSide *items, int64_t d, WarmStart *start, Error *error)
{
    Status status;
    *start = (WarmStart){0};
    bool is_root = comm_rank(comm) == 0;
    TRY_ALL(comm, is_root ? find_source(store, run, start->source, error) : STATUS_OK, error);
    comm_broadcast(comm, 0, start->source, sizeof start->source);
    if (start->source[0] != '\0')
        TRY_ALL(comm, read_source(store, shop, items, d, start, error), error);
out:
    if (status != STATUS_OK)
        warm_start_free(start);
    return status;
}

void warm_start_free(WarmStart *start)
{
    mem_free(&start->items);
    *start = (WarmStart){0};
}
