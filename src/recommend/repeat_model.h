/* The parts of a Repeat; inside repeat. */
#ifndef VESPER_RECOMMEND_REPEAT_MODEL_H
#define VESPER_RECOMMEND_REPEAT_MODEL_H

#include "recommend/repeat.h"

/* The days on which a customer bought an item. */
typedef struct RepeatDays {
    int32_t first, last;
    int32_t n; /* different ones */
} RepeatDays;
typedef struct RepeatPast {
    RepeatDays *days; /* of each entry of a partition's shares */
} RepeatPast;

/* An item's rhythm over all customers. */
typedef struct RepeatRhythm {
    double interval; /* mean days between purchases; NAN: nobody bought it twice */
    double rate;     /* purchases a day after the first */
} RepeatRhythm;

struct Repeat {
    RepeatOptions options;
    int32_t until_day;
    SparseSide shares;    /* decayed share of each customer's orders that held the item */
    RepeatPast *past;     /* [own partitions] */
    SparseRows scores;    /* of all own rows: what the scorer says of these items */
    int64_t *popularity;  /* [n_items] customers who bought it */
    float *fill;          /* [n_items] score of the items that are not in scores */
    RepeatRhythm *rhythm; /* [n_items] */
    double shape;         /* of the gamma distribution of rates around an item's */
};

/* Customers with like baskets, of each own row. */
typedef struct Neighbour {
    int32_t number; /* row of the side */
    float similarity;
} Neighbour;
typedef struct Neighbours {
    int64_t k;
    int64_t *n;    /* [own rows] how many each has */
    Neighbour *at; /* [own rows x k] */
} Neighbours;

/* shares and past, from the store. Local. */
Status repeat_read(Repeat *model, Store *store, const Shop *shop, Error *error) VESPER_MUST_USE;

/* The k customers with the greatest cosine of shares above 0, equals by number; in the order of
 * numbers. Collective. */
Status repeat_find_neighbours(Comm *comm, const Repeat *model, Neighbours *neighbours,
                              Error *error) VESPER_MUST_USE;
void repeat_neighbours_free(Neighbours *neighbours);

/* scores and fill. Collective. */
Status repeat_make_scores(Comm *comm, Repeat *model, const Neighbours *neighbours,
                          Error *error) VESPER_MUST_USE;

/* rhythm and shape. Collective. */
Status repeat_learn_rhythm(Comm *comm, Repeat *model, Error *error) VESPER_MUST_USE;

#endif
