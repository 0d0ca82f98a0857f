#include "ingest/source_query.h"

#include "base/memory.h"
#include "database/sql.h"

#include <stdlib.h>
#include <string.h>

/* ---- columns ---- */

void query_init(SourceQuery *query, QueryDialect dialect, InputTable table,
                const InputSettings *settings)
{
    *query = (SourceQuery){.dialect = dialect,
                           .table = table,
                           .settings = settings,
                           .order_id = -1,
                           .watermark = -1,
                           .range_key = -1};
}

void query_free(SourceQuery *query)
{
    for (int i = 0; i < query->n_columns; i++)
        mem_free(&query->columns[i].name);
    mem_free(&query->columns);
    buffer_free(&query->after);
    buffer_free(&query->until);
    query->n_columns = 0;
}

void query_add_column(SourceQuery *query, const char *name, ValueKind kind)
{
    mem_grow(&query->columns, (int64_t)query->n_columns + 1, sizeof *query->columns);
    query->columns[query->n_columns++] = (QueryColumn){mem_copy_string(name), kind, false};
}

/* What the settings name must be a column of the query. */
static Status find_column(const SourceQuery *query, const char *shown, const char *key,
                          const char *name, int *column, Error *error)
{
    Status status = STATUS_OK;
    Buffer list = {0};
    for (*column = 0; *column < query->n_columns; (*column)++) {
        if (strcmp(query->columns[*column].name, name) == 0)
            return STATUS_OK;
    }
    for (int i = 0; i < query->n_columns && list.size < 400; i++)
        buffer_printf(&list, "%s\"%.60s\"", i > 0 ? ", " : "", query->columns[i].name);
    FAIL(error, STATUS_USAGE, "[%s] %s = %s: the query of %s has no such column; it has %s",
         input_schema(query->table)->name, key, name, shown, buffer_string(&list));
out:
    buffer_free(&list);
    return status;
}

Status query_find_columns(SourceQuery *query, const char *shown, Error *error)
{
    Status status = STATUS_OK;
    const InputSettings *settings = query->settings;
    if (settings->watermark != NULL)
        TRY(find_column(query, shown, "watermark", settings->watermark, &query->watermark, error));
    if (settings->range_key != NULL)
        TRY(find_column(query, shown, "range_key", settings->range_key, &query->range_key, error));
    if (query->dialect == QUERY_POSTGRES && query->range_key >= 0 &&
        query->columns[query->range_key].kind != VALUE_INTEGER)
        FAIL(error, STATUS_USAGE,
             "[%s] range_key = %s: that column of %s is no smallint, integer or bigint; name one "
             "that is, or leave range_key out",
             input_schema(query->table)->name, settings->range_key, shown);
out:
    return status;
}

Status query_choose_columns(SourceQuery *query, const Config *config, const char *shown,
                            Error *error)
{
    Status status = STATUS_OK;
    Mapping mapping = {0};
    Buffer header = {0}, place = {0};
    const InputSchema *schema = input_schema(query->table);
    for (int i = 0; i < query->n_columns; i++)
        query->columns[i].is_wanted = true;
    query_append_header(query, &header);
    buffer_printf(&place, "%s: the query for %s", shown, schema->name);
    TRY(mapping_make(config, query->table, buffer_view(&header), query->settings->delimiter,
                     buffer_string(&place), &mapping, error));
    for (int i = 0; i < query->n_columns; i++)
        query->columns[i].is_wanted = i == query->watermark || i == query->range_key;
    for (int i = 0; i < schema->n_fields; i++) {
        int column = mapping.column[i];
        if (column >= 0)
            query->columns[column].is_wanted = true;
        if (query->table == INPUT_ORDERS && strcmp(schema->fields[i].name, "order_id") == 0)
            query->order_id = column;
    }
out:
    mapping_free(&mapping);
    buffer_free(&header);
    buffer_free(&place);
    return status;
}

void query_append_header(const SourceQuery *query, Buffer *header)
{
    bool is_first = true;
    for (int i = 0; i < query->n_columns; i++) {
        if (!query->columns[i].is_wanted)
            continue;
        if (!is_first)
            buffer_append(header, &query->settings->delimiter, 1);
        csv_append_field(header, bytes_of(query->columns[i].name), query->settings->delimiter);
        is_first = false;
    }
}

/* ---- pieces of statements ---- */

/* What stands in FROM. A comment at the end of the query must not swallow the parenthesis. */
static void append_base(const SourceQuery *query, Buffer *sql)
{
    const InputSettings *settings = query->settings;
    if (settings->query != NULL) {
        Bytes text = bytes_trim(bytes_of(settings->query));
        while (text.size > 0 && text.data[text.size - 1] == ';')
            text = bytes_trim((Bytes){text.data, text.size - 1});
        buffer_printf(sql, "(\n%.*s\n)", (int)text.size, text.data);
        return;
    }
    const char *name = settings->source_table;
    if (name == NULL)
        name = input_schema(query->table)->name;
    for (const char *dot = name; dot != NULL; name = dot + 1) {
        Buffer part = {0};
        dot = strchr(name, '.');
        buffer_append(&part, name, dot != NULL ? dot - name : (int64_t)strlen(name));
        sql_append_name(sql, buffer_string(&part));
        buffer_free(&part);
        if (dot == NULL)
            break;
        buffer_append_string(sql, ".");
    }
}

static void append_column(const SourceQuery *query, const char *alias, int column, Buffer *sql)
{
    buffer_printf(sql, "%s.", alias);
    sql_append_name(sql, query->columns[column].name);
}

/* True if `text` is one text literal, as SQLite's quote() writes it, and nothing more. */
static bool is_text_literal(const char *text)
{
    size_t size = strlen(text);
    if (size < 2 || text[0] != '\'' || text[size - 1] != '\'')
        return false;
    for (size_t i = 1; i + 1 < size; i++) {
        if (text[i] == '\'' && (text[++i] != '\'' || i + 1 >= size))
            return false;
    }
    return true;
}

static bool is_number(const char *text)
{
    char *end = NULL;
    (void)strtod(text, &end);
    return (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) && *end == '\0';
}

/* A watermark that was kept. PostgreSQL reads a text as a value of the column's type; SQLite never
 * finds a number above a text. */
static void append_value(const SourceQuery *query, const char *value, Buffer *sql)
{
    if (query->dialect == QUERY_SQLITE && (is_text_literal(value) || is_number(value)))
        buffer_append_string(sql, value);
    else
        sql_append_text(sql, value);
}

static bool has_window(const SourceQuery *query)
{
    return query->after.size > 0 || query->until.size > 0;
}

static void append_settled(const SourceQuery *query, const char *alias, Buffer *sql)
{
    bool is_day = query->columns[query->watermark].kind == VALUE_DAY; /* settled when it is over */
    append_column(query, alias, query->watermark, sql);
    buffer_append_string(sql, is_day ? " < " : " <= ");
    append_value(query, buffer_string(&query->until), sql);
}

/* The new rows, of `alias`. */
static void append_window(const SourceQuery *query, const char *alias, Buffer *sql)
{
    if (query->after.size > 0) {
        append_column(query, alias, query->watermark, sql);
        buffer_append_string(sql, " > ");
        append_value(query, buffer_string(&query->after), sql);
    }
    if (query->after.size > 0 && query->until.size > 0)
        buffer_append_string(sql, " AND ");
    if (query->until.size > 0)
        append_settled(query, alias, sql);
}

static void append_base_as(const SourceQuery *query, const char *alias, Buffer *sql)
{
    append_base(query, sql);
    buffer_printf(sql, " AS %s", alias);
}

/* The rows to be read, as r. */
static void append_source(const SourceQuery *query, Buffer *sql)
{
    if (!has_window(query)) {
        append_base_as(query, "r", sql);
        return;
    }
    buffer_append_string(sql, "(SELECT * FROM ");
    append_base_as(query, "q", sql);
    buffer_append_string(sql, " WHERE ");
    if (query->order_id >= 0) {
        append_column(query, "q", query->order_id, sql);
        buffer_append_string(sql, " IN (SELECT ");
        append_column(query, "w", query->order_id, sql);
        buffer_append_string(sql, " FROM ");
        append_base_as(query, "w", sql);
        buffer_append_string(sql, " WHERE ");
        append_window(query, "w", sql);
        buffer_append_string(sql, ") UNION ALL SELECT * FROM ");
        append_base_as(query, "q", sql);
        buffer_append_string(sql,
                             " WHERE "); /* a row without an order is to be rejected, not lost */
        append_column(query, "q", query->order_id, sql);
        buffer_append_string(sql, " IS NULL AND ");
    }
    append_window(query, "q", sql);
    buffer_append_string(sql, ") AS r");
}

static bool is_only_column(const SourceQuery *query)
{
    int n = 0;
    for (int i = 0; i < query->n_columns; i++)
        n += query->columns[i].is_wanted;
    return n == 1;
}

/* The wanted columns of r as they are to be written. A row whose only value is NULL would be an
 * empty line, which is no row. */
static void append_values(const SourceQuery *query, const char *before, const char *after,
                          Buffer *sql)
{
    bool is_postgres = query->dialect == QUERY_POSTGRES;
    bool is_only = is_postgres && is_only_column(query);
    const char *comma = "";
    for (int i = 0; i < query->n_columns; i++) {
        const QueryColumn *column = &query->columns[i];
        if (!column->is_wanted)
            continue;
        buffer_printf(sql, "%s%s%s", comma, before, is_only ? "coalesce(CAST(" : "");
        append_column(query, "r", i, sql);
        if (is_postgres && column->kind == VALUE_BOOL)
            buffer_append_string(sql, "::text"); /* true and false, not t and f */
        if (is_postgres && column->kind == VALUE_MONEY)
            buffer_append_string(sql, "::numeric");
        buffer_printf(sql, "%s%s", is_only ? " AS text), '')" : "", after);
        comma = ", ";
    }
}

/* ---- statements ---- */

void query_append_all(const SourceQuery *query, Buffer *sql)
{
    buffer_append_string(sql, "SELECT * FROM ");
    append_base_as(query, "q", sql);
}

bool query_append_until(const SourceQuery *query, const char *time_zone, Buffer *sql)
{
    if (query->watermark < 0 || query->dialect != QUERY_POSTGRES)
        return false;
    ValueKind kind = query->columns[query->watermark].kind;
    if (kind != VALUE_INSTANT && kind != VALUE_LOCAL_TIME && kind != VALUE_DAY)
        return false;
    buffer_printf(sql, "SELECT CAST((now() - interval '%lld seconds')",
                  (long long)query->settings->watermark_settle);
    if (kind != VALUE_INSTANT) {
        buffer_append_string(sql, " AT TIME ZONE ");
        sql_append_text(sql, time_zone);
    }
    buffer_append_string(sql, kind == VALUE_DAY ? " AS date)" : " AS text)");
    return true;
}

void query_append_highest(const SourceQuery *query, Buffer *sql)
{
    bool is_postgres = query->dialect == QUERY_POSTGRES;
    buffer_append_string(sql, is_postgres ? "SELECT CAST(max(" : "SELECT quote(max(");
    append_column(query, "w", query->watermark, sql);
    buffer_append_string(sql, is_postgres ? ") AS text)" : "))");
    buffer_append_string(sql, ", CASE WHEN EXISTS (SELECT 1 FROM ");
    append_base_as(query, "n", sql);
    buffer_append_string(sql, " WHERE ");
    append_column(query, "n", query->watermark, sql);
    buffer_append_string(sql, " IS NULL) THEN 1 ELSE 0 END, ");
    if (is_postgres) {
        buffer_append_string(sql, "0");
    } else {
        buffer_append_string(sql, "count(DISTINCT typeof(");
        append_column(query, "w", query->watermark, sql);
        buffer_append_string(sql, ")) > 1");
    }
    buffer_append_string(sql, ", CASE WHEN ");
    if (query->until.size > 0) {
        buffer_append_string(sql, "EXISTS (SELECT 1 FROM ");
        append_base_as(query, "u", sql);
        buffer_append_string(sql, " WHERE NOT ");
        append_settled(query, "u", sql);
        buffer_append_string(sql, ") THEN 1");
    } else {
        buffer_append_string(sql, "0 = 1 THEN 1");
    }
    buffer_append_string(sql, " ELSE 0 END FROM ");
    append_base_as(query, "w", sql);
    if (has_window(query)) {
        buffer_append_string(sql, " WHERE ");
        append_window(query, "w", sql);
    }
}

void query_append_range(const SourceQuery *query, Buffer *sql)
{
    Buffer key = {0};
    append_column(query, "r", query->range_key, &key);
    const char *name = buffer_string(&key);
    buffer_printf(sql,
                  "SELECT min(%s), max(%s), CASE WHEN count(DISTINCT %s) = count(%s) AND "
                  "count(*) - count(%s) <= 1 THEN 1 ELSE 0 END FROM ",
                  name, name, name, name, name);
    append_source(query, sql);
    buffer_free(&key);
}

void query_append_rows(const SourceQuery *query, Buffer *sql)
{
    buffer_append_string(sql, "SELECT ");
    append_values(query, "", "", sql);
    buffer_append_string(sql, " FROM ");
    append_source(query, sql);
}

/* By the range key, and if that is not enough by all that is read: rows that are equal then are the
 * same in the file, so it has the same bytes each time. */
void query_append_order(const SourceQuery *query, Buffer *sql)
{
    buffer_append_string(sql, " ORDER BY ");
    if (query->range_key >= 0) {
        append_column(query, "r", query->range_key, sql);
        buffer_append_string(sql, query->is_key_unique ? " NULLS LAST" : " NULLS LAST, ");
    }
    if (query->range_key >= 0 && query->is_key_unique)
        return;
    if (query->dialect == QUERY_POSTGRES) {
        buffer_append_string(sql, "CAST(ROW(");
        append_values(query, "", "", sql);
        buffer_append_string(sql, ") AS text) COLLATE \"C\"");
    } else {
        append_values(query, "CAST(", " AS BLOB)", sql);
    }
}

/* low + (high - low + 1) * rank / size, exactly. */
static int64_t share_begin(int64_t low, int64_t high, int rank, int size)
{
    uint64_t keys = (uint64_t)high - (uint64_t)low; /* one less than there are: that may be 2^64 */
    uint64_t n = (uint64_t)size, r = (uint64_t)rank;
    return (int64_t)((uint64_t)low + keys / n * r + keys % n * r / n);
}

void query_append_share(const char *range_key, int64_t low, int64_t high, int rank, int size,
                        Buffer *sql)
{
    if (size == 1)
        return;
    Buffer key = {0};
    buffer_append_string(&key, "r.");
    sql_append_name(&key, range_key);
    buffer_append_string(sql, " WHERE ");
    if (rank > 0)
        buffer_printf(sql, "%s%s >= %lld", rank + 1 == size ? "(" : "", buffer_string(&key),
                      (long long)share_begin(low, high, rank, size));
    if (rank > 0 && rank + 1 < size)
        buffer_append_string(sql, " AND ");
    if (rank + 1 < size)
        buffer_printf(sql, "%s < %lld", buffer_string(&key),
                      (long long)share_begin(low, high, rank + 1, size));
    else
        buffer_printf(sql, " OR %s IS NULL)", buffer_string(&key));
    buffer_free(&key);
}
