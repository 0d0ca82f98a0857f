/* PairLines: one rank's piece of a pair file (pair_files.h), in codes local to this rank. */
#ifndef VESPER_RECOMMEND_PAIR_LINES_H
#define VESPER_RECOMMEND_PAIR_LINES_H

#include "comm/comm.h"
#include "table/string_map.h"

enum { PAIR_ID_MAX = 1000 }; /* bytes of an id */

/* The lines that begin in this rank's share of the file's bytes. All zero is empty. */
typedef struct PairLines {
    StringMap users;
    Table lines; /* one a line: I32 `user`, code in `users`; I64 `end`, of its pairs */
    Table pairs; /* I32 `item`, code in the map that was given */
} PairLines;

/* Read `path` (.gz, .xz and .zst are unpacked into a new folder below `folder` for as long as this
 * takes). New ids of items are added to `items`. Empty lines are left out. STATUS_INPUT names file
 * and line of an id that is no UTF-8 text, has a NUL or a carriage return inside, or is longer than
 * PAIR_ID_MAX: the first of the file, at any number of ranks. Collective. */
Status pair_lines_read(Comm *comm, const char *path, const char *folder, StringMap *items,
                       PairLines *lines, Error *error) VESPER_MUST_USE;
void pair_lines_free(PairLines *lines);

#endif
