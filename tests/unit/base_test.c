/* Status, memory, fault points, stops, bytes, hashes, log levels. */
#include "base/bytes.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"
#include "unit/sample.h"
#include "unit/suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_error_set(void)
{
    Error error;
    Status status = error_set(&error, STATUS_INPUT, "/some/where/file.c", 7, "a\nb\x1b[1m %d", 5);
    CU_ASSERT_EQUAL(status, STATUS_INPUT);
    CU_ASSERT_EQUAL(error.status, STATUS_INPUT);
    CU_ASSERT_EQUAL(error.line, 7);
    CU_ASSERT_STRING_EQUAL(error.file, "file.c");
    CU_ASSERT_STRING_EQUAL(error.message, "a b [1m 5");
    error_prefix(&error, "orders.csv:%d", 12);
    CU_ASSERT_STRING_EQUAL(error.message, "orders.csv:12: a b [1m 5");
    CU_ASSERT_EQUAL(error.status, STATUS_INPUT);
    /* its own message as an argument */
    CU_ASSERT_EQUAL(error_set(&error, STATUS_IO, "f.c", 1, "x: %s", error.message), STATUS_IO);
    CU_ASSERT_STRING_EQUAL(error.message, "x: orders.csv:12: a b [1m 5");
}

static void test_error_is_cut_between_characters(void)
{
    static char text[3 * ERROR_MESSAGE_SIZE];
    for (size_t begin = 0; begin < 3; begin++) {
        Error error;
        memset(text, 'x', begin);
        for (size_t i = begin; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4); /* the euro sign */
        CU_ASSERT_EQUAL(error_set(&error, STATUS_INPUT, "f.c", 1, "%s", text), STATUS_INPUT);
        size_t length = strlen(error.message);
        CU_ASSERT(length >= ERROR_MESSAGE_SIZE - 4 && length < ERROR_MESSAGE_SIZE);
        CU_ASSERT(bytes_are_utf8(bytes_of(error.message)));
        error_prefix(&error, "%s", "ab");
        CU_ASSERT(bytes_are_utf8(bytes_of(error.message)));
        CU_ASSERT(strlen(error.message) >= ERROR_MESSAGE_SIZE - 4);
    }
}

static void test_memory_new(void)
{
    int64_t blocks = mem_live_blocks(), bytes = mem_live_bytes();
    const int64_t counts[] = {0, 1, 3, 1000, 1 << 20};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char *block = mem_new(counts[i], 3);
        CU_ASSERT_EQUAL((uintptr_t)block % 64, 0);
        int64_t nonzero = 0;
        for (int64_t k = 0; k < counts[i] * 3; k++)
            nonzero += block[k] != 0;
        CU_ASSERT_EQUAL(nonzero, 0);
        CU_ASSERT_EQUAL(mem_live_blocks(), blocks + 1);
        CU_ASSERT_EQUAL(mem_live_bytes(), bytes + counts[i] * 3);
        CU_ASSERT(mem_peak_bytes() >= bytes + counts[i] * 3);
        mem_free(&block);
        CU_ASSERT_PTR_NULL(block);
        mem_free(&block);
    }
    CU_ASSERT_EQUAL(mem_live_blocks(), blocks);
    CU_ASSERT_EQUAL(mem_live_bytes(), bytes);
    char *copy = mem_copy_string("Zoë");
    CU_ASSERT_STRING_EQUAL(copy, "Zoë");
    mem_free(&copy);
    CU_ASSERT(mem_peak_resident_bytes() > 100000);
}

/* What was freed before a mark is not in the peak after it. The address sanitizer keeps freed
 * blocks. */
static void test_memory_mark(void)
{
    enum { BLOCKS = 200, BLOCK_BYTES = 500000 };
    char *blocks[BLOCKS], *above = NULL;
    const int64_t bytes = (int64_t)BLOCKS * BLOCK_BYTES;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = mem_new(BLOCK_BYTES, 1);
            memset(blocks[i], 1, BLOCK_BYTES);
        }
        above = round == 1 ? mem_new(BLOCK_BYTES, 1) : above;
        for (int i = 0; i < BLOCKS; i++)
            mem_free(&blocks[i]);
    }
    int64_t before = mem_peak_resident_bytes(), most = mem_peak_bytes();
    CU_ASSERT(before > bytes && most > bytes);
    mem_mark_peak();
#ifndef __SANITIZE_ADDRESS__
    CU_ASSERT(mem_peak_since_mark() < before - bytes / 2);
#endif
    CU_ASSERT(mem_peak_resident_bytes() >= before);
    CU_ASSERT_EQUAL(mem_peak_bytes(), most);
    mem_free(&above);
}

/* Sizes below and above where blocks become mapped, up and down. */
static void test_memory_resize(void)
{
    const int64_t counts[] = {1,      100,    90,      10,      0,       5000,    200000,
                              131072, 131064, 131065,  1000000, 3000000, 2999999, 1000000,
                              131064, 200,    1 << 18, 1 << 19, 7};
    int64_t *values = NULL, kept = 0;
    int64_t bytes = mem_live_bytes();
    Error error;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        CU_ASSERT_EQUAL_FATAL(mem_resize(&values, counts[i], sizeof *values, "values", &error),
                              STATUS_OK);
        CU_ASSERT_EQUAL((uintptr_t)values % 64, 0);
        CU_ASSERT_EQUAL(mem_live_bytes(), bytes + counts[i] * 8);
        int64_t wrong = 0;
        for (int64_t k = 0; k < kept && k < counts[i]; k++)
            wrong += values[k] != k * 3;
        CU_ASSERT_EQUAL(wrong, 0);
        for (int64_t k = 0; k < counts[i]; k++)
            values[k] = k * 3;
        kept = counts[i];
    }
    mem_free(&values);
    CU_ASSERT_EQUAL(mem_live_bytes(), bytes);
}

static void test_memory_refusals(void)
{
    int64_t *values = NULL;
    Error error;
    CU_ASSERT_EQUAL(mem_resize(&values, INT64_MAX, 8, "the cube", &error), STATUS_MEMORY);
    CU_ASSERT_PTR_NULL(values);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "the cube"));
    CU_ASSERT_EQUAL(mem_resize(&values, 10, 8, "values", &error), STATUS_OK);
    for (int i = 0; i < 10; i++)
        values[i] = i;
    int64_t *before = values;
    CU_ASSERT_EQUAL(mem_resize(&values, INT64_MAX / 16, 8, "the cube", &error), STATUS_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "the cube"));
    CU_ASSERT_PTR_EQUAL(values, before);
    CU_ASSERT_EQUAL(values[9], 9);
    mem_free(&values);
}

static void test_bytes(void)
{
    CU_ASSERT(bytes_equal(bytes_of("ab"), (Bytes){"abc", 2}));
    CU_ASSERT(!bytes_equal(bytes_of("ab"), bytes_of("abc")));
    CU_ASSERT(bytes_equal((Bytes){NULL, 0}, bytes_of("")));
    CU_ASSERT(bytes_compare(bytes_of("a"), bytes_of("ab")) < 0);
    CU_ASSERT(bytes_compare(bytes_of("b"), bytes_of("ab")) > 0);
    CU_ASSERT(bytes_compare(bytes_of("z"), bytes_of("ä")) < 0);
    CU_ASSERT(bytes_compare(bytes_of(""), (Bytes){NULL, 0}) == 0);
    CU_ASSERT(bytes_start_with(bytes_of("C5361"), bytes_of("C")));
    CU_ASSERT(!bytes_start_with(bytes_of("C"), bytes_of("C5")));
    CU_ASSERT(bytes_start_with(bytes_of("x"), bytes_of("")));
    CU_ASSERT(bytes_equal(bytes_trim(bytes_of(" \t a b\t ")), bytes_of("a b")));
    CU_ASSERT_EQUAL(bytes_trim(bytes_of(" \t ")).size, 0);
}

/* RFC 3629, by decoding code points. */
static bool is_utf8_slowly(const unsigned char *p, int64_t n)
{
    int64_t i = 0;
    while (i < n) {
        int more = p[i] < 0x80       ? 0
                   : p[i] >> 5 == 6  ? 1
                   : p[i] >> 4 == 14 ? 2
                   : p[i] >> 3 == 30 ? 3
                                     : -1;
        if (more < 0 || i + more >= n)
            return false;
        uint32_t code = more == 0 ? p[i] : p[i] & (0x3fu >> more);
        for (int k = 1; k <= more; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            code = code << 6 | (p[i + k] & 0x3f);
        }
        static const uint32_t least[] = {1, 0x80, 0x800, 0x10000};
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return false;
        i += more + 1;
    }
    return true;
}

static void test_utf8(void)
{
    static const char *const pieces[] = {"a",
                                         "abcdefghi",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\xed\x9f\xbf",
                                         "\xf4\x8f\xbf\xbf"};
    Sample sample = {1};
    int n_good = 0, n_wrong = 0;
    for (int round = 0; round < 200000; round++) {
        char text[64];
        int64_t n = 0;
        int64_t n_pieces = sample_between(&sample, 0, 6);
        for (int64_t i = 0; i < n_pieces; i++) {
            const char *piece = pieces[sample_between(&sample, 0, 6)];
            memcpy(text + n, piece, strlen(piece));
            n += (int64_t)strlen(piece);
        }
        if (n > 0 && round % 2)
            text[sample_between(&sample, 0, n - 1)] = (char)sample_between(&sample, 0, 255);
        if (n > 0 && round % 5 == 0)
            n--;
        bool expected = is_utf8_slowly((const unsigned char *)text, n);
        n_good += expected;
        n_wrong += bytes_are_utf8((Bytes){text, n}) != expected;
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT(n_good > 50000 && n_good < 180000);
    /* every lead byte with every second byte */
    for (int lead = 0; lead < 256; lead++) {
        for (int second = 0; second < 256; second++) {
            unsigned char text[4] = {(unsigned char)lead, (unsigned char)second, 0x80, 0x80};
            for (int64_t n = 1; n <= 4; n++)
                n_wrong += bytes_are_utf8((Bytes){(char *)text, n}) != is_utf8_slowly(text, n);
        }
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
}

static void test_buffer(void)
{
    Buffer buffer = {0};
    CU_ASSERT_STRING_EQUAL(buffer_string(&buffer), "");
    buffer_append(&buffer, NULL, 0);
    CU_ASSERT_STRING_EQUAL(buffer_string(&buffer), "");
    for (int i = 0; i < 1000; i++) {
        buffer_printf(&buffer, "%d,", i);
        buffer_append_bytes(&buffer, bytes_of("é"));
    }
    CU_ASSERT_EQUAL(buffer.size, (int64_t)strlen(buffer.data));
    CU_ASSERT_EQUAL(buffer.size, 10 * 1 + 90 * 2 + 900 * 3 + 1000 * 3);
    CU_ASSERT(bytes_start_with(buffer_view(&buffer), bytes_of("0,é1,é2,é")));
    buffer_clear(&buffer);
    CU_ASSERT_STRING_EQUAL(buffer_string(&buffer), "");
    buffer_append_string(&buffer, "x");
    CU_ASSERT_STRING_EQUAL(buffer_string(&buffer), "x");
    buffer_free(&buffer);
    buffer_free(&buffer);
}

static void test_hash(void)
{
    /* XXH3's own test values for the empty input */
    CU_ASSERT_EQUAL(hash64("", 0), UINT64_C(0x2d06800538d394c2));
    Hash128 empty = hash128(bytes_of(""));
    CU_ASSERT_EQUAL(empty.high, UINT64_C(0x99aa06d3014798d8));
    CU_ASSERT_EQUAL(empty.low, UINT64_C(0x6001c324468d497f));
    CU_ASSERT(hash64("a", 1) != hash64_seeded("a", 1, 1));
    CU_ASSERT_EQUAL(hash64("a", 1), hash64_seeded("a", 1, 0));
    CU_ASSERT(hash128_equal(hash128(bytes_of("a")), hash128_seeded("a", 1, 0)));
    CU_ASSERT(!hash128_equal(hash128(bytes_of("a")), hash128_seeded("a", 1, 9)));
    CU_ASSERT(hash128_compare((Hash128){1, 5}, (Hash128){2, 0}) < 0);
    CU_ASSERT(hash128_compare((Hash128){1, 5}, (Hash128){1, 4}) > 0);
    CU_ASSERT_EQUAL(hash128_compare(empty, empty), 0);
    int64_t counts[16] = {0};
    for (int i = 0; i < 16000; i++) {
        int32_t partition = hash_partition(hash128((Bytes){(char *)&i, sizeof i}), 16);
        CU_ASSERT_FATAL(partition >= 0 && partition < 16);
        counts[partition]++;
    }
    for (int i = 0; i < 16; i++)
        CU_ASSERT(counts[i] > 800 && counts[i] < 1200);
    CU_ASSERT_EQUAL(hash_partition(empty, 1), 0);
}

static void test_faults(void)
{
    Error error;
    setenv("VESPER_FAULT", "store.write:1:2", 1);
    CU_ASSERT_EQUAL(fault_init(0, &error), STATUS_OK); /* another rank */
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(fault_point("store.write", &error), STATUS_OK);
    CU_ASSERT_EQUAL(fault_init(1, &error), STATUS_OK);
    CU_ASSERT_EQUAL(fault_point("store.write", &error), STATUS_OK);
    CU_ASSERT_EQUAL(fault_point("store.writer", &error), STATUS_OK);
    CU_ASSERT_EQUAL(fault_point("store.write", &error), STATUS_IO);
    CU_ASSERT_STRING_EQUAL(error.message, "injected fault at store.write");
    CU_ASSERT_EQUAL(fault_point("store.write", &error), STATUS_OK);

    static const char *const wrong[] = {"x",     "x:1",       "x:1:0",       ":1:1",
                                        "x:a:1", "x:1:1:kil", "x:1:1:kill:", "x:-1:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("VESPER_FAULT", wrong[i], 1);
        CU_ASSERT_EQUAL(fault_init(1, &error), STATUS_USAGE);
    }
    setenv("VESPER_FAULT", "x:0:1:kill", 1);
    CU_ASSERT_EQUAL(fault_init(1, &error), STATUS_OK);
    static const char *const stops[] = {"x:1:1:stop", "x:1:1:wait"};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        setenv("VESPER_FAULT", stops[i], 1);
        CU_ASSERT_EQUAL(fault_init(1, &error), STATUS_OK);
        stop_catch_signals();
        if (i == 1)
            (void)raise(SIGTERM); /* or it would wait for ever */
        CU_ASSERT_EQUAL(fault_point("x", &error), STATUS_OK);
        CU_ASSERT(stop_asked());
    }
    unsetenv("VESPER_FAULT");

    char path[] = "/tmp/vesper_trace_XXXXXX", name[sizeof path + 8];
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    setenv("VESPER_FAULT_TRACE", path, 1);
    CU_ASSERT_EQUAL(fault_init(3, &error), STATUS_OK);
    CU_ASSERT_EQUAL(fault_point("a.open", &error), STATUS_OK);
    CU_ASSERT_EQUAL(fault_point("b.sync", &error), STATUS_OK);
    unsetenv("VESPER_FAULT_TRACE");
    CU_ASSERT_EQUAL(fault_init(0, &error), STATUS_OK);
    snprintf(name, sizeof name, "%s.3", path);
    char text[64] = "";
    FILE *file = fopen(name, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fread(text, 1, sizeof text - 1, file), 14);
    fclose(file);
    CU_ASSERT_STRING_EQUAL(text, "a.open\nb.sync\n");
    unlink(name);
    unlink(path);
    setenv("VESPER_FAULT_TRACE", "/nowhere/trace", 1);
    CU_ASSERT_EQUAL(fault_init(0, &error), STATUS_USAGE);
    unsetenv("VESPER_FAULT_TRACE");
    CU_ASSERT_EQUAL(fault_init(0, &error), STATUS_OK);
}

static void test_stop(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    Error error;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction next;
        stop_catch_signals();
        CU_ASSERT(!stop_asked());
        (void)raise(signals[i]);
        CU_ASSERT(stop_asked());
        CU_ASSERT_EQUAL(sigaction(signals[i], NULL, &next), 0);
        CU_ASSERT(next.sa_handler == SIG_DFL);
    }
    stop_catch_signals();
    CU_ASSERT_EQUAL(stop_here(&error, "after part %d of %d", 1, 2), STATUS_RESUME);
    CU_ASSERT_STRING_EQUAL(error.message,
                           "stopped at a safe point, after part 1 of 2; run the same "
                           "command again to go on");
    CU_ASSERT_EQUAL(stop_point(&error, "in part %d", 2), STATUS_OK);
    (void)raise(SIGUSR1);
    CU_ASSERT_EQUAL(stop_point(&error, "in part %d", 2), STATUS_RESUME);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "a safe point, in part 2; run"));
    stop_catch_signals();
}

static void capture_stderr(void (*speak)(void), char *text, size_t size)
{
    FILE *file = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    speak();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void speak_as_root(void)
{
    Progress progress;
    Error error;
    log_line(LOG_INFO, LOG_ROOT, "ingest", "rows=%d", 7);
    log_line(LOG_DEBUG, LOG_ROOT, "ingest", "not=shown");
    (void)!error_set(&error, STATUS_IO, "f.c", 3, "disk full");
    log_failure(&error);
    progress_begin(&progress, "ingest", "MB", 1e6, 100); /* no terminal: says nothing */
    progress_add(&progress, 100);
    progress_end(&progress);
    CU_ASSERT_EQUAL(progress.done, 100);
}

static void speak_as_other(void)
{
    Error error;
    log_line(LOG_INFO, LOG_ROOT, "ingest", "not=shown");
    log_line(LOG_DEBUG, LOG_RANK, "ingest", "rows=8");
    (void)!error_set(&error, STATUS_IO, "f.c", 3, "disk full");
    log_failure(&error);
}

static void test_log(void)
{
    char text[1024];
    LogLevel level;
    Error error;
    CU_ASSERT_EQUAL(log_level_parse("debug", &level, &error), STATUS_OK);
    CU_ASSERT_EQUAL(level, LOG_DEBUG);
    CU_ASSERT_EQUAL(log_level_parse("loud", &level, &error), STATUS_USAGE);

    log_init(0, LOG_INFO);
    capture_stderr(speak_as_root, text, sizeof text);
    CU_ASSERT_EQUAL(strlen(text), strlen("2026-11-24T02:00:00Z info ingest rows=7\n") +
                                      strlen("vesper: disk full\n"));
    CU_ASSERT_STRING_EQUAL(text + 19, "Z info ingest rows=7\nvesper: disk full\n");
    log_init(5, LOG_DEBUG);
    capture_stderr(speak_as_other, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text + 19, "Z debug ingest rank=5 rows=8\n");
    log_init(0, LOG_INFO);
    double before = clock_seconds();
    CU_ASSERT(clock_seconds() >= before && before > 0);
}

CU_TestInfo base_tests[] = {
    {"error_set", test_error_set},
    {"error_is_cut_between_characters", test_error_is_cut_between_characters},
    {"memory_new", test_memory_new},
    {"memory_mark", test_memory_mark},
    {"memory_resize", test_memory_resize},
    {"memory_refusals", test_memory_refusals},
    {"bytes", test_bytes},
    {"utf8", test_utf8},
    {"buffer", test_buffer},
    {"hash", test_hash},
    {"faults", test_faults},
    {"asked to stop", test_stop},
    {"log", test_log},
    CU_TEST_INFO_NULL,
};
