/* Pair files read by all ranks, against a reader that takes the text apart line by line. */
#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "recommend/pair_files.h"
#include "store/files.h"
#include "suites.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- files of rank 0's making ---- */

static char folder[64];

static void begin(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/vesper-pairs-test-XXXXXX");
    if (comm_rank(rank_comm()) == 0 && mkdtemp(folder) == NULL)
        abort();
    comm_broadcast(rank_comm(), 0, folder, sizeof folder);
}

static void end(void)
{
    Error error = {0};
    comm_barrier(rank_comm());
    if (comm_rank(rank_comm()) == 0)
        CU_ASSERT_EQUAL(files_remove(folder, &error), STATUS_OK);
    comm_barrier(rank_comm());
}

static void path_of(const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", folder, name);
}

/* Write FOLDER/name, packed if the name says so. */
static void write_file(const char *name, Bytes content)
{
    char path[128];
    path_of(name, path);
    comm_barrier(rank_comm());
    if (comm_rank(rank_comm()) == 0) {
        size_t length = strlen(name);
        bool is_packed = length > 3 && strcmp(name + length - 3, ".gz") == 0;
        gzFile file = gzopen(path, is_packed ? "wb" : "wbT"); /* T: as it is */
        if (file == NULL ||
            (content.size > 0 && gzwrite(file, content.data, (unsigned)content.size) <= 0) ||
            gzclose(file) != Z_OK)
            abort();
    }
    comm_barrier(rank_comm());
}

static Status read_files(const char *train, const char *test, PairFiles *files, Error *error)
{
    char train_path[128], test_path[128];
    path_of(train, train_path);
    path_of(test, test_path);
    *error = (Error){0};
    return pair_files_read(rank_comm(), train_path, test_path, folder, files, error);
}

/* ---- the naive reader ---- */

/* A pair, or a user on a line without items (item NULL). */
typedef struct NaivePair {
    int32_t partition;
    const char *user, *item;
} NaivePair;

typedef struct NaiveFile {
    char *text; /* cut into ids */
    NaivePair *pairs;
    int64_t n;
} NaiveFile;

static void naive_free(NaiveFile *file)
{
    mem_free(&file->text);
    mem_free(&file->pairs);
}

static int compare_pairs(const void *a, const void *b)
{
    const NaivePair *left = a, *right = b;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    int sign = strcmp(left->user, right->user);
    if (sign != 0 || left->item == NULL || right->item == NULL)
        return sign != 0 ? sign : (left->item != NULL) - (right->item != NULL);
    return strcmp(left->item, right->item);
}

static void naive_add(NaiveFile *file, const char *user, const char *item)
{
    int32_t partition = hash_partition(hash128(bytes_of(user)), PAIR_PARTITIONS);
    file->pairs[file->n++] = (NaivePair){partition, user, item};
}

static NaiveFile naive_read(Bytes content)
{
    NaiveFile file = {.text = mem_new(content.size + 1, 1)};
    char *next_line = NULL, *next_id = NULL;
    file.pairs = mem_new(content.size + 1, sizeof *file.pairs);
    memcpy(file.text, content.data, (size_t)content.size);
    char *text = strncmp(file.text, "\xef\xbb\xbf", 3) == 0 ? file.text + 3 : file.text;
    for (char *line = strtok_r(text, "\n", &next_line); line != NULL;
         line = strtok_r(NULL, "\n", &next_line)) {
        const char *user = strtok_r(line, " \t\r", &next_id);
        if (user == NULL)
            continue;
        naive_add(&file, user, NULL);
        for (const char *item = strtok_r(NULL, " \t\r", &next_id); item != NULL;
             item = strtok_r(NULL, " \t\r", &next_id))
            naive_add(&file, user, item);
    }
    qsort(file.pairs, (size_t)file.n, sizeof *file.pairs, compare_pairs);
    return file;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Different items of both files, sorted. */
static const char **naive_items(const NaiveFile *train, const NaiveFile *test, int64_t *n)
{
    const char **items = mem_new(train->n + test->n, sizeof *items);
    int64_t all = 0;
    for (int64_t i = 0; i < train->n + test->n; i++) {
        const NaivePair *pair = i < train->n ? &train->pairs[i] : &test->pairs[i - train->n];
        if (pair->item != NULL)
            items[all++] = pair->item;
    }
    qsort(items, (size_t)all, sizeof *items, compare_ids);
    *n = 0;
    for (int64_t i = 0; i < all; i++) {
        if (i == 0 || strcmp(items[i], items[i - 1]) != 0)
            items[(*n)++] = items[i];
    }
    return items;
}

/* Different users of the train file, as pairs without items. */
static NaivePair *naive_users(const NaiveFile *train, int64_t *n)
{
    NaivePair *users = mem_new(train->n, sizeof *users);
    *n = 0;
    for (int64_t i = 0; i < train->n; i++) {
        if (*n == 0 || strcmp(train->pairs[i].user, users[*n - 1].user) != 0)
            users[(*n)++] = (NaivePair){train->pairs[i].partition, train->pairs[i].user, NULL};
    }
    return users;
}

typedef struct NaiveCounts {
    int64_t pairs, repeated, unknown_users;
} NaiveCounts;

/* Counts mistakes of this rank's rows of `side`. */
static int64_t compare_side(const SparseSide *side, const NaiveFile *file, const NaivePair *users,
                            int64_t n_users, const char *const *items, int64_t n_items,
                            NaiveCounts *counts)
{
    int64_t wrong = side->n_rows != n_users || side->n_columns != n_items ||
                    side->n_partitions != PAIR_PARTITIONS;
    int64_t at = 0;
    for (int64_t u = 0; u <= n_users; u++) {
        for (; at < file->n && (u == n_users || compare_pairs(&file->pairs[at], &users[u]) < 0);
             at++)
            counts->unknown_users +=
                at == 0 || strcmp(file->pairs[at].user, file->pairs[at - 1].user) != 0;
        if (u == n_users)
            break;
        int32_t p = users[u].partition;
        int64_t row = wrong == 0 ? u - side->bases[p] : -1;
        const SparseRows *own =
            p >= side->first && p < side->end ? &side->own[p - side->first] : NULL;
        wrong +=
            row < 0 || (own != NULL && (row >= own->n_rows || own->first_row != side->bases[p]));
        int64_t entry = own != NULL && wrong == 0 ? own->starts[row] : 0;
        for (; at < file->n && strcmp(file->pairs[at].user, users[u].user) == 0; at++) {
            const char *item = file->pairs[at].item;
            if (item == NULL)
                continue;
            bool is_repeated = file->pairs[at - 1].item != NULL &&
                               strcmp(file->pairs[at - 1].user, users[u].user) == 0 &&
                               strcmp(file->pairs[at - 1].item, item) == 0;
            counts->repeated += is_repeated;
            counts->pairs += !is_repeated;
            if (is_repeated || own == NULL || wrong > 0)
                continue;
            wrong += entry == own->starts[row + 1] || own->values[entry] != 1 ||
                     strcmp(items[own->columns[entry]], item) != 0;
            entry++;
        }
        wrong += own != NULL && wrong == 0 && entry != own->starts[row + 1];
    }
    return wrong;
}

static void expect_files(const PairFiles *files, Bytes train_text, Bytes test_text)
{
    NaiveFile train = naive_read(train_text), test = naive_read(test_text);
    NaiveCounts counts[2] = {{0}};
    int64_t n_items, n_users, wrong = 0;
    const char **items = naive_items(&train, &test, &n_items);
    NaivePair *users = naive_users(&train, &n_users);
    CU_ASSERT_EQUAL(files->items.rows, n_items);
    for (int64_t i = 0; i < n_items && files->items.rows == n_items; i++)
        wrong += !bytes_equal(column_text(table_column_const(&files->items, "text"), i),
                              bytes_of(items[i]));
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(compare_side(&files->train, &train, users, n_users, items, n_items, &counts[0]),
                    0);
    CU_ASSERT_EQUAL(compare_side(&files->test, &test, users, n_users, items, n_items, &counts[1]),
                    0);
    CU_ASSERT_EQUAL(files->pairs, counts[0].pairs);
    CU_ASSERT_EQUAL(files->test_pairs, counts[1].pairs);
    CU_ASSERT_EQUAL(files->repeated, counts[0].repeated + counts[1].repeated);
    CU_ASSERT_EQUAL(files->unknown_users, counts[1].unknown_users);
    CU_ASSERT_EQUAL(counts[0].unknown_users, 0);
    mem_free(&items);
    mem_free(&users);
    naive_free(&train);
    naive_free(&test);
}

static void check(Bytes train, Bytes test)
{
    PairFiles files = {0};
    Error error;
    write_file("train.txt", train);
    write_file("test.txt", test);
    Status status = read_files("train.txt", "test.txt", &files, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK)
        expect_files(&files, train, test);
    else
        (void)fprintf(stderr, "%s\n", error.message);
    pair_files_free(&files);
}

static void test_shapes(void)
{
    static const char *const texts[][2] = {
        {"u i\n", "u i\n"},
        {"u i", "u j"},
        {"1 10 9 100\n2 9\n10 1\n", "2 10\n1 1 2\n"},
        {"a x y z\nb x\nc\nd z y x\n", "a w\nc x y\nb\n"},
        {"a x\nb y\na z x\nb\na y y x\n", "b x x\nb x\na z\n"},
        {"\xef\xbb\xbfu i j\nv j\n", "\xef\xbb\xbfu k\n"},
        {"\r\n\r\nu i j\r\n  \t \r\nv\tj   k \r\n\n\n  w\t\ti", "v  i\r\nw j\r\n\t\r\n"},
        {"u i\nv j\n", "x i j\nu j\ny\nx k\nz z z\n"},
        {"\xc3\xa9t\xc3\xa9 \xe2\x82\xac\nplain \xe2\x82\xac \xf0\x9f\x8d\x8e\n",
         "plain \xc3\xa9\n\xe2\x82\xac \xe2\x82\xac\n"},
        {"alone\nu i\n\"quoted, with comma\n", "u \"\n"},
    };
    begin();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(bytes_of(texts[i][0]), bytes_of(texts[i][1]));
    end();
}

/* Lines of random users with random items, in odd spacing. */
static void draw_file(Buffer *text, uint64_t seed, int n_lines, int n_users, int n_items,
                      int items_most)
{
    static const char *const gaps[] = {" ", "\t", "  ", " \t"};
    static const char *const ends[] = {"\n", "\r\n", " \n", "\n\n"};
    Random random = random_stream(seed, 1);
    for (int line = 0; line < n_lines; line++) {
        int64_t n = random_below(&random, items_most + 1);
        buffer_printf(text, "%lld", (long long)random_below(&random, n_users));
        for (int64_t i = 0; i < n; i++)
            buffer_printf(text, "%s%lld", gaps[random_below(&random, 4)],
                          (long long)random_below(&random, n_items));
        buffer_append_string(text, ends[random_below(&random, 4)]);
    }
}

/* Long ids, long lines, and more than a block of bytes. */
static void test_random(void)
{
    static const struct {
        int lines, users, items, items_most;
    } kinds[] = {{3, 3, 5, 4},
                 {200, 90, 40, 9},
                 {60, 2000, 3, 2},
                 {3, 2, 400000, 120000},
                 {8000, 3000, 2000, 16}};
    begin();
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        Buffer train = {0}, test = {0};
        draw_file(&train, 2 * k, kinds[k].lines, kinds[k].users, kinds[k].items,
                  kinds[k].items_most);
        draw_file(&test, 2 * k + 1, kinds[k].lines, kinds[k].users * 3 / 2, kinds[k].items,
                  kinds[k].items_most);
        buffer_printf(&train, "0 %0*d 1\n%01000d 2", 1000, 7, 8);
        buffer_printf(&test, "0 %0*d", 1000, 9);
        check(buffer_view(&train), buffer_view(&test));
        buffer_free(&train);
        buffer_free(&test);
    }
    end();
}

static int files_in(const char *path)
{
    int n = 0;
    DIR *open = opendir(path);
    for (struct dirent *entry = open != NULL ? readdir(open) : NULL; entry != NULL;
         entry = readdir(open))
        n += entry->d_name[0] != '.';
    if (open != NULL)
        (void)closedir(open);
    return n;
}

/* Unpacked copies go away, whatever happened. */
static void test_compressed(void)
{
    PairFiles files = {0};
    Error error;
    Buffer train = {0}, test = {0};
    begin();
    draw_file(&train, 7, 500, 90, 40, 9);
    draw_file(&test, 8, 500, 90, 40, 9);
    write_file("train.txt.gz", buffer_view(&train));
    write_file("test.txt.gz", buffer_view(&test));
    write_file("bad.txt.gz", bytes_of("u i\nu \xff\n"));
    CU_ASSERT_EQUAL(read_files("train.txt.gz", "test.txt.gz", &files, &error), STATUS_OK);
    expect_files(&files, buffer_view(&train), buffer_view(&test));
    pair_files_free(&files);
    CU_ASSERT_EQUAL(read_files("train.txt.gz", "bad.txt.gz", &files, &error), STATUS_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "bad.txt.gz:2: "));
    write_file("cut.gz", (Bytes){NULL, 0});
    if (comm_rank(rank_comm()) == 0) {
        char path[128];
        path_of("cut.gz", path);
        FILE *file = fopen(path, "wb");
        (void)fputs("no gzip", file);
        (void)fclose(file);
    }
    comm_barrier(rank_comm());
    CU_ASSERT_EQUAL(read_files("train.txt.gz", "cut.gz", &files, &error), STATUS_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "cut.gz"));
    comm_barrier(rank_comm());
    CU_ASSERT_EQUAL(files_in(folder), 4);
    char path[128];
    path_of("train.txt.gz", path);
    CU_ASSERT_EQUAL(pair_files_read(rank_comm(), path, path, "/nowhere", &files, &error),
                    STATUS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "/nowhere"));
    buffer_free(&train);
    buffer_free(&test);
    end();
}

static void expect_refused(Bytes train, Bytes test, const char *word)
{
    PairFiles files = {0};
    Error error;
    write_file("train.txt", train);
    write_file("test.txt", test);
    CU_ASSERT_EQUAL(read_files("train.txt", "test.txt", &files, &error), STATUS_INPUT);
    CU_ASSERT_EQUAL(error.status, STATUS_INPUT);
    bool found = strstr(error.message, word) != NULL;
    CU_ASSERT_TRUE(found);
    if (!found)
        (void)fprintf(stderr, "no \"%s\" in \"%s\"\n", word, error.message);
    CU_ASSERT_EQUAL(files.items.rows, 0);
    CU_ASSERT_PTR_NULL(files.train.own);
    pair_files_free(&files);
}

static void test_refused(void)
{
    static const char nul[] = "u i\nv a\0b\n";
    PairFiles files = {0};
    Error error;
    Buffer text = {0};
    Bytes good = bytes_of("u i\n"), none = {"", 0};
    begin();
    expect_refused(none, good, "train.txt has no pairs");
    expect_refused(good, none, "test.txt has no pairs");
    expect_refused(bytes_of("\n \r\n\t\n"), good, "train.txt has no pairs");
    expect_refused(bytes_of("u\nv\n"), good, "train.txt has no pairs");
    expect_refused(bytes_of("\xef\xbb\xbf"), good, "train.txt has no pairs");
    expect_refused(good, bytes_of("v i\nu\n"), "test.txt has no pairs of a user");
    expect_refused(good, (Bytes){nul, sizeof nul - 1}, "test.txt:2: ");
    expect_refused(bytes_of("u i\n\nv i\rw j\n"), good, "train.txt:3: a carriage return");
    expect_refused(bytes_of("u i\n\xff i\n"), bytes_of("\xff"), "train.txt:2: ");

    /* The first of several, far into the file. */
    draw_file(&text, 3, 3000, 90, 40, 9);
    int64_t line = 1;
    for (int64_t i = 0; i < text.size; i++)
        line += text.data[i] == '\n';
    char expected[32];
    (void)snprintf(expected, sizeof expected, "test.txt:%lld: ", (long long)line);
    buffer_printf(&text, "1 2 %01001d 3\n", 5);
    buffer_append_string(&text, "2 \xc3\n4 5\n");
    draw_file(&text, 4, 500, 90, 40, 9);
    buffer_append_string(&text, "\xc3(\n");
    expect_refused(good, buffer_view(&text), expected);
    expect_refused(good, buffer_view(&text), "1,000 bytes");
    buffer_free(&text);

    CU_ASSERT_EQUAL(read_files("train.txt", "absent.txt", &files, &error), STATUS_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "absent.txt"));
    CU_ASSERT_EQUAL(read_files("", "train.txt", &files, &error), STATUS_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "not a file"));
    end();
}

static void test_faults(void)
{
    static const char *const sites[] = {
        "recommend.pairs.find", "recommend.pairs.read", "recommend.pairs.items",
        "recommend.pairs.send", "recommend.pairs.rows", "ingest.open",
        "ingest.read"};
    Comm *comm = rank_comm();
    Buffer text = {0};
    begin();
    draw_file(&text, 5, 400, 90, 40, 9);
    write_file("a.gz", buffer_view(&text));
    for (size_t s = 0; s < sizeof sites / sizeof *sites; s++) {
        for (int rank = 0; rank < (s == 0 ? 1 : comm_size(comm)); rank++) {
            char fault[64];
            PairFiles files = {0};
            Error error = {0};
            (void)snprintf(fault, sizeof fault, "%s:%d:1", sites[s], rank);
            (void)setenv("VESPER_FAULT", fault, 1);
            CU_ASSERT_EQUAL(fault_init(comm_rank(comm), &error), STATUS_OK);
            CU_ASSERT_EQUAL(read_files("a.gz", "a.gz", &files, &error), STATUS_IO);
            CU_ASSERT_EQUAL(error.rank, rank);
            CU_ASSERT_EQUAL(files.items.rows, 0);
            pair_files_free(&files);
        }
    }
    (void)unsetenv("VESPER_FAULT");
    Error error = {0};
    CU_ASSERT_EQUAL(fault_init(comm_rank(comm), &error), STATUS_OK);
    comm_barrier(comm);
    CU_ASSERT_EQUAL(files_in(folder), 1);
    buffer_free(&text);
    end();
}

CU_TestInfo pair_files_tests[] = {
    {"pairs of many shapes", test_shapes},       {"random pairs, long lines", test_random},
    {"compressed pairs", test_compressed},       {"refused pairs", test_refused},
    {"faults while reading pairs", test_faults}, CU_TEST_INFO_NULL};
