/* Target: what every kind of target does, and the names that may stand in one. */
#ifndef VESPER_PUBLISH_TARGET_H
#define VESPER_PUBLISH_TARGET_H

#include "publish/publish.h"

/* Publish into the SQLite file `path`; tables and columns have passed target_check_names. */
Status sqlite_publish(ResultReader *reader, const PublishedRun *run, const char *path,
                      PublishSummary *summary, Error *error) VESPER_MUST_USE;

/* True for a small letter followed by small letters, digits and underscores: a name that needs no
 * care in any database. Local. */
bool target_name_is_plain(Bytes name);

/* STATUS_USAGE if a table or column of the run has a name that a database may not take, or that
 * Vesper needs for itself (vesper_*, *__next, *__previous). Local. */
Status target_check_names(const ResultReader *reader, Error *error) VESPER_MUST_USE;

#endif
