/* Time zones: offsets as tables, learned once from the C library by asking it for the local time
 * at many instants, so that lookups need neither locks nor the TZ variable.
 *
 * Before the first instant asked (1900) and after the last (2200) the offset stays as it is there.
 */
#include "base/civil.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)

/* Instants to probe, and how far apart. Database 2025b lists changes one by one up to 2087, never
 * nearer than 3.9 days; after that only yearly rules hold, whose changes are months apart. */
static const int64_t probe_begin = INT64_C(-2208988800); /* 1900-01-01T00:00:00Z */
static const int64_t rules_begin = INT64_C(3786912000);  /* 2090-01-01 */
static const int64_t probe_end = INT64_C(7258118400);    /* 2200-01-01 */
enum { LISTED_STEP = 3 * 86400, RULES_STEP = 20 * 86400 };

enum { BUCKET_BITS = 42 }; /* a bucket is 2^42 us, 51 days: it holds few changes */

/* Where runs of one offset begin, with an index that finds a run without search. */
typedef struct Runs {
    int64_t *begin;   /* [n] begin[0] is from ever */
    int32_t *buckets; /* [n_buckets] run in force at the bucket's begin, counted from begin[1] on */
    int64_t n_buckets;
} Runs;

struct TimeZone {
    int n;
    int capacity;
    Runs utc;
    Runs local;
    int64_t *offset; /* [n] local minus UTC, us */
};

static const char *zone_folder(void)
{
    const char *folder = getenv("TZDIR");
    return folder && *folder ? folder : "/usr/share/zoneinfo";
}

static bool is_zone_file(const char *path)
{
    char magic[4];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool fits = fread(magic, sizeof magic, 1, file) == 1 && memcmp(magic, "TZif", 4) == 0;
    fclose(file);
    return fits;
}

static Status check_name(const char *name, Error *error)
{
    Status status = STATUS_OK;
    size_t length = strlen(name);
    size_t plain = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_+-/");
    if (length == 0 || plain < length || name[0] == '/')
        FAIL(error, STATUS_USAGE,
             "'%s' is no time zone; give an IANA name such as UTC or Europe/London", name);
    if (access(zone_folder(), R_OK | X_OK) != 0)
        FAIL(error, STATUS_USAGE,
             "time zone '%s' needs the time zone database, and there is no %s; install the package "
             "tzdata, or use UTC",
             name, zone_folder());
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", zone_folder(), name);
    if (!is_zone_file(path))
        FAIL(error, STATUS_USAGE,
             "no time zone is called '%s'; give an IANA name such as UTC or Europe/London (the "
             "files under %s)",
             name, zone_folder());
out:
    return status;
}

static void add_run(TimeZone *zone, int64_t begin_s, int64_t offset_s)
{
    if (zone->n == zone->capacity) {
        zone->capacity = zone->capacity ? 2 * zone->capacity : 16;
        mem_grow(&zone->utc.begin, zone->capacity, sizeof *zone->utc.begin);
        mem_grow(&zone->local.begin, zone->capacity, sizeof *zone->local.begin);
        mem_grow(&zone->offset, zone->capacity, sizeof *zone->offset);
    }
    int i = zone->n++;
    zone->offset[i] = offset_s * SECOND_US;
    if (i == 0) {
        zone->utc.begin[i] = zone->local.begin[i] = INT64_MIN;
        return;
    }
    /* Clocks put forward: local times before begin + new offset were skipped; put back: those
     * before begin + old offset happen for the first time. Both belong to the run before. */
    int64_t before = zone->offset[i - 1], after = zone->offset[i];
    zone->utc.begin[i] = begin_s * SECOND_US;
    zone->local.begin[i] = zone->utc.begin[i] + (before > after ? before : after);
}

static void index_runs(Runs *runs, int n)
{
    if (n == 1)
        return;
    int64_t first = runs->begin[1];
    runs->n_buckets = ((runs->begin[n - 1] - first) >> BUCKET_BITS) + 1;
    runs->buckets = mem_new(runs->n_buckets, sizeof *runs->buckets);
    int32_t run = 1;
    for (int64_t bucket = 0; bucket < runs->n_buckets; bucket++) {
        while (run + 1 < n && runs->begin[run + 1] <= first + (bucket << BUCKET_BITS))
            run++;
        runs->buckets[bucket] = run;
    }
}

static int64_t libc_offset(int64_t utc_s)
{
    time_t instant = (time_t)utc_s;
    struct tm local;
    vesper_assert(localtime_r(&instant, &local));
    return local.tm_gmtoff;
}

/* First instant in (low, high] with another offset than at low, where high has another one. */
static int64_t find_change(int64_t low, int64_t high)
{
    int64_t offset = libc_offset(low);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (libc_offset(middle) == offset)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void learn(TimeZone *zone)
{
    int64_t offset = libc_offset(probe_begin);
    add_run(zone, probe_begin, offset);
    int64_t low = probe_begin;
    while (low < probe_end) {
        int64_t high = low + (low < rules_begin ? LISTED_STEP : RULES_STEP);
        int64_t high_offset = libc_offset(high);
        while (offset != high_offset) {
            low = find_change(low, high);
            offset = libc_offset(low);
            add_run(zone, low, offset);
        }
        low = high;
    }
}

/* learn() with the C library set to `name`; its own setting is put back. */
static void learn_from_libc(TimeZone *zone, const char *name)
{
    const char *setting = getenv("TZ");
    char *before = setting ? mem_copy_string(setting) : NULL;
    char value[256];
    snprintf(value, sizeof value, ":%s", name);
    setenv("TZ", value, 1);
    tzset();
    learn(zone);
    if (before)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
    tzset();
    mem_free(&before);
}

Status timezone_new(const char *name, TimeZone **zone, Error *error)
{
    Status status = STATUS_OK;
    bool is_utc = strcmp(name, "UTC") == 0;
    if (!is_utc)
        TRY(check_name(name, error));
    *zone = mem_new(1, sizeof **zone);
    if (is_utc)
        add_run(*zone, 0, 0);
    else
        learn_from_libc(*zone, name);
    index_runs(&(*zone)->utc, (*zone)->n);
    index_runs(&(*zone)->local, (*zone)->n);
out:
    return status;
}

void timezone_free(TimeZone **zone)
{
    if (!*zone)
        return;
    mem_free(&(*zone)->utc.begin);
    mem_free(&(*zone)->utc.buckets);
    mem_free(&(*zone)->local.begin);
    mem_free(&(*zone)->local.buckets);
    mem_free(&(*zone)->offset);
    mem_free(zone);
}

/* Index i of the run with begin[i] <= at < begin[i + 1]. */
static int find_run(const Runs *runs, int n, int64_t at)
{
    if (n == 1 || at < runs->begin[1])
        return 0;
    if (at >= runs->begin[n - 1])
        return n - 1;
    int64_t bucket = (at - runs->begin[1]) >> BUCKET_BITS;
    int run = runs->buckets[bucket];
    while (runs->begin[run + 1] <= at)
        run++;
    return run;
}

int64_t timezone_to_utc(const TimeZone *zone, int64_t local_us)
{
    return local_us - zone->offset[find_run(&zone->local, zone->n, local_us)];
}

int64_t timezone_to_local(const TimeZone *zone, int64_t utc_us)
{
    return utc_us + zone->offset[find_run(&zone->utc, zone->n, utc_us)];
}

int32_t timezone_day(const TimeZone *zone, int64_t utc_us)
{
    int64_t local = timezone_to_local(zone, utc_us);
    return (int32_t)(local / DAY_US - (local % DAY_US < 0));
}
