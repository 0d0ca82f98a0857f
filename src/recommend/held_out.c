#include "recommend/held_out.h"

#include "base/memory.h"
#include "base/random.h"
#include "recommend/last_basket.h"
#include "recommend/pair_files.h"

const char *protocol_name(Protocol protocol)
{
    return protocol == PROTOCOL_DISCOVER ? "discover" : "buy again";
}

void held_out_free(HeldOut *held)
{
    sparse_side_free(&held->users);
    sparse_side_free(&held->items);
    for (int p = 0; p < PROTOCOLS; p++)
        sparse_side_free(&held->truth[p]);
    mem_free(&held->is_known);
    *held = (HeldOut){0};
}

/* Rows with entries, and entries, of all ranks. Collective. */
static void count(Comm *comm, const SparseSide *side, int64_t *rows, int64_t *entries)
{
    int64_t sums[2] = {0, 0};
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *own = &side->own[p];
        for (int32_t r = 0; r < own->n_rows; r++)
            sums[0] += own->starts[r + 1] > own->starts[r];
        sums[1] += sparse_entries(own);
    }
    comm_sum_i64(comm, sums, 2);
    *rows = sums[0];
    *entries = sums[1];
}

/* Everything that follows from the train users: items, which are known, counts. Collective. */
static Status complete_train(Comm *comm, HeldOut *held, Error *error)
{
    Status status;
    int64_t *counts = NULL;
    int32_t n = held->users.n_columns;
    TRY_ALL(comm, mem_resize(&counts, n, sizeof *counts, "counts of items", error), error);
    TRY_ALL(comm, mem_resize(&held->is_known, n, sizeof *held->is_known, "known items", error),
            error);
    sparse_column_counts(comm, &held->users, counts);
    for (int32_t i = 0; i < n; i++) {
        held->is_known[i] = counts[i] > 0;
        held->train_items += counts[i] > 0;
    }
    count(comm, &held->users, &held->train_users, &held->train_pairs);
    TRY(sparse_transpose(comm, &held->users, &held->items, error));
out:
    mem_free(&counts);
    return status;
}

/* Collective. */
static void count_truth(Comm *comm, HeldOut *held, Protocol protocol)
{
    count(comm, &held->truth[protocol], &held->test_users[protocol], &held->test_pairs[protocol]);
}

Status held_out_from_files(Comm *comm, const char *train, const char *test, const char *folder,
                           HeldOut *held, Error *error)
{
    Status status;
    PairFiles files = {0};
    *held = (HeldOut){0};
    TRY(pair_files_read(comm, train, test, folder, &files, error));
    held->users = files.train;
    held->truth[PROTOCOL_DISCOVER] = files.test;
    files.train = files.test = (SparseSide){0}; /* they have moved */
    held->repeated = files.repeated;
    held->unknown_users = files.unknown_users;
    TRY(complete_train(comm, held, error));
    count_truth(comm, held, PROTOCOL_DISCOVER);
out:
    pair_files_free(&files);
    if (status != STATUS_OK)
        held_out_free(held);
    return status;
}

/* ---- of a store ---- */

/* Drop the entries of columns that are not known. Local. */
static void keep_known(SparseSide *side, const bool *is_known)
{
    for (int32_t p = 0; p < side->end - side->first; p++) {
        SparseRows *rows = &side->own[p];
        int64_t kept = 0, at = 0;
        for (int32_t r = 0; r < rows->n_rows; r++) {
            for (; at < rows->starts[r + 1]; at++) {
                if (!is_known[rows->columns[at]])
                    continue;
                rows->columns[kept] = rows->columns[at];
                rows->values[kept++] = rows->values[at];
            }
            rows->starts[r + 1] = kept;
        }
    }
}

/* Both truths from what was taken afterwards. Collective. */
static Status complete_truths(Comm *comm, SparseSide *taken, HeldOut *held, Error *error)
{
    Status status;
    int64_t users, pairs;
    SparseSide *again = &held->truth[PROTOCOL_AGAIN];
    keep_known(taken, held->is_known);
    count(comm, taken, &users, &pairs);
    TRY(interactions_of_users(comm, taken, &held->users, again, error));
    TRY(interactions_except(comm, again, &held->users, &held->truth[PROTOCOL_DISCOVER], error));
    count_truth(comm, held, PROTOCOL_DISCOVER);
    count_truth(comm, held, PROTOCOL_AGAIN);
    held->unknown_users = users - held->test_users[PROTOCOL_AGAIN];
out:
    return status;
}

/* Local, the same on every rank. */
static Status check_truth(const HeldOut *held, Error *error)
{
    Status status = STATUS_OK;
    if (held->test_pairs[PROTOCOL_AGAIN] == 0)
        FAIL(error, STATUS_INPUT,
             "nothing to measure by: no customer who bought before bought afterwards a product "
             "that had sold before");
out:
    return status;
}

int32_t held_out_last_days(const Shop *shop, int32_t days)
{
    return shop->last_day == DAY_NONE ? DAY_NONE : shop->last_day + 1 - days;
}

/* Whether the store has days on both sides of the cut. Local, the same on every rank. */
static Status check_cut(const Shop *shop, int32_t cut_day, Error *error)
{
    Status status = STATUS_OK;
    char cut[CIVIL_TEXT_SIZE], first[CIVIL_TEXT_SIZE], last[CIVIL_TEXT_SIZE];
    if (shop->last_day == DAY_NONE)
        FAIL(error, STATUS_INPUT, "the store has no orders to learn from");
    if (cut_day > shop->first_day && cut_day <= shop->last_day)
        goto out;
    civil_format_day(cut_day, cut);
    civil_format_day(shop->first_day, first);
    civil_format_day(shop->last_day, last);
    FAIL(error, STATUS_INPUT,
         "%s cannot be the first day held out: the store has orders from %s to %s, and some must "
         "come before",
         cut, first, last);
out:
    return status;
}

Status held_out_between(Comm *comm, Store *store, const Shop *shop,
                        const InteractionOptions *options, int32_t cut_day, int32_t until_day,
                        HeldOut *held, Error *error)
{
    Status status;
    SparseSide bought = {0};
    *held = (HeldOut){0};
    TRY(interactions_read(comm, store, shop, options, shop->first_day, cut_day, &held->users, NULL,
                          &held->interactions, error));
    TRY(complete_train(comm, held, error));
    TRY(interactions_bought(comm, store, shop, cut_day, until_day, NULL, &bought, error));
    TRY(complete_truths(comm, &bought, held, error));
out:
    sparse_side_free(&bought);
    if (status != STATUS_OK)
        held_out_free(held);
    return status;
}

Status held_out_from_day(Comm *comm, Store *store, const Shop *shop,
                         const InteractionOptions *options, int32_t cut_day, HeldOut *held,
                         Error *error)
{
    Status status;
    *held = (HeldOut){0};
    TRY(check_cut(shop, cut_day, error));
    TRY(held_out_between(comm, store, shop, options, cut_day, shop->last_day + 1, held, error));
    TRY(check_truth(held, error));
out:
    if (status != STATUS_OK)
        held_out_free(held);
    return status;
}

Status held_out_last_baskets(Comm *comm, Store *store, const Shop *shop, HeldOut *held,
                             Error *error)
{
    Status status;
    SparseSide last = {0};
    *held = (HeldOut){0};
    TRY(last_basket_read(comm, store, shop, &held->users, &last, error));
    TRY(complete_train(comm, held, error));
    TRY(complete_truths(comm, &last, held, error));
    TRY(check_truth(held, error));
out:
    sparse_side_free(&last);
    if (status != STATUS_OK)
        held_out_free(held);
    return status;
}

/* ---- a share of plain pairs ---- */

static bool is_held_out(double share, uint64_t seed, int32_t user, int32_t item)
{
    Random random = random_stream(seed, (uint64_t)user << 32 | (uint32_t)item);
    return random_unit(&random) < share;
}

/* The entries of `rows` that are held out, or the others. */
static Status take_share(const SparseRows *rows, double share, uint64_t seed, bool held_out,
                         SparseRows *taken, Error *error)
{
    Status status;
    int64_t n = 0;
    taken->n_rows = rows->n_rows;
    TRY(mem_resize(&taken->starts, (int64_t)rows->n_rows + 1, sizeof *taken->starts,
                   "held-out pairs", error));
    TRY(mem_resize(&taken->columns, sparse_entries(rows), sizeof *taken->columns, "held-out pairs",
                   error));
    TRY(mem_resize(&taken->values, sparse_entries(rows), sizeof *taken->values, "held-out pairs",
                   error));
    taken->starts[0] = 0;
    for (int32_t r = 0; r < rows->n_rows; r++) {
        for (int64_t e = rows->starts[r]; e < rows->starts[r + 1]; e++) {
            if (is_held_out(share, seed, rows->first_row + r, rows->columns[e]) != held_out)
                continue;
            taken->columns[n] = rows->columns[e];
            taken->values[n++] = rows->values[e];
        }
        taken->starts[r + 1] = n;
    }
out:
    return status;
}

static Status split_own(const SparseSide *users, double share, uint64_t seed, HeldOut *held,
                        Error *error)
{
    Status status = STATUS_OK;
    SparseSide *sides[] = {&held->users, &held->truth[PROTOCOL_DISCOVER]};
    for (int s = 0; s < 2; s++) {
        *sides[s] = (SparseSide){.n_columns = users->n_columns,
                                 .n_partitions = users->n_partitions,
                                 .first = users->first,
                                 .end = users->end};
        sides[s]->own = mem_new(users->end - users->first, sizeof *users->own);
        for (int32_t p = 0; p < users->end - users->first; p++)
            TRY(take_share(&users->own[p], share, seed, s == 1, &sides[s]->own[p], error));
    }
out:
    return status;
}

Status held_out_share(Comm *comm, const SparseSide *users, double share, uint64_t seed,
                      HeldOut *held, Error *error)
{
    Status status;
    *held = (HeldOut){0};
    TRY_ALL(comm, split_own(users, share, seed, held, error), error);
    TRY(sparse_side_complete(comm, &held->users, error));
    TRY(sparse_side_complete(comm, &held->truth[PROTOCOL_DISCOVER], error));
    TRY(complete_train(comm, held, error));
    count_truth(comm, held, PROTOCOL_DISCOVER);
out:
    if (status != STATUS_OK)
        held_out_free(held);
    return status;
}
