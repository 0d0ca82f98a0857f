/* The plan of a run, printed by rank 0. */
#include "dry_run.h"

#include "base/memory.h"
#include "ingest/source_database.h"
#include "options.h"
#include "stage.h"
#include "summary.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* How much longer a file is when unpacked (CSV of orders; typical, not the worst). */
enum { GROWTH_XZ = 15, GROWTH_ZST = 8, GROWTH_GZ = 7 };

/* Memory of a rank, as measured on a million generated order lines on one and two ranks: the
 * program with MPI and HDF5, and for each byte of plain CSV in the rank's share its columns, and
 * those of them that travel at the moment. */
static const double BASE_BYTES = 35e6;
static const double BYTES_PER_CSV_BYTE = 2.2;

typedef struct InputSize {
    int64_t files;
    int64_t bytes;      /* on disk */
    double plain_bytes; /* unpacked, estimated */
} InputSize;

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static int growth(const char *path)
{
    if (ends_with(path, ".xz"))
        return GROWTH_XZ;
    if (ends_with(path, ".zst"))
        return GROWTH_ZST;
    return ends_with(path, ".gz") ? GROWTH_GZ : 1;
}

static void add_file(const char *path, int64_t bytes, InputSize *size)
{
    size->files++;
    size->bytes += bytes;
    size->plain_bytes += (double)bytes * growth(path);
}

static Status measure_folder(const char *path, InputSize *size, Error *error)
{
    Status status = STATUS_OK;
    Buffer file = {0};
    DIR *folder = opendir(path);
    if (folder == NULL)
        FAIL(error, STATUS_INPUT, "cannot read folder %s: %s", path, strerror(errno));
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct stat info;
        buffer_clear(&file);
        buffer_printf(&file, "%s/%s", path, entry->d_name);
        if (stat(buffer_string(&file), &info) == 0 && S_ISREG(info.st_mode))
            add_file(entry->d_name, info.st_size, size);
    }
out:
    if (folder != NULL)
        (void)closedir(folder);
    buffer_free(&file);
    return status;
}

static Status measure_path(const char *input, const char *path, InputSize *size, Error *error)
{
    Status status = STATUS_OK;
    struct stat info;
    if (stat(path, &info) != 0) {
        FAIL(error, STATUS_INPUT, "cannot read input %s: %s; check the path", input,
             strerror(errno));
    }
    if (S_ISDIR(info.st_mode))
        TRY(measure_folder(path, size, error));
    else
        add_file(path, info.st_size, size);
    summary_line("input", "%s: %lld %s, %.1f MB", input, (long long)size->files,
                 size->files == 1 ? "file" : "files", (double)size->bytes / 1e6);
out:
    return status;
}

/* The query is understood by the database, but not run. */
static Status measure_database(const Run *run, const char *input, const char *url, InputSize *size,
                               Error *error)
{
    Status status;
    InputSettings settings;
    int64_t rows = 0;
    InputTable table = input_table_by_name((Bytes){input, url - input - 1});
    DatabaseRequest request = {
        .url = url, .table = table, .settings = &settings, .config = run->config};
    TRY(source_check_database(url, error));
    if (table == INPUT_COUNT)
        FAIL(error, STATUS_USAGE, "--input %s: there is no such table", input);
    TRY(input_settings_read(run->config, table, &settings, error));
    TRY(source_measure_database(&request, &rows, &size->bytes, error));
    size->plain_bytes = (double)size->bytes;
    summary_line("input", "%s: about %lld rows, %.1f MB%s", input, (long long)rows,
                 (double)size->bytes / 1e6,
                 settings.watermark != NULL ? ", of which those past the watermark are read" : "");
out:
    return status;
}

static Status measure_input(const Run *run, const char *input, InputSize *size, Error *error)
{
    Status status;
    Buffer shown = {0};
    const char *path = strchr(input, '=');
    source_append_shown(input, &shown);
    if (path == NULL)
        FAIL(error, STATUS_USAGE, "--input %s names no table; give TABLE=PATH",
             buffer_string(&shown));
    path++;
    if (source_is_database(path))
        TRY(measure_database(run, input, path, size, error));
    else
        TRY(measure_path(buffer_string(&shown), path, size, error));
out:
    buffer_free(&shown);
    return status;
}

static Status tell_inputs(const Run *run, Error *error)
{
    Status status = STATUS_OK;
    InputSize all = {0};
    for (int i = 0; i < config_list_count(run->config, "input"); i++) {
        InputSize size = {0};
        TRY(measure_input(run, config_list_item(run->config, "input", i), &size, error));
        all.plain_bytes += size.plain_bytes;
    }
    int ranks = comm_size(run->comm);
    summary_line("memory", "about %.0f MB on each of %d %s",
                 (BASE_BYTES + all.plain_bytes * BYTES_PER_CSV_BYTE / ranks) / 1e6, ranks,
                 ranks == 1 ? "rank" : "ranks");
out:
    return status;
}

/* The store as it is, or as it would be made. */
static Status look_at_store(Run *run, int64_t *generation, Error *error)
{
    Status status;
    const char *path = NULL;
    *generation = 0;
    TRY(options_store(run->config, &path, error));
    if (stage_root_says(run->comm, store_exists(path))) {
        TRY(open_to_read(run, error));
        *generation = store_generation(run->store);
        summary_of_store(run);
    } else if (strcmp(run->job, "nightly") == 0) {
        StoreSettings settings;
        TRY(options_settings(run->config, &settings, error));
        if (comm_rank(run->comm) == 0) {
            summary_line("store", "%s would be made: %d partitions, %s, %s with %d decimals", path,
                         (int)settings.partitions, settings.time_zone, settings.currency,
                         settings.money_decimals);
        }
    } else {
        FAIL(error, STATUS_USAGE, "there is no store at %s; make it with 'vesper init'", path);
    }
out:
    return status;
}

static void tell_outcome(const Run *run, int64_t generation)
{
    bool takes_in = config_list_count(run->config, "input") > 0;
    if (takes_in) {
        generation++;
        summary_line("generation", "%lld, if the input is new", (long long)generation);
    }
    if (strcmp(run->job, "nightly") == 0) {
        char name[STORE_NAME_SIZE];
        options_results_name(run->config, PART_SALES, generation, bytes_of(""), name);
        summary_line("publish", "run %s to %s", name, config_text(run->config, "to"));
    }
    summary_line("dry run", "nothing was changed");
}

static Status check_target(const Run *run, Error *error)
{
    bool publishes = strcmp(run->job, "nightly") == 0 && comm_rank(run->comm) == 0;
    return publishes ? publish_check_target(config_text(run->config, "to"), error) : STATUS_OK;
}

Status dry_run(Run *run, Error *error)
{
    Status status;
    int64_t generation = 0;
    TRY_ALL(run->comm, check_target(run, error), error);
    TRY(look_at_store(run, &generation, error));
    TRY_ALL(run->comm, comm_rank(run->comm) == 0 ? tell_inputs(run, error) : STATUS_OK, error);
    if (comm_rank(run->comm) == 0)
        tell_outcome(run, generation);
out:
    return status;
}
