/* SqlTarget: what publishing has in common in any database that speaks SQL: which run is in force,
 * whose tables are whose, the statements of the switch, and those of the way back. All Local.
 *
 * NAME is in force, NAME__previous is the night before, NAME__next is being loaded. `vesper_run`
 * has the two runs (current 1 and 0), `vesper_run_table` their tables. */
#ifndef VESPER_PUBLISH_SQL_TARGET_H
#define VESPER_PUBLISH_SQL_TARGET_H

#include "publish/publish.h"

/* How databases differ. */
typedef struct SqlDialect {
    const char *whole; /* type of whole numbers */
    const char *text;
    const char *day;       /* written as YYYY-MM-DD */
    const char *keyed_end; /* stands behind CREATE TABLE ... (...) of a table with a key */
    const char *how_many;  /* query how many things have a name, up to that name as a text */
    const char *elsewhere; /* for messages: what else could be published into */
    /* Run one statement. The first value of each row that it returns is appended to `answer`, with
     * a line end; NULL: whatever it returns is not looked at. */
    Status (*run)(void *database, const char *sql, Buffer *answer, Error *error);
    /* What stands behind the names of vesper_run and vesper_run_table where the switch writes them:
     * "" in a transaction, else of copies that come into force by their names as well. */
    const char *records_end;
    /* Give a table another name, at once or when `renamed` comes. */
    Status (*rename)(void *database, const char *from, const char *to, Error *error);
    /* All tables have got their names: bring them into force, let views follow. NULL: that goes by
     * itself. */
    Status (*renamed)(void *database, Error *error);
} SqlDialect;

typedef struct SqlTarget {
    const SqlDialect *dialect;
    void *database;          /* for the dialect's functions */
    const char *name;        /* as the user wrote it, for messages */
    ResultReader *reader;    /* what follows: NULL on the way back */
    const PublishedRun *run; /* to be published */
} SqlTarget;

/* Run a statement that returns nothing, or one whose first value is a number. */
Status sql_target_run(const SqlTarget *target, Error *error, const char *format, ...)
    VESPER_PRINTF(3, 4) VESPER_MUST_USE;
Status sql_target_count(const SqlTarget *target, int64_t *count, Error *error, const char *format,
                        ...) VESPER_PRINTF(4, 5) VESPER_MUST_USE;

/* True if this very run, with these tables, is in force: nothing is to be done. Reads only. */
Status sql_target_is_in_force(const SqlTarget *target, bool *in_force,
                              Error *error) VESPER_MUST_USE;
/* Refuses if a table of the run's names is there that Vesper did not publish. */
Status sql_target_check_foreign(const SqlTarget *target, Error *error) VESPER_MUST_USE;

/* Append a table's columns, quoted, commas between; `type_of` (NULL: none) says their types. */
void sql_target_append_columns(Buffer *sql, const ResultTable *table,
                               const char *(*type_of)(const ColumnSpec *column));
/* The same of those in `list`, commas between. */
void sql_target_append_key(Buffer *sql, const char *list);

/* STATUS_IO if what was read back of NAME__next is not what was sent. */
Status sql_target_compare(const SqlTarget *target, const ResultTable *table, int64_t rows_back,
                          bool same_values, Error *error) VESPER_MUST_USE;

/* Make vesper_run and vesper_run_table where they are not there. */
Status sql_target_create_runs(const SqlTarget *target, Error *error) VESPER_MUST_USE;
/* NAME becomes NAME__previous, NAME__next NAME, and vesper_run says so: inside a transaction, or at
 * one stroke of the dialect's `renamed`. */
Status sql_target_switch(const SqlTarget *target, Error *error) VESPER_MUST_USE;
/* After a failure, as well as the database allows: no loaded tables stay beside those in force. */
void sql_target_drop_next(const SqlTarget *target);

/* Is there a night before, as it was published? Fills `summary`. Reads only. */
Status sql_target_find_previous(const SqlTarget *target, RollbackSummary *summary,
                                Error *error) VESPER_MUST_USE;
/* In the same way: what is in force goes, NAME__previous becomes NAME, and vesper_run says so. */
Status sql_target_switch_back(const SqlTarget *target, Error *error) VESPER_MUST_USE;

/* Sleep, before another try. */
void sql_target_wait(double seconds);

/* What the target shows now. */
void sql_target_summarise(const SqlTarget *target, bool changed, PublishSummary *summary);

#endif
