/* Which tables, and how: the sales options of a run, from its configuration. */
#include "sales_options.h"

#include "base/memory.h"
#include "base/suggest.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static const char *const separators = ", ";

/* One name of --tables: a built-in table or a group-by. */
static bool choose(SalesOptions *options, bool *aggregates, Bytes name)
{
    SalesTable table = sales_table_by_name(name);
    if (table < SALES_TABLES)
        options->tables[table] = true;
    for (int i = 0; i < options->n_aggregates; i++) {
        if (!bytes_equal(name, bytes_of(options->aggregates[i].name)))
            continue;
        aggregates[i] = true;
        return true;
    }
    return table < SALES_TABLES;
}

static Status refuse_table(const SalesOptions *options, Bytes name, Error *error)
{
    Buffer text = {0};
    int n = 0;
    char wrong[AGGREGATE_NAME_SIZE];
    const char **names = mem_new(SALES_TABLES + options->n_aggregates, sizeof *names);
    for (int t = 0; t < SALES_TABLES; t++)
        names[n++] = sales_table_name((SalesTable)t);
    for (int i = 0; i < options->n_aggregates; i++)
        names[n++] = options->aggregates[i].name;
    (void)snprintf(wrong, sizeof wrong, "%.*s", (int)name.size, name.data);
    buffer_printf(&text, "--tables (or tables under [sales]): there is no table '%s'", wrong);
    suggest_words(&text, wrong, names, n, "");
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    mem_free(&names);
    return status;
}

/* Keep the group-bys that are marked. */
static void keep_aggregates(SalesOptions *options, const bool *aggregates)
{
    AggregateSpec *kept = mem_new(options->n_aggregates, sizeof *kept);
    int n = 0;
    for (int i = 0; i < options->n_aggregates; i++) {
        if (aggregates[i]) {
            kept[n++] = options->aggregates[i];
            options->aggregates[i].where = NULL; /* it has moved */
        }
    }
    aggregate_specs_free(&options->aggregates, options->n_aggregates);
    options->aggregates = kept;
    options->n_aggregates = n;
}

static Status choose_tables_named(const char *names, SalesOptions *options, Error *error)
{
    Status status = STATUS_OK;
    bool *aggregates = mem_new(options->n_aggregates, sizeof *aggregates);
    const char *at = names + strspn(names, separators);
    if (*at == '\0')
        FAIL(error, STATUS_USAGE,
             "--tables (or tables under [sales]) names no table; say 'all' for "
             "all of them");
    while (*at != '\0') {
        Bytes name = {.data = at, .size = (int64_t)strcspn(at, separators)};
        if (!choose(options, aggregates, name))
            TRY(refuse_table(options, name, error));
        at += name.size;
        at += strspn(at, separators);
    }
    keep_aggregates(options, aggregates);
out:
    mem_free(&aggregates);
    return status;
}

Status sales_options_read(const Config *config, SalesOptions *options, Error *error)
{
    Status status = STATUS_OK;
    const char *tables = config_text(config, "tables");
    *options = (SalesOptions){
        .threads = (int)config_int(config, "threads"),
        .pair_min_orders = config_int(config, "pair-min-orders"),
        .pair_min_confidence = config_real(config, "pair-min-confidence"),
        .pair_min_lift = config_real(config, "pair-min-lift"),
        .pair_limit = config_int(config, "pair-limit"),
        .pair_days = config_int(config, "pair-days"),
        .movers_limit = config_int(config, "movers-limit"),
        .cart_days = config_int(config, "cart-days"),
    };
    TRY(options_yes_no(config, "customer-value", &options->customer_value, error));
    TRY(aggregate_specs_parse(config, &options->aggregates, &options->n_aggregates, error));
    if (options->n_aggregates > RESULT_TABLES_MAX - SALES_TABLES)
        FAIL(error, STATUS_USAGE,
             "the ini has %d sections [aggregate.NAME]; at most %d are possible",
             options->n_aggregates, RESULT_TABLES_MAX - SALES_TABLES);
    if (strcmp(tables, "all") != 0) {
        TRY(choose_tables_named(tables, options, error));
        goto out;
    }
    for (int t = 0; t < SALES_TABLES; t++)
        options->tables[t] = true;
out:
    return status;
}
