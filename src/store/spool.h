/* Spool: a file of equal blocks, each of which one rank writes and reads by itself: what does not
 * fit in memory from one pass over the data to the next.
 *
 * In STORE/checkpoints/ it is a checkpoint too. A block that was written whole is there for a run
 * that goes on after this one was killed, on any number of ranks; one that was not, or was damaged,
 * is known by its checksum. Otherwise it is a file without a name for each rank, and ends with it.
 */
#ifndef VESPER_STORE_SPOOL_H
#define VESPER_STORE_SPOOL_H

#include "store/scratch.h"

typedef enum SpoolState {
    SPOOL_ABSENT, /* never written, or not to the end */
    SPOOL_WHOLE,
    SPOOL_DAMAGED
} SpoolState;

typedef struct Spool Spool;

/* key: a hash of all that shapes the blocks, so that no others are taken for them; the same on
 * every rank, as block_bytes is. Collective. */
Status spool_open(Comm *comm, const SpoolPlace *place, uint64_t key, int64_t block_bytes,
                  Spool **spool, Error *error) VESPER_MUST_USE;
/* The file of a store stays (results_clear_checkpoints). Local. */
void spool_close(Spool **spool);
/* The file's name, for messages. Local. */
const char *spool_name(const Spool *spool);

/* Local. Blocks are numbered from 0 over all ranks; data [block_bytes]. */
Status spool_write(Spool *spool, int64_t block, const void *data, Error *error) VESPER_MUST_USE;
/* What there is of a block: data is out if that is whole. */
Status spool_look(Spool *spool, int64_t block, void *data, SpoolState *state,
                  Error *error) VESPER_MUST_USE;
/* Of a block that was found whole, or written. */
Status spool_read(Spool *spool, int64_t block, void *data, Error *error) VESPER_MUST_USE;

#endif
