/* Free memory: what the kernel's files say, whole, in part or not at all. */
#include "base/free_memory.h"

#include "unit/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES = 3, PATH_SIZE = 64 };

/* The texts as files (NULL: none), and what they mean. */
static void check(const char *meminfo, const char *limit, const char *used, int64_t bytes)
{
    const char *const texts[FILES] = {meminfo, limit, used};
    char folder[] = "/tmp/vesper-free.XXXXXX", paths[FILES][PATH_SIZE];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(paths[i], PATH_SIZE, "%s/%d", folder, i);
        FILE *file = texts[i] ? fopen(paths[i], "w") : NULL;
        if (file) {
            CU_ASSERT(fputs(texts[i], file) >= 0);
            CU_ASSERT_EQUAL(fclose(file), 0);
        }
    }
    CU_ASSERT_EQUAL(free_memory_of(paths[0], paths[1], paths[2]), bytes);
    for (int i = 0; i < FILES; i++)
        (void)unlink(paths[i]);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void test_files(void)
{
    static const char info[] =
        "MemTotal:  800 kB\nMemFree: 5 kB\nMemAvailable:   300 kB\nX: 1 kB\n";
    check(info, NULL, NULL, 300 * 1024);
    check(info, "max\n", "1000\n", 300 * 1024);
    check(info, "5000\n", "1000\n", 4000);
    check(info, "1000\n", "5000\n", 0);
    check(info, "999999999\n", "1000\n", 300 * 1024);
    check(info, "1000\n", NULL, 300 * 1024);
    check("MemTotal: 1 kB\n", NULL, NULL, INT64_MAX);
    check(NULL, NULL, NULL, INT64_MAX);
    check(NULL, "700\n", "100\n", 600);
    check("", "", "", INT64_MAX);
}

static void test_this_machine(void)
{
    CU_ASSERT(free_memory() > 0);
}

CU_TestInfo free_memory_tests[] = {
    {"files", test_files}, {"this machine", test_this_machine}, CU_TEST_INFO_NULL};
