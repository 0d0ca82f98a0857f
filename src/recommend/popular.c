/* Popular; see popular.h. */
#include "recommend/popular.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>

Status popular_learn(Comm *comm, const SparseSide *users, Popular *model, Error *error)
{
    Status status = STATUS_OK;
    int64_t *counts = NULL;
    *model = (Popular){.n_items = users->n_columns};
    TRY_ALL(comm, fault_point("recommend.popular", error), error);
    TRY_ALL(comm,
            mem_resize(&counts, users->n_columns, sizeof *counts, "counts of the items", error),
            error);
    TRY_ALL(comm,
            mem_resize(&model->score, users->n_columns, sizeof *model->score, "scores of the items",
                       error),
            error);
    sparse_column_counts(comm, users, counts);
    for (int32_t i = 0; i < users->n_columns; i++)
        model->score[i] = (float)counts[i];
out:
    mem_free(&counts);
    if (status != STATUS_OK)
        popular_free(model);
    return status;
}

void popular_free(Popular *model)
{
    mem_free(&model->score);
    *model = (Popular){0};
}

static void score_tile(const void *model, const ScoreTile *tile, float *scores)
{
    const Popular *popular = model;
    const float *counts = popular->score + tile->first_item;
    for (int32_t u = 0; u < tile->n_users; u++) {
        float *row = scores + (int64_t)u * tile->n_items;
        for (int32_t i = 0; i < tile->n_items; i++)
            row[i] = counts[i] > 0 ? counts[i] : SCORE_NONE;
    }
}

Scorer popular_scorer(Popular *model)
{
    return (Scorer){.name = "popular", .model = model, .tiled = true, .score = score_tile};
}
