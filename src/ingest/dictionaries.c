/* Global dictionaries: product, category, brand, country, channel, currency, segment. */
#include "ingest/route.h"

#include "base/fault.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const ColumnSpec text_spec[] = {{"text", COLUMN_TEXT, UNIT_NONE}};

static void dictionary_table_name(Dictionary dictionary, char name[STORE_NAME_SIZE])
{
    snprintf(name, STORE_NAME_SIZE, "dictionary_%s", dictionary_name(dictionary));
}

/* The dictionary as the store has it: code = row. */
static Status load_known(Comm *comm, Store *store, const char *name, StringMap *known, Error *error)
{
    Status status = STATUS_OK;
    Table texts = {0};
    TRY(store_read_global(comm, store, name, &texts, error));
    const Column *column = table_find_const(&texts, "text");
    Status added = STATUS_OK;
    for (int64_t row = 0; row < texts.rows && added == STATUS_OK; row++) {
        int32_t code;
        added = string_map_add(known, column_text(column, row), &code, error);
    }
    TRY_ALL(comm, added, error);
out:
    table_free(&texts);
    return status;
}

/* Local texts that the store lacks, ordered by the rank that removes duplicates among them. */
static Status collect_unknown(const StringMap *local, const StringMap *known, int size,
                              Table *unknown, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    int32_t *destination = NULL;
    table_init(unknown, text_spec, 1);
    TRY(mem_resize(&destination, local->count, sizeof *destination, "dictionary", error));
    for (int32_t code = 0; code < local->count; code++) {
        Bytes text = string_map_text(local, code);
        if (string_map_find(known, text) >= 0)
            continue;
        destination[unknown->rows] = (int32_t)(hash128(text).low % (uint64_t)size);
        TRY(table_add_row(unknown, error));
        TRY(table_set_last_text(unknown, table_column(unknown, "text"), text, error));
    }
    TRY(table_sort_by_group(unknown, &destination, size, counts, error));
out:
    mem_free(&destination);
    return status;
}

/* Keep the first of equal texts. */
static Status drop_duplicates(Table *texts, Error *error)
{
    Status status = STATUS_OK;
    StringMap seen = {0};
    int64_t *order = NULL, n = 0;
    TRY(mem_resize(&order, texts->rows, sizeof *order, "dictionary", error));
    for (int64_t row = 0; row < texts->rows; row++) {
        int32_t code, before = seen.count;
        TRY(string_map_add(&seen, column_text(table_column_const(texts, "text"), row), &code,
                           error));
        if (code == before)
            order[n++] = row;
    }
    TRY(table_gather(texts, order, n, error));
out:
    string_map_free(&seen);
    mem_free(&order);
    return status;
}

/* All ranks' texts, in bytewise order, on every rank, added to the known ones. */
static Status append_sorted(Comm *comm, const Table *own, StringMap *known, Table *fresh,
                            Error *error)
{
    Status status = STATUS_OK;
    char *bytes = NULL, *ends = NULL;
    int64_t n_bytes, n_ends, *sizes = NULL;
    const Column *column = table_column_const(own, "text");
    const SortKey by_text = {"text", false};
    sizes = mem_new(comm_size(comm), sizeof *sizes);
    TRY(comm_gather_all(comm, column->bytes, column_text_bytes(column, own->rows), &bytes, &n_bytes,
                        sizes, error));
    TRY(comm_gather_all(comm, column->ends, own->rows * (int64_t)sizeof *column->ends, &ends,
                        &n_ends, NULL, error));

    /* A rank's ends count from its own first byte: an end that does not grow begins the next rank.
     */
    Status added = STATUS_OK;
    int64_t base = 0, previous = 0, count = n_ends / (int64_t)sizeof(int64_t);
    int source = 0;
    table_init(fresh, text_spec, 1);
    for (int64_t i = 0; i < count && added == STATUS_OK; i++) {
        int64_t end;
        memcpy(&end, ends + i * (int64_t)sizeof end, sizeof end);
        while (previous == sizes[source]) {
            base += sizes[source++];
            previous = 0;
        }
        added = table_add_row(fresh, error);
        if (added == STATUS_OK)
            added = table_set_last_text(fresh, table_column(fresh, "text"),
                                        (Bytes){bytes + base + previous, end - previous}, error);
        previous = end;
    }
    if (added == STATUS_OK)
        added = table_sort(fresh, &by_text, 1, error);
    for (int64_t row = 0; row < fresh->rows && added == STATUS_OK; row++) {
        int32_t code;
        added = string_map_add(known, column_text(table_column(fresh, "text"), row), &code, error);
    }
    TRY_ALL(comm, added, error);
out:
    mem_free(&sizes);
    mem_free(&bytes);
    mem_free(&ends);
    return status;
}

/* Local codes in the column become the store's. */
static Status recode(Column *column, int64_t rows, const int32_t *store_code, Error *error)
{
    if (column->type == COLUMN_I32) {
        int32_t *codes = column->data;
        for (int64_t row = 0; row < rows; row++)
            codes[row] = codes[row] < 0 ? -1 : store_code[codes[row]];
        return STATUS_OK;
    }
    int16_t *codes = column->data;
    for (int64_t row = 0; row < rows; row++) {
        int32_t code = codes[row] < 0 ? -1 : store_code[codes[row]];
        if (code > INT16_MAX)
            return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                             "more than %d different values of %s; is the right column mapped?",
                             INT16_MAX + 1, column->name);
        codes[row] = (int16_t)code;
    }
    return STATUS_OK;
}

static Status recode_tables(ParsedBatch *parsed, Dictionary dictionary, const StringMap *known,
                            Error *error)
{
    Status status = STATUS_OK;
    const StringMap *local = &parsed->maps[dictionary];
    int32_t *store_code = NULL;
    TRY(mem_resize(&store_code, local->count, sizeof *store_code, "dictionary", error));
    for (int32_t code = 0; code < local->count; code++)
        store_code[code] = string_map_find(known, string_map_text(local, code));
    for (int i = 0; i < parsed->n_tables; i++) {
        ParsedTable *table = &parsed->tables[i];
        const InputSchema *schema = input_schema(table->table);
        for (int f = 0; f < schema->n_fields; f++) {
            Column *column = schema->fields[f].dictionary == dictionary
                                 ? table_find(&table->rows, schema->fields[f].stored)
                                 : NULL;
            if (column != NULL)
                TRY(recode(column, table->rows.rows, store_code, error));
        }
    }
out:
    mem_free(&store_code);
    return status;
}

static Status resolve_one(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                          Dictionary dictionary, Error *error)
{
    Status status = STATUS_OK;
    StringMap known = {0};
    Table unknown = {0}, fresh = {0};
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    char name[STORE_NAME_SIZE];
    dictionary_table_name(dictionary, name);

    TRY(load_known(comm, store, name, &known, error));
    TRY_ALL(comm,
            collect_unknown(&parsed->maps[dictionary], &known, comm_size(comm), &unknown, counts,
                            error),
            error);
    TRY(comm_exchange_table(comm, &unknown, counts, NULL, error));
    TRY_ALL(comm, drop_duplicates(&unknown, error), error);
    TRY(append_sorted(comm, &unknown, &known, &fresh, error));
    if (fresh.rows > 0) {
        int32_t mine = comm_rank(comm) == 0 ? 1 : 0;
        if (mine == 0)
            table_free(&fresh); /* rank 0 writes for all */
        TRY(store_batch_write(comm, batch, name, TABLE_GLOBAL, &fresh, 0, mine, &fresh.rows,
                              error));
    }
    TRY_ALL(comm, recode_tables(parsed, dictionary, &known, error), error);
out:
    string_map_free(&known);
    table_free(&unknown);
    table_free(&fresh);
    mem_free(&counts);
    return status;
}

Status dictionaries_resolve(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                            Error *error)
{
    Status status = STATUS_OK;
    TRY_ALL(comm, fault_point("ingest.dictionaries", error), error);
    for (int d = DICTIONARY_PRODUCT; d < DICTIONARY_COUNT; d++)
        TRY(resolve_one(comm, store, batch, parsed, (Dictionary)d, error));
out:
    return status;
}
