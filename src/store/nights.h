/* Nights: the record of what the gate said of a store's nights, STORE/nights/NNNNNN.json, one file
 * a night and target. What is compared with "the last accepted night" is read from here.
 *
 * Records hold times and targets, so they are no part of what must be the same bytes at any rank
 * count. Written by rank 0 of a run that has the lock; read by anybody, without it. All Local.
 * night.c: in memory; nights.c: files. */
#ifndef VESPER_STORE_NIGHTS_H
#define VESPER_STORE_NIGHTS_H

#include "store/store.h"

enum {
    NIGHT_PARTS_MAX = 3, /* results that are published as one (results.h) */
    NIGHT_MEASURES_MAX = 8,
    NIGHT_TEXT_SIZE = 256,
    NIGHTS_KEPT = 400 /* records; the last accepted one of each target stays beyond that */
};

typedef enum NightDecision {
    NIGHT_ACCEPTED,    /* published */
    NIGHT_REFUSED,     /* not published: the gate's rules did not hold */
    NIGHT_FORCED,      /* published all the same, for a reason */
    NIGHT_ROLLED_BACK, /* an earlier run was put in force again; the record names that run */
    NIGHT_DECISIONS
} NightDecision;

/* Results of one kind. */
typedef struct NightResults {
    char kind[16];             /* sales, recommend, forecast */
    char run[STORE_NAME_SIZE]; /* in STORE/results; "" if the night has none */
    bool is_left_out;          /* the options do not ask for them */
} NightResults;

typedef struct NightTable {
    char name[STORE_NAME_SIZE];
    int64_t rows;
    int part; /* place in `parts` */
} NightTable;

/* How well something foretold days that it had not seen. */
typedef struct NightMeasure {
    char name[STORE_NAME_SIZE]; /* gate.h says which there are */
    int64_t n;                  /* customers or series that it is a mean over */
    double value;               /* of what is published */
    double rival;               /* of the naive rival; NaN: there is none */
} NightMeasure;

typedef struct NightLine {
    char text[NIGHT_TEXT_SIZE];
} NightLine;

/* All zero is an empty one. */
typedef struct Night {
    int64_t number; /* of the record; 0: not recorded */
    NightDecision decision;
    char run[STORE_NAME_SIZE]; /* as it is published (vesper_run) */
    int64_t generation;
    char as_of[32];    /* last day of the data, YYYY-MM-DD; "" without orders */
    int64_t days;      /* from the first day of the data to the last */
    char *target;      /* as given to --to */
    char *reason;      /* of --force; NULL: none */
    char recorded[32]; /* UTC */
    double seconds;    /* that the run had taken until then */
    int ranks;
    RowCounts rows; /* taken in since the last accepted night, over all input tables */
    NightResults parts[NIGHT_PARTS_MAX];
    int n_parts;
    NightTable *tables;
    int n_tables;
    NightMeasure measures[NIGHT_MEASURES_MAX];
    int n_measures;
    NightLine *failed; /* rules that did not hold, each in a line */
    int n_failed;
} Night;

void night_free(Night *night);
void night_set_text(char **text, const char *value); /* target and reason; NULL stays NULL */
void night_add_table(Night *night, const char *name, int64_t rows, int part);
void night_add_failed(Night *night, const char *text);
const NightTable *night_table(const Night *night, const char *name);     /* NULL: none */
const NightMeasure *night_measure(const Night *night, const char *name); /* NULL: none */
const char *night_decision_name(NightDecision decision);

/* Newest first. All zero is empty. */
typedef struct NightList {
    Night *nights; /* [n] */
    int n;
} NightList;

/* The newest records, `most` of them (0: all); none in a store that has no nights yet. STATUS_IO
 * names a record that cannot be read. */
Status nights_list(const Store *store, int most, NightList *list, Error *error) VESPER_MUST_USE;
void nights_free(NightList *list);

/* The newest record whose run, or one of whose parts' runs, has this name; NULL: none. */
const Night *nights_find(const NightList *list, const char *run);
/* The record of the run that the target shows, by what was recorded: the newest accepted or forced
 * one, or the one that a roll-back went back to; NULL: none. */
const Night *nights_in_force(const NightList *list, const char *target);
/* The newest record of a night that was published there and whose data end on `as_of` or earlier;
 * NULL: none. */
const Night *nights_published_until(const NightList *list, const char *target, const char *as_of);
/* The least generation among the last `n` that were accepted or forced, for any target; -1 if there
 * were fewer. */
int64_t nights_oldest_generation(const NightList *list, int n);

/* Record a night, as the next number: under another name first, synced, renamed. Records beyond
 * NIGHTS_KEPT are removed. The caller has the lock. */
Status night_record(const Store *store, Night *night, Error *error) VESPER_MUST_USE;

/* Counts of all inputs that came in after `generation`. */
RowCounts nights_rows_since(const Store *store, int64_t generation);

#endif
