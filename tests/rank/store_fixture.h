/* The store that tests of damage and crashes harm: its files, and what is said about them.
 * Collective but for the path and the open files; all ranks call the same. */
#ifndef VESPER_TESTS_RANK_STORE_FIXTURE_H
#define VESPER_TESTS_RANK_STORE_FIXTURE_H

#include "rank/store_model.h"

enum { STORE_FIXTURE_PATH = MODEL_PATH_SIZE + 64 };

/* Where the store is; the same on every rank. */
extern char store_fixture_folder[MODEL_PATH_SIZE];

bool store_fixture_is_root(void);

/* A store with one batch of `things`, closed again. */
void store_fixture_make(void);

/* FOLDER/name. */
void store_fixture_path(const char *name, char path[STORE_FIXTURE_PATH]);

/* Files that this process has open: a handle of HDF5 that stays open keeps one. */
int store_fixture_open_files(void);

/* Rank 0 replaces a file by `data`; the others wait. */
void store_fixture_put(const char *name, const void *data, int64_t size);
/* Every rank reads a file. */
void store_fixture_get(const char *name, Buffer *contents);

/* What rank 0 says on stderr between these must have `expected` in it. */
void store_fixture_listen_begin(void);
void store_fixture_listen_end(const char *expected);

/* Open and read everything; the first error. Rows that are read must be right. */
Status store_fixture_read_all(Error *error) VESPER_MUST_USE;

/* A store made so, or one without batches, open for writing; and its end, with its folder's.
 * Collective. */
Store *store_fixture_open(void);
Store *store_fixture_open_empty(void);
void store_fixture_close(Store **store);

#endif
