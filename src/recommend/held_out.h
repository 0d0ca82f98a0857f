/* HeldOut: what models may learn from, and what users took afterwards, to measure them by. */
#ifndef VESPER_RECOMMEND_HELD_OUT_H
#define VESPER_RECOMMEND_HELD_OUT_H

#include "recommend/interactions.h"

/* docs/methods/accuracy.md */
typedef enum Protocol {
    PROTOCOL_DISCOVER, /* items that the user did not have; own ones are not listed */
    PROTOCOL_AGAIN,    /* whatever the user took; own items are listed too */
    PROTOCOLS
} Protocol;

const char *protocol_name(Protocol protocol);

/* All zero is empty. The truths have the rows of `users`; of a store, those of users without train
 * pairs are empty. */
typedef struct HeldOut {
    SparseSide users, items; /* train */
    SparseSide truth[PROTOCOLS];
    bool *is_known; /* [n_items] it occurs in train */
    int64_t train_users, train_items, train_pairs;
    int64_t test_users[PROTOCOLS], test_pairs[PROTOCOLS];
    int64_t unknown_users; /* took something afterwards, but have no train pairs: left out */
    int64_t repeated;      /* pairs of pair files that came again */
    InteractionCounts interactions; /* of held_out_from_day */
} HeldOut;

void held_out_free(HeldOut *held);

/* Plain files of train and test pairs (pair_files.h): PROTOCOL_DISCOVER alone. Collective. */
Status held_out_from_files(Comm *comm, const char *train, const char *test, const char *folder,
                           HeldOut *held, Error *error) VESPER_MUST_USE;

/* The first of the last `days` days of the store's history. Local. */
int32_t held_out_last_days(const Shop *shop, int32_t days);

/* A store's history: train before `cut_day`; held out what was bought from that day on, of items
 * that occur in train. STATUS_INPUT if nothing is left on one side. Collective. */
Status held_out_from_day(Comm *comm, Store *store, const Shop *shop,
                         const InteractionOptions *options, int32_t cut_day, HeldOut *held,
                         Error *error) VESPER_MUST_USE;

/* The same up to `until_day`, with empty truths if there is nothing to measure by. Collective. */
Status held_out_between(Comm *comm, Store *store, const Shop *shop,
                        const InteractionOptions *options, int32_t cut_day, int32_t until_day,
                        HeldOut *held, Error *error) VESPER_MUST_USE;

/* Plain pairs: about `share` of each user's are held out, chosen by (seed, user, item).
 * PROTOCOL_DISCOVER alone. Collective. */
Status held_out_share(Comm *comm, const SparseSide *users, double share, uint64_t seed,
                      HeldOut *held, Error *error) VESPER_MUST_USE;

/* The same as held_out_from_day where each customer's last order is held out, and what the earlier
 * ones held is train. Collective. */
Status held_out_last_baskets(Comm *comm, Store *store, const Shop *shop, HeldOut *held,
                             Error *error) VESPER_MUST_USE;

#endif
