/* Survey: what lies in a store's folders and who is at work there, for people who look after it.
 * Needs no lock and changes nothing: what a run at work removes meanwhile is left out. Local, on
 * one rank. */
#ifndef VESPER_STORE_SURVEY_H
#define VESPER_STORE_SURVEY_H

#include "store/store.h"

/* Files below a folder. */
typedef struct SurveySize {
    int64_t files;
    int64_t bytes;
} SurveySize;

/* A folder or file that stands right in one of the store's folders. */
typedef struct SurveyEntry {
    char name[256];
    SurveySize size;
} SurveyEntry;

/* Sorted by name. All zero is empty. */
typedef struct SurveyEntries {
    SurveyEntry *entries; /* [n] */
    int n;
} SurveyEntries;

/* What is in STORE/NAME ("": the store itself); nothing if it is not there. */
Status survey_size(const Store *store, const char *name, SurveySize *size,
                   Error *error) VESPER_MUST_USE;
Status survey_entries(const Store *store, const char *name, SurveyEntries *entries,
                      Error *error) VESPER_MUST_USE;
void survey_entries_free(SurveyEntries *entries);

/* Tables with rows in the generation in force, by name; `names` has room for SURVEY_TABLES_MAX. */
enum { SURVEY_TABLES_MAX = 64 };
int survey_tables(const Store *store, const char *names[SURVEY_TABLES_MAX]);

typedef struct SurveyLock {
    bool is_held;    /* somebody writes */
    char owner[400]; /* who does, or who died while writing; "": nobody */
} SurveyLock;
Status survey_lock(const Store *store, SurveyLock *lock, Error *error) VESPER_MUST_USE;

#endif
