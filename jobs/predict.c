#include "predict.h"

#include "ingest/source_database.h"
#include "options.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- input ---- */

/* How much longer a file is when unpacked (CSV of orders; typical, not the worst). */
enum { GROWTH_XZ = 15, GROWTH_ZST = 8, GROWTH_GZ = 7 };

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
    size->text_bytes += (double)bytes * growth(path);
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

static Status measure_path(const char *shown, const char *path, InputSize *size, Error *error)
{
    Status status = STATUS_OK;
    struct stat info;
    if (stat(path, &info) != 0) {
        FAIL(error, STATUS_INPUT, "cannot read input %s: %s; check the path", shown,
             strerror(errno));
    }
    if (S_ISDIR(info.st_mode))
        TRY(measure_folder(path, size, error));
    else
        add_file(path, info.st_size, size);
out:
    return status;
}

/* The query is understood by the database, but not run. */
static Status measure_database(const Config *config, const char *input, const char *url,
                               InputSize *size, Error *error)
{
    Status status;
    InputSettings settings;
    InputTable table = input_table_by_name((Bytes){input, url - input - 1});
    DatabaseRequest request = {.url = url, .table = table, .settings = &settings, .config = config};
    TRY(source_check_database(url, error));
    if (table == INPUT_COUNT)
        FAIL(error, STATUS_USAGE, "--input %s: there is no such table", input);
    TRY(input_settings_read(config, table, &settings, error));
    TRY(source_measure_database(&request, &size->rows, &size->bytes, error));
    size->is_database = true;
    size->has_watermark = settings.watermark != NULL;
    size->text_bytes = (double)size->bytes;
out:
    return status;
}

Status predict_input(const Config *config, const char *input, InputSize *size, Error *error)
{
    Status status;
    Buffer shown = {0};
    const char *path = strchr(input, '=');
    *size = (InputSize){0};
    source_append_shown(input, &shown);
    if (path == NULL)
        FAIL(error, STATUS_USAGE, "--input %s names no table; give TABLE=PATH",
             buffer_string(&shown));
    path++;
    if (source_is_database(path))
        TRY(measure_database(config, input, path, size, error));
    else
        TRY(measure_path(buffer_string(&shown), path, size, error));
out:
    buffer_free(&shown);
    return status;
}

static bool is_database(const char *input)
{
    const char *path = strchr(input, '=');
    return path != NULL && source_is_database(path + 1);
}

/* ---- sizes ---- */

/* Where the rows of a table count; NULL: nowhere. */
static double *rows_of(PlanSizes *sizes, Bytes table)
{
    struct {
        const char *name;
        double *rows;
    } places[] = {{"orders", &sizes->lines},        {"products", &sizes->products},
                  {"customers", &sizes->customers}, {"events", &sizes->events},
                  {"reviews", &sizes->reviews},     {"pairs", &sizes->pairs}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (bytes_equal(table, bytes_of(places[i].name)))
            return places[i].rows;
    }
    return NULL;
}

/* orders=50000000,customers=...: a shop that is not there, whose rows all come in at once. */
static Status read_rows(const char *text, PlanSizes *sizes, Error *error)
{
    Status status = STATUS_OK;
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        double *rows = equals != NULL ? rows_of(sizes, (Bytes){at, equals - at}) : NULL;
        char *end = NULL;
        char table[STORE_NAME_SIZE];
        double number =
            rows != NULL && equals[1] >= '0' && equals[1] <= '9' ? strtod(equals + 1, &end) : -1;
        if (number < 0 || number > 1e15 || end != at + length)
            FAIL(error, STATUS_USAGE,
                 "--rows '%.80s': write TABLE=ROWS, commas between, of orders, products, "
                 "customers, events, reviews and pairs, as in orders=50000000,products=20000",
                 text);
        *rows = number;
        (void)snprintf(table, sizeof table, "%.*s", (int)(equals - at), at);
        sizes->new_bytes += plan_text_bytes(table, number);
        at += length + (at[length] == ',');
    }
    if (sizes->lines <= 0)
        FAIL(error, STATUS_USAGE, "--rows '%.80s' lacks the order lines: orders=ROWS", text);
out:
    return status;
}

static double stored(const Store *store, const char *table)
{
    return (double)store_rows(store, table);
}

static void add_store(const Store *store, PlanSizes *sizes)
{
    int64_t first, last;
    store_column_range(store, "orders", "day", &first, &last);
    sizes->days = first <= last ? (double)(last - first + 1) : 0;
    sizes->lines = stored(store, "orders");
    sizes->orders = stored(store, "order_index");
    sizes->customers = stored(store, "customer_ids");
    sizes->products = stored(store, "dictionary_product");
    sizes->events = stored(store, "events");
    sizes->reviews = stored(store, "reviews");
    sizes->pairs = stored(store, "pairs");
}

/* This run has the input in its store already. */
static bool has_taken_in(const Run *run)
{
    bool has = false;
    for (int i = 0; i < INPUT_COUNT; i++)
        has = has || run->ingest.given[i];
    return has;
}

/* What the input adds: rows by what a row usually takes. A store that has lines already has most of
 * their customers and products, too. */
static Status add_inputs(const Run *run, bool asks_databases, PlanSizes *sizes, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < config_list_count(run->config, "input") && !has_taken_in(run); i++) {
        InputSize size;
        const char *input = config_list_item(run->config, "input", i);
        char table[STORE_NAME_SIZE] = {0};
        if (is_database(input) && !asks_databases)
            continue;
        TRY(predict_input(run->config, input, &size, error));
        (void)strncat(table, input, strcspn(input, "=") < sizeof table ? strcspn(input, "=") : 0);
        double *rows = rows_of(sizes, bytes_of(table));
        sizes->new_bytes += size.text_bytes;
        if (rows != NULL && (rows != &sizes->customers && rows != &sizes->products))
            *rows += size.text_bytes / plan_text_bytes(table, 1);
    }
out:
    return status;
}

Status predict_sizes(Run *run, bool asks_databases, PlanSizes *sizes, Error *error)
{
    Status status = STATUS_OK;
    bool is_root = comm_rank(run->comm) == 0;
    const char *rows = config_text(run->config, "rows");
    *sizes = (PlanSizes){0};
    if (rows != NULL)
        TRY_ALL(run->comm, read_rows(rows, sizes, error), error);
    else if (run->store != NULL)
        add_store(run->store, sizes);
    TRY_ALL(run->comm, is_root ? add_inputs(run, asks_databases, sizes, error) : STATUS_OK, error);
    comm_broadcast(run->comm, 0, sizes, sizeof *sizes);
    plan_fill_sizes(sizes);
out:
    return status;
}

/* ---- shape ---- */

Status predict_shape(Run *run, const PlanSizes *sizes, int ranks, PlanShape *shape, Error *error)
{
    Status status;
    RecommendOptions recommend = {0};
    ForecastOptions forecast = {0};
    TRY_ALL(run->comm, recommend_options_read(run->config, &recommend, error), error);
    TRY_ALL(run->comm, forecast_options_read(run->config, &forecast, error), error);
    const ModelOptions *models = &recommend.plan.models;
    *shape = (PlanShape){.ranks = ranks,
                         .threads = recommend.plan.threads,
                         .factors = models->ials.factors,
                         .iterations = models->ials.iterations,
                         .learning_memory = (double)models->ials.memory,
                         .list_length = recommend.plan.list_length,
                         .models = SERIES_MODELS,
                         .origins = forecast.plan.backtest.n_origins,
                         .horizon = forecast.plan.backtest.horizon,
                         .pair_min_orders = (double)config_int(run->config, "pair-min-orders"),
                         .pair_limit = (double)config_int(run->config, "pair-limit")};
    if (sizes->products <= models->ease_most_items) {
        int32_t n_items = (int32_t)sizes->products;
        int64_t keep = models->ease.keep > 0 ? models->ease.keep : ease_default_keep(n_items);
        shape->ease_fixed = (double)ease_memory(n_items, keep, PLAN_RANKS_MAX);
        shape->ease_shared = (double)ease_memory(n_items, keep, 1) - shape->ease_fixed;
        shape->ease_weights = (double)ease_weights_bytes(n_items, keep);
    }
    TRY_ALL(run->comm, options_yes_no(run->config, "recommend", &shape->has_recommend, error),
            error);
    TRY_ALL(run->comm, options_yes_no(run->config, "forecast", &shape->has_forecast, error), error);
out:
    recommend_options_free(&recommend);
    return status;
}

/* ---- a run ---- */

static Status look_ahead(Run *run, bool asks_databases, PlanSizes *sizes, PlanShape *shape,
                         Error *error)
{
    Status status;
    TRY(predict_sizes(run, asks_databases, sizes, error));
    TRY(predict_shape(run, sizes, comm_size(run->comm), shape, error));
out:
    return status;
}

static bool reads_databases(const Run *run)
{
    bool reads = false;
    for (int i = 0; i < config_list_count(run->config, "input"); i++)
        reads = reads || is_database(config_list_item(run->config, "input", i));
    return reads;
}

bool predict_stage(Run *run, const char *name, PlanNeed *need)
{
    PlanStage stage = plan_stage_by_name(name);
    PlanSizes sizes;
    PlanShape shape;
    Error unknown; /* what is wrong with the input, the stage itself will say */
    if (stage == PLAN_STAGES || run->store == NULL ||
        (stage == PLAN_INGEST && reads_databases(run)) ||
        look_ahead(run, false, &sizes, &shape, &unknown) != STATUS_OK)
        return false;
    *need = plan_need(stage, &sizes, &shape);
    return true;
}

/* The same on every rank. */
static Status check_stage(PlanStage stage, const PlanSizes *sizes, const PlanShape *shape,
                          double allowed, Error *error)
{
    Status status = STATUS_OK;
    double needed = plan_need(stage, sizes, shape).memory - plan_base_memory();
    if (needed <= allowed)
        return STATUS_OK;
    int ranks = plan_least_ranks(stage, sizes, shape, allowed + plan_base_memory());
    Buffer advice = {0};
    if (ranks > 0)
        buffer_printf(&advice, "%d ranks would do, or allow more", ranks);
    else
        buffer_append_string(&advice, "no number of ranks would do: allow more");
    status = error_set(error, STATUS_MEMORY, __FILE__, __LINE__,
                       "stage '%s' would take about %.0f MB of each of %d %s beside the program, "
                       "and --memory allows %.0f MB: %s",
                       plan_stage_name(stage), needed / 1e6, shape->ranks,
                       shape->ranks == 1 ? "rank" : "ranks", allowed / 1e6, buffer_string(&advice));
    buffer_free(&advice);
    return status;
}

Status predict_check(Run *run, const PlanStage *stages, int n, Error *error)
{
    Status status = STATUS_OK;
    PlanSizes sizes;
    PlanShape shape;
    int64_t allowed = 0;
    TRY_ALL(run->comm, options_memory(run->config, &allowed, error), error);
    if (allowed == 0)
        goto out;
    TRY(look_ahead(run, true, &sizes, &shape, error));
    for (int i = 0; i < n && status == STATUS_OK; i++)
        TRY_ALL(run->comm, check_stage(stages[i], &sizes, &shape, (double)allowed, error), error);
out:
    return status;
}

Status predict_check_night(Run *run, bool is_whole, Error *error)
{
    PlanStage stages[PLAN_STAGES];
    int n = 0;
    if (is_whole && config_list_count(run->config, "input") > 0)
        stages[n++] = PLAN_INGEST;
    stages[n++] = PLAN_SALES;
    if (run->parts[PART_RECOMMEND].is_wanted)
        stages[n++] = PLAN_RECOMMEND;
    if (run->parts[PART_FORECAST].is_wanted)
        stages[n++] = PLAN_FORECAST;
    if (is_whole)
        stages[n++] = PLAN_PUBLISH;
    return predict_check(run, stages, n, error);
}
