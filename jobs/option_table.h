/* Option table: every option of every job, and which job takes which. */
#ifndef VESPER_JOBS_OPTION_TABLE_H
#define VESPER_JOBS_OPTION_TABLE_H

#include "options.h"

typedef struct JobOption {
    Option option;
    unsigned jobs;     /* that take it on the command line */
    ResultPart shapes; /* another value gives other results from the same generation */
} JobOption;

enum { OPTION_TABLE_MAX = 200 };
extern const JobOption option_table[];
extern const int option_table_count;

/* Whether a job takes the option on the command line. Local. */
bool option_is_of(const JobOption *option, const char *job);

/* What a job's arguments without an option are called, as in "FROM TO"; NULL: it takes none. */
const char *option_arguments(const char *job);

/* The bit in `jobs` that stands for a job; 0 for a name that is none. Local. */
unsigned option_job(const char *job);

#endif
