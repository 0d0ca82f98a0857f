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

static Status add_texts(const Table *texts, StringMap *map, Error *error)
{
    Status status = STATUS_OK;
    const Column *column = table_find_const(texts, "text");
    for (int64_t row = 0; row < texts->rows; row++) {
        int32_t code;
        TRY(string_map_add(map, column_text(column, row), &code, error));
    }
out:
    return status;
}

/* The dictionary as the store has it: code = row. */
static Status load_known(Comm *comm, Store *store, const char *name, StringMap *known, Error *error)
{
    Status status = STATUS_OK;
    Table texts = {0};
    TRY(store_read_global(comm, store, name, &texts, error));
    TRY_ALL(comm, add_texts(&texts, known, error), error);
out:
    table_free(&texts);
    return status;
}

/* Local texts that the store lacks. */
static Status collect_unknown(const StringMap *local, const StringMap *known, Table *unknown,
                              Error *error)
{
    Status status = STATUS_OK;
    table_init(unknown, text_spec, 1);
    for (int32_t code = 0; code < local->count; code++) {
        Bytes text = string_map_text(local, code);
        if (string_map_find(known, text) >= 0)
            continue;
        TRY(table_add_row(unknown, error));
        TRY(table_set_last_text(unknown, table_column(unknown, "text"), text, error));
    }
out:
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
    Table fresh = {0};
    char name[STORE_NAME_SIZE];
    dictionary_table_name(dictionary, name);

    TRY(load_known(comm, store, name, &known, error));
    TRY_ALL(comm, collect_unknown(&parsed->maps[dictionary], &known, &fresh, error), error);
    TRY(comm_union_texts(comm, &fresh, error));
    TRY_ALL(comm, add_texts(&fresh, &known, error), error);
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
    table_free(&fresh);
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
