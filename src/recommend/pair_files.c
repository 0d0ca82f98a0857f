/* Pair files: from the ranks' pieces to users by partition and items by number. */
#include "recommend/pair_files.h"

#include "base/fault.h"
#include "base/memory.h"
#include "recommend/pair_lines.h"
#include "recommend/sparse_rows.h"
#include "store/store.h"
#include "table/sort.h"

#include <string.h>

void pair_files_free(PairFiles *files)
{
    sparse_side_free(&files->train);
    sparse_side_free(&files->test);
    table_free(&files->items);
    *files = (PairFiles){0};
}

/* ---- items ---- */

static Status list_ids(const StringMap *ids, Table *texts, Error *error)
{
    static const ColumnSpec columns[] = {{"text", COLUMN_TEXT, UNIT_NONE}};
    Status status;
    table_init(texts, columns, 1);
    TRY(fault_point("recommend.pairs.items", error));
    for (int32_t code = 0; code < ids->count; code++) {
        TRY(table_add_row(texts, error));
        TRY(table_set_last_text(texts, &texts->columns[0], string_map_text(ids, code), error));
    }
out:
    return status;
}

/* numbers [ids->count] := row of each id in `items`, which has all of them. */
static Status number_ids(const Table *items, const StringMap *ids, int32_t **numbers, Error *error)
{
    Status status;
    StringMap rows = {0};
    int32_t row;
    for (int64_t i = 0; i < items->rows; i++)
        TRY(string_map_add(&rows, column_text(&items->columns[0], i), &row, error));
    TRY(mem_resize(numbers, ids->count, sizeof **numbers, "numbers of items", error));
    for (int32_t code = 0; code < ids->count; code++)
        (*numbers)[code] = string_map_find(&rows, string_map_text(ids, code));
out:
    string_map_free(&rows);
    return status;
}

static void renumber(PairLines *lines, const int32_t *numbers)
{
    int32_t *items = lines->pairs.columns[0].data;
    vesper_assert(numbers != NULL || lines->pairs.rows == 0);
    for (int64_t i = 0; i < lines->pairs.rows; i++)
        items[i] = numbers[items[i]];
}

/* Items of both files in bytewise order; the lines' codes become numbers in it. Collective. */
static Status number_items(Comm *comm, const StringMap *ids, PairLines *train, PairLines *test,
                           Table *items, Error *error)
{
    Status status;
    int32_t *numbers = NULL;
    TRY_ALL(comm, list_ids(ids, items, error), error);
    TRY(comm_union_texts(comm, items, error));
    TRY_ALL(comm, number_ids(items, ids, &numbers, error), error);
    renumber(train, numbers);
    renumber(test, numbers);
out:
    mem_free(&numbers);
    return status;
}

/* ---- users, to the owners of their partitions ---- */

typedef struct Owners {
    int32_t first, end;                    /* this rank's partitions */
    int32_t of_partition[PAIR_PARTITIONS]; /* rank */
} Owners;

static int32_t partition_of(Bytes user)
{
    return hash_partition(hash128(user), PAIR_PARTITIONS);
}

static int64_t pairs_of_line(const PairLines *lines, int64_t line)
{
    const int64_t *end = lines->lines.columns[1].data;
    return end[line] - (line > 0 ? end[line - 1] : 0);
}

/* Runs of partitions with about equal numbers of lines and pairs. Collective. */
static void choose_owners(Comm *comm, const PairLines *lines, Owners *owners)
{
    int64_t weights[PAIR_PARTITIONS] = {0};
    const int32_t *user = lines->lines.columns[0].data;
    for (int64_t i = 0; i < lines->lines.rows; i++)
        weights[partition_of(string_map_text(&lines->users, user[i]))] +=
            pairs_of_line(lines, i) + 1;
    comm_sum_i64(comm, weights, PAIR_PARTITIONS);
    for (int rank = 0; rank < comm_size(comm); rank++) {
        int32_t first, end;
        store_balance(weights, PAIR_PARTITIONS, rank, comm_size(comm), &first, &end);
        for (int32_t p = first; p < end; p++)
            owners->of_partition[p] = rank;
        if (rank == comm_rank(comm)) {
            owners->first = first;
            owners->end = end;
        }
    }
}

/* Users and what they have, ordered by destination, or as received: a user once from each rank. */
typedef struct Parcel {
    Table users;                        /* TEXT `user`, I64 `pairs` */
    int32_t *items;                     /* of one user after another */
    int64_t *user_counts, *item_counts; /* [size] */
} Parcel;

static void parcel_free(Parcel *parcel)
{
    table_free(&parcel->users);
    mem_free(&parcel->items);
    mem_free(&parcel->user_counts);
    mem_free(&parcel->item_counts);
}

/* The users of the lines in the order of their destinations, and counts for each rank;
 * place [users] in that order. */
static Status pack_users(const PairLines *lines, const Owners *owners, int size, int64_t *place,
                         Parcel *parcel, Error *error)
{
    static const ColumnSpec columns[] = {{"user", COLUMN_TEXT, UNIT_NONE},
                                         {"pairs", COLUMN_I64, UNIT_COUNT}};
    Status status;
    int32_t n = lines->users.count;
    int32_t *to = NULL;
    int64_t *order = NULL;
    int64_t *starts = mem_new((int64_t)size + 1, sizeof *starts);
    const int32_t *user = lines->lines.columns[0].data;
    table_init(&parcel->users, columns, 2);
    TRY(fault_point("recommend.pairs.send", error));
    TRY(mem_resize(&to, n, sizeof *to, "users to send", error));
    TRY(mem_resize(&order, n, sizeof *order, "users to send", error));
    for (int32_t code = 0; code < n; code++)
        to[code] = owners->of_partition[partition_of(string_map_text(&lines->users, code))];
    TRY(sort_order_by_group(to, n, size, order, starts, error));
    for (int32_t i = 0; i < n; i++) {
        place[order[i]] = i;
        TRY(table_add_row(&parcel->users, error));
        TRY(table_set_last_text(&parcel->users, &parcel->users.columns[0],
                                string_map_text(&lines->users, (int32_t)order[i]), error));
        ((int64_t *)parcel->users.columns[1].data)[i] = 0;
    }
    for (int64_t i = 0; i < lines->lines.rows; i++) {
        ((int64_t *)parcel->users.columns[1].data)[place[user[i]]] += pairs_of_line(lines, i);
        parcel->item_counts[to[user[i]]] += pairs_of_line(lines, i);
    }
    for (int rank = 0; rank < size; rank++)
        parcel->user_counts[rank] = starts[rank + 1] - starts[rank];
out:
    mem_free(&to);
    mem_free(&order);
    mem_free(&starts);
    return status;
}

/* Items of the users at their places. */
static Status pack_items(const PairLines *lines, const int64_t *place, Parcel *parcel, Error *error)
{
    Status status;
    int64_t *at = NULL;
    int64_t n = parcel->users.rows;
    const int64_t *pairs = parcel->users.columns[1].data;
    const int32_t *user = lines->lines.columns[0].data, *item = lines->pairs.columns[0].data;
    int64_t from = 0;
    TRY(mem_resize(&parcel->items, lines->pairs.rows, sizeof *parcel->items, "pairs to send",
                   error));
    TRY(mem_resize(&at, n + 1, sizeof *at, "pairs to send", error));
    at[0] = 0;
    for (int64_t i = 0; i < n; i++)
        at[i + 1] = at[i] + pairs[i];
    for (int64_t i = 0; i < lines->lines.rows; i++) {
        int64_t count = pairs_of_line(lines, i);
        int64_t *to = &at[place[user[i]]];
        if (count > 0)
            memcpy(parcel->items + *to, item + from, (size_t)count * sizeof *item);
        *to += count;
        from += count;
    }
out:
    mem_free(&at);
    return status;
}

static Status pack(const PairLines *lines, const Owners *owners, int size, Parcel *parcel,
                   Error *error)
{
    Status status;
    int64_t *place = NULL;
    TRY(mem_resize(&place, lines->users.count, sizeof *place, "users to send", error));
    TRY(pack_users(lines, owners, size, place, parcel, error));
    TRY(pack_items(lines, place, parcel, error));
out:
    mem_free(&place);
    return status;
}

/* The users of this rank's partitions from all ranks; the lines are freed. Collective. */
static Status send_users(Comm *comm, PairLines *lines, const Owners *owners, Parcel *received,
                         Error *error)
{
    Status status;
    int size = comm_size(comm);
    Parcel sent = {.user_counts = mem_new(size, sizeof *sent.user_counts),
                   .item_counts = mem_new(size, sizeof *sent.item_counts)};
    *received = (Parcel){.item_counts = mem_new(size, sizeof *received->item_counts)};
    TRY_ALL(comm, pack(lines, owners, size, &sent, error), error);
    pair_lines_free(lines);
    TRY(comm_exchange_table(comm, &sent.users, sent.user_counts, NULL, error));
    table_move(&received->users, &sent.users);
    TRY(comm_exchange(comm, sent.items, sent.item_counts, sizeof *sent.items, &received->items,
                      received->item_counts, error));
out:
    parcel_free(&sent);
    return status;
}

/* ---- rows ---- */

/* Where this rank's users stand: rows of its partitions, one partition after another. */
typedef struct UserRows {
    StringMap ids;
    int32_t *row;    /* [ids.count] of each id */
    int64_t *starts; /* [partitions + 1] first row of each */
} UserRows;

static void user_rows_free(UserRows *rows)
{
    string_map_free(&rows->ids);
    mem_free(&rows->row);
    mem_free(&rows->starts);
}

/* In bytewise order of ids inside a partition. */
static Status user_rows_make(const Table *users, const Owners *owners, UserRows *rows, Error *error)
{
    Status status;
    int32_t n_partitions = owners->end - owners->first;
    int32_t code, *by_text = NULL, *partition = NULL;
    int64_t *order = NULL;
    rows->starts = mem_new((int64_t)n_partitions + 1, sizeof *rows->starts);
    TRY(fault_point("recommend.pairs.rows", error));
    for (int64_t i = 0; i < users->rows; i++)
        TRY(string_map_add(&rows->ids, column_text(&users->columns[0], i), &code, error));
    int32_t n = rows->ids.count;
    TRY(string_map_sorted(&rows->ids, &by_text, error));
    TRY(mem_resize(&partition, n, sizeof *partition, "users", error));
    TRY(mem_resize(&order, n, sizeof *order, "users", error));
    TRY(mem_resize(&rows->row, n, sizeof *rows->row, "users", error));
    for (int32_t i = 0; i < n; i++)
        partition[i] = partition_of(string_map_text(&rows->ids, by_text[i])) - owners->first;
    TRY(sort_order_by_group(partition, n, n_partitions, order, rows->starts, error));
    for (int32_t i = 0; i < n; i++)
        rows->row[by_text[order[i]]] = i;
out:
    mem_free(&by_text);
    mem_free(&partition);
    mem_free(&order);
    return status;
}

/* starts [n_rows + 1] and the items of each row in turn, without those of unknown users. */
static Status collect_rows(const UserRows *rows, const Parcel *parcel, int64_t *starts,
                           int32_t *items, int64_t *unknown_users, Error *error)
{
    Status status = STATUS_OK;
    StringMap unknown = {0};
    int32_t code, n_rows = rows->ids.count;
    int64_t n = parcel->users.rows;
    const int64_t *pairs = parcel->users.columns[1].data;
    int64_t from = 0;
    int32_t *row_of = NULL;
    TRY(mem_resize(&row_of, n, sizeof *row_of, "rows of users", error));
    memset(starts, 0, ((size_t)n_rows + 1) * sizeof *starts);
    for (int64_t i = 0; i < n; i++) {
        Bytes id = column_text(&parcel->users.columns[0], i);
        code = string_map_find(&rows->ids, id);
        row_of[i] = code < 0 ? -1 : rows->row[code];
        if (code < 0)
            TRY(string_map_add(&unknown, id, &code, error));
        else
            starts[row_of[i] + 1] += pairs[i];
    }
    for (int32_t r = 0; r < n_rows; r++)
        starts[r + 1] += starts[r];
    for (int64_t i = 0; i < n; from += pairs[i], i++) {
        if (row_of[i] < 0 || pairs[i] == 0)
            continue;
        memcpy(items + starts[row_of[i]], parcel->items + from, (size_t)pairs[i] * sizeof *items);
        starts[row_of[i]] += pairs[i];
    }
    memmove(starts + 1, starts, (size_t)n_rows * sizeof *starts);
    starts[0] = 0;
    *unknown_users = unknown.count;
out:
    string_map_free(&unknown);
    mem_free(&row_of);
    return status;
}

/* What came of the pairs of one file. */
typedef struct PairCounts {
    int64_t pairs, repeated, unknown_users;
} PairCounts;

/* This rank's partitions of a side. */
static Status fill_own(const UserRows *rows, const Parcel *parcel, int size, SparseSide *side,
                       PairCounts *counts, Error *error)
{
    Status status;
    int64_t *starts = NULL, n = 0;
    int32_t *items = NULL;
    for (int rank = 0; rank < size; rank++)
        n += parcel->item_counts[rank];
    side->own = mem_new(side->end - side->first, sizeof *side->own);
    TRY(mem_resize(&starts, (int64_t)rows->ids.count + 1, sizeof *starts, "users' pairs", error));
    TRY(mem_resize(&items, n, sizeof *items, "users' pairs", error));
    TRY(collect_rows(rows, parcel, starts, items, &counts->unknown_users, error));
    for (int32_t p = 0; p < side->end - side->first; p++) {
        int64_t first = rows->starts[p];
        TRY(sparse_rows_fill(&side->own[p], (int32_t)(rows->starts[p + 1] - first), starts + first,
                             items, error));
        counts->pairs += sparse_entries(&side->own[p]);
    }
    counts->repeated = starts[rows->ids.count] - counts->pairs;
out:
    mem_free(&starts);
    mem_free(&items);
    return status;
}

/* Collective. */
static Status make_side(Comm *comm, const UserRows *rows, const Owners *owners, Parcel *parcel,
                        int32_t n_items, SparseSide *side, PairCounts *counts, Error *error)
{
    Status status;
    *side = (SparseSide){.n_columns = n_items,
                         .n_partitions = PAIR_PARTITIONS,
                         .first = owners->first,
                         .end = owners->end};
    TRY_ALL(comm, fill_own(rows, parcel, comm_size(comm), side, counts, error), error);
    parcel_free(parcel);
    TRY(sparse_side_complete(comm, side, error));
    int64_t sums[] = {counts->pairs, counts->repeated, counts->unknown_users};
    comm_sum_i64(comm, sums, 3);
    *counts = (PairCounts){sums[0], sums[1], sums[2]};
out:
    return status;
}

/* ---- both files ---- */

/* Collective. */
static Status read_lines(Comm *comm, const char *path, const char *folder, StringMap *ids,
                         PairLines *lines, Error *error)
{
    Status status;
    TRY(pair_lines_read(comm, path, folder, ids, lines, error));
    int64_t pairs = lines->pairs.rows;
    comm_sum_i64(comm, &pairs, 1);
    if (pairs == 0)
        FAIL(error, STATUS_INPUT,
             "%s has no pairs; each line should have the id of a user and the ids of items", path);
out:
    return status;
}

/* Collective. */
static Status make_sides(Comm *comm, PairLines *train, PairLines *test, PairFiles *files,
                         Error *error)
{
    Status status;
    Owners owners = {0};
    UserRows rows = {0};
    Parcel parcel = {0};
    PairCounts counts[2] = {{0}};
    int32_t n_items = (int32_t)files->items.rows;
    choose_owners(comm, train, &owners);
    TRY(send_users(comm, train, &owners, &parcel, error));
    TRY_ALL(comm, user_rows_make(&parcel.users, &owners, &rows, error), error);
    TRY(make_side(comm, &rows, &owners, &parcel, n_items, &files->train, &counts[0], error));
    TRY(send_users(comm, test, &owners, &parcel, error));
    TRY(make_side(comm, &rows, &owners, &parcel, n_items, &files->test, &counts[1], error));
    files->pairs = counts[0].pairs;
    files->test_pairs = counts[1].pairs;
    files->repeated = counts[0].repeated + counts[1].repeated;
    files->unknown_users = counts[1].unknown_users;
out:
    user_rows_free(&rows);
    parcel_free(&parcel);
    return status;
}

Status pair_files_read(Comm *comm, const char *train, const char *test, const char *folder,
                       PairFiles *files, Error *error)
{
    Status status;
    StringMap ids = {0};
    PairLines train_lines = {0}, test_lines = {0};
    *files = (PairFiles){0};
    TRY(read_lines(comm, train, folder, &ids, &train_lines, error));
    TRY(read_lines(comm, test, folder, &ids, &test_lines, error));
    TRY(number_items(comm, &ids, &train_lines, &test_lines, &files->items, error));
    string_map_free(&ids);
    TRY(make_sides(comm, &train_lines, &test_lines, files, error));
    if (files->test_pairs == 0)
        FAIL(error, STATUS_INPUT, "%s has no pairs of a user that %s has", test, train);
out:
    string_map_free(&ids);
    pair_lines_free(&train_lines);
    pair_lines_free(&test_lines);
    if (status != STATUS_OK)
        pair_files_free(files);
    return status;
}
