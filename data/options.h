/* Options of vesper-datagen: one table gives parsing, checks and --help. */
#ifndef VESPER_DATA_OPTIONS_H
#define VESPER_DATA_OPTIONS_H

#include "comm/comm.h"

typedef struct Options {
    uint64_t seed;
    int64_t lines;
    int64_t customers;
    int32_t products;
    int32_t days;
    int32_t start; /* civil day */
    int64_t dirty_per_mille;
    char *folder;
    char *tables; /* NULL for all */
} Options;

bool options_ask_for_help(int argc, char **argv);
void options_print_help(void);

/* What the command line and the environment of rank 0 say. Collective. */
Status options_read(Comm *comm, int argc, char **argv, Options *options,
                    Error *error) VESPER_MUST_USE;
void options_free(Options *options);

#endif
