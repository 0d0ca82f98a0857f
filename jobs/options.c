#include "options.h"

#include "base/civil.h"
#include "base/hash.h"
#include "ingest/schema.h"
#include "option_table.h"
#include "run_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static Status refuse_arguments(const char *job, const Config *config, Error *error)
{
    Status status = STATUS_OK;
    const char *wanted = option_arguments(job);
    int n = config_argument_count(config), n_wanted = wanted != NULL;
    for (const char *at = wanted; at != NULL && *at != '\0'; at++)
        n_wanted += *at == ' ';
    if (wanted == NULL && n > 0)
        FAIL(error, STATUS_USAGE,
             "unexpected argument '%.80s'; every value belongs to an option, as in --NAME VALUE "
             "(see 'vesper %s --help')",
             config_argument(config, 0), job);
    if (n != n_wanted)
        FAIL(error, STATUS_USAGE, "'%s' takes %s, not %d %s; see 'vesper %s --help'", job, wanted,
             n, n == 1 ? "argument" : "arguments", job);
out:
    return status;
}

Status options_parse(const char *job, int argc, char **argv, Config **config, Error *error)
{
    Status status;
    Option options[OPTION_TABLE_MAX];
    bool is_offered[OPTION_TABLE_MAX];
    char command[STORE_NAME_SIZE], *given = argv[0];
    char names[2 * INPUT_COUNT][STORE_NAME_SIZE];
    const char *sections[2 * INPUT_COUNT + 2] = {NULL};
    for (int i = 0; i < option_table_count; i++) {
        options[i] = option_table[i].option;
        is_offered[i] = option_is_of(&option_table[i], job);
        for (int k = 0; k < i; k++) /* only the first would be found */
            vesper_assert(strcmp(options[i].flag, options[k].flag) != 0);
    }
    for (int i = 0; i < INPUT_COUNT; i++) {
        const char *name = input_schema((InputTable)i)->name;
        (void)snprintf(names[2 * i], STORE_NAME_SIZE, "%s", name);
        (void)snprintf(names[2 * i + 1], STORE_NAME_SIZE, "%s.columns", name);
        sections[2 * i] = names[2 * i];
        sections[2 * i + 1] = names[2 * i + 1];
    }
    sections[2 * INPUT_COUNT] = "aggregate.*";
    (void)snprintf(command, sizeof command, "vesper %s", job);
    argv[0] = command;
    status =
        config_parse(argc, argv, options, option_table_count, is_offered, sections, config, error);
    argv[0] = given;
    TRY(status);
    TRY(refuse_arguments(job, *config, error));
out:
    return status;
}

void options_help(const char *job, const char *purpose, Buffer *text)
{
    Option options[OPTION_TABLE_MAX];
    int count = 0;
    for (int i = 0; i < option_table_count; i++) {
        if (option_is_of(&option_table[i], job))
            options[count++] = option_table[i].option;
    }
    char usage[STORE_NAME_SIZE];
    const char *arguments = option_arguments(job);
    (void)snprintf(usage, sizeof usage, "vesper %s%s%s [options]", job,
                   arguments != NULL ? " " : "", arguments != NULL ? arguments : "");
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
    else if (option->type == OPTION_SWITCH)
        buffer_printf(text, "%s\n", config_switch(config, option->flag) ? "yes" : "no");
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

void options_results_name(const Config *config, ResultPart part, int64_t generation, Bytes contents,
                          char name[STORE_NAME_SIZE])
{
    RunName parts = {.generation = generation, .part = part, .as_of = DAY_NONE};
    Buffer values = {0};
    for (int i = 0; i < option_table_count; i++) {
        if (option_table[i].shapes == part)
            append_value(&values, config, &option_table[i].option);
    }
    if (part == PART_SALES)
        append_aggregates(&values, config);
    buffer_append_bytes(&values, contents);
    uint64_t hash = hash64(values.data, values.size);
    (void)snprintf(parts.hash, sizeof parts.hash, "%08llx", (unsigned long long)(hash >> 32));
    run_name_print(&parts, name);
    buffer_free(&values);
}

/* A day is the same in every time zone. */
Status options_day(const char *what, const char *text, int32_t *day, Error *error)
{
    Status status;
    int64_t ts_us;
    TimeZone *zone = NULL;
    TimePattern pattern;
    TRY(time_pattern_init(&pattern, "%Y-%m-%d", error));
    TRY(timezone_new("UTC", &zone, error));
    if (!time_parse(&pattern, zone, bytes_of(text), &ts_us, day))
        FAIL(error, STATUS_USAGE, "%s '%.40s' is no day; write it as in 2024-05-01", what, text);
out:
    timezone_free(&zone);
    return status;
}

Status options_yes_no(const Config *config, const char *flag, bool *value, Error *error)
{
    Status status = STATUS_OK;
    const char *text = config_text(config, flag);
    *value = strcasecmp(text, "yes") == 0;
    if (!*value && strcasecmp(text, "no") != 0)
        FAIL(error, STATUS_USAGE, "--%s '%.40s' is neither yes nor no", flag, text);
out:
    return status;
}

/* "400M": bytes, or so many KiB, MiB, GiB. */
Status options_memory(const Config *config, int64_t *bytes, Error *error)
{
    static const char units[] = "KMG";
    static const int64_t least = 1 << 20;
    Status status = STATUS_OK;
    const char *text = config_text(config, "memory");
    char *end = NULL;
    int shift = 0;
    long long number = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : -1;
    if (number >= 0 && *end != '\0') {
        const char *unit = strchr(units, *end);
        shift = unit != NULL && end[1] == '\0' ? 10 * (int)(unit - units + 1) : -1;
    }
    if (number < 0 || shift < 0 || number > INT64_MAX >> shift)
        FAIL(error, STATUS_USAGE,
             "--memory (or memory under [run]) '%.40s' is no number of bytes; write it as in "
             "500M or 5G (0: no limit)",
             text);
    *bytes = (int64_t)number << shift;
    if (*bytes > 0 && *bytes < least)
        FAIL(error, STATUS_USAGE,
             "--memory (or memory under [run]) '%.40s' is less than a megabyte; write it with its "
             "unit, as in 500M or 5G (0: no limit)",
             text);
out:
    return status;
}
