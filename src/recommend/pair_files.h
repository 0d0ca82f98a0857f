/* Pair files: train and test data as published benchmarks have them. One line a user: the user's
 * id, then the ids of items, blanks or tabs between; plain text or .gz, .xz, .zst as inputs are. A
 * user may stand on several lines, or on one without items. */
#ifndef VESPER_RECOMMEND_PAIR_FILES_H
#define VESPER_RECOMMEND_PAIR_FILES_H

#include "recommend/sparse_side.h"

enum { PAIR_PARTITIONS = 256 };

typedef struct PairFiles {
    SparseSide
        train;       /* users by hash of their id into PAIR_PARTITIONS, in the order of ids there */
    SparseSide test; /* the same rows */
    Table items;     /* column `text`: ids in bytewise order, on every rank */
    int64_t pairs, test_pairs, repeated; /* pairs that came more than once count once */
    int64_t unknown_users;               /* of the test file, not in the train file: left out */
} PairFiles;

/* All ranks read pieces of a file at once; compressed files are unpacked below `folder` for as long
 * as that takes. Items are those of either file. STATUS_INPUT names file and line, or a file
 * without pairs, or a test file without any user of the train file. Collective. */
Status pair_files_read(Comm *comm, const char *train, const char *test, const char *folder,
                       PairFiles *files, Error *error) VESPER_MUST_USE;
void pair_files_free(PairFiles *files);

#endif
