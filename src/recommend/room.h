/* Room: what a rank may take of its machine's memory where nobody said how much. */
#ifndef VESPER_RECOMMEND_ROOM_H
#define VESPER_RECOMMEND_ROOM_H

#include "comm/comm.h"

/* Half of what the machine has free, shared by the ranks on it; the least of all ranks. The result
 * depends on the machine: nothing that is kept may follow from it. Collective. */
Status room_of_rank(Comm *comm, int64_t *bytes, Error *error) VESPER_MUST_USE;

#endif
