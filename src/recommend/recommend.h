/* Recommend: what to show to whom, with reasons, measured every night.
 *
 * The last days are held out, every model is measured on them, and those that foretold them best
 * are mixed; the mix then learns from the whole history and makes the lists. */
#ifndef VESPER_RECOMMEND_RECOMMEND_H
#define VESPER_RECOMMEND_RECOMMEND_H

#include "recommend/evaluate.h"
#include "store/results.h"

typedef struct RecommendPlan {
    ModelOptions models;
    InteractionOptions interactions;
    int32_t held_out_days;
    int list_length;
    int most_per_category; /* places of a list that one category may take; 0: no limit */
    bool show_owned;       /* list what the customer bought before */
    bool show_sold_out;    /* list products whose stock is known to be 0 */
    Bytes exclude;         /* product_list.h: never shown, nor named as a reason; empty: no list */
    Bytes allow;           /* nothing else is shown; empty: no list */
    int64_t again_days;    /* buy_again: probability within so many days */
    double popular_half_life;  /* days; rec_popular */
    bool warm_start;           /* the mix's ials begins with the factors of the night before, */
    int warm_iterations;       /* if there are any, and has so many iterations */
    double checkpoint_seconds; /* least time between two checkpoints of a learning */
    int threads;
} RecommendPlan;

/* What a person is told at the end. */
typedef struct RecommendSummary {
    bool is_measured; /* the history was long enough */
    int64_t users, items, pairs;
    int64_t test_users;
    double mix_ndcg, rival_ndcg;      /* at 20: of the mix, of what is merely popular */
    double again_recall, again_rival; /* at 10: of repeat, of what is merely popular */
    BlendMix mix;
} RecommendSummary;

/* Compute and write rec_user, rec_item, buy_again, rec_popular, rec_accuracy and rec_left_out
 * (docs/tables.md). Checkpoints of what takes long are kept as those of the results `name`, and
 * taken up; with a warm start, factors are kept as `name`.factors. Collective. */
Status recommend_run(Comm *comm, Store *store, const RecommendPlan *plan, const char *name,
                     ResultWriter *writer, RecommendSummary *summary, Error *error) VESPER_MUST_USE;

#endif
