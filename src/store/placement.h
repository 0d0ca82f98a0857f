/* Placement: which folder holds a partition of a segment. The one place that knows; the rest of the
 * store asks it. Now there is one volume, the store's own folder, and one replica. */
#ifndef VESPER_STORE_PLACEMENT_H
#define VESPER_STORE_PLACEMENT_H

#include "base/bytes.h"

typedef struct Placement {
    const char *root; /* the store's folder; borrowed */
} Placement;

int placement_volumes(const Placement *placement);
/* Volume, in [0, placement_volumes), of a partition. Local. */
int placement_volume(const Placement *placement, int64_t partition);

/* The path of a table's segment of batch `number` on a volume, and the shorter one of messages
 * ("segments/000003/orders.h5"). `path` is emptied first. Local. */
void placement_segment(const Placement *placement, int volume, int64_t number, const char *table,
                       Buffer *path);
void placement_segment_shown(int64_t number, const char *table, Buffer *shown);

#endif
