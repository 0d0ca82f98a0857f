/* TopLists; see top_lists.h.
 *
 * Item tiles are outermost, so that a model is made ready for each once; inside, blocks of users
 * go to threads. What is kept between tiles is the lists themselves. */
#include "recommend/top_lists.h"

#include "base/fault.h"
#include "base/memory.h"
#include "kernel/select.h"

#include <math.h>
#include <omp.h>

/* Users of one tile. */
typedef struct UserBlock {
    int32_t partition; /* among this rank's own */
    int32_t first_user;
    int32_t n_users;
} UserBlock;

typedef struct Making {
    const SparseSide *users;
    const Scorer *scorer;
    const TopRules *rules;
    SelectRules select;
    int threads;
    int32_t tile_users, tile_items;
    int64_t n_blocks;
    UserBlock *blocks;
    int32_t n_groups;
    SelectGroup *groups; /* [threads x n_groups] */
    int n_tiles;         /* of scores a thread: the variant's, one to work in, those kept */
    float *scores;       /* [threads x n_tiles x tile_users x tile_items] */
    int n_variants;
    TopLists *lists; /* [n_variants] */
} Making;

static int32_t least_of(int64_t a, int64_t b)
{
    return (int32_t)(a < b ? a : b);
}

/* A model that wants all items at once gets fewer users, so that its tiles are no larger. */
static void set_tile(Making *making)
{
    int32_t n_items = making->users->n_columns;
    int32_t suits = making->scorer->tile_items;
    making->tile_users = TILE_USERS;
    making->tile_items = least_of(suits > 0 ? suits : TILE_ITEMS, n_items);
    if (making->scorer->tiled)
        return;
    making->tile_items = n_items;
    if (n_items > TILE_ITEMS)
        making->tile_users = (int32_t)((int64_t)TILE_USERS * TILE_ITEMS / n_items);
    if (making->tile_users == 0)
        making->tile_users = 1;
}

static Status make_blocks(Making *making, Error *error)
{
    Status status = STATUS_OK;
    const SparseSide *users = making->users;
    int32_t size = making->tile_users;
    for (int32_t p = 0; p < users->end - users->first; p++)
        making->n_blocks += (users->own[p].n_rows + (int64_t)size - 1) / size;
    TRY(mem_resize(&making->blocks, making->n_blocks, sizeof *making->blocks, "blocks of users",
                   error));
    int64_t b = 0;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        int32_t left = users->own[p].n_rows;
        for (int32_t at = 0; left > 0; at += size, left -= size)
            making->blocks[b++] = (UserBlock){p, at, least_of(left, size)};
    }
out:
    return status;
}

/* What rules->category asks of the selection. */
static Status make_groups(Making *making, Error *error)
{
    Status status = STATUS_OK;
    const TopRules *rules = making->rules;
    making->select.is_allowed = rules->is_shown;
    if (rules->category == NULL)
        goto out;
    vesper_assert(rules->most_per_category > 0);
    making->select.group = rules->category;
    making->select.most_per_group = rules->most_per_category;
    for (int32_t i = 0; i < making->users->n_columns; i++) {
        if (rules->category[i] >= making->n_groups)
            making->n_groups = rules->category[i] + 1;
    }
    int64_t n = (int64_t)making->threads * making->n_groups;
    TRY(mem_resize(&making->groups, n, sizeof *making->groups, "counts of categories", error));
    for (int64_t g = 0; g < n; g++)
        making->groups[g] = (SelectGroup){0};
out:
    return status;
}

static SelectList list_of(const TopLists *lists, int64_t row)
{
    int64_t at = row * lists->n;
    return (SelectList){lists->n, lists->items + at, lists->scores + at};
}

static Status make_lists(const Making *making, TopLists *lists, Error *error)
{
    Status status = STATUS_OK;
    lists->n_users = sparse_own_rows(making->users);
    int64_t places = (int64_t)lists->n_users * lists->n;
    TRY(mem_resize(&lists->items, places, sizeof *lists->items, "lists of items", error));
    TRY(mem_resize(&lists->scores, places, sizeof *lists->scores, "lists of scores", error));
    for (int32_t row = 0; row < lists->n_users; row++) {
        SelectList list = list_of(lists, row);
        select_clear(&list);
    }
out:
    return status;
}

static Status making_start(Making *making, Error *error)
{
    Status status = STATUS_OK;
    set_tile(making);
    TRY(make_blocks(making, error));
    TRY(make_groups(making, error));
    for (int v = 0; v < making->n_variants; v++)
        TRY(make_lists(making, &making->lists[v], error));
    TRY(mem_resize(&making->scores,
                   (int64_t)making->threads * making->n_tiles * making->tile_users *
                       making->tile_items,
                   sizeof *making->scores, "tiles of scores", error));
out:
    return status;
}

static void making_free(Making *making)
{
    mem_free(&making->blocks);
    mem_free(&making->groups);
    mem_free(&making->scores);
}

/* ---- tiles ---- */

/* First entry of a row whose column is not below `column`. */
static int64_t find_column(const SparseRows *rows, int32_t row, int32_t column)
{
    int64_t low = rows->starts[row], high = rows->starts[row + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (rows->columns[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Take the scores of a user's own items out of a row of the tile. */
static void hide_owned(const ScoreTile *tile, int32_t row, float *scores)
{
    const SparseRows *rows = tile->users;
    int64_t end = rows->starts[row + 1];
    for (int64_t e = find_column(rows, row, tile->first_item);
         e < end && rows->columns[e] - tile->first_item < tile->n_items; e++)
        scores[rows->columns[e] - tile->first_item] = SCORE_NONE;
}

static int64_t list_row(const Making *making, const UserBlock *block)
{
    const SparseSide *users = making->users;
    return (int64_t)users->own[block->partition].first_row + block->first_user -
           sparse_own_first(users);
}

static bool is_wanted(const Making *making, int64_t row)
{
    return making->rules->is_wanted == NULL || making->rules->is_wanted[row];
}

static bool has_wanted(const Making *making, int64_t first, int32_t n)
{
    for (int32_t u = 0; u < n; u++) {
        if (is_wanted(making, first + u))
            return true;
    }
    return false;
}

/* Look the scores of a tile through, one variant's. */
static void take_scores(const Making *making, const ScoreTile *tile, int64_t first_list,
                        float *scores, SelectGroup *groups)
{
    for (int32_t u = 0; u < tile->n_users; u++) {
        if (!is_wanted(making, first_list + u))
            continue;
        float *row = scores + (int64_t)u * tile->n_items;
        if (making->rules->leave_out_owned)
            hide_owned(tile, tile->first_user + u, row);
        SelectList list = list_of(&making->lists[tile->variant], first_list + u);
        select_merge(&list, &making->select, row, tile->first_item, tile->n_items, groups);
    }
}

/* Score a block of users on a run of items. Any thread. */
static void do_tile(const Making *making, const UserBlock *block, int32_t first_item,
                    int32_t n_items)
{
    int64_t thread = omp_get_thread_num();
    int64_t tile_size = (int64_t)making->tile_users * making->tile_items;
    float *scores = making->scores + thread * making->n_tiles * tile_size;
    SelectGroup *groups =
        making->groups == NULL ? NULL : making->groups + thread * making->n_groups;
    ScoreTile tile = {.users = &making->users->own[block->partition],
                      .partition = block->partition,
                      .first_user = block->first_user,
                      .n_users = block->n_users,
                      .first_item = first_item,
                      .n_items = n_items,
                      .spare = scores + tile_size,
                      .kept = scores + 2 * tile_size};
    int64_t first_list = list_row(making, block);
    if (!has_wanted(making, first_list, block->n_users))
        return;
    for (; tile.variant < making->n_variants; tile.variant++) {
        making->scorer->score(making->scorer->model, &tile, scores);
        take_scores(making, &tile, first_list, scores, groups);
    }
}

static Status do_tiles(Comm *comm, const Making *making, Error *error)
{
    Status status = STATUS_OK;
    int32_t n_items = making->users->n_columns;
    for (int32_t left = n_items; left > 0; left -= making->tile_items) {
        int32_t first = n_items - left;
        int32_t n = least_of(left, making->tile_items);
        TRY(comm_safe_point(comm, "while lists were made", error));
        if (making->scorer->prepare)
            TRY(making->scorer->prepare(comm, making->scorer->model, first, n, error));
#pragma omp parallel for schedule(dynamic) num_threads(making->threads)
        for (int64_t b = 0; b < making->n_blocks; b++)
            do_tile(making, &making->blocks[b], first, n);
    }
out:
    return status;
}

/* ---- items without a score ---- */

/* Whether the item may follow the list's first `length`: it is not there, nor its category full. */
static bool has_room(const TopRules *rules, const SelectList *list, int length, int32_t item)
{
    int32_t category = rules->category == NULL ? -1 : rules->category[item];
    int members = 0;
    for (int k = 0; k < length; k++) {
        if (list->numbers[k] == item)
            return false;
        members += category >= 0 && rules->category[list->numbers[k]] == category;
    }
    return category < 0 || members < rules->most_per_category;
}

/* A list with free places holds every item that has a score, save those that the limit of their
 * category keeps out whatever comes; so an item that is not in it and finds room has none. */
static void fill(const Making *making, const SparseRows *rows, int32_t row, const SelectList *list)
{
    const TopRules *rules = making->rules;
    int length = list->n;
    while (length > 0 && list->numbers[length - 1] < 0)
        length--;
    int64_t owned = rows->starts[row];
    int64_t end = rules->leave_out_owned ? rows->starts[row + 1] : owned;
    for (int32_t i = 0; length < list->n && i < making->users->n_columns; i++) {
        if (owned < end && rows->columns[owned] == i) {
            owned++;
            continue;
        }
        if ((rules->is_shown == NULL || rules->is_shown[i]) && has_room(rules, list, length, i))
            list->numbers[length++] = i;
    }
}

static void fill_block(const Making *making, const TopLists *lists, const UserBlock *block)
{
    const SparseRows *rows = &making->users->own[block->partition];
    int64_t first_list = list_row(making, block);
    for (int32_t u = 0; u < block->n_users; u++) {
        if (!is_wanted(making, first_list + u))
            continue;
        SelectList list = list_of(lists, first_list + u);
        fill(making, rows, block->first_user + u, &list);
    }
}

static void fill_all(const Making *making)
{
    for (int v = 0; v < making->n_variants; v++) {
#pragma omp parallel for schedule(dynamic) num_threads(making->threads)
        for (int64_t b = 0; b < making->n_blocks; b++)
            fill_block(making, &making->lists[v], &making->blocks[b]);
    }
}

Status top_lists_make_all(Comm *comm, const SparseSide *users, const Scorer *scorer,
                          const TopRules *rules, int n, int threads, TopLists *lists, Error *error)
{
    Status status = STATUS_OK;
    Making making = {.users = users,
                     .scorer = scorer,
                     .rules = rules,
                     .threads = threads,
                     .n_tiles = 2 + scorer->n_kept,
                     .n_variants = scorer->n_variants > 0 ? scorer->n_variants : 1,
                     .lists = lists};
    vesper_assert(n > 0 && threads > 0);
    for (int v = 0; v < making.n_variants; v++)
        lists[v] = (TopLists){.n = n};
    TRY_ALL(comm, fault_point("recommend.lists", error), error);
    TRY_ALL(comm, making_start(&making, error), error);
    TRY(do_tiles(comm, &making, error));
    if (rules->fill_unscored)
        fill_all(&making);
out:
    making_free(&making);
    for (int v = 0; status != STATUS_OK && v < making.n_variants; v++)
        top_lists_free(&lists[v]);
    return status;
}

Status top_lists_make(Comm *comm, const SparseSide *users, const Scorer *scorer,
                      const TopRules *rules, int n, int threads, TopLists *lists, Error *error)
{
    vesper_assert(scorer->n_variants <= 1);
    return top_lists_make_all(comm, users, scorer, rules, n, threads, lists, error);
}

void top_lists_free(TopLists *lists)
{
    mem_free(&lists->items);
    mem_free(&lists->scores);
    *lists = (TopLists){0};
}
