/* Options: the one table of everything that can be said on the command line or in the ini file. */
#ifndef VESPER_JOBS_OPTIONS_H
#define VESPER_JOBS_OPTIONS_H

#include "base/config.h"
#include "store/store.h"

/* Parse `vesper JOB ...`: argv[0] is the job's name. All jobs share one ini file, so the options of
 * other jobs are understood there, but refused on the command line. Local. */
Status options_parse(const char *job, int argc, char **argv, Config **config,
                     Error *error) VESPER_MUST_USE;

/* Help of the options that `job` takes, below a usage line and `purpose`. Local. */
void options_help(const char *job, const char *purpose, Buffer *text);

/* The value of --store; STATUS_USAGE if it was not given. Local. */
Status options_store(const Config *config, const char **path, Error *error) VESPER_MUST_USE;

/* Settings for a new store: what was given, else the defaults. Local. */
Status options_settings(const Config *config, StoreSettings *settings,
                        Error *error) VESPER_MUST_USE;

/* STATUS_USAGE if a setting that was given differs from the existing store's. Local. */
Status options_match_store(const Config *config, const StoreSettings *settings, const char *path,
                           Error *error) VESPER_MUST_USE;

/* Whose results an option shapes: each part of a night is computed and kept for itself. */
typedef enum ResultPart {
    PART_NONE,
    PART_SALES,
    PART_RECOMMEND,
    PART_FORECAST,
    PART_COUNT
} ResultPart;

/* Name of a part's results of `generation` under this configuration. Only options that change these
 * results count, not paths, inputs or logging, and `contents` of files that do. Local. */
void options_results_name(const Config *config, ResultPart part, int64_t generation, Bytes contents,
                          char name[STORE_NAME_SIZE]);

/* *day := the day that `text` names; STATUS_USAGE, which begins with `what`, if it names none.
 * Local.
 */
Status options_day(const char *what, const char *text, int32_t *day, Error *error) VESPER_MUST_USE;

/* --memory in bytes; 0: no limit. STATUS_USAGE if it is no number of bytes, or less than a
 * megabyte, which is a unit forgotten. Local. */
Status options_memory(const Config *config, int64_t *bytes, Error *error) VESPER_MUST_USE;

/* The value of an option YES|NO; STATUS_USAGE for anything else. Local. */
Status options_yes_no(const Config *config, const char *flag, bool *value,
                      Error *error) VESPER_MUST_USE;

#endif
