/* Publish: which kind of target a URL names, and whether the run's names suit a database. */
#include "publish/publish.h"

#include "base/fault.h"
#include "base/stop.h"
#include "publish/target.h"

#include <string.h>

static bool is_small_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

bool target_name_is_plain(Bytes name)
{
    if (name.size < 1 || name.size >= STORE_NAME_SIZE || !is_small_letter(name.data[0]))
        return false;
    for (int64_t i = 1; i < name.size; i++) {
        char c = name.data[i];
        if (!is_small_letter(c) && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

static bool name_ends_in(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);
    return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

static bool name_is_reserved(const char *name)
{
    return strncmp(name, "vesper_", 7) == 0 || strncmp(name, "sqlite_", 7) == 0 ||
           strncmp(name, "pg_", 3) == 0 || name_ends_in(name, "__next") ||
           name_ends_in(name, "__previous") || name_ends_in(name, "__retired");
}

Status target_check_names(const ResultReader *reader, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < results_count(reader); i++) {
        const ResultTable *table = results_table(reader, i);
        if (!target_name_is_plain(bytes_of(table->name)) || name_is_reserved(table->name) ||
            strlen(table->name) > TARGET_NAME_MAX)
            FAIL(
                error, STATUS_USAGE,
                "table '%s' cannot be published: a name has small letters, digits and underscores, "
                "%d at most, does not begin with vesper_, sqlite_ or pg_, and does not end in "
                "__next, __previous or __retired",
                table->name, TARGET_NAME_MAX);
        for (int c = 0; c < table->n_columns; c++)
            if (!target_name_is_plain(bytes_of(table->columns[c].name)))
                FAIL(
                    error, STATUS_USAGE,
                    "column '%s' of table %s cannot be published: a name has small letters, digits "
                    "and underscores",
                    table->columns[c].name, table->name);
    }
out:
    return status;
}

Status target_safe_point(const ResultTable *table, const char *doing, Error *error)
{
    return stop_point(error, "while table %s was %s, before the switch", table->name, doing);
}

static const TargetKind kinds[] = {
    {"sqlite:", "sqlite:FILE", sqlite_check, sqlite_reach, sqlite_publish, sqlite_roll_back},
    {"postgresql:", "postgresql://USER@HOST/DATABASE", postgresql_check, postgresql_reach,
     postgresql_publish, postgresql_roll_back},
    {"postgres:", NULL, postgresql_check, postgresql_reach, postgresql_publish,
     postgresql_roll_back},
    {"mysql:", "mysql://USER@HOST/DATABASE", mariadb_check, mariadb_reach, mariadb_publish,
     mariadb_roll_back},
    {"mariadb:", NULL, mariadb_check, mariadb_reach, mariadb_publish, mariadb_roll_back},
    {"csv:", "csv:FOLDER", csv_folder_check, csv_folder_reach, csv_folder_publish,
     csv_folder_roll_back},
    {"redis:", "redis://HOST:PORT/DB", redis_check, redis_reach, redis_publish, redis_roll_back},
    {"rediss:", NULL, redis_refuse_tls, redis_reach, redis_publish, redis_roll_back},
};

static const TargetKind *find_kind(const char *target)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(target, kinds[i].scheme, strlen(kinds[i].scheme)) == 0)
            return &kinds[i];
    return NULL;
}

static const char *place_of(const TargetKind *kind, const char *target)
{
    return target + strlen(kind->scheme);
}

/* A URL is shown up to its host only: a password may stand there. */
static Status refuse_target(const char *target, Error *error)
{
    Buffer shapes = {0};
    const char *rest = strstr(target, "://");
    int shown = rest != NULL ? (int)(rest + 3 - target) : (int)strlen(target);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].shape != NULL)
            buffer_printf(&shapes, "%s%s", i > 0 ? ", " : "", kinds[i].shape);
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                              "publish target '%.*s%s' is not understood; possible is %s", shown,
                              target, rest != NULL ? "..." : "", buffer_string(&shapes));
    buffer_free(&shapes);
    return status;
}

Status publish_check_target(const char *target, Error *error)
{
    const TargetKind *kind = find_kind(target);
    return kind != NULL ? kind->check(place_of(kind, target), error) : refuse_target(target, error);
}

Status publish_reach(const PublishOptions *options, Error *error)
{
    Status status;
    TRY(publish_check_target(options->to, error));
    TRY(fault_point("publish.reach", error));
    const TargetKind *kind = find_kind(options->to);
    if (kind->reach != NULL)
        TRY(kind->reach(place_of(kind, options->to), options, error));
out:
    return status;
}

Status publish_run(ResultReader *reader, const PublishedRun *run, const PublishOptions *options,
                   PublishSummary *summary, Error *error)
{
    Status status;
    *summary = (PublishSummary){0};
    TRY(publish_check_target(options->to, error));
    TRY(target_check_names(reader, error));
    const TargetKind *kind = find_kind(options->to);
    TRY(kind->publish(reader, run, place_of(kind, options->to), options, summary, error));
out:
    return status;
}

Status publish_roll_back(const PublishOptions *options, RollbackSummary *summary, Error *error)
{
    Status status;
    *summary = (RollbackSummary){0};
    TRY(publish_check_target(options->to, error));
    const TargetKind *kind = find_kind(options->to);
    if (kind->roll_back == NULL)
        FAIL(error, STATUS_USAGE,
             "%s keeps no night to go back to: publish the one that is wanted again", options->to);
    TRY(kind->roll_back(place_of(kind, options->to), options, summary, error));
out:
    return status;
}
