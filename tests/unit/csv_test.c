/* CSV: RFC 4180's own cases, what else files contain, and any bytes cut anywhere, against a reader
 * that goes byte by byte. */
#include "ingest/csv.h"

#include "support/csv_model.h"
#include "unit/sample.h"
#include "unit/suites.h"

#include <stdio.h>
#include <string.h>

static CsvRecord record;
static CsvModel model;

/* The first record of `text` as FIELD/FIELD/..., "BROKEN" or "OPEN". */
static const char *first(const char *text)
{
    static char shown[256];
    int64_t taken = csv_next(bytes_of(text), ',', true, &record);
    shown[0] = 0;
    if (taken == CSV_NEVER_CLOSED)
        return "OPEN";
    if (taken == CSV_NOT_WHOLE)
        return "NONE";
    if (record.is_broken)
        return "BROKEN";
    size_t size = 0;
    for (int64_t i = 0; i < record.n_fields && size < sizeof shown - 64; i++)
        size += (size_t)snprintf(shown + size, sizeof shown - size, "%s%.*s", i > 0 ? "/" : "",
                                 (int)record.fields[i].size, record.fields[i].data);
    return shown;
}

static void test_records(void)
{
    static const struct {
        const char *text, *fields;
    } cases[] = {
        {"aaa,bbb,ccc\r\nzzz", "aaa/bbb/ccc"}, /* RFC 4180, section 2, 1 to 7 */
        {"zzz,yyy,xxx", "zzz/yyy/xxx"},
        {"\"aaa\",\"bbb\",\"ccc\"\r\n", "aaa/bbb/ccc"},
        {"\"aaa\",\"b\r\nbb\",\"ccc\"\r\n", "aaa/b\r\nbb/ccc"},
        {"\"aaa\",\"b\"\"bb\",\"ccc\"", "aaa/b\"bb/ccc"},
        {"a, b ,c", "a/ b /c"},
        {"\n", ""},
        {"\r\n", ""},
        {",\n", "/"},
        {",,\r\n", "//"},
        {"\"\"", ""},
        {"\"\",\"\"", "/"},
        {"\"\"\"\"", "\""},
        {"\"\"\"\"\"\"", "\"\""},
        {"\"a,b\",c\n", "a,b/c"},
        {"a\rb,c\n", "a\rb/c"},
        {"a,b\r", "a/b"},
        {"a,\"b\"\r", "a/b"},
        {"a,\"b\r\n\"", "a/b\r\n"},
        {"a\"b,c", "BROKEN"},
        {"a,b\"\n", "BROKEN"},
        {"\"a\"b,c", "BROKEN"},
        {"\"a\" ,c", "BROKEN"},
        {"\"a\"\rb", "BROKEN"},
        {" \"a\",c", "BROKEN"},
        {"\"a\"b\"c,\n", "BROKEN"},
        {"a,\"b", "OPEN"},
        {"a,\"b\"\"", "OPEN"},
        {"a,\"b\nc,d\n", "OPEN"},
        {"", "NONE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = first(cases[i].text);
        if (strcmp(got, cases[i].fields) != 0)
            (void)fprintf(stderr, "record \"%s\": %s\n", cases[i].text, got);
        CU_ASSERT_STRING_EQUAL(got, cases[i].fields);
    }
    csv_record_free(&record);
}

/* Where one record ends and the next begins, and what the line numbers are. */
static void test_sequence(void)
{
    Bytes text = bytes_of("a,b\r\n\n\"x\ny\",\"1\"\r\nlast");
    static const int64_t taken[] = {5, 1, 11, 4};
    static const int64_t newlines[] = {1, 1, 2, 0};
    static const int64_t sizes[] = {3, 0, 9, 4};
    for (int i = 0; i < 4; i++) {
        int64_t got = csv_next(text, ',', true, &record);
        CU_ASSERT_EQUAL(got, taken[i]);
        CU_ASSERT_EQUAL(record.newlines, newlines[i]);
        CU_ASSERT_EQUAL(record.raw.size, sizes[i]);
        text.data += taken[i];
        text.size -= taken[i];
    }
    CU_ASSERT_EQUAL(csv_next(text, ',', true, &record), CSV_NOT_WHOLE);
    csv_record_free(&record);
}

/* A record that does not end in the text is left for later; every prefix of one is such. */
static void test_not_whole(void)
{
    const char *text = "one,\"t\"\"w\no\",three\r\n";
    int64_t size = (int64_t)strlen(text);
    for (int64_t n = 0; n < size; n++)
        CU_ASSERT_EQUAL(csv_next((Bytes){text, n}, ',', false, &record), CSV_NOT_WHOLE);
    CU_ASSERT_EQUAL(csv_next((Bytes){text, size}, ',', false, &record), size);
    CU_ASSERT_EQUAL(record.n_fields, 3);
    csv_record_free(&record);
}

static void test_other_delimiters(void)
{
    static const char delimiters[] = {';', '\t', '|'};
    for (int i = 0; i < 3; i++) {
        char text[] = "a,b_\"c_d\"_e\n";
        for (char *at = text; *at != 0; at++)
            *at = *at == '_' ? delimiters[i] : *at;
        CU_ASSERT_EQUAL(csv_next(bytes_of(text), delimiters[i], true, &record), 12);
        CU_ASSERT_EQUAL(record.n_fields, 3);
        CU_ASSERT_TRUE(bytes_equal(record.fields[0], bytes_of("a,b")));
        CU_ASSERT_EQUAL(record.fields[1].size, 3);
    }
    csv_record_free(&record);
}

static void test_many_fields(void)
{
    Buffer line = {0};
    for (int i = 0; i < 3 * CSV_FIELDS_MAX - 1; i++)
        buffer_append_string(&line, i == 7 ? "\"q\"," : "x,");
    CU_ASSERT_EQUAL(csv_next(buffer_view(&line), ',', true, &record), line.size);
    CU_ASSERT_EQUAL(record.n_fields, 3 * CSV_FIELDS_MAX);
    CU_ASSERT_FALSE(record.is_broken);
    CU_ASSERT_TRUE(bytes_equal(record.fields[7], bytes_of("q")));
    buffer_free(&line);
    csv_record_free(&record);
}

static void test_field_offset(void)
{
    Bytes raw = bytes_of("a,\"b,\"\"c\",,d");
    static const int64_t offsets[] = {0, 2, 10, 11, 12, 12};
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(csv_field_offset(raw, ',', i), offsets[i]);
}

static void test_append_field(void)
{
    static const char *const texts[] = {"", "plain", "a,b", "a\"b", "a\nb", "\r", " x "};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Buffer line = {0};
        csv_append_field(&line, bytes_of(texts[i]), ',');
        buffer_append_string(&line, ",end");
        CU_ASSERT_TRUE(csv_next(buffer_view(&line), ',', true, &record) > 0);
        CU_ASSERT_EQUAL(record.n_fields, 2);
        CU_ASSERT_TRUE(bytes_equal(record.fields[0], bytes_of(texts[i])));
        buffer_free(&line);
    }
    csv_record_free(&record);
}

static void test_count_newlines(void)
{
    char text[2000];
    for (int64_t n = 0; n < (int64_t)sizeof text; n += 37) {
        memset(text, '\n', sizeof text);
        CU_ASSERT_EQUAL(csv_count_newlines((Bytes){text, n}), n);
        memset(text, 'x', sizeof text);
        CU_ASSERT_EQUAL(csv_count_newlines((Bytes){text, n}), 0);
    }
}

/* Text of pieces that matter to the automaton. */
static int64_t make_text(Sample *sample, char *text, int64_t size)
{
    static const char *const parts[] = {
        "\"",   "\"\"", ",",        "\n",  "\r\n",
        "\r",   "x",    ",\"",      "\",", "\"\n",
        "\n\"", "word", "\xc3\xa9", "",    "sixty-four bytes of nothing in particular, then "};
    int64_t used = 0;
    int64_t richness = sample_between(sample, 1, 14);
    while (used < size) {
        int64_t at = sample_between(sample, 0, 99) < 2 ? 14 : sample_between(sample, 0, richness);
        int64_t length = (int64_t)strlen(parts[at]);
        if (length == 0) {
            text[used++] = 0;
            continue;
        }
        if (used + length > size)
            break;
        memcpy(text + used, parts[at], (size_t)length);
        used += length;
    }
    return used;
}

/* Any text, read whole, cut in two at every byte, and cut evenly for 1 to 7 ranks. */
static void test_all_splits(void)
{
    Sample sample = {20240501};
    char text[700];
    for (int round = 0; round < 1500; round++) {
        int64_t size = make_text(&sample, text, sample_between(&sample, 0, round % 5 ? 60 : 700));
        int64_t block = sample_between(&sample, 1, 100);
        csv_model_read(&model, (Bytes){text, size}, ',');
        const char *problem = csv_model_check_whole(&model, &record);
        for (int64_t border = 0; border <= size && problem == NULL; border++)
            problem = csv_model_check_pieces(&model, &border, 1, block, &record);
        for (int64_t ranks = 1; ranks <= 7 && problem == NULL; ranks++) {
            int64_t borders[6];
            for (int64_t i = 1; i < ranks; i++)
                borders[i - 1] = size * i / ranks;
            problem = csv_model_check_pieces(&model, borders, ranks - 1, block, &record);
        }
        if (problem != NULL)
            (void)fprintf(stderr, "round %d: %s\n", round, problem);
        CU_ASSERT_PTR_NULL(problem);
    }
    csv_record_free(&record);
}

CU_TestInfo csv_tests[] = {
    {"records", test_records},           {"sequence", test_sequence},
    {"not whole", test_not_whole},       {"other delimiters", test_other_delimiters},
    {"many fields", test_many_fields},   {"field offset", test_field_offset},
    {"append field", test_append_field}, {"count newlines", test_count_newlines},
    {"all splits", test_all_splits},     CU_TEST_INFO_NULL,
};
