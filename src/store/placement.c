/* Placement on one volume. */
#include "store/placement.h"

#include <inttypes.h>

int placement_volumes(const Placement *placement)
{
    (void)placement;
    return 1;
}

int placement_volume(const Placement *placement, int64_t partition)
{
    (void)placement;
    (void)partition;
    return 0;
}

void placement_segment_shown(int64_t number, const char *table, Buffer *shown)
{
    buffer_clear(shown);
    buffer_printf(shown, "segments/%06" PRId64 "/%s.h5", number, table);
}

void placement_segment(const Placement *placement, int volume, int64_t number, const char *table,
                       Buffer *path)
{
    vesper_assert(volume == 0);
    buffer_clear(path);
    buffer_printf(path, "%s/segments/%06" PRId64 "/%s.h5", placement->root, number, table);
}
