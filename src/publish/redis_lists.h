/* RedisLists: the recommendation lists of a run, each as the text that a storefront reads in one
 * GET.
 *
 * A list is a JSON array of objects in the order of its places; an object has the columns of the
 * table but those that name the list, and `rank`, which is the place. */
#ifndef VESPER_PUBLISH_REDIS_LISTS_H
#define VESPER_PUBLISH_REDIS_LISTS_H

#include "store/results.h"

/* True for rec_user, rec_item, buy_again and rec_popular. Local. */
bool redis_lists_has(const ResultTable *table);

/* One list: what is behind the version in its key, as in rec_user:c17, and its text. */
typedef Status (*RedisListTake)(void *context, Bytes key, Bytes json, Error *error);

/* Hand each list of table `i` to `take`, sorted by key; *lists is how many. Local. */
Status redis_lists_walk(ResultReader *reader, int i, RedisListTake take, void *context,
                        int64_t *lists, Error *error) VESPER_MUST_USE;

#endif
