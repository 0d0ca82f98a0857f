/* Scratch: a file without a name, of one rank, that ends with it: what does not fit in memory. */
#ifndef VESPER_STORE_SCRATCH_H
#define VESPER_STORE_SCRATCH_H

#include "store/store.h"

/* Where such files are kept. */
typedef struct SpoolPlace {
    const Store *store; /* open for writing: in STORE/checkpoints; NULL: in `folder` */
    const char *run;    /* with a store: the results that they lead to */
    const char *folder;
} SpoolPlace;

typedef struct Scratch Scratch;

/* Collective. */
Status scratch_open(Comm *comm, const SpoolPlace *place, Scratch **scratch,
                    Error *error) VESPER_MUST_USE;
void scratch_close(Scratch **scratch);

/* Bytes [at, at + bytes) of the file; what is read was written. Local. */
Status scratch_write(Scratch *scratch, int64_t at, const void *data, int64_t bytes,
                     Error *error) VESPER_MUST_USE;
Status scratch_read(Scratch *scratch, int64_t at, void *data, int64_t bytes,
                    Error *error) VESPER_MUST_USE;

/* A new file in `folder`, whose name goes at once; *path (mem_free) is for messages. Local. */
Status scratch_open_nameless(const char *folder, char **path, int *fd,
                             Error *error) VESPER_MUST_USE;
/* The folder of a store for files of the run in progress. Local. */
Status scratch_make_folder(const Store *store, Buffer *folder, Error *error) VESPER_MUST_USE;

#endif
