/* Publish into a database of a MariaDB or MySQL server: load beside, read back, switch by one
 * RENAME TABLE.
 *
 * There a statement that makes, drops or renames a table is a transaction of its own. So everything
 * that the switch changes, the records of what is in force too, is made beside under other names,
 * and only names change. Why it is done so: docs/decisions/0011-mariadb-publish.md. */
#include "publish/cell.h"
#include "publish/mariadb_place.h"
#include "publish/mariadb_session.h"
#include "publish/target.h"

#include "base/fault.h"
#include "database/sql.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEND_BYTES = 1 << 19, /* of rows in one statement; a server takes 16 MB or more */
    KEY_BYTES = 3072,     /* that InnoDB has for a key */
    FIXED_BYTES = 8,      /* that a number or a date takes of it */
    MONTH_CHARACTERS = 7,
    CHARACTER_BYTES = 4, /* that a key counts for each one */
    KEY_TEXT_MAX = 1024  /* no id is longer */
};

typedef struct Publication {
    MariadbSession session;
    SqlTarget target;
    Buffer insert;                       /* a statement with rows, on their way */
    uint64_t checksums[RESULT_READ_MAX]; /* of the rows as sent */
    Cell cells[TABLE_COLUMNS_MAX];
    Buffer scratch;
} Publication;

/* ---- tables ---- */

static bool is_in_key(const ResultTable *table, const char *column)
{
    size_t size = strlen(column);
    for (const char *at = table->key; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, column, size) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

static bool is_text(const ColumnSpec *column)
{
    return column->unit != UNIT_DAY && column->unit != UNIT_MONTH &&
           cell_column_kind(column->type, column->unit) == CELL_TEXT;
}

/* Characters that each text of the table's key may have, all of them sharing the key's bytes. */
static int key_text_room(const ResultTable *table)
{
    int n_texts = 0, bytes = KEY_BYTES;
    for (int c = 0; c < table->n_columns; c++) {
        const ColumnSpec *column = &table->columns[c];
        if (!is_in_key(table, column->name))
            continue;
        if (is_text(column))
            n_texts++;
        else
            bytes -= column->unit == UNIT_MONTH ? MONTH_CHARACTERS * CHARACTER_BYTES : FIXED_BYTES;
    }
    int room = n_texts > 0 ? bytes / n_texts / CHARACTER_BYTES : 0;
    return room < KEY_TEXT_MAX ? room : KEY_TEXT_MAX;
}

static void append_type(Buffer *sql, const ResultTable *table, const ColumnSpec *column)
{
    static const char *const types[] = {[CELL_NULL] = "",
                                        [CELL_INTEGER] = "BIGINT",
                                        [CELL_REAL] = "DOUBLE",
                                        [CELL_TEXT] = "MEDIUMTEXT"};
    if (column->unit == UNIT_DAY)
        buffer_append_string(sql, "DATE");
    else if (column->unit == UNIT_MONTH)
        buffer_printf(sql, "VARCHAR(%d)", MONTH_CHARACTERS);
    else if (is_text(column) && is_in_key(table, column->name))
        buffer_printf(sql, "VARCHAR(%d)", key_text_room(table));
    else
        buffer_append_string(sql, types[cell_column_kind(column->type, column->unit)]);
}

/* With its key from the beginning: rows come in the key's order. */
static Status create_next(Publication *publication, const ResultTable *table, Error *error)
{
    Buffer sql = {0};
    Status status;
    TRY(sql_target_run(&publication->target, error, "DROP TABLE IF EXISTS \"%s__next\"",
                       table->name));
    for (int c = 0; c < table->n_columns; c++) {
        buffer_printf(&sql, "%s\"%s\" ", c > 0 ? ", " : "", table->columns[c].name);
        append_type(&sql, table, &table->columns[c]);
    }
    if (table->key[0] != '\0') { /* a table of one row has none */
        buffer_append_string(&sql, ", PRIMARY KEY (");
        sql_target_append_key(&sql, table->key);
        buffer_append_string(&sql, ")");
    }
    TRY(sql_target_run(&publication->target, error, "CREATE TABLE \"%s__next\" (%s)%s", table->name,
                       buffer_string(&sql), mariadb_session_dialect.keyed_end));
out:
    buffer_free(&sql);
    return status;
}

/* ---- loading ---- */

/* A number without an exponent would be a decimal first. */
static void append_cell(Buffer *sql, const Cell *cell)
{
    char number[CELL_NUMBER_SIZE];
    switch (cell->kind) {
    case CELL_NULL:
        buffer_append_string(sql, "NULL");
        break;
    case CELL_INTEGER:
        cell_print_number(cell, number);
        buffer_append_string(sql, number);
        break;
    case CELL_REAL:
        cell_print_number(cell, number);
        buffer_append_string(sql, number);
        if (strchr(number, 'e') == NULL)
            buffer_append_string(sql, "e0");
        break;
    case CELL_TEXT:
        sql_append_bytes(sql, cell->text);
        break;
    }
}

static int64_t count_characters(Bytes text)
{
    int64_t n = 0;
    for (int64_t i = 0; i < text.size; i++)
        n += ((unsigned char)text.data[i] & 0xC0U) != 0x80U;
    return n;
}

static Status check_key_text(const Publication *publication, const ResultTable *table, int room,
                             const Cell *cell, Error *error)
{
    enum { SHOWN = 40 };
    Status status = STATUS_OK;
    if (cell->text.size > room && count_characters(cell->text) > room)
        FAIL(error, STATUS_INPUT,
             "%s: table %s identifies rows by a text of %lld characters, '%.*s...'; a key there "
             "has room for %d; shorten it, leave the table out (--tables), or publish into "
             "another kind of database",
             publication->target.name, table->name, (long long)count_characters(cell->text), SHOWN,
             cell->text.data, room);
out:
    return status;
}

static Status send(Publication *publication, Error *error)
{
    Buffer *insert = &publication->insert;
    Status status = STATUS_OK;
    if (insert->size > 0)
        status = maria_run_bytes(publication->session.maria, buffer_view(insert), error);
    buffer_clear(insert);
    return status;
}

static Status send_block(Publication *publication, int i, const Table *rows, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    const Column *columns[TABLE_COLUMNS_MAX];
    bool key_text[TABLE_COLUMNS_MAX];
    Buffer *insert = &publication->insert;
    Cell *cells = publication->cells;
    int room = key_text_room(table), n_columns = table->n_columns;
    Status status;
    for (int c = 0; c < n_columns; c++) {
        columns[c] = table_column_const(rows, table->columns[c].name);
        key_text[c] = is_text(&table->columns[c]) && is_in_key(table, table->columns[c].name);
    }
    TRY(fault_point("publish.load", error));
    TRY(target_safe_point(table, "loaded", error));
    for (int64_t row = 0; row < rows->rows; row++) {
        if (insert->size == 0)
            buffer_printf(insert, "INSERT INTO \"%s__next\" VALUES ", table->name);
        else
            buffer_append_string(insert, ",");
        for (int c = 0; c < n_columns; c++) {
            cell_read(columns[c], row, &cells[c]);
            if (key_text[c])
                TRY(check_key_text(publication, table, room, &cells[c], error));
            buffer_append_string(insert, c > 0 ? "," : "(");
            append_cell(insert, &cells[c]);
        }
        buffer_append_string(insert, ")");
        publication->checksums[i] += cell_row_hash(cells, n_columns, &publication->scratch);
        if (insert->size >= SEND_BYTES)
            TRY(send(publication, error));
    }
out:
    return status;
}

/* In one transaction, so that the log of the server is synced once. */
static Status load_table(Publication *publication, int i, Error *error)
{
    ResultReader *reader = publication->target.reader;
    const ResultTable *table = results_table(reader, i);
    Maria *maria = publication->session.maria;
    Table rows = {0};
    Status status;
    TRY(create_next(publication, table, error));
    TRY(maria_run(maria, error, "BEGIN"));
    for (int64_t block = 0; block * RESULT_BLOCK < table->rows; block++) {
        TRY(results_read_block(reader, i, block, &rows, error));
        TRY(send_block(publication, i, &rows, error));
    }
    TRY(send(publication, error));
    TRY(maria_run(maria, error, "COMMIT"));
out:
    table_free(&rows);
    return status;
}

/* ---- reading back ---- */

/* The server's numbers have as many digits as bring them back, and end with a NUL. */
static void read_back_cell(const ColumnSpec *column, Bytes value, Cell *cell)
{
    cell->kind = value.data != NULL ? cell_column_kind(column->type, column->unit) : CELL_NULL;
    switch (cell->kind) {
    case CELL_NULL:
        break;
    case CELL_INTEGER:
        cell->integer = strtoll(value.data, NULL, 10);
        break;
    case CELL_REAL:
        cell->real = strtod(value.data, NULL);
        break;
    case CELL_TEXT:
        cell->text = value;
        break;
    }
}

static Status verify_table(Publication *publication, int i, Error *error)
{
    const ResultTable *table = results_table(publication->target.reader, i);
    Maria *maria = publication->session.maria;
    Buffer sql = {0};
    int64_t rows = 0;
    uint64_t checksum = 0;
    bool more;
    Status status;
    TRY(fault_point("publish.verify", error));
    TRY(target_safe_point(table, "read back", error));
    buffer_append_string(&sql, "SELECT ");
    sql_target_append_columns(&sql, table, NULL);
    buffer_printf(&sql, " FROM \"%s__next\"", table->name);
    TRY(maria_select(maria, buffer_string(&sql), error));
    TRY(maria_fetch(maria, &more, error));
    while (more) {
        for (int c = 0; c < table->n_columns; c++)
            read_back_cell(&table->columns[c], maria_value(maria, c), &publication->cells[c]);
        checksum += cell_row_hash(publication->cells, table->n_columns, &publication->scratch);
        rows++;
        TRY(maria_fetch(maria, &more, error));
    }
    TRY(sql_target_compare(&publication->target, table, rows, checksum == publication->checksums[i],
                           error));
    TRY(maria_run(maria, error, "ANALYZE TABLE \"%s__next\"", table->name));
out:
    buffer_free(&sql);
    return status;
}

static Status load_and_switch(Publication *publication, Error *error)
{
    const SqlTarget *target = &publication->target;
    int n_tables = results_count(target->reader);
    Status status;
    for (int i = 0; i < n_tables; i++)
        TRY(load_table(publication, i, error));
    for (int i = 0; i < n_tables; i++)
        TRY(verify_table(publication, i, error));
    TRY(mariadb_session_copy_runs(target, error));
    TRY(sql_target_switch(target, error));
    TRY(mariadb_session_drop_retired(target, error));
out:
    if (status != STATUS_OK) {
        sql_target_drop_next(target);
        mariadb_session_drop_copies(target);
    }
    return status;
}

static Status switch_back(const SqlTarget *target, Error *error)
{
    Status status;
    TRY(mariadb_session_copy_runs(target, error));
    TRY(sql_target_switch_back(target, error));
    TRY(mariadb_session_drop_retired(target, error));
out:
    if (status != STATUS_OK)
        mariadb_session_drop_copies(target);
    return status;
}

/* ---- the target ---- */

Status mariadb_check(const char *place, Error *error)
{
    MariadbPlace where;
    Status status;
    TRY(mariadb_place_read(place, &where, error));
    TRY(maria_check_option_file(where.option_file[0] != '\0' ? where.option_file : NULL, error));
out:
    return status;
}

Status mariadb_reach(const char *place, const PublishOptions *options, Error *error)
{
    MariadbSession session = {0};
    Status status = mariadb_session_open(&session, place, options, error);
    mariadb_session_close(&session);
    return status;
}

Status mariadb_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                       const PublishOptions *options, PublishSummary *summary, Error *error)
{
    Publication publication = {0};
    MariadbSession *session = &publication.session;
    bool in_force;
    Status status;
    TRY(mariadb_session_open(session, place, options, error));
    publication.target =
        (SqlTarget){&mariadb_session_dialect, session, buffer_string(&session->url), reader, run};
    TRY(fault_point("publish.open", error));
    TRY(mariadb_session_lock(&publication.target, options, error));
    TRY(mariadb_session_drop_retired(&publication.target, error));
    TRY(sql_target_is_in_force(&publication.target, &in_force, error));
    if (!in_force) {
        TRY(sql_target_check_foreign(&publication.target, error));
        TRY(load_and_switch(&publication, error));
        TRY(fault_point("publish.done", error));
    }
    sql_target_summarise(&publication.target, !in_force, summary);
out:
    mariadb_session_close(session);
    buffer_free(&publication.insert);
    buffer_free(&publication.scratch);
    return status;
}

Status mariadb_roll_back(const char *place, const PublishOptions *options, RollbackSummary *summary,
                         Error *error)
{
    MariadbSession session = {0};
    Status status;
    TRY(mariadb_session_open(&session, place, options, error));
    const SqlTarget target = {&mariadb_session_dialect, &session, buffer_string(&session.url), NULL,
                              NULL};
    TRY(mariadb_session_lock(&target, options, error));
    TRY(mariadb_session_drop_retired(&target, error));
    TRY(sql_target_find_previous(&target, summary, error));
    TRY(switch_back(&target, error));
out:
    mariadb_session_close(&session);
    return status;
}
