/* RedisLists: rows that follow each other under one key become one JSON text. */
#include "publish/redis_lists.h"

#include "publish/cell.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define PLACE "rank"

typedef struct ListWalk {
    const ResultTable *table;
    bool names_list[TABLE_COLUMNS_MAX];       /* columns of the key */
    int place;                                /* column of the rank */
    const Column *columns[TABLE_COLUMNS_MAX]; /* of the block at hand */
    RedisListTake take;
    void *context;
    Buffer key, next_key, json;
    int64_t lists;
} ListWalk;

bool redis_lists_has(const ResultTable *table)
{
    static const char *const names[] = {"rec_user", "rec_item", "buy_again", "rec_popular"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(table->name, names[i]) == 0)
            return true;
    return false;
}

static bool key_has(const char *key, const char *column)
{
    size_t length = strlen(column);
    for (const char *at = key; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && strncmp(at, column, length) == 0)
            return true;
    return false;
}

static void find_columns(ListWalk *walk)
{
    walk->place = -1;
    for (int c = 0; c < walk->table->n_columns; c++) {
        const char *name = walk->table->columns[c].name;
        if (strcmp(name, PLACE) == 0)
            walk->place = c;
        else
            walk->names_list[c] = key_has(walk->table->key, name);
    }
}

static int append_piece(const char *data, size_t size, void *json)
{
    buffer_append(json, data, (int64_t)size);
    return 0;
}

static void append_json_text(Buffer *json, Bytes text)
{
    json_t *value = json_stringn_nocheck(text.data != NULL ? text.data : "", (size_t)text.size);
    vesper_assert(value != NULL);
    int failed = json_dump_callback(value, append_piece, json, JSON_ENCODE_ANY);
    vesper_assert(failed == 0);
    json_decref(value);
}

static void append_json_cell(Buffer *json, const Cell *cell)
{
    char number[CELL_NUMBER_SIZE];
    if (cell->kind == CELL_TEXT) {
        append_json_text(json, cell->text);
    } else if (cell->kind == CELL_NULL || (cell->kind == CELL_REAL && !isfinite(cell->real))) {
        buffer_append_string(json, "null");
    } else {
        cell_print_number(cell, number);
        buffer_append_string(json, number);
    }
}

/* TABLE:VALUE, or with several columns TABLE:VALUE:VALUE; an empty last value takes no colon. */
static void append_key(const ListWalk *walk, int64_t row, Buffer *key)
{
    char number[CELL_NUMBER_SIZE];
    Cell cell;
    int n = 0;
    buffer_clear(key);
    buffer_append_string(key, walk->table->name);
    for (int c = 0; c < walk->table->n_columns; c++) {
        if (!walk->names_list[c])
            continue;
        cell_read(walk->columns[c], row, &cell);
        if (n++ == 0 || cell.kind != CELL_TEXT || cell.text.size > 0)
            buffer_append_string(key, ":");
        if (cell.kind == CELL_TEXT) {
            buffer_append_bytes(key, cell.text);
        } else if (cell.kind != CELL_NULL) {
            cell_print_number(&cell, number);
            buffer_append_string(key, number);
        }
    }
}

static void append_row(ListWalk *walk, int64_t row)
{
    Cell cell;
    bool is_first = true;
    buffer_append_string(&walk->json, walk->json.size == 0 ? "[{" : ",{");
    for (int c = 0; c < walk->table->n_columns; c++) {
        if (walk->names_list[c] || c == walk->place)
            continue;
        buffer_printf(&walk->json, "%s\"%s\":", is_first ? "" : ",", walk->table->columns[c].name);
        cell_read(walk->columns[c], row, &cell);
        append_json_cell(&walk->json, &cell);
        is_first = false;
    }
    buffer_append_string(&walk->json, "}");
}

static Status end_list(ListWalk *walk, Error *error)
{
    Status status = STATUS_OK;
    if (walk->json.size == 0)
        goto out;
    buffer_append_string(&walk->json, "]");
    TRY(walk->take(walk->context, buffer_view(&walk->key), buffer_view(&walk->json), error));
    walk->lists++;
out:
    buffer_clear(&walk->json);
    return status;
}

static Status walk_rows(ListWalk *walk, const Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int c = 0; c < walk->table->n_columns; c++)
        walk->columns[c] = table_column_const(rows, walk->table->columns[c].name);
    for (int64_t row = 0; row < rows->rows; row++) {
        append_key(walk, row, &walk->next_key);
        if (!bytes_equal(buffer_view(&walk->key), buffer_view(&walk->next_key))) {
            TRY(end_list(walk, error));
            Buffer done = walk->key;
            walk->key = walk->next_key;
            walk->next_key = done;
        }
        append_row(walk, row);
    }
out:
    return status;
}

Status redis_lists_walk(ResultReader *reader, int i, RedisListTake take, void *context,
                        int64_t *lists, Error *error)
{
    ListWalk walk = {.table = results_table(reader, i), .take = take, .context = context};
    Table rows = {0};
    Status status = STATUS_OK;
    find_columns(&walk);
    for (int64_t block = 0; block * RESULT_BLOCK < walk.table->rows; block++) {
        TRY(results_read_block(reader, i, block, &rows, error));
        TRY(walk_rows(&walk, &rows, error));
    }
    TRY(end_list(&walk, error));
    *lists = walk.lists;
out:
    table_free(&rows);
    buffer_free(&walk.key);
    buffer_free(&walk.next_key);
    buffer_free(&walk.json);
    return status;
}
