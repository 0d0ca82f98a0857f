/* Scorer: a model that has learned, ready to say how well items suit users.
 *
 * The caller asks for a tile of scores after another: users of one partition x a run of items. A
 * tile's borders depend on the partition and the number of items alone, so its scores are the same
 * bits on any number of ranks. Items are numbered in the order of their ids (bytewise), so that a
 * tie broken by number is broken by id. */
#ifndef VESPER_RECOMMEND_SCORER_H
#define VESPER_RECOMMEND_SCORER_H

#include "recommend/sparse_side.h"

#include <math.h>

/* Most users and items of a tile; a model that is not `tiled` is asked for all items at once, and
 * for as many fewer users. */
enum { TILE_USERS = 64, TILE_ITEMS = 4096 };

typedef struct ScoreTile {
    const SparseRows *users; /* the users' partition with what they have: rows of the train data */
    int32_t partition;       /* its place among this rank's own, from 0 */
    int32_t first_user;      /* rows [first_user, first_user + n_users) of it */
    int32_t n_users;
    int32_t first_item; /* items [first_item, first_item + n_items) */
    int32_t n_items;
    float *spare; /* [n_users x n_items] for the model to work in */
    int variant;  /* which of its n_variants the scorer is asked to be */
    float *kept;  /* [n_kept x n_users x n_items] as variant 0 of the same tile left it */
} ScoreTile;

/* The model has nothing to say of this item to this user. */
#define SCORE_NONE (-INFINITY)

/* Why one user is shown some items. */
enum { REASON_ITEMS_MAX = 100 };
typedef struct ReasonQuery {
    const SparseRows *users; /* as in a tile */
    int32_t partition;
    int32_t row;          /* of the partition */
    int n_items;          /* at most REASON_ITEMS_MAX */
    const int32_t *items; /* [n_items] each >= 0; reasons are [n_items x entries of the row] */
    /* Where the items of the row [entries], and `items`, stand among the numbers that the scorer
     * was made ready for; NULL: it was for all. */
    const int32_t *places, *item_places;
} ReasonQuery;

typedef struct Scorer {
    const char *name; /* "ials": as in tables and --models */
    void *model;      /* borrowed */
    bool tiled;
    int32_t tile_items; /* most items of a tile, if fewer than TILE_ITEMS suit it better; else 0 */
    /* Several scorers in one, which have what is dear in common: of a tile they are asked one after
     * another, from 0 on. */
    int n_variants; /* 0: one */
    int n_kept;     /* tiles of scores that pass from one to the next */
    /* Make ready for the items of a tile on every rank (NULL: nothing to do): runs of items in
     * ascending order, then their tiles, also on a rank without users. Collective. */
    Status (*prepare)(Comm *comm, void *model, int32_t first_item, int32_t n_items, Error *error);
    /* scores [n_users x n_items] row-major out, fully overwritten. Any thread. Local. */
    void (*score)(const void *model, const ScoreTile *tile, float *scores);
    /* Reasons (NULL: the model has none). First, on every rank: make ready for queries that name no
     * other items than numbers [n], ascending; NULL: any. (NULL: nothing to do.) Collective. */
    Status (*prepare_reasons)(Comm *comm, void *model, const int32_t *numbers, int64_t n,
                              Error *error);
    /* Add `weight` times what each item that the user has adds to the scores of `items`. Any
     * thread, each with `spare`, reason_floats aligned floats to work in. Local. */
    void (*add_reasons)(const void *model, const ReasonQuery *query, float weight, float *spare,
                        float *reasons);
    int64_t reason_floats;
    int64_t reason_item_bytes; /* that being ready takes for each of the numbers */
} Scorer;

#endif
