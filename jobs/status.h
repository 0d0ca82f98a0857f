/* What `vesper status` found, and its two ways to tell it. */
#ifndef VESPER_JOBS_STATUS_H
#define VESPER_JOBS_STATUS_H

#include "job.h"
#include "store/survey.h"

/* Folders of the store whose size is told. */
enum { STATUS_FOLDERS = 6 };
extern const char *const status_folders[STATUS_FOLDERS];

/* A night as of a day before the last of its data, by its sales. */
typedef struct PastNight {
    int32_t day;
    int64_t generation;
    char run[STORE_NAME_SIZE];
} PastNight;

typedef struct StatusFacts {
    const Store *store;
    char first_day[32], last_day[32]; /* of the order lines; "" without any */
    const char *tables[SURVEY_TABLES_MAX];
    int n_tables;
    SurveySize all;
    SurveySize folders[STATUS_FOLDERS];
    SurveyLock lock;
    SurveyEntries unfinished;  /* in tmp/ */
    SurveyEntries checkpoints; /* of learning that was stopped */
    SurveyEntries results;
    PastNight *past; /* [n_past] one a day, the newest generation's, by day */
    int n_past;
    NightList nights; /* all */
    int told;         /* of them, at most */
} StatusFacts;

/* Results of the generation in force that no recorded night has published; not those of nights of
 * the past, which seldom are. */
bool status_is_unpublished(const StatusFacts *facts, const SurveyEntry *results);

/* Print them on stdout. Local. */
void status_print(const StatusFacts *facts);
void status_print_json(const StatusFacts *facts);

#endif
