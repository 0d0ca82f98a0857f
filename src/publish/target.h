/* Target: what every kind of target does, and the names that may stand in one. */
#ifndef VESPER_PUBLISH_TARGET_H
#define VESPER_PUBLISH_TARGET_H

#include "publish/publish.h"

/* One kind of target. `place` is what stands behind the scheme in the URL. */
typedef struct TargetKind {
    const char *scheme; /* with its colon */
    const char *shape;  /* for messages: sqlite:FILE */
    /* STATUS_USAGE if `place` names no such target; nothing is opened. */
    Status (*check)(const char *place, Error *error);
    /* As publish_reach, of a place that was checked; NULL: only the publication will tell. */
    Status (*reach)(const char *place, const PublishOptions *options, Error *error);
    /* As publish_run; tables and columns have passed target_check_names. */
    Status (*publish)(ResultReader *reader, const PublishedRun *run, const char *place,
                      const PublishOptions *options, PublishSummary *summary, Error *error);
    /* As publish_roll_back; NULL: this kind keeps no earlier night. */
    Status (*roll_back)(const char *place, const PublishOptions *options, RollbackSummary *summary,
                        Error *error);
} TargetKind;

/* The SQLite file `path`. */
Status sqlite_check(const char *path, Error *error) VESPER_MUST_USE;
Status sqlite_reach(const char *path, const PublishOptions *options, Error *error) VESPER_MUST_USE;
Status sqlite_publish(ResultReader *reader, const PublishedRun *run, const char *path,
                      const PublishOptions *options, PublishSummary *summary,
                      Error *error) VESPER_MUST_USE;
Status sqlite_roll_back(const char *path, const PublishOptions *options, RollbackSummary *summary,
                        Error *error) VESPER_MUST_USE;

/* The schema of a PostgreSQL database; `place` is its URL without what stands before //. */
Status postgresql_check(const char *place, Error *error) VESPER_MUST_USE;
Status postgresql_reach(const char *place, const PublishOptions *options,
                        Error *error) VESPER_MUST_USE;
Status postgresql_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                          const PublishOptions *options, PublishSummary *summary,
                          Error *error) VESPER_MUST_USE;
Status postgresql_roll_back(const char *place, const PublishOptions *options,
                            RollbackSummary *summary, Error *error) VESPER_MUST_USE;

/* A database of a MariaDB or MySQL server; `place` is its URL without what stands before //. */
Status mariadb_check(const char *place, Error *error) VESPER_MUST_USE;
Status mariadb_reach(const char *place, const PublishOptions *options,
                     Error *error) VESPER_MUST_USE;
Status mariadb_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                       const PublishOptions *options, PublishSummary *summary,
                       Error *error) VESPER_MUST_USE;
Status mariadb_roll_back(const char *place, const PublishOptions *options, RollbackSummary *summary,
                         Error *error) VESPER_MUST_USE;

/* The folder `place` of CSV files, and its settings. */
Status csv_folder_check(const char *place, Error *error) VESPER_MUST_USE;
Status csv_folder_reach(const char *place, const PublishOptions *options,
                        Error *error) VESPER_MUST_USE;
Status csv_folder_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                          const PublishOptions *options, PublishSummary *summary,
                          Error *error) VESPER_MUST_USE;
Status csv_folder_roll_back(const char *place, const PublishOptions *options,
                            RollbackSummary *summary, Error *error) VESPER_MUST_USE;

/* The recommendation lists alone, into the Redis server `place`; rediss: is refused. */
Status redis_check(const char *place, Error *error) VESPER_MUST_USE;
Status redis_refuse_tls(const char *place, Error *error) VESPER_MUST_USE;
Status redis_reach(const char *place, const PublishOptions *options, Error *error) VESPER_MUST_USE;
Status redis_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                     const PublishOptions *options, PublishSummary *summary,
                     Error *error) VESPER_MUST_USE;
Status redis_roll_back(const char *place, const PublishOptions *options, RollbackSummary *summary,
                       Error *error) VESPER_MUST_USE;

/* A safe point of a publication: nothing is switched yet, and what was loaded goes as after a
 * failure. `doing` is what is done with the table: "loaded", "read back". Local. */
Status target_safe_point(const ResultTable *table, const char *doing, Error *error) VESPER_MUST_USE;

/* True for a small letter followed by small letters, digits and underscores: a name that needs no
 * care in any database. Local. */
bool target_name_is_plain(Bytes name);

/* Bytes of a table's name: PostgreSQL has 63 for it with __previous_pkey behind. */
enum { TARGET_NAME_MAX = 48 };

/* STATUS_USAGE if a table or column of the run has a name that a database may not take, or that
 * Vesper needs for itself (vesper_*, *__next, *__previous, *__retired). Local. */
Status target_check_names(const ResultReader *reader, Error *error) VESPER_MUST_USE;

#endif
