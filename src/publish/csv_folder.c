/* Publish into a folder of CSV files: a night is a folder, and one link says which is in force.
 *
 *   DIR/RUN/TABLE.csv   DIR/RUN/vesper_run.csv, vesper_run_table.csv: what the night is
 *   DIR/current         link to RUN, switched by rename;  DIR/previous: the night before
 *   DIR/.next, .old     a night that is being written, or removed;  DIR/.lock
 *
 * Every step can die: what a dead run left under .next and .old goes with the next. */
#include "publish/csv_file.h"
#include "publish/target.h"
#include "publish/target_settings.h"

#include "base/fault.h"
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CURRENT "current"
#define PREVIOUS "previous"
#define NEXT ".next"
#define OLD ".old"
#define RUN_FILE "vesper_run.csv"
#define RUN_TABLE_FILE "vesper_run_table.csv"

typedef struct CsvFolder {
    Buffer path;
    CsvFormulas formulas;
    int lock; /* -1: not taken */
    ResultReader *reader;
    const PublishedRun *run;
    char current[STORE_NAME_SIZE]; /* where the links point; "" for none */
    char previous[STORE_NAME_SIZE];
    Buffer run_text, run_table_text; /* contents of the two files that say what the night is */
} CsvFolder;

static Status read_place(const char *place, Buffer *path, CsvFormulas *formulas, Error *error)
{
    static const char *const names[] = {"formulas"};
    Bytes bare, value = bytes_of("escape");
    Status status;
    TRY(target_settings_read("csv:", place, names, 1, &bare, &value, error));
    if (bare.size == 0 || bytes_start_with(bare, bytes_of("//")))
        FAIL(error, STATUS_USAGE,
             "publish target 'csv:%s' names no folder; write csv:tables or csv:/folder/tables",
             place);
    if (bytes_equal(value, bytes_of("keep")))
        *formulas = CSV_FORMULAS_KEEP;
    else if (bytes_equal(value, bytes_of("escape")))
        *formulas = CSV_FORMULAS_ESCAPE;
    else
        FAIL(error, STATUS_USAGE, "publish target csv:%s: formulas is escape or keep", place);
    buffer_append_bytes(path, bare);
out:
    return status;
}

Status csv_folder_check(const char *place, Error *error)
{
    Buffer path = {0};
    CsvFormulas formulas;
    Status status = read_place(place, &path, &formulas, error);
    buffer_free(&path);
    return status;
}

/* DIR/a or DIR/a/b, in `path`. */
static const char *entry(const CsvFolder *folder, const char *a, const char *b, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/%s%s%s", buffer_string(&folder->path), a, b[0] != '\0' ? "/" : "", b);
    return buffer_string(path);
}

static Status make_folder(const char *path, Error *error)
{
    struct stat about;
    if (mkdir(path, 0777) == 0 ||
        (errno == EEXIST && stat(path, &about) == 0 && S_ISDIR(about.st_mode)))
        return STATUS_OK;
    return files_error(error, "make the folder", path);
}

/* Two publishers would write into each other's night. */
static Status take_lock(CsvFolder *folder, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    const char *name = entry(folder, ".lock", "", &path);
    folder->lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (folder->lock < 0)
        status = files_error(error, "create", name);
    else if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0)
        status = error_set(error, STATUS_IO, __FILE__, __LINE__,
                           "%s: another program is publishing into it; run again when that has "
                           "finished",
                           buffer_string(&folder->path));
    buffer_free(&path);
    return status;
}

/* The night that a link names; "" if there is no link. What is no link of ours is refused. */
static Status read_link(CsvFolder *folder, const char *link, char name[STORE_NAME_SIZE],
                        Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    name[0] = '\0';
    ssize_t size = readlink(entry(folder, link, "", &path), name, STORE_NAME_SIZE - 1);
    if (size < 0 && errno == ENOENT)
        goto out;
    if (size >= 0)
        name[size] = '\0';
    if (size < 1 || size == STORE_NAME_SIZE - 1 || name[0] == '.' || strchr(name, '/') != NULL)
        FAIL(error, STATUS_IO,
             "%s was not made by Vesper; move it away, or publish into another folder",
             buffer_string(&path));
out:
    buffer_free(&path);
    return status;
}

/* Point a link at a night; a reader finds the old one or the new one. */
static Status set_link(const CsvFolder *folder, const char *link, const char *name, Error *error)
{
    Status status = STATUS_OK;
    Buffer fresh = {0}, path = {0};
    entry(folder, NEXT, "", &fresh);
    buffer_append_string(&fresh, "-link");
    TRY(files_remove(buffer_string(&fresh), error));
    if (symlink(name, buffer_string(&fresh)) != 0) {
        status = files_error(error, "make the link", buffer_string(&fresh));
        goto out;
    }
    TRY(files_rename(buffer_string(&fresh), entry(folder, link, "", &path), error));
out:
    buffer_free(&fresh);
    buffer_free(&path);
    return status;
}

static void append_text_cell(Buffer *line, const char *text)
{
    Cell cell = {.kind = text[0] != '\0' ? CELL_TEXT : CELL_NULL, .text = bytes_of(text)};
    csv_text_append(line, &cell, CSV_FORMULAS_KEEP);
}

/* What vesper_run and vesper_run_table have in a database. */
static void describe(CsvFolder *folder)
{
    const PublishedRun *run = folder->run;
    Buffer *text = &folder->run_text;
    const int64_t counts[] = {
        run->orders.read,      run->orders.stored,          run->orders.rejected,
        run->orders.unchanged, run->orders.replaced_orders, run->rows_in_force};
    buffer_append_string(text, "run,generation,as_of,currency,money_decimals,time_zone,rows_read,"
                               "rows_stored,rows_rejected,rows_unchanged,replaced_orders,"
                               "rows_in_force,csv_formulas\r\n");
    append_text_cell(text, run->run);
    buffer_printf(text, ",%lld,", (long long)run->generation);
    append_text_cell(text, run->as_of);
    buffer_append_string(text, ",");
    append_text_cell(text, run->currency);
    buffer_printf(text, ",%d,", run->money_decimals);
    append_text_cell(text, run->time_zone);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        buffer_printf(text, ",%lld", (long long)counts[i]);
    buffer_printf(text, ",%s\r\n", folder->formulas == CSV_FORMULAS_KEEP ? "keep" : "escape");
    buffer_append_string(&folder->run_table_text, "run,table_name,rows,checksum\r\n");
    for (int i = 0; i < results_count(folder->reader); i++) {
        const ResultTable *table = results_table(folder->reader, i);
        buffer_printf(&folder->run_table_text, "%s,%s,%lld,%016llx\r\n", run->run, table->name,
                      (long long)table->rows, (unsigned long long)table->checksum);
    }
}

static const char *table_path(const CsvFolder *folder, const char *night, int i, Buffer *path)
{
    entry(folder, night, results_table(folder->reader, i)->name, path);
    buffer_append_string(path, ".csv");
    return buffer_string(path);
}

/* True if the folder `night` of DIR has this very run, every byte of it. */
static Status holds_run(const CsvFolder *folder, const char *night, bool *holds, Error *error)
{
    Status status;
    Buffer path = {0};
    TRY(csv_file_compare_text(entry(folder, night, RUN_FILE, &path), buffer_view(&folder->run_text),
                              holds, error));
    if (*holds)
        TRY(csv_file_compare_text(entry(folder, night, RUN_TABLE_FILE, &path),
                                  buffer_view(&folder->run_table_text), holds, error));
    for (int i = 0; i < results_count(folder->reader) && *holds; i++)
        TRY(csv_file_compare(folder->reader, i, folder->formulas,
                             table_path(folder, night, i, &path), holds, error));
out:
    buffer_free(&path);
    return status;
}

static Status load_next(const CsvFolder *folder, Error *error)
{
    Status status;
    Buffer path = {0};
    TRY(files_remove(entry(folder, NEXT, "", &path), error));
    TRY(make_folder(buffer_string(&path), error));
    for (int i = 0; i < results_count(folder->reader); i++) {
        TRY(fault_point("publish.load", error));
        TRY(csv_file_write(folder->reader, i, folder->formulas, table_path(folder, NEXT, i, &path),
                           error));
    }
    TRY(csv_file_write_text(entry(folder, NEXT, RUN_TABLE_FILE, &path),
                            buffer_view(&folder->run_table_text), error));
    TRY(csv_file_write_text(entry(folder, NEXT, RUN_FILE, &path), buffer_view(&folder->run_text),
                            error));
    TRY(files_sync(entry(folder, NEXT, "", &path), error));
out:
    buffer_free(&path);
    return status;
}

static Status verify_next(const CsvFolder *folder, Error *error)
{
    bool holds;
    Status status;
    TRY(fault_point("publish.verify", error));
    TRY(holds_run(folder, NEXT, &holds, error));
    if (!holds)
        FAIL(error, STATUS_IO,
             "%s: what was read back is not what was written; nothing was switched; check the disk "
             "and run again",
             buffer_string(&folder->path));
out:
    return status;
}

/* A folder of the run's name without its description is somebody else's. */
static Status put_in_place(const CsvFolder *folder, Error *error)
{
    Status status;
    Buffer from = {0}, to = {0}, mark = {0};
    const char *night = entry(folder, folder->run->run, "", &to);
    if (files_exist(night) && !files_exist(entry(folder, folder->run->run, RUN_FILE, &mark)))
        FAIL(error, STATUS_IO,
             "%s was not made by Vesper; move it away, or publish into another folder", night);
    TRY(files_replace_folder(entry(folder, NEXT, "", &from), night, error));
out:
    buffer_free(&from);
    buffer_free(&to);
    buffer_free(&mark);
    return status;
}

static Status switch_night(CsvFolder *folder, Error *error)
{
    Status status;
    TRY(put_in_place(folder, error));
    TRY(fault_point("publish.switch", error));
    if (folder->current[0] != '\0' && strcmp(folder->current, folder->run->run) != 0) {
        TRY(set_link(folder, PREVIOUS, folder->current, error));
        memcpy(folder->previous, folder->current, sizeof folder->previous);
    }
    TRY(set_link(folder, CURRENT, folder->run->run, error));
    memset(folder->current, 0, sizeof folder->current);
    memcpy(folder->current, folder->run->run, sizeof folder->current);
out:
    return status;
}

static bool is_old_night(const CsvFolder *folder, const char *name)
{
    struct stat about;
    Buffer path = {0};
    bool is_old = name[0] != '.' && strcmp(name, folder->current) != 0 &&
                  strcmp(name, folder->previous) != 0 &&
                  lstat(entry(folder, name, "", &path), &about) == 0 && S_ISDIR(about.st_mode) &&
                  files_exist(entry(folder, name, RUN_FILE, &path));
    buffer_free(&path);
    return is_old;
}

/* A night goes at once for who looks it up by name, and then file by file. */
static Status remove_night(const CsvFolder *folder, const char *name, Error *error)
{
    Status status;
    Buffer from = {0}, to = {0};
    entry(folder, OLD, "", &to);
    if (name != NULL)
        TRY(files_rename(entry(folder, name, "", &from), buffer_string(&to), error));
    TRY(files_remove(buffer_string(&to), error));
out:
    buffer_free(&from);
    buffer_free(&to);
    return status;
}

/* What a dead run left, and every night but the one in force and the one before it. */
static Status remove_old(const CsvFolder *folder, Error *error)
{
    Status status;
    Buffer next = {0};
    DIR *entries = NULL;
    TRY(files_remove(entry(folder, NEXT, "", &next), error));
    TRY(remove_night(folder, NULL, error));
    entries = opendir(buffer_string(&folder->path));
    if (entries == NULL) {
        status = files_error(error, "read the folder", buffer_string(&folder->path));
        goto out;
    }
    for (struct dirent *found = readdir(entries); found != NULL; found = readdir(entries))
        if (is_old_night(folder, found->d_name))
            TRY(remove_night(folder, found->d_name, error));
out:
    if (entries != NULL)
        (void)closedir(entries);
    buffer_free(&next);
    return status;
}

static Status load_and_switch(CsvFolder *folder, Error *error)
{
    Status status;
    TRY(load_next(folder, error));
    TRY(verify_next(folder, error));
    TRY(switch_night(folder, error));
out:
    if (status != STATUS_OK) { /* no half-written night stays */
        Error ignored;
        Buffer next = {0};
        Status removed = files_remove(entry(folder, NEXT, "", &next), &ignored);
        (void)removed; /* if not, the next run does it */
        buffer_free(&next);
    }
    return status;
}

static Status open_folder(CsvFolder *folder, Error *error)
{
    Status status;
    TRY(make_folder(buffer_string(&folder->path), error));
    TRY(take_lock(folder, error));
    TRY(fault_point("publish.open", error));
    TRY(read_link(folder, CURRENT, folder->current, error));
    TRY(read_link(folder, PREVIOUS, folder->previous, error));
out:
    return status;
}

static void close_folder(CsvFolder *folder)
{
    if (folder->lock >= 0)
        (void)close(folder->lock);
    buffer_free(&folder->path);
    buffer_free(&folder->run_text);
    buffer_free(&folder->run_table_text);
}

Status csv_folder_publish(ResultReader *reader, const PublishedRun *run, const char *place,
                          const PublishOptions *options, PublishSummary *summary, Error *error)
{
    CsvFolder folder = {.lock = -1, .reader = reader, .run = run};
    bool in_force;
    Status status;
    (void)options;
    TRY(read_place(place, &folder.path, &folder.formulas, error));
    TRY(open_folder(&folder, error));
    describe(&folder);
    in_force = strcmp(folder.current, run->run) == 0;
    if (in_force)
        TRY(holds_run(&folder, run->run, &in_force, error));
    if (!in_force)
        TRY(load_and_switch(&folder, error));
    TRY(fault_point("publish.done", error));
    TRY(remove_old(&folder, error));
    summary->changed = !in_force;
    summary->tables = results_count(reader);
    for (int i = 0; i < summary->tables; i++)
        summary->rows += results_table(reader, i)->rows;
out:
    close_folder(&folder);
    return status;
}

Status csv_folder_reach(const char *place, const PublishOptions *options, Error *error)
{
    CsvFolder folder = {.lock = -1};
    struct stat about;
    Status status;
    (void)options;
    TRY(read_place(place, &folder.path, &folder.formulas, error));
    char *path = folder.path.data;
    vesper_assert(path != NULL);
    if (stat(path, &about) != 0) { /* then the one above it has to be there */
        char *slash = strrchr(path, '/');
        if (slash != NULL)
            slash[slash == path] = '\0';
        path = slash != NULL ? path : ".";
        if (stat(path, &about) != 0) {
            status = files_error(error, "use the folder", path);
            goto out;
        }
    }
    if (!S_ISDIR(about.st_mode))
        errno = ENOTDIR;
    if (!S_ISDIR(about.st_mode) || access(path, W_OK | X_OK) != 0)
        status = files_error(error, "write into the folder", path);
out:
    close_folder(&folder);
    return status;
}

/* As the night's own list has them. */
static Status count_tables(const CsvFolder *folder, const char *night, int *tables, Error *error)
{
    enum { LIST_MAX = 1 << 20 };
    Status status;
    Buffer path = {0}, list = {0};
    TRY(files_read_small(entry(folder, night, RUN_TABLE_FILE, &path), LIST_MAX, &list, error));
    *tables = -1; /* the header */
    for (int64_t i = 0; i < list.size; i++)
        *tables += list.data[i] == '\n';
out:
    buffer_free(&path);
    buffer_free(&list);
    return status;
}

Status csv_folder_roll_back(const char *place, const PublishOptions *options,
                            RollbackSummary *summary, Error *error)
{
    CsvFolder folder = {.lock = -1};
    Buffer path = {0};
    Status status;
    (void)options;
    TRY(read_place(place, &folder.path, &folder.formulas, error));
    if (files_exist(buffer_string(&folder.path)))
        TRY(open_folder(&folder, error));
    if (folder.current[0] == '\0' || folder.previous[0] == '\0' ||
        strcmp(folder.current, folder.previous) == 0 ||
        !files_exist(entry(&folder, folder.previous, RUN_FILE, &path)))
        FAIL(error, STATUS_USAGE,
             "%s: no night to go back to: none is kept there before the one in force; 'vesper "
             "publish' brings any other",
             buffer_string(&folder.path));
    TRY(count_tables(&folder, folder.previous, &summary->tables, error));
    memcpy(summary->restored, folder.previous, sizeof summary->restored);
    memcpy(summary->withdrawn, folder.current, sizeof summary->withdrawn);
    TRY(fault_point("publish.switch", error));
    TRY(set_link(&folder, CURRENT, folder.previous, error));
    TRY(files_remove(entry(&folder, PREVIOUS, "", &path), error));
    memcpy(folder.current, folder.previous, sizeof folder.current);
    TRY(remove_old(&folder, error));
out:
    buffer_free(&path);
    close_folder(&folder);
    return status;
}
