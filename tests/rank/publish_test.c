/* Publish: nights of a small store into an SQLite file, looked at as a storefront would.
 *
 * Results are written by all ranks; rank 0 publishes and checks, so nothing between two collectives
 * here depends on the others. */
#include "base/fault.h"
#include "base/memory.h"
#include "publish/publish.h"
#include "rank/publish_nights.h"
#include "rank/suites.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = NIGHTS_PATH_SIZE, TEXT_SIZE = 4096 };

static Nights nights;

static void test_make_nights(void)
{
    Error error = {0};
    CU_ASSERT_EQUAL(nights_make(rank_comm(), &nights, &error), STATUS_OK);
    if (error.status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", error.message);
}

static void test_clean_up(void)
{
    CU_ASSERT(nights_remove(rank_comm(), &nights));
}

/* ---- publishing and looking ---- */

static bool is_root(void)
{
    return comm_rank(rank_comm()) == 0 && nights.store != NULL;
}

static void file_path(const char *name, char path[PATH_SIZE])
{
    CU_ASSERT(snprintf(path, PATH_SIZE, "%.*s/%s", PATH_SIZE - 64, nights.folder, name) <
              PATH_SIZE);
}

/* `rows_read` stands for all that may differ between two publications of one run. */
static Status publish_as(int night, int64_t rows_read, const char *target, PublishSummary *summary,
                         Error *error)
{
    Status status;
    ResultReader *reader = NULL;
    PublishedRun run = {.generation = night,
                        .as_of = "2022-01-08",
                        .currency = "EUR",
                        .money_decimals = 2,
                        .time_zone = "UTC",
                        .orders = {.read = rows_read, .stored = rows_read - 1, .rejected = 1},
                        .rows_in_force = rows_read - 1};
    *error = (Error){0};
    *summary = (PublishSummary){0};
    nights_run_name(night, run.run);
    TRY(results_open(nights.store, run.run, &reader, error));
    TRY(publish_run(reader, &run, &(PublishOptions){.to = target}, summary, error));
out:
    results_close(&reader);
    return status;
}

static Status publish_night(int night, const char *file, PublishSummary *summary, Error *error)
{
    char path[PATH_SIZE], target[PATH_SIZE + 16];
    file_path(file, path);
    (void)snprintf(target, sizeof target, "sqlite:%s", path);
    return publish_as(night, 100 + night, target, summary, error);
}

static void publish_well(int night, const char *file, bool expect_change)
{
    PublishSummary summary;
    Error error;
    CU_ASSERT_EQUAL(publish_night(night, file, &summary, &error), STATUS_OK);
    if (error.status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", error.message);
    CU_ASSERT_EQUAL(summary.changed, expect_change);
    CU_ASSERT_EQUAL(summary.tables, night % 2 == 1 ? 3 : 2);
    CU_ASSERT_EQUAL(summary.rows, nights_rows(night) + (night % 2 == 1 ? 2 : 1));
}

/* Run `sql` and put its rows, columns separated by | and rows by newlines, into `text`. */
static void look(const char *file, const char *sql, char text[TEXT_SIZE])
{
    char path[PATH_SIZE];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t used = 0;
    file_path(file, path);
    text[0] = '\0';
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        (void)snprintf(text, TEXT_SIZE, "%s", sqlite3_errmsg(db));
    while (statement != NULL && sqlite3_step(statement) == SQLITE_ROW && used < TEXT_SIZE)
        for (int c = 0; c < sqlite3_column_count(statement) && used < TEXT_SIZE; c++) {
            const char *value = (const char *)sqlite3_column_text(statement, c);
            used += (size_t)snprintf(text + used, TEXT_SIZE - used, "%s%s",
                                     value != NULL ? value : "NULL",
                                     c + 1 < sqlite3_column_count(statement) ? "|" : "\n");
        }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void expect(const char *file, const char *sql, const char *expected)
{
    char text[TEXT_SIZE];
    look(file, sql, text);
    if (strcmp(text, expected) != 0)
        (void)fprintf(stderr, "%s gave\n%sinstead of\n%s", sql, text, expected);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void change(const char *file, const char *sql)
{
    char path[PATH_SIZE];
    sqlite3 *db = NULL;
    file_path(file, path);
    CU_ASSERT_EQUAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int64_t read_file(const char *file, char *bytes, int64_t room)
{
    char path[PATH_SIZE];
    file_path(file, path);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return -1;
    int64_t size = (int64_t)fread(bytes, 1, (size_t)room, stream);
    (void)fclose(stream);
    return size;
}

/* True if the file's bytes are those of `before`. */
static bool is_unchanged(const char *file, const char *before, int64_t size)
{
    char *now = mem_new(size + 1, 1);
    bool same = read_file(file, now, size + 1) == size && memcmp(now, before, (size_t)size) == 0;
    mem_free(&now);
    return same;
}

static void expect_items(const char *file, int night)
{
    char path[PATH_SIZE];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t i = 0, wrong = 0;
    file_path(file, path);
    CU_ASSERT_EQUAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_prepare_v2(db,
                                       "SELECT substr(product, 7, 6), julianday(day), day IS NULL,"
                                       " net, net IS NULL, share, night,"
                                       " 12 * (substr(month, 1, 4) - 1970) + substr(month, 6) - 1"
                                       " FROM items ORDER BY product",
                                       -1, &statement, NULL),
                    SQLITE_OK);
    for (; statement != NULL && sqlite3_step(statement) == SQLITE_ROW; i++) {
        bool no_day = nights_day(i) == DAY_NONE, no_net = nights_net(night, i) == MONEY_NONE;
        wrong += sqlite3_column_int64(statement, 0) != i;
        wrong += (sqlite3_column_int(statement, 2) == 1) != no_day;
        wrong += !no_day && sqlite3_column_double(statement, 1) != nights_day(i) + 2440587.5;
        wrong += (sqlite3_column_int(statement, 4) == 1) != no_net;
        wrong += !no_net && sqlite3_column_int64(statement, 3) != nights_net(night, i);
        wrong += sqlite3_column_double(statement, 5) != (double)i / 3;
        wrong += sqlite3_column_int(statement, 6) != night;
        wrong += sqlite3_column_int64(statement, 7) != NIGHTS_FIRST_MONTH + i % 30;
    }
    CU_ASSERT_EQUAL(i, nights_rows(night));
    CU_ASSERT_EQUAL(wrong, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* ---- tests ---- */

static void test_one_night(void)
{
    if (!is_root())
        return;
    publish_well(1, "one.db", true);
    expect_items("one.db", 1);
    expect("one.db", "SELECT * FROM totals", "1|1010\n");
    expect("one.db", "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1",
           "items\nodd_totals\ntotals\nvesper_run\nvesper_run_table\n");
    expect("one.db", "SELECT name, type, pk FROM pragma_table_info('items')",
           "product|TEXT|1\nday|TEXT|0\nmonth|TEXT|0\nnet|INTEGER|0\nshare|REAL|0\n"
           "night|INTEGER|2\n");
    expect("one.db",
           "SELECT run, current, generation, as_of, currency, money_decimals, time_zone, rows_read,"
           " rows_stored, rows_rejected, rows_unchanged, replaced_orders, rows_in_force"
           " FROM vesper_run",
           "night-1|1|1|2022-01-08|EUR|2|UTC|101|100|1|0|0|100\n");
    expect("one.db",
           "SELECT run, table_name, rows, length(checksum) FROM vesper_run_table ORDER BY 2",
           "night-1|items|1010|16\nnight-1|odd_totals|1|16\nnight-1|totals|1|16\n");
    expect("one.db", "PRAGMA integrity_check", "ok\n");
}

static void test_same_night_again(void)
{
    enum { ROOM = 1 << 20 };
    if (!is_root())
        return;
    char *before = mem_new(ROOM, 1);
    int64_t size = read_file("one.db", before, ROOM);
    CU_ASSERT(size > 0 && size < ROOM);
    publish_well(1, "one.db", false);
    CU_ASSERT(is_unchanged("one.db", before, size));
    CU_ASSERT_EQUAL(read_file("one.db-wal", before, ROOM), -1);
    mem_free(&before);
}

static void test_nights_follow(void)
{
    if (!is_root())
        return;
    publish_well(1, "more.db", true);
    change("more.db", "CREATE VIEW best AS SELECT max(net) AS net, night FROM items;"
                      "CREATE TABLE visits (id INTEGER); INSERT INTO visits VALUES (7)");
    publish_well(2, "more.db", true);
    expect_items("more.db", 2);
    expect("more.db", "SELECT night FROM best", "2\n");
    expect("more.db", "SELECT DISTINCT night FROM items__previous", "1\n");
    expect("more.db", "SELECT run, current FROM vesper_run ORDER BY 1", "night-1|0\nnight-2|1\n");
    expect("more.db", "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1",
           "items\nitems__previous\nodd_totals__previous\ntotals\ntotals__previous\nvesper_run\n"
           "vesper_run_table\nvisits\n");

    publish_well(3, "more.db", true);
    expect("more.db", "SELECT run, current FROM vesper_run ORDER BY 1", "night-2|0\nnight-3|1\n");
    expect("more.db", "SELECT DISTINCT run FROM vesper_run_table ORDER BY 1", "night-2\nnight-3\n");
    expect("more.db", "SELECT name FROM sqlite_master WHERE name LIKE 'odd%'", "odd_totals\n");
    expect("more.db", "SELECT night FROM totals__previous", "2\n");

    publish_well(2, "more.db", true); /* back to the night that is kept as the previous one */
    expect("more.db", "SELECT run, current FROM vesper_run ORDER BY 1", "night-2|1\nnight-3|0\n");
    expect("more.db", "SELECT * FROM visits", "7\n");
    expect("more.db", "PRAGMA integrity_check", "ok\n");
}

static void test_same_run_mended(void)
{
    PublishSummary summary;
    Error error;
    char path[PATH_SIZE], target[PATH_SIZE + 16];
    if (!is_root())
        return;
    publish_well(1, "mend.db", true);
    publish_well(2, "mend.db", true);
    change("mend.db", "DROP TABLE totals");
    publish_well(2, "mend.db", true);
    change("mend.db", "DELETE FROM items WHERE product LIKE '%000002%'");
    publish_well(2, "mend.db", true);
    expect_items("mend.db", 2);
    publish_well(2, "mend.db", false);

    file_path("mend.db", path);
    (void)snprintf(target, sizeof target, "sqlite:%s", path);
    CU_ASSERT_EQUAL(publish_as(2, 500, target, &summary, &error), STATUS_OK);
    CU_ASSERT(summary.changed);
    expect("mend.db", "SELECT run, current, rows_read FROM vesper_run ORDER BY 1",
           "night-1|0|101\nnight-2|1|500\n");
    expect("mend.db", "SELECT night FROM totals__previous", "1\n");
}

static void test_leftovers_of_a_dead_run(void)
{
    if (!is_root())
        return;
    publish_well(1, "dead.db", true);
    change("dead.db",
           "CREATE TABLE items__next (other TEXT); INSERT INTO items__next VALUES ('x')");
    publish_well(2, "dead.db", true);
    expect_items("dead.db", 2);
    expect("dead.db", "SELECT count(*) FROM sqlite_master WHERE name LIKE '%next'", "0\n");
}

static void expect_refusal(int night, const char *file, Status expected, const char *part)
{
    PublishSummary summary;
    Error error;
    CU_ASSERT_EQUAL(publish_night(night, file, &summary, &error), expected);
    if (strstr(error.message, part) == NULL)
        (void)fprintf(stderr, "'%s' is not in: %s\n", part, error.message);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, part));
    CU_ASSERT(!summary.changed);
}

static void expect_usage(const char *target)
{
    PublishSummary summary;
    Error error;
    CU_ASSERT_EQUAL(publish_as(1, 100, target, &summary, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "sqlite:"));
}

static void test_refusals(void)
{
    static const char other[] = "This is a letter, and a database only to those who cannot read.\n";
    char path[PATH_SIZE];
    if (!is_root())
        return;
    expect_usage("");
    expect_usage("shop.db");
    expect_usage("mongodb://localhost");
    expect_usage("sqlite:");
    expect_usage("sqlite://shop.db");
    expect_refusal(1, "nowhere/shop.db", STATUS_IO, "cannot use folder");
    expect_refusal(1, "store", STATUS_IO, "is a folder");

    file_path("letter.txt", path);
    FILE *letter = fopen(path, "w");
    CU_ASSERT(letter != NULL && fputs(other, letter) >= 0 && fclose(letter) == 0);
    expect_refusal(1, "letter.txt", STATUS_IO, "not a database");
    CU_ASSERT(is_unchanged("letter.txt", other, (int64_t)strlen(other)));

    change("foreign.db", "CREATE TABLE Totals (mine TEXT); INSERT INTO Totals VALUES ('gold')");
    expect_refusal(1, "foreign.db", STATUS_IO, "table totals that Vesper did not publish");
    expect("foreign.db", "SELECT * FROM Totals", "gold\n");
}

static Status roll_back(const char *file, RollbackSummary *summary, Error *error)
{
    char path[PATH_SIZE], target[PATH_SIZE + 16];
    file_path(file, path);
    (void)snprintf(target, sizeof target, "sqlite:%s", path);
    *error = (Error){0};
    return publish_roll_back(&(PublishOptions){.to = target}, summary, error);
}

static void expect_no_way_back(const char *file, Status expected, const char *part)
{
    RollbackSummary summary;
    Error error;
    CU_ASSERT_EQUAL(roll_back(file, &summary, &error), expected);
    if (strstr(error.message, part) == NULL)
        (void)fprintf(stderr, "'%s' is not in: %s\n", part, error.message);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, part));
}

static void test_roll_back(void)
{
    RollbackSummary summary;
    Error error;
    if (!is_root())
        return;
    publish_well(1, "back.db", true);
    publish_well(2, "back.db", true);
    change("back.db", "CREATE VIEW best AS SELECT max(night) AS night FROM items");
    CU_ASSERT_EQUAL(roll_back("back.db", &summary, &error), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(summary.restored, "night-1");
    CU_ASSERT_STRING_EQUAL(summary.withdrawn, "night-2");
    CU_ASSERT_EQUAL(summary.tables, 3);
    expect_items("back.db", 1);
    expect("back.db", "SELECT night FROM best", "1\n");
    expect("back.db", "SELECT run, current, rows_read FROM vesper_run", "night-1|1|101\n");
    expect("back.db", "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1",
           "items\nodd_totals\ntotals\nvesper_run\nvesper_run_table\n");
    publish_well(1, "back.db", false);
    expect_no_way_back("back.db", STATUS_USAGE, "no night to go back to: run night-1");

    publish_well(3, "back.db", true);
    expect("back.db", "SELECT run, current FROM vesper_run ORDER BY 1", "night-1|0\nnight-3|1\n");
    change("back.db", "DELETE FROM items__previous WHERE product LIKE '%000002%'");
    expect_no_way_back("back.db", STATUS_IO, "items__previous is no longer as it was published");
    change("back.db", "DROP TABLE items__previous");
    expect_no_way_back("back.db", STATUS_IO, "items__previous is gone");
    expect_items("back.db", 3);

    expect_no_way_back("nobody.db", STATUS_USAGE, "there is no such file");
    change("empty.db", "CREATE TABLE visits (id INTEGER)");
    expect_no_way_back("empty.db", STATUS_USAGE, "Vesper has published nothing there");
}

/* Root may write anything, so rank 0 is somebody else for a moment. */
static void test_read_only(void)
{
    enum { NOBODY = 65534 };
    char path[PATH_SIZE], target[PATH_SIZE + 16];
    ResultReader *reader = NULL;
    PublishedRun run = {.run = "night-2"};
    PublishSummary summary;
    Error error;
    if (!is_root() || geteuid() != 0)
        return;
    publish_well(1, "fixed.db", true);
    file_path("fixed.db", path);
    (void)snprintf(target, sizeof target, "sqlite:%s", path);
    CU_ASSERT_EQUAL(chmod(path, 0444), 0);
    CU_ASSERT_EQUAL(results_open(nights.store, run.run, &reader, &error), STATUS_OK);
    if (reader != NULL && seteuid(NOBODY) == 0) {
        CU_ASSERT_EQUAL(
            publish_run(reader, &run, &(PublishOptions){.to = target}, &summary, &error),
            STATUS_IO);
        CU_ASSERT_EQUAL(seteuid(0), 0);
    }
    results_close(&reader);
    expect_items("fixed.db", 1);
}

/* Another writer keeps the file for as long as a publisher waits. Takes that long, so once only. */
static void test_locked(void)
{
    char path[PATH_SIZE];
    sqlite3 *db = NULL;
    if (!is_root() || comm_size(rank_comm()) != 1)
        return;
    publish_well(1, "locked.db", true);
    file_path("locked.db", path);
    CU_ASSERT_EQUAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    expect_refusal(2, "locked.db", STATUS_IO, "another program is writing");
    sqlite3_close(db);
    expect_items("locked.db", 1);
    publish_well(2, "locked.db", true);
}

static void arm_fault(const char *spec)
{
    Error error;
    int set = spec != NULL ? setenv("VESPER_FAULT", spec, 1) : unsetenv("VESPER_FAULT");
    CU_ASSERT_EQUAL(set, 0);
    CU_ASSERT_EQUAL(fault_init(0, &error), STATUS_OK);
}

/* Every table and row of a file. Renames leave other pages free: the bytes may differ. */
static void expect_same_content(const char *file, const char *other)
{
    static const char sql[] =
        "SELECT 'items', count(*), sum(net), min(night), max(night) FROM items UNION ALL"
        " SELECT 'before', count(*), sum(net), min(night), max(night) FROM items__previous"
        " UNION ALL SELECT 'totals', sum(items), 0, min(night), max(night) FROM totals UNION ALL"
        " SELECT 'previous', sum(items), 0, min(night), max(night) FROM totals__previous UNION ALL"
        " SELECT run, current, generation, rows_read, as_of FROM vesper_run UNION ALL"
        " SELECT run, table_name, rows, checksum, '' FROM vesper_run_table UNION ALL"
        " SELECT type, name, tbl_name, sql, '' FROM sqlite_master ORDER BY 1, 2, 3, 4, 5";
    char text[TEXT_SIZE];
    look(other, sql, text);
    expect(file, sql, text);
}

static const char *const fault_sites[] = {
    "publish.open:0:1",   "publish.load:0:1",   "publish.load:0:2", "publish.verify:0:1",
    "publish.verify:0:2", "publish.switch:0:1", "publish.done:0:1",
};
enum { N_FAULT_SITES = sizeof fault_sites / sizeof *fault_sites };

static void test_faults(void)
{
    if (!is_root())
        return;
    publish_well(1, "smooth.db", true);
    publish_well(2, "smooth.db", true);
    for (int i = 0; i < N_FAULT_SITES; i++) {
        char file[32];
        bool switched = strncmp(fault_sites[i], "publish.done", 12) == 0;
        (void)snprintf(file, sizeof file, "fault%d.db", i);
        publish_well(1, file, true);
        arm_fault(fault_sites[i]);
        expect_refusal(2, file, STATUS_IO, "injected fault");
        arm_fault(NULL);
        expect_items(file, switched ? 2 : 1);
        expect(file, "SELECT count(*) FROM sqlite_master WHERE name LIKE '%next'", "0\n");
        publish_well(2, file, !switched);
        expect_same_content(file, "smooth.db");
    }
}

/* The publisher is a process that dies at each site in turn. */
static void test_kills(void)
{
    if (!is_root())
        return;
    for (int i = 0; i < N_FAULT_SITES; i++) {
        char file[32], spec[64];
        int ended = 0;
        bool switched = strncmp(fault_sites[i], "publish.done", 12) == 0;
        (void)snprintf(file, sizeof file, "kill%d.db", i);
        (void)snprintf(spec, sizeof spec, "%s:kill", fault_sites[i]);
        publish_well(1, file, true);
        pid_t child = fork();
        if (child == 0) {
            PublishSummary summary;
            Error error;
            arm_fault(spec);
            _exit((int)publish_night(2, file, &summary, &error));
        }
        CU_ASSERT(child > 0 && waitpid(child, &ended, 0) == child);
        CU_ASSERT(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
        expect_items(file, switched ? 2 : 1);
        publish_well(2, file, !switched);
        expect_same_content(file, "smooth.db");
    }
}

/* ---- a reader in another process ---- */

/* The night that `sql` shows, or -1 if the reader was turned away or saw nothing. */
static int night_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int night = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        night = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return night;
}

/* One look of a page that reads several tables: 1 if it saw one whole night. */
static bool sees_one_night(sqlite3 *db)
{
    bool begun = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    int run = night_of(db, "SELECT substr(run, 7) FROM vesper_run WHERE current = 1");
    int first = night_of(db, "SELECT min(night) FROM items");
    int last = night_of(db, "SELECT max(night) FROM items");
    int rows = night_of(db, "SELECT count(*) FROM items");
    int totals = night_of(db, "SELECT night FROM totals");
    bool ended = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    return begun && ended && run > 0 && first == run && last == run && totals == run &&
           rows == nights_rows(run);
}

/* Looks until `stop` can be read; exit code 0 if every look saw one whole night. */
static void read_until(int stop, const char *path)
{
    enum { PATIENCE_MS = 1000 };
    sqlite3 *db = NULL;
    int64_t looks = 0, bad = 0;
    char byte;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        _exit(2);
    sqlite3_busy_timeout(db, PATIENCE_MS);
    while (read(stop, &byte, 1) != 1) {
        looks++;
        bad += !sees_one_night(db);
        int joined = night_of(db, "SELECT count(*) FROM vesper_run r, totals t"
                                  " WHERE r.current = 1 AND r.run = 'night-' || t.night");
        bad += joined != 1;
    }
    sqlite3_close(db);
    _exit(bad > 0 ? 1 : looks > 0 ? 0 : 3);
}

static void test_reader_sees_whole_nights(void)
{
    char path[PATH_SIZE];
    int stop[2], ended = 0;
    if (!is_root())
        return;
    publish_well(1, "read.db", true);
    file_path("read.db", path);
    CU_ASSERT_EQUAL(pipe2(stop, O_NONBLOCK | O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        read_until(stop[0], path);
    for (int round = 0; round < 3; round++)
        for (int night = 2; night <= NIGHTS_LAST; night++)
            publish_well(night, "read.db", true);
    CU_ASSERT_EQUAL(write(stop[1], "x", 1), 1);
    CU_ASSERT(child > 0 && waitpid(child, &ended, 0) == child);
    CU_ASSERT(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    (void)close(stop[0]);
    (void)close(stop[1]);
    expect_items("read.db", NIGHTS_LAST);
}

CU_TestInfo publish_tests[] = {
    {"nights are made", test_make_nights},
    {"one night", test_one_night},
    {"the same night again changes no byte", test_same_night_again},
    {"nights follow each other", test_nights_follow},
    {"the same run with other content replaces itself", test_same_run_mended},
    {"leftovers of a dead run", test_leftovers_of_a_dead_run},
    {"the way back", test_roll_back},
    {"refusals", test_refusals},
    {"read-only file", test_read_only},
    {"locked file", test_locked},
    {"faults at every site", test_faults},
    {"death at every site", test_kills},
    {"a reader sees whole nights", test_reader_sees_whole_nights},
    {"clean-up", test_clean_up},
    CU_TEST_INFO_NULL,
};
