/* The model as a whole, and its scorer; see repeat.h. */
#include "recommend/repeat_model.h"

#include "base/memory.h"

#include <string.h>

RepeatOptions repeat_default(void)
{
    return (RepeatOptions){.decay = 0.9,
                           .fill_popular = true,
                           .returns_take_away = true,
                           .neighbours = 100,
                           .neighbour_weight = 0.4,
                           .threads = 1};
}

void repeat_free(Repeat **model)
{
    Repeat *old = *model;
    if (old) {
        for (int32_t p = 0; p < old->shares.end - old->shares.first; p++)
            mem_free(&old->past[p].days);
        mem_free(&old->past);
        sparse_side_free(&old->shares);
        sparse_rows_free(&old->scores);
        mem_free(&old->popularity);
        mem_free(&old->fill);
        mem_free(&old->rhythm);
    }
    mem_free(model);
}

static Repeat *new_model(const SparseSide *users, int32_t until_day, const RepeatOptions *options)
{
    Repeat *model = mem_new(1, sizeof *model);
    int32_t n_own = users->end - users->first;
    model->options = *options;
    model->until_day = until_day;
    model->shares = (SparseSide){.n_columns = users->n_columns,
                                 .n_partitions = users->n_partitions,
                                 .first = users->first,
                                 .end = users->end,
                                 .own = mem_new(n_own, sizeof *model->shares.own)};
    model->past = mem_new(n_own, sizeof *model->past);
    return model;
}

Status repeat_learn(Comm *comm, Store *store, const Shop *shop, const SparseSide *users,
                    int32_t until_day, const RepeatOptions *options, Repeat **model, Error *error)
{
    Status status = STATUS_OK;
    Neighbours neighbours = {.k = 0};
    Repeat *made = *model = new_model(users, until_day, options);
    vesper_assert(options->decay > 0 && options->decay <= 1 && options->threads > 0);
    vesper_assert(options->neighbour_weight >= 0 && options->neighbour_weight <= 1);
    TRY_ALL(comm, repeat_read(made, store, shop, error), error);
    TRY(sparse_side_complete(comm, &made->shares, error));
    TRY_ALL(comm,
            mem_resize(&made->popularity, users->n_columns, sizeof *made->popularity, "popularity",
                       error),
            error);
    sparse_column_counts(comm, &made->shares, made->popularity);
    if (options->neighbours > 0)
        TRY(repeat_find_neighbours(comm, made, &neighbours, error));
    TRY(repeat_make_scores(comm, made, &neighbours, error));
    TRY(repeat_learn_rhythm(comm, made, error));
out:
    repeat_neighbours_free(&neighbours);
    if (status != STATUS_OK)
        repeat_free(model);
    return status;
}

/* What the customer has no score of his own for is filled. */
static void score_tile(const void *learned, const ScoreTile *tile, float *scores)
{
    const Repeat *model = learned;
    const SparseSide *shares = &model->shares;
    const SparseRows *rows = &model->scores;
    int32_t first = shares->bases[shares->first + tile->partition] + tile->first_user;
    for (int32_t u = 0; u < tile->n_users; u++) {
        float *row = scores + (int64_t)u * tile->n_items;
        int32_t own_row = first + u - rows->first_row;
        memcpy(row, model->fill + tile->first_item, (size_t)tile->n_items * sizeof *row);
        for (int64_t e = rows->starts[own_row]; e < rows->starts[own_row + 1]; e++) {
            int32_t place = rows->columns[e] - tile->first_item;
            if (place >= 0 && place < tile->n_items)
                row[place] = rows->values[e];
        }
    }
}

Scorer repeat_scorer(Repeat *model)
{
    return (Scorer){.name = "repeat", .model = model, .tiled = true, .score = score_tile};
}
