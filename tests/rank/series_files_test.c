/* Series from CSV files (series_files.h): written answers for small files, and a large random one
 * against what it was made of; at any number of ranks the same. */
#include "forecast/series_files.h"

#include "base/memory.h"
#include "base/random.h"
#include "forecast/series_rows.h"
#include "forecast/series_text.h"
#include "rank/model.h"
#include "rank/suites.h"
#include "store/files.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- files of rank 0's making ---- */

static char folder[64];

static void begin(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/vesper-series-test-XXXXXX");
    if (comm_rank(rank_comm()) == 0 && mkdtemp(folder) == NULL)
        abort();
    comm_broadcast(rank_comm(), 0, folder, sizeof folder);
}

/* Nothing but the test's own files may be left. */
static void end(int files)
{
    Error error = {0};
    int n = 0;
    comm_barrier(rank_comm());
    if (comm_rank(rank_comm()) == 0) {
        DIR *open = opendir(folder);
        for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open))
            n += entry->d_name[0] != '.';
        if (open)
            (void)closedir(open);
        CU_ASSERT_EQUAL(n, files);
        CU_ASSERT_EQUAL(files_remove(folder, &error), STATUS_OK);
    }
    comm_barrier(rank_comm());
}

/* Write FOLDER/name, packed if the name says so. */
static void write_file(const char *name, Bytes content)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
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

static SeriesFileOptions options_of(Frequency frequency, int32_t ahead)
{
    return (SeriesFileOptions){
        .frequency = frequency, .ahead = ahead, .cost = {{1, 1}}, .folder = folder};
}

static Status read_file(const char *name, const SeriesFileOptions *options, SeriesSet *set,
                        SeriesFileCounts *counts, Error *error)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    *error = (Error){0};
    return series_files_read(rank_comm(), path, options, set, counts, error);
}

static Status read_actual(const char *name, const SeriesFileOptions *options, const SeriesSet *set,
                          double **actual, SeriesFileCounts *counts, Error *error)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    *error = (Error){0};
    return series_files_read_actual(rank_comm(), path, options, set, actual, counts, error);
}

/* ---- sets as text ---- */

static void print_number(Buffer *text, double value)
{
    if (isnan(value))
        buffer_append_string(text, " .");
    else
        buffer_printf(text, " %.17g", value);
}

static void load(const SeriesSet *set, int64_t i)
{
    Error error;
    if (series_load(set, i, &error) != STATUS_OK)
        abort();
}

/* A line a series: id, start, values, columns. */
static void print_own(const SeriesSet *set, Buffer *text)
{
    for (int64_t i = 0; i < set->n; i++) {
        int32_t length = series_length(set, i);
        load(set, i);
        buffer_append_bytes(text, column_text(table_column_const(&set->keys, "series"), i));
        buffer_printf(text, " @%" PRId32, set->start[i]);
        for (int32_t t = 0; t < length; t++)
            print_number(text, series_values(set, i)[t]);
        for (int k = 0; k < set->n_dynamic; k++) {
            buffer_append_string(text, " |");
            for (int32_t t = 0; t < length + set->calendar.ahead; t++)
                print_number(text, series_dynamic(set, i, k)[t]);
        }
        for (int k = 0; k < set->n_static; k++)
            buffer_printf(text, " =%" PRId32, set->statics[k][i]);
        buffer_append_string(text, "\n");
    }
}

static void print_set(const SeriesSet *set, const SeriesFileCounts *counts, Buffer *text)
{
    const Calendar *calendar = &set->calendar;
    Buffer own = {0};
    char *all;
    int64_t size;
    Error error = {0};
    buffer_printf(text, "%s %" PRId32 "+%" PRId32 "+%" PRId32 " season %d",
                  frequency_name(calendar->frequency), calendar->first, calendar->n,
                  calendar->ahead, calendar->open_season);
    for (int k = 0; k < set->n_dynamic; k++)
        buffer_printf(text, " |%s", set->dynamic_names[k]);
    for (int k = 0; k < set->n_static; k++)
        buffer_printf(text, " =%s/%" PRId32, set->static_names[k], set->static_counts[k]);
    buffer_printf(text, " %" PRId64 "=%" PRId64 "+%" PRId64 "\n", counts->read, counts->used,
                  counts->left_out);
    print_own(set, &own);
    CHECK_OK(comm_gather_all(rank_comm(), own.data, own.size, &all, &size, NULL, &error));
    buffer_append(text, all, size);
    mem_free(&all);
    buffer_free(&own);
}

static void expect_text(const Buffer *text, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(buffer_string(text), expected);
    if (strcmp(buffer_string(text), expected) != 0 && comm_rank(rank_comm()) == 0)
        fprintf(stderr, "found:\n%sexpected:\n%s", buffer_string(text), expected);
}

static void expect_file(const char *content, Frequency frequency, int32_t ahead,
                        const char *expected)
{
    SeriesSet set = {.n = 0};
    SeriesFileCounts counts = {0};
    Buffer text = {0};
    Error error;
    SeriesFileOptions options = options_of(frequency, ahead);
    write_file("series.csv", bytes_of(content));
    CHECK_OK(read_file("series.csv", &options, &set, &counts, &error));
    print_set(&set, &counts, &text);
    expect_text(&text, expected);
    buffer_free(&text);
    series_set_free(&set);
}

/* ---- tests ---- */

static void test_columns(void)
{
    begin();
    expect_file("date,value,id,price,color,shop\n"
                "2024-02-28,1,b,2.5,red,7\n"
                "2024-03-01,3,b,2.5,red,7\n"
                "2024-03-02,,b,3,red,7\n"
                "2024-03-09,,b,4,red,7\n"
                "2024-02-29,0,a,NA,,8\n"
                "\n"
                "2024-02-27,,a,1,blue,8\n"
                "2024-03-01,NaN,a,,,8\n",
                FREQUENCY_COUNT, 3,
                "daily 19781+3+3 season 7 |price =color/2 =shop/2 7=5+2\n"
                "a @19782 0 | . . . . =0 =1\n"
                "b @19781 1 . 3 | 2.5 . 2.5 3 . . =1 =0\n");
    end(1);
}

static void test_dates(void)
{
    begin();
    expect_file("\xef\xbb\xbfunique_id,ds,y\r\n\"x,1\",1969-12-31T23:00,1\r\n"
                "\"x,1\",1970-01-01 00:00:00,2.5\r\n\"x,1\",1970-01-01T03,-4e2",
                FREQUENCY_COUNT, 1, "hourly -1+5+1 season 24 3=3+0\nx,1 @-1 1 2.5 . . -400\n");
    expect_file("id,date,value\na,1970-02,1\na,1969-12,0.1\n", FREQUENCY_COUNT, 0,
                "monthly -1+3+0 season 12 2=2+0\na @-1 0.10000000000000001 . 1\n");
    expect_file("id,date,value\na,1970-02,1\na,1969-12,3\n", FREQUENCY_QUARTERLY, 0,
                "quarterly -1+2+0 season 4 2=2+0\na @-1 3 1\n");
    /* from the last week of 2020, which is its 53rd, to the second of 2021 */
    expect_file("id,date,value\na,2021-01-11,3\na,2021-01-03,1\n", FREQUENCY_WEEKLY, 0,
                "weekly 2661+3+0 season 1 2=2+0\na @2661 1 . 3\n");
    expect_file("id,date,value\nb,7,1\na,-3,3\na,-2,\n", FREQUENCY_YEARLY, 2,
                "yearly -3+11+2 season 1 3=2+1\na @-3 3\nb @7 1\n");
    end(1);
}

static void test_wide(void)
{
    begin();
    expect_file("\"V1\",\"V2\",\"V3\",\"V4\"\n\"Y2\",\"1\",\"2.5\",\n\"Y1\",\"3\",\"\",\"5\"\n"
                "Y3,,,\n\"Y\"\"4\",1\n",
                FREQUENCY_QUARTERLY, 2,
                "quarterly -3+3+2 season 4 4=3+1\nY\"4 @-1 1\nY1 @-3 3 . 5\nY2 @-2 1 2.5\n");
    expect_file("id,V2\na,1\n", FREQUENCY_HOURLY, 2, "hourly -1+1+2 season 24 1=1+0\na @-1 1\n");
    /* more fields than the reader of CSV keeps */
    Buffer text = {0}, expected = {0};
    buffer_append_string(&text, "V1");
    for (int k = 0; k < 3000; k++)
        buffer_printf(&text, ",V%d", k + 2);
    buffer_append_string(&text, "\na");
    buffer_append_string(&expected, "daily -3000+3000+1 season 7 1=1+0\na @-3000");
    for (int k = 0; k < 3000; k++) {
        buffer_printf(&text, ",%d", k);
        buffer_printf(&expected, " %d", k);
    }
    buffer_append_string(&expected, "\n");
    expect_file(buffer_string(&text), FREQUENCY_DAILY, 1, buffer_string(&expected));
    buffer_free(&text);
    buffer_free(&expected);
    end(1);
}

static void expect_failure(const char *content, Frequency frequency, Status expected,
                           const char *first, const char *second)
{
    SeriesSet set = {.n = 0};
    SeriesFileCounts counts;
    Error error;
    SeriesFileOptions options = options_of(frequency, 2);
    write_file("bad.csv", bytes_of(content));
    CU_ASSERT_EQUAL(read_file("bad.csv", &options, &set, &counts, &error), expected);
    CHECK_SAYS(first);
    CHECK_SAYS(second);
    CU_ASSERT(set.n == 0 && set.spool == NULL);
    series_set_free(&set);
}

static void test_mistakes(void)
{
    static const struct {
        const char *content, *first, *second;
    } cases[] = {
        {"id,day,value\na,1,2\n", "bad.csv:1", "no column \"date\""},
        {"id,date,value,y\na,1,2\n", "bad.csv:1", "\"value\" and \"y\""},
        {"id,date,value,x,x\na,1,2\n", "bad.csv:1", "more than one column \"x\""},
        {"id,date,value,\na,1,2\n", "bad.csv:1", "column 4"},
        {"id,date,value\na,1\n", "bad.csv:2", "2 fields, the header has 3"},
        {"id,date,value\n,1,2\n", "bad.csv:2: id", "empty"},
        {"id,date,value\na,2024-01-01,2\na,2024-02-30,2\n", "bad.csv:3: date: \"2024-02-30\"",
         "no date"},
        {"id,date,value\na,2024-01-01,2\na,2024-01-01x,2\n", "bad.csv:3: date", "no date"},
        {"id,date,value\na,2024-01-01T12:30,2\n", "bad.csv:2: date", "no date"},
        {"id,date,value\na,99999999999,2\n", "bad.csv:2: date", "no date"},
        {"id,ds,value\na,2024-01,2\n\nb,2024-01-01,2\n", "bad.csv:4: ds: \"2024-01-01\"",
         "not a month like 2024-05"},
        {"id,date,value\na,2024-01-01,2\na,2024-01-02,1.2.3\n", "bad.csv:3: value: \"1.2.3\"",
         "no number"},
        {"id,date,value\na,2024-01-01,inf\n", "bad.csv:2: value", "no number"},
        {"id,date,value\na,2024-01-01,1\na,2024-01-02,0x10\n", "bad.csv:3: value", "no number"},
        {"id,date,value\na,2024-01-01,1e999\n", "bad.csv:2: value", "no number"},
        {"id,date,value\nb,2024-01-01,1\na,2024-01-01,1\nb,2024-01-01,1\n", "bad.csv:4",
         "already, at "},
        {"id,date,value\na,2024-01-01,\n", "bad.csv", "no values"},
        {"id,date,value\n", "bad.csv", "no values"},
        {"id,date,value\na\xff,2024-01-01,1\n", "bad.csv:2: id", "UTF-8"},
        {"id,date,value\na\"b,2024-01-01,1\n", "bad.csv:2", "quotes"},
        {"V1,V2,V3\na,1,x\n", "bad.csv:2: field 3: \"x\"", "no number"},
        {"V1,V2,V3\na,1,2,3\n", "bad.csv:2", "4 fields, the header has 3"},
        {"V1,V2,V3\na,1,2\na,1\n", "bad.csv:3", "already"},
        {"id,date,value\na,-2000000000,1\na,2000000000,1\n", "bad.csv", "periods"},
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(cases[i].content,
                       strstr(cases[i].content, "2024") ? FREQUENCY_COUNT : FREQUENCY_DAILY,
                       STATUS_INPUT, cases[i].first, cases[i].second);
    expect_failure("id,date,value\na,1,1\n", FREQUENCY_COUNT, STATUS_USAGE, "bad.csv", "frequency");
    expect_failure("V1,V2\na,1\n", FREQUENCY_COUNT, STATUS_USAGE, "bad.csv", "frequency");
    expect_failure("id,date,value\na,2024-01-01,1\n", FREQUENCY_HOURLY, STATUS_USAGE, "bad.csv",
                   "hourly");
    end(1);
}

static void expect_actual(const char *train, const char *test, Frequency frequency, int32_t ahead,
                          const char *expected, SeriesFileCounts expected_counts)
{
    SeriesSet set = {.n = 0};
    SeriesFileCounts counts = {0};
    Buffer text = {0};
    Error error;
    double *actual = NULL;
    char *all;
    int64_t size;
    SeriesFileOptions options = options_of(frequency, ahead);
    write_file("train.csv", bytes_of(train));
    write_file("test.csv.gz", bytes_of(test));
    CHECK_OK(read_file("train.csv", &options, &set, &counts, &error));
    CHECK_OK(read_actual("test.csv.gz", &options, &set, &actual, &counts, &error));
    for (int64_t i = 0; i < set.n * ahead; i++)
        print_number(&text, actual != NULL ? actual[i] : NAN);
    CHECK_OK(comm_gather_all(rank_comm(), text.data, text.size, &all, &size, NULL, &error));
    buffer_clear(&text);
    buffer_append(&text, all, size);
    mem_free(&all);
    expect_text(&text, expected);
    CU_ASSERT(counts.read == expected_counts.read && counts.used == expected_counts.used &&
              counts.left_out == expected_counts.left_out);
    mem_free(&actual);
    buffer_free(&text);
    series_set_free(&set);
}

static void test_actual(void)
{
    static const char train[] = "id,date,value\nb,2024-01-01,1\na,2024-01-01,1\nb,2024-01-03,1\n";
    begin();
    expect_actual(train,
                  "value,id,date\n5,b,2024-01-05\n4,b,2024-01-04\n3,b,2024-01-03\n,a,2024-01-02\n"
                  "7,a,2024-01-03\n8,c,2024-01-03\n9,b,2024-01-06\n",
                  FREQUENCY_COUNT, 2, " . 7 4 5", (SeriesFileCounts){7, 3, 4});
    expect_actual("V1,V2,V3\nb,1,2\na,3,\n", "V1,V2,V3,V4\na,4,5,6\nb,,8\nc,1\n", FREQUENCY_DAILY,
                  2, " 4 5 . 8", (SeriesFileCounts){3, 2, 1});
    SeriesSet set = {.n = 0};
    SeriesFileCounts counts;
    Error error;
    double *actual;
    SeriesFileOptions options = options_of(FREQUENCY_COUNT, 2);
    write_file("train.csv", bytes_of(train));
    write_file("test.csv.gz", bytes_of("id,date,value\nc,2024-01-04,1\nb,2024-01-02,1\n"));
    CHECK_OK(read_file("train.csv", &options, &set, &counts, &error));
    CU_ASSERT_EQUAL(read_actual("test.csv.gz", &options, &set, &actual, &counts, &error),
                    STATUS_INPUT);
    CHECK_SAYS("2 periods after the series");
    CU_ASSERT_EQUAL(read_actual("no.csv", &options, &set, &actual, &counts, &error), STATUS_INPUT);
    CU_ASSERT(model_arm(rank_comm(), "forecast.actual", comm_size(rank_comm()) - 1));
    CU_ASSERT_EQUAL(read_actual("train.csv", &options, &set, &actual, &counts, &error), STATUS_IO);
    CU_ASSERT(model_arm(rank_comm(), NULL, 0));
    series_set_free(&set);
    end(2);
}

/* ---- many series ---- */

enum { SERIES = 500, PERIODS = 40, AHEAD = 5 };

static double value_of(int i, int t)
{
    uint64_t noise = model_noise(i, t, 1);
    return noise % 5 == 0 ? NAN : (double)(noise % 100000) / 100;
}

static int start_of(int i)
{
    return (int)(model_noise(i, 0, 2) % 30);
}

/* Period t of series i as a line; ids are in another order than i. */
static void add_line(Buffer *text, int i, int t)
{
    double value = value_of(i, t);
    buffer_printf(text, "%d,\"s %d\",", start_of(i) + t, i);
    if (!isnan(value) && t < PERIODS - AHEAD)
        buffer_printf(text, "%.2f", value);
    buffer_printf(text, ",%d,%d,%s\n", i % 7, t * i, i % 11 == 0 ? "" : i % 2 ? "odd" : "even");
}

/* Mistakes in series k of the set. */
static int64_t compare_series(const SeriesSet *set, int64_t k)
{
    int i = 0, first = 0, last = PERIODS - AHEAD - 1;
    char id[32];
    int64_t wrong = 0;
    Bytes found = column_text(table_column_const(&set->keys, "series"), k);
    do
        (void)snprintf(id, sizeof id, "s %d", i++);
    while (i < SERIES && !bytes_equal(found, bytes_of(id)));
    i--;
    while (isnan(value_of(i, first)))
        first++;
    while (isnan(value_of(i, last)))
        last--;
    wrong += set->start[k] != start_of(i) + first || series_length(set, k) != last - first + 1;
    load(set, k);
    for (int t = first; t <= last + AHEAD && wrong == 0; t++) {
        double value = value_of(i, t), known = series_dynamic(set, k, 0)[t - first];
        wrong += t < PERIODS ? known != (double)t * i : !isnan(known);
        if (t > last)
            continue;
        double read = series_values(set, k)[t - first];
        wrong += isnan(value) ? !isnan(read) : read != value;
    }
    wrong += set->statics[0][k] != i % 7;
    wrong += set->statics[1][k] != (i % 11 == 0 ? -1 : i % 2);
    return wrong;
}

/* With `piece` rows in memory. */
static void expect_many(int64_t piece)
{
    Buffer text = {0};
    Random random = random_stream(3, 0);
    int *lines = mem_new(SERIES * PERIODS, sizeof *lines);
    for (int i = 0; i < SERIES * PERIODS; i++) {
        int k = (int)random_below(&random, i + 1);
        lines[i] = lines[k];
        lines[k] = i;
    }
    buffer_append_string(&text, "date,id,value,seven,clock,kind\n");
    for (int i = 0; i < SERIES * PERIODS; i++)
        add_line(&text, lines[i] % SERIES, lines[i] / SERIES);
    begin();
    series_rows_set_piece(piece);
    write_file("many.csv.gz", buffer_view(&text));
    SeriesSet set = {.n = 0};
    SeriesFileCounts counts = {0};
    Error error;
    SeriesFileOptions options = options_of(FREQUENCY_DAILY, AHEAD);
    options.season = 5;
    CHECK_OK(read_file("many.csv.gz", &options, &set, &counts, &error));
    CU_ASSERT(set.total == SERIES && set.calendar.open_season == 5);
    CU_ASSERT(set.n_dynamic == 1 && set.n_static == 2 && set.static_counts[0] == 7);
    CU_ASSERT_EQUAL(counts.read, SERIES * PERIODS);
    CU_ASSERT_EQUAL(counts.used + counts.left_out, SERIES * PERIODS);
    CU_ASSERT(set.first % SERIES_BLOCK == 0 || set.n == 0);
    int64_t wrong = 0;
    for (int64_t k = 0; k < set.n; k++)
        wrong += compare_series(&set, k);
    CU_ASSERT_EQUAL(wrong, 0);
    for (int64_t k = 1; k < set.n; k++)
        wrong += bytes_compare(column_text(&set.keys.columns[0], k - 1),
                               column_text(&set.keys.columns[0], k)) >= 0;
    CU_ASSERT_EQUAL(wrong, 0);
    series_set_free(&set);
    buffer_free(&text);
    mem_free(&lines);
    series_rows_set_piece(SERIES_ROWS_PIECE);
    end(1);
}

static void test_many(void)
{
    expect_many(SERIES_ROWS_PIECE);
    expect_many(300);
}

/* What two ranks read, or comes in two pieces, is told as if it came at once. */
static void test_small_pieces(void)
{
    series_rows_set_piece(2);
    test_columns();
    test_dates();
    test_wide();
    test_mistakes();
    test_actual();
    series_rows_set_piece(SERIES_ROWS_PIECE);
}

/* Faults end in one error on all ranks, and leave no folder. */
static void test_failures(void)
{
    static const char *const sites[] = {"forecast.lines",     "forecast.gather",
                                        "forecast.series",    "forecast.place",
                                        "store.scratch.open", "store.scratch.write"};
    Comm *comm = rank_comm();
    SeriesSet set = {.n = 0};
    SeriesFileCounts counts;
    Error error;
    SeriesFileOptions options = options_of(FREQUENCY_DAILY, 2);
    begin();
    write_file("series.csv.gz", bytes_of("id,date,value,kind\na,1,1,x\nb,1,1,y\n"));
    for (size_t s = 0; s < sizeof sites / sizeof *sites; s++) {
        int rank = comm_size(comm) - 1;
        CU_ASSERT(model_arm(comm, sites[s], rank));
        CU_ASSERT_EQUAL(read_file("series.csv.gz", &options, &set, &counts, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        CU_ASSERT(model_arm(comm, NULL, 0));
    }
    end(1);
}

CU_TestInfo series_files_tests[] = {
    {"columns", test_columns},           {"dates", test_dates},       {"wide", test_wide},
    {"mistakes", test_mistakes},         {"actual", test_actual},     {"many", test_many},
    {"small pieces", test_small_pieces}, {"failures", test_failures}, CU_TEST_INFO_NULL,
};
