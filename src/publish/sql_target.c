/* What targets that speak SQL have in common. */
#include "publish/sql_target.h"

#include "base/fault.h"
#include "database/sql.h"
#include "publish/target.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Names of the tables of one run that the database holds. */
typedef struct TableNames {
    int count;
    char names[RESULT_READ_MAX][STORE_NAME_SIZE];
} TableNames;

/* ---- statements ---- */

static VESPER_PRINTF(4, 0) Status run_list(const SqlTarget *target, Buffer *answer, Error *error,
                                           const char *format, va_list values)
{
    Buffer sql = {0};
    buffer_vprintf(&sql, format, values);
    Status status = target->dialect->run(target->database, buffer_string(&sql), answer, error);
    buffer_free(&sql);
    return status;
}

Status sql_target_run(const SqlTarget *target, Error *error, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    Status status = run_list(target, NULL, error, format, values);
    va_end(values);
    return status;
}

Status sql_target_count(const SqlTarget *target, int64_t *count, Error *error, const char *format,
                        ...)
{
    Buffer answer = {0};
    va_list values;
    va_start(values, format);
    Status status = run_list(target, &answer, error, format, values);
    va_end(values);
    *count = strtoll(buffer_string(&answer), NULL, 10);
    buffer_free(&answer);
    return status;
}

static Status has_table(const SqlTarget *target, const char *name, bool *there, Error *error)
{
    Buffer text = {0};
    int64_t found = 0;
    sql_append_text(&text, name);
    Status status = sql_target_count(target, &found, error, "%s%s", target->dialect->how_many,
                                     buffer_string(&text));
    *there = found > 0;
    buffer_free(&text);
    return status;
}

/* ---- which run is in force ---- */

/* As text, because SQL's integers are signed. */
static void checksum_text(uint64_t checksum, char text[17])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++)
        text[i] = digits[(checksum >> (60 - 4 * i)) & 15];
    text[16] = '\0';
}

/* What vesper_run says of a run besides `current`: conditions that its row fulfils, or values. An
 * empty text is NULL there. */
static void append_run(Buffer *sql, const PublishedRun *run, bool as_conditions)
{
    const struct {
        const char *column, *value;
    } texts[] = {{"run", run->run},
                 {"as_of", run->as_of},
                 {"currency", run->currency},
                 {"time_zone", run->time_zone}};
    const struct {
        const char *column;
        int64_t value;
    } numbers[] = {{"generation", run->generation},
                   {"money_decimals", run->money_decimals},
                   {"rows_read", run->orders.read},
                   {"rows_stored", run->orders.stored},
                   {"rows_rejected", run->orders.rejected},
                   {"rows_unchanged", run->orders.unchanged},
                   {"replaced_orders", run->orders.replaced_orders},
                   {"rows_in_force", run->rows_in_force}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buffer_append_string(sql, i == 0 ? "" : as_conditions ? " AND " : ", ");
        bool is_null = texts[i].value[0] == '\0';
        if (as_conditions)
            buffer_printf(sql, "%s %s ", texts[i].column, is_null ? "IS" : "=");
        if (is_null)
            buffer_append_string(sql, "NULL");
        else
            sql_append_text(sql, texts[i].value);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        buffer_printf(sql, "%s%s%s%lld", as_conditions ? " AND " : ", ",
                      as_conditions ? numbers[i].column : "", as_conditions ? " = " : "",
                      (long long)numbers[i].value);
}

/* vesper_run and vesper_run_table say that this very run, with so many tables, is in force. */
static Status run_is_recorded(const SqlTarget *target, bool *recorded, Error *error)
{
    Buffer conditions = {0};
    int64_t found;
    append_run(&conditions, target->run, true);
    Status status =
        sql_target_count(target, &found, error,
                         "SELECT count(*) FROM vesper_run r WHERE current = 1 AND %s"
                         " AND (SELECT count(*) FROM vesper_run_table t WHERE t.run = r.run) = %d",
                         buffer_string(&conditions), results_count(target->reader));
    *recorded = found == 1;
    buffer_free(&conditions);
    return status;
}

/* True if the table was published with this content, and still has as many rows. */
static Status table_is_in_force(const SqlTarget *target, const ResultTable *table, bool *in_force,
                                Error *error)
{
    Buffer run = {0};
    char checksum[17];
    int64_t found, rows;
    Status status;
    bool there;
    *in_force = false;
    checksum_text(table->checksum, checksum);
    sql_append_text(&run, target->run->run);
    TRY(sql_target_count(target, &found, error,
                         "SELECT count(*) FROM vesper_run_table WHERE run = %s"
                         " AND table_name = '%s' AND checksum = '%s'",
                         buffer_string(&run), table->name, checksum));
    TRY(has_table(target, table->name, &there, error));
    if (found == 0 || !there)
        goto out;
    TRY(sql_target_count(target, &rows, error, "SELECT count(*) FROM \"%s\"", table->name));
    *in_force = rows == table->rows;
out:
    buffer_free(&run);
    return status;
}

Status sql_target_is_in_force(const SqlTarget *target, bool *in_force, Error *error)
{
    Status status;
    *in_force = false;
    TRY(has_table(target, "vesper_run", in_force, error));
    if (*in_force)
        TRY(run_is_recorded(target, in_force, error));
    for (int i = 0; i < results_count(target->reader) && *in_force; i++)
        TRY(table_is_in_force(target, results_table(target->reader, i), in_force, error));
out:
    return status;
}

Status sql_target_check_foreign(const SqlTarget *target, Error *error)
{
    bool recorded, there;
    int64_t ours = 0;
    Status status;
    TRY(has_table(target, "vesper_run_table", &recorded, error));
    for (int i = 0; i < results_count(target->reader); i++) {
        const char *name = results_table(target->reader, i)->name;
        TRY(has_table(target, name, &there, error));
        if (there && recorded)
            TRY(sql_target_count(target, &ours, error,
                                 "SELECT count(*) FROM vesper_run_table JOIN vesper_run USING (run)"
                                 " WHERE current = 1 AND table_name = '%s'",
                                 name));
        if (there && ours == 0)
            FAIL(error, STATUS_IO,
                 "%s: has a table %s that Vesper did not publish; rename it there, or publish into "
                 "another %s",
                 target->name, name, target->dialect->elsewhere);
    }
out:
    return status;
}

/* ---- loading ---- */

void sql_target_append_key(Buffer *sql, const char *list)
{
    buffer_append_string(sql, "\"");
    for (const char *c = list; *c; c++) {
        if (*c == ',')
            buffer_append_string(sql, "\", \"");
        else
            buffer_append(sql, c, 1);
    }
    buffer_append_string(sql, "\"");
}

void sql_target_append_columns(Buffer *sql, const ResultTable *table,
                               const char *(*type_of)(const ColumnSpec *column))
{
    for (int c = 0; c < table->n_columns; c++) {
        const ColumnSpec *column = &table->columns[c];
        buffer_printf(sql, "%s\"%s\"%s%s", c > 0 ? ", " : "", column->name,
                      type_of != NULL ? " " : "", type_of != NULL ? type_of(column) : "");
    }
}

Status sql_target_compare(const SqlTarget *target, const ResultTable *table, int64_t rows_back,
                          bool same_values, Error *error)
{
    Status status = STATUS_OK;
    if (rows_back != table->rows || !same_values)
        FAIL(error, STATUS_IO,
             "%s: table %s was read back with %lld of %lld rows%s; nothing was switched; check the "
             "disk and run again",
             target->name, table->name, (long long)rows_back, (long long)table->rows,
             rows_back == table->rows ? " but other values" : "");
out:
    return status;
}

void sql_target_drop_next(const SqlTarget *target)
{
    Error ignored;
    for (int i = 0; i < results_count(target->reader); i++)
        if (sql_target_run(target, &ignored, "DROP TABLE IF EXISTS \"%s__next\"",
                           results_table(target->reader, i)->name) != STATUS_OK)
            return;
}

/* ---- the switch ---- */

Status sql_target_create_runs(const SqlTarget *target, Error *error)
{
    const char *whole = target->dialect->whole, *text = target->dialect->text;
    Status status;
    TRY(sql_target_run(target, error,
                       "CREATE TABLE IF NOT EXISTS vesper_run (run %s PRIMARY KEY,"
                       " current %s, generation %s, as_of %s, currency %s,"
                       " money_decimals %s, time_zone %s, rows_read %s,"
                       " rows_stored %s, rows_rejected %s, rows_unchanged %s,"
                       " replaced_orders %s, rows_in_force %s)%s",
                       text, whole, whole, target->dialect->day, text, whole, text, whole, whole,
                       whole, whole, whole, whole, target->dialect->keyed_end));
    TRY(sql_target_run(target, error,
                       "CREATE TABLE IF NOT EXISTS vesper_run_table (run %s, table_name %s,"
                       " \"rows\" %s, checksum %s, PRIMARY KEY (run, table_name))%s",
                       text, text, whole, text, target->dialect->keyed_end));
out:
    return status;
}

/* Tables of the run in force (current 1) or of the one before (0). */
static Status read_names(const SqlTarget *target, int current, TableNames *names, Error *error)
{
    Buffer answer = {0}, sql = {0};
    Status status;
    names->count = 0;
    buffer_printf(&sql,
                  "SELECT table_name FROM vesper_run_table JOIN vesper_run USING (run)"
                  " WHERE current = %d ORDER BY 1",
                  current);
    TRY(target->dialect->run(target->database, buffer_string(&sql), &answer, error));
    for (const char *at = buffer_string(&answer), *end; *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        vesper_assert(end != NULL);
        Bytes name = {at, end - at};
        if (names->count == RESULT_READ_MAX || !target_name_is_plain(name))
            FAIL(error, STATUS_IO,
                 "%s: table vesper_run_table was changed by hand; publish into a new %s",
                 target->name, target->dialect->elsewhere);
        memcpy(names->names[names->count], name.data, (size_t)name.size);
        names->names[names->count++][name.size] = '\0';
    }
out:
    buffer_free(&answer);
    buffer_free(&sql);
    return status;
}

/* The name of a table with one end, instead of another. */
static Status rename_table(const SqlTarget *target, const char *name, const char *from_end,
                           const char *to_end, Error *error)
{
    char from[STORE_NAME_SIZE + 16], to[STORE_NAME_SIZE + 16];
    (void)snprintf(from, sizeof from, "%s%s", name, from_end);
    (void)snprintf(to, sizeof to, "%s%s", name, to_end);
    return target->dialect->rename(target->database, from, to, error);
}

/* Those of `names` that are there get another end to their names. */
static Status rename_tables(const SqlTarget *target, const TableNames *names, const char *from_end,
                            const char *to_end, Error *error)
{
    char from[STORE_NAME_SIZE + 16];
    bool there;
    Status status = STATUS_OK;
    for (int i = 0; i < names->count; i++) {
        (void)snprintf(from, sizeof from, "%s%s", names->names[i], from_end);
        TRY(has_table(target, from, &there, error));
        if (there)
            TRY(rename_table(target, names->names[i], from_end, to_end, error));
    }
out:
    return status;
}

/* All tables have their names: they come into force, and what nobody reads any more goes. */
static Status finish_renaming(const SqlTarget *target, const TableNames *retired, Error *error)
{
    Status status = STATUS_OK;
    if (target->dialect->renamed != NULL)
        TRY(target->dialect->renamed(target->database, error));
    for (int i = 0; i < retired->count; i++)
        TRY(sql_target_run(target, error, "DROP TABLE IF EXISTS \"%s__retired\"",
                           retired->names[i]));
out:
    return status;
}

/* Forget the run in force (current 1) or the one before (0). */
static Status forget_run(const SqlTarget *target, int current, Error *error)
{
    const char *end = target->dialect->records_end;
    Status status;
    TRY(sql_target_run(target, error,
                       "DELETE FROM vesper_run_table%s WHERE run IN"
                       " (SELECT run FROM vesper_run%s WHERE current = %d)",
                       end, end, current));
    TRY(sql_target_run(target, error, "DELETE FROM vesper_run%s WHERE current = %d", end, current));
out:
    return status;
}

/* vesper_run and vesper_run_table: this run in force, the one before kept, older ones gone. */
static Status record_run(const SqlTarget *target, bool same_run, Error *error)
{
    const char *end = target->dialect->records_end;
    Buffer values = {0}, run = {0};
    Status status;
    TRY(forget_run(target, same_run, error));
    TRY(sql_target_run(target, error, "UPDATE vesper_run%s SET current = 0", end));
    append_run(&values, target->run, false);
    TRY(sql_target_run(target, error,
                       "INSERT INTO vesper_run%s (run, as_of, currency, time_zone, generation,"
                       " money_decimals, rows_read, rows_stored, rows_rejected, rows_unchanged,"
                       " replaced_orders, rows_in_force, current) VALUES (%s, 1)",
                       end, buffer_string(&values)));
    sql_append_text(&run, target->run->run);
    for (int i = 0; i < results_count(target->reader); i++) {
        const ResultTable *table = results_table(target->reader, i);
        char checksum[17];
        checksum_text(table->checksum, checksum);
        TRY(sql_target_run(target, error,
                           "INSERT INTO vesper_run_table%s (run, table_name, \"rows\", checksum)"
                           " VALUES (%s, '%s', %lld, '%s')",
                           end, buffer_string(&run), table->name, (long long)table->rows,
                           checksum));
    }
out:
    buffer_free(&values);
    buffer_free(&run);
    return status;
}

/* The tables in force become NAME__previous in place of the older ones. If they are an earlier
 * publication of this same run they go, and the night before stays. */
Status sql_target_switch(const SqlTarget *target, Error *error)
{
    Buffer run = {0};
    TableNames before = {0}, in_force;
    int64_t same_run;
    Status status;
    sql_append_text(&run, target->run->run);
    TRY(sql_target_count(target, &same_run, error,
                         "SELECT count(*) FROM vesper_run WHERE current = 1 AND run = %s",
                         buffer_string(&run)));
    TRY(read_names(target, 1, &in_force, error));
    if (same_run == 0)
        TRY(read_names(target, 0, &before, error));
    TRY(record_run(target, same_run != 0, error));
    TRY(rename_tables(target, &before, "__previous", "__retired", error));
    TRY(rename_tables(target, &in_force, "", same_run != 0 ? "__retired" : "__previous", error));
    for (int i = 0; i < results_count(target->reader); i++)
        TRY(rename_table(target, results_table(target->reader, i)->name, "__next", "", error));
    TRY(fault_point("publish.switch", error));
    TRY(finish_renaming(target, same_run != 0 ? &in_force : &before, error));
out:
    buffer_free(&run);
    return status;
}

void sql_target_wait(double seconds)
{
    double whole = floor(seconds);
    struct timespec time = {.tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9)};
    (void)nanosleep(&time, NULL);
}

void sql_target_summarise(const SqlTarget *target, bool changed, PublishSummary *summary)
{
    summary->changed = changed;
    summary->tables = results_count(target->reader);
    for (int i = 0; i < summary->tables; i++)
        summary->rows += results_table(target->reader, i)->rows;
}

/* ---- the way back ---- */

/* The name of the run in force (current 1) or of the one before (0); "" if there is none. */
static Status read_run(const SqlTarget *target, int current, char name[STORE_NAME_SIZE],
                       Error *error)
{
    Buffer answer = {0}, sql = {0};
    buffer_printf(&sql, "SELECT run FROM vesper_run WHERE current = %d", current);
    Status status = target->dialect->run(target->database, buffer_string(&sql), &answer, error);
    (void)snprintf(name, STORE_NAME_SIZE, "%.*s", (int)strcspn(buffer_string(&answer), "\n"),
                   buffer_string(&answer));
    buffer_free(&answer);
    buffer_free(&sql);
    return status;
}

static Status check_previous(const SqlTarget *target, const char *name, Error *error)
{
    char previous[STORE_NAME_SIZE + 16];
    int64_t changed = 0;
    bool there;
    Status status;
    (void)snprintf(previous, sizeof previous, "%s__previous", name);
    TRY(has_table(target, previous, &there, error));
    if (there)
        TRY(sql_target_count(target, &changed, error,
                             "SELECT count(*) FROM vesper_run_table JOIN vesper_run USING (run)"
                             " WHERE current = 0 AND table_name = '%s'"
                             " AND \"rows\" <> (SELECT count(*) FROM \"%s\")",
                             name, previous));
    if (!there || changed != 0)
        FAIL(error, STATUS_IO,
             "%s: table %s is %s, so the night before is not whole and nothing was changed; "
             "publish the night that is wanted instead",
             target->name, previous, there ? "no longer as it was published" : "gone");
out:
    return status;
}

Status sql_target_find_previous(const SqlTarget *target, RollbackSummary *summary, Error *error)
{
    TableNames names;
    bool there;
    Status status;
    TRY(has_table(target, "vesper_run", &there, error));
    if (!there)
        FAIL(error, STATUS_USAGE, "%s: nothing to roll back: Vesper has published nothing there",
             target->name);
    TRY(read_run(target, 1, summary->withdrawn, error));
    TRY(read_run(target, 0, summary->restored, error));
    if (summary->restored[0] == '\0')
        FAIL(error, STATUS_USAGE,
             "%s: no night to go back to: run %s is the only one kept there; 'vesper publish' "
             "brings any other",
             target->name, summary->withdrawn);
    TRY(read_names(target, 0, &names, error));
    for (int i = 0; i < names.count; i++)
        TRY(check_previous(target, names.names[i], error));
    summary->tables = names.count;
out:
    return status;
}

Status sql_target_switch_back(const SqlTarget *target, Error *error)
{
    TableNames in_force, before;
    Status status;
    TRY(read_names(target, 1, &in_force, error));
    TRY(read_names(target, 0, &before, error));
    TRY(forget_run(target, 1, error));
    TRY(sql_target_run(target, error, "UPDATE vesper_run%s SET current = 1",
                       target->dialect->records_end));
    TRY(rename_tables(target, &in_force, "", "__retired", error));
    TRY(rename_tables(target, &before, "__previous", "", error));
    TRY(fault_point("publish.roll_back", error));
    TRY(finish_renaming(target, &in_force, error));
out:
    return status;
}
