/* Options of all jobs, and which job takes which. */
#include "options.h"

#include "base/hash.h"
#include "ingest/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INIT = 1,
    INGEST = 2,
    SALES = 4,
    PUBLISH = 8,
    NIGHTLY = 16,
    VERIFY = 32,
    EVERY = 63,
    N_OPTIONS = 22
};

typedef struct JobOption {
    Option option;
    unsigned jobs;       /* that take it on the command line */
    bool shapes_results; /* another value gives other results from the same generation */
} JobOption;

static const JobOption table[N_OPTIONS] = {
    {{"config", 'c', NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0,
      "ini file with the shop's settings and the mapping of its input"},
     EVERY,
     false},
    {{"store", 0, "store", "path", OPTION_TEXT, "DIR", NULL, 0, 0,
      "folder of the store (nightly makes it if it is not there)"},
     EVERY,
     false},
    {{"input", 0, NULL, NULL, OPTION_LIST, "TABLE=PATH", NULL, 0, 0,
      "take in PATH, a CSV file (plain, .gz, .xz, .zst) or a folder of them, as orders, products, "
      "customers, events or reviews"},
     INGEST | NIGHTLY,
     false},
    {{"max-rejected", 0, "ingest", "max_rejected", OPTION_REAL, "SHARE", "0.01", 0, 1,
      "refuse the batch if more than this share of its rows is bad"},
     INGEST | NIGHTLY,
     false},
    {{"pair-min-orders", 0, "sales", "pair_min_orders", OPTION_INT, "N", "20", 1, 1e15,
      "basket_pairs keeps products bought together in at least N orders"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"pair-min-confidence", 0, "sales", "pair_min_confidence", OPTION_REAL, "SHARE", "0", 0, 1,
      "basket_pairs keeps pairs where at least this share of one product's orders holds the other"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"pair-min-lift", 0, "sales", "pair_min_lift", OPTION_REAL, "FACTOR", "0", 0, 1e9,
      "basket_pairs keeps pairs bought together at least so many times as often as by chance"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"pair-limit", 0, "sales", "pair_limit", OPTION_INT, "N", "0", 0, 1e15,
      "basket_pairs keeps the N pairs with the most orders; 0: all"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"pair-days", 0, "sales", "pair_days", OPTION_INT, "N", "0", 0, 1e6,
      "basket_pairs looks at the orders of the last N days; 0: all"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"movers-limit", 0, "sales", "movers_limit", OPTION_INT, "N", "50", 1, 1e6,
      "sales_movers lists N products that gained and N that lost, for each period"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"cart-days", 0, "sales", "cart_days", OPTION_INT, "N", "30", 1, 1e6,
      "cart_abandoned lists carts of the last N days"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"customer-value", 0, "sales", "customer_value", OPTION_TEXT, "YES|NO", "yes", 0, 0,
      "estimate for each customer whether they will come back and what they will buy"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"tables", 0, "sales", "tables", OPTION_TEXT, "NAMES", "all", 0, 0,
      "compute only these tables, commas between; names of [aggregate.NAME] count too"},
     SALES | PUBLISH | NIGHTLY,
     true},
    {{"threads", 0, "run", "threads", OPTION_INT, "N", "1", 1, 1024,
      "threads of each rank; the results do not depend on it. mpirun ties one or two ranks to a "
      "core "
      "each: give it --bind-to none"},
     SALES | NIGHTLY,
     false},
    {{"to", 0, "publish", "to", OPTION_TEXT, "TARGET", "sqlite:shop.db", 0, 0,
      "storefront database to publish into: sqlite:FILE"},
     PUBLISH | NIGHTLY,
     false},
    {{"time-zone", 0, "store", "time_zone", OPTION_TEXT, "NAME", NULL, 0, 0,
      "the shop's time zone, as in Europe/London; fixed when the store is made (default: UTC)"},
     INIT | NIGHTLY,
     false},
    {{"currency", 0, "store", "currency", OPTION_TEXT, "CODE", NULL, 0, 0,
      "the shop's currency; fixed when the store is made (default: EUR)"},
     INIT | NIGHTLY,
     false},
    {{"money-decimals", 0, "store", "money_decimals", OPTION_INT, "N", NULL, 0, 6,
      "decimals of money; fixed when the store is made (default: 2)"},
     INIT | NIGHTLY,
     false},
    {{"partitions", 0, "store", "partitions", OPTION_INT, "N", NULL, 1, 65536,
      "parts into which the store is cut, a power of two; fixed when the store is made "
      "(default: 256)"},
     INIT | NIGHTLY,
     false},
    {{"dry-run", 0, NULL, NULL, OPTION_SWITCH, NULL, NULL, 0, 0,
      "print what would be done and how much memory it would take, and do nothing"},
     INGEST | NIGHTLY,
     false},
    {{"run-record", 0, "run", "record", OPTION_TEXT, "PATH", NULL, 0, 0,
      "write run.json to PATH too (it always goes to the store's folder)"},
     INGEST | SALES | PUBLISH | NIGHTLY,
     false},
    {{"log-level", 0, "run", "log_level", OPTION_TEXT, "LEVEL", "info", 0, 0,
      "error, warn, info or debug"},
     EVERY,
     false},
};

static unsigned job_bit(const char *job)
{
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = {{"init", INIT},       {"ingest", INGEST},   {"sales", SALES},
                {"publish", PUBLISH}, {"nightly", NIGHTLY}, {"verify", VERIFY}};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        if (strcmp(job, bits[i].name) == 0)
            return bits[i].bit;
    }
    return 0;
}

/* The option that `argument` of the command line names, or NULL. */
static const JobOption *option_named(const char *argument)
{
    for (int i = 0; i < N_OPTIONS; i++) {
        const Option *option = &table[i].option;
        size_t length = strlen(option->flag);
        bool is_long = strncmp(argument, "--", 2) == 0 &&
                       strncmp(argument + 2, option->flag, length) == 0 &&
                       (argument[2 + length] == '\0' || argument[2 + length] == '=');
        bool is_short = option->letter != 0 && argument[0] == '-' && argument[1] == option->letter;
        if (is_long || is_short)
            return &table[i];
    }
    return NULL;
}

/* The arguments are known to be well formed; is each one for this job? */
static Status refuse_foreign(const char *job, int argc, char **argv, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 1; i < argc; i++) {
        const JobOption *found = option_named(argv[i]);
        if (found == NULL)
            continue;
        if ((found->jobs & job_bit(job)) == 0) {
            FAIL(error, STATUS_USAGE, "'%s' takes no --%s; see 'vesper %s --help'", job,
                 found->option.flag, job);
        }
        bool has_value = strchr(argv[i], '=') != NULL ||
                         (argv[i][1] != '-' && argv[i][1] != '\0' && argv[i][2] != '\0');
        if (found->option.type != OPTION_SWITCH && !has_value)
            i++;
    }
out:
    return status;
}

Status options_parse(const char *job, int argc, char **argv, Config **config, Error *error)
{
    Status status;
    Option options[N_OPTIONS];
    char names[2 * INPUT_COUNT][STORE_NAME_SIZE];
    const char *sections[2 * INPUT_COUNT + 2] = {NULL};
    for (int i = 0; i < N_OPTIONS; i++) {
        options[i] = table[i].option;
    }
    for (int i = 0; i < INPUT_COUNT; i++) {
        const char *name = input_schema((InputTable)i)->name;
        (void)snprintf(names[2 * i], STORE_NAME_SIZE, "%s", name);
        (void)snprintf(names[2 * i + 1], STORE_NAME_SIZE, "%s.columns", name);
        sections[2 * i] = names[2 * i];
        sections[2 * i + 1] = names[2 * i + 1];
    }
    sections[2 * INPUT_COUNT] = "aggregate.*";
    TRY(config_parse(argc, argv, options, N_OPTIONS, sections, config, error));
    TRY(refuse_foreign(job, argc, argv, error));
out:
    return status;
}

void options_help(const char *job, const char *purpose, Buffer *text)
{
    Option options[N_OPTIONS];
    int count = 0;
    for (int i = 0; i < N_OPTIONS; i++) {
        if ((table[i].jobs & job_bit(job)) != 0)
            options[count++] = table[i].option;
    }
    char usage[STORE_NAME_SIZE];
    (void)snprintf(usage, sizeof usage, "vesper %s [options]", job);
    config_help(usage, purpose, options, count, text);
}

Status options_store(const Config *config, const char **path, Error *error)
{
    Status status = STATUS_OK;
    *path = config_text(config, "store");
    if (*path == NULL || **path == '\0') {
        FAIL(error, STATUS_USAGE,
             "no store is named; give --store DIR, or path = DIR under [store] in the ini file");
    }
out:
    return status;
}

static Status copy_name(const Config *config, const char *flag, char name[STORE_NAME_SIZE],
                        Error *error)
{
    Status status = STATUS_OK;
    const char *value = config_text(config, flag);
    if (value == NULL)
        return STATUS_OK;
    if (value[0] == '\0' || strlen(value) >= STORE_NAME_SIZE) {
        FAIL(error, STATUS_USAGE, "--%s '%.80s' must have 1 to %d characters", flag, value,
             STORE_NAME_SIZE - 1);
    }
    (void)snprintf(name, STORE_NAME_SIZE, "%s", value);
out:
    return status;
}

Status options_settings(const Config *config, StoreSettings *settings, Error *error)
{
    Status status;
    *settings = (StoreSettings){.partitions = STORE_PARTITIONS_DEFAULT,
                                .money_decimals = 2,
                                .time_zone = "UTC",
                                .currency = "EUR"};
    if (config_is_set(config, "partitions"))
        settings->partitions = (int32_t)config_int(config, "partitions");
    if (config_is_set(config, "money-decimals"))
        settings->money_decimals = (int)config_int(config, "money-decimals");
    TRY(copy_name(config, "time-zone", settings->time_zone, error));
    TRY(copy_name(config, "currency", settings->currency, error));
    if ((settings->partitions & (settings->partitions - 1)) != 0) {
        FAIL(error, STATUS_USAGE, "--partitions %d is no power of two; take 64, 256 or 1024, say",
             (int)settings->partitions);
    }
out:
    return status;
}

Status options_match_store(const Config *config, const StoreSettings *settings, const char *path,
                           Error *error)
{
    Status status = STATUS_OK;
    static const char advice[] = "it was fixed when the store was made: leave the setting out, or "
                                 "make a new store";
    StoreSettings asked = *settings;
    TRY(options_settings(config, &asked, error));
    if (config_is_set(config, "partitions") && asked.partitions != settings->partitions) {
        FAIL(error, STATUS_USAGE, "store %s has %d partitions, not %d; %s", path,
             (int)settings->partitions, (int)asked.partitions, advice);
    }
    if (config_is_set(config, "money-decimals") &&
        asked.money_decimals != settings->money_decimals) {
        FAIL(error, STATUS_USAGE, "store %s has %d money decimals, not %d; %s", path,
             settings->money_decimals, asked.money_decimals, advice);
    }
    if (config_is_set(config, "time-zone") && strcmp(asked.time_zone, settings->time_zone) != 0) {
        FAIL(error, STATUS_USAGE, "store %s keeps time zone %s, not %s; %s", path,
             settings->time_zone, asked.time_zone, advice);
    }
    if (config_is_set(config, "currency") && strcmp(asked.currency, settings->currency) != 0) {
        FAIL(error, STATUS_USAGE, "store %s keeps currency %s, not %s; %s", path,
             settings->currency, asked.currency, advice);
    }
out:
    return status;
}

/* An option's value as text that is the same wherever it came from. */
static void append_value(Buffer *text, const Config *config, const Option *option)
{
    buffer_printf(text, "%s=", option->flag);
    if (option->type == OPTION_INT)
        buffer_printf(text, "%lld\n", (long long)config_int(config, option->flag));
    else if (option->type == OPTION_REAL)
        buffer_printf(text, "%.17g\n", config_real(config, option->flag));
    else
        buffer_printf(text, "%s\n", config_text(config, option->flag));
}

/* The group-bys of the ini, as they are written. */
static void append_aggregates(Buffer *text, const Config *config)
{
    int n = config_ini_section_count(config, "aggregate.");
    for (int i = 0; i < n; i++) {
        const char *section = config_ini_section(config, "aggregate.", i);
        for (int k = 0; k < config_ini_count(config, section); k++) {
            const char *key, *value;
            config_ini_entry(config, section, k, &key, &value);
            buffer_printf(text, "[%s] %s = %s\n", section, key, value);
        }
    }
}

void options_run_name(const Config *config, int64_t generation, char name[STORE_NAME_SIZE])
{
    Buffer values = {0};
    for (int i = 0; i < N_OPTIONS; i++) {
        if (table[i].shapes_results)
            append_value(&values, config, &table[i].option);
    }
    append_aggregates(&values, config);
    uint64_t hash = hash64(values.data, values.size);
    (void)snprintf(name, STORE_NAME_SIZE, "%06lld-%08llx", (long long)generation,
                   (unsigned long long)(hash >> 32));
    buffer_free(&values);
}
