/* Options of all jobs, and which job takes which. */
#include "options.h"

#include "base/hash.h"
#include "ingest/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    INIT = 1,
    INGEST = 2,
    SALES = 4,
    PUBLISH = 8,
    NIGHTLY = 16,
    VERIFY = 32,
    RECOMMEND = 64,
    FORECAST = 128,
    EVERY = 255
};

typedef struct JobOption {
    Option option;
    unsigned jobs;     /* that take it on the command line */
    ResultPart shapes; /* another value gives other results from the same generation */
} JobOption;

static const JobOption table[] = {
    {{"config", 'c', NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0,
      "ini file with the shop's settings and the mapping of its input"},
     EVERY,
     PART_NONE},
    {{"store", 0, "store", "path", OPTION_TEXT, "DIR", NULL, 0, 0,
      "folder of the store (nightly makes it if it is not there)"},
     EVERY,
     PART_NONE},
    {{"input", 0, NULL, NULL, OPTION_LIST, "TABLE=PATH", NULL, 0, 0,
      "take in PATH, a CSV file (plain, .gz, .xz, .zst) or a folder of them, as orders, products, "
      "customers, events, reviews, pairs, promotions or holidays"},
     INGEST | NIGHTLY,
     PART_NONE},
    {{"max-rejected", 0, "ingest", "max_rejected", OPTION_REAL, "SHARE", "0.01", 0, 1,
      "refuse the batch if more than this share of its rows is bad"},
     INGEST | NIGHTLY,
     PART_NONE},
    {{"pair-min-orders", 0, "sales", "pair_min_orders", OPTION_INT, "N", "20", 1, 1e15,
      "basket_pairs keeps products bought together in at least N orders"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"pair-min-confidence", 0, "sales", "pair_min_confidence", OPTION_REAL, "SHARE", "0", 0, 1,
      "basket_pairs keeps pairs where at least this share of one product's orders holds the other"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"pair-min-lift", 0, "sales", "pair_min_lift", OPTION_REAL, "FACTOR", "0", 0, 1e9,
      "basket_pairs keeps pairs bought together at least so many times as often as by chance"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"pair-limit", 0, "sales", "pair_limit", OPTION_INT, "N", "0", 0, 1e15,
      "basket_pairs keeps the N pairs with the most orders; 0: all"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"pair-days", 0, "sales", "pair_days", OPTION_INT, "N", "0", 0, 1e6,
      "basket_pairs looks at the orders of the last N days; 0: all"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"movers-limit", 0, "sales", "movers_limit", OPTION_INT, "N", "50", 1, 1e6,
      "sales_movers lists N products that gained and N that lost, for each period"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"cart-days", 0, "sales", "cart_days", OPTION_INT, "N", "30", 1, 1e6,
      "cart_abandoned lists carts of the last N days"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"customer-value", 0, "sales", "customer_value", OPTION_TEXT, "YES|NO", "yes", 0, 0,
      "estimate for each customer whether they will come back and what they will buy"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"tables", 0, "sales", "tables", OPTION_TEXT, "NAMES", "all", 0, 0,
      "compute only these tables, commas between; names of [aggregate.NAME] count too"},
     SALES | PUBLISH | NIGHTLY,
     PART_SALES},
    {{"evaluate", 0, NULL, NULL, OPTION_SWITCH, NULL, NULL, 0, 0,
      "measure the models on what was held out, and print the table"},
     RECOMMEND | FORECAST,
     PART_NONE},
    {{"train", 0, NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0,
      "learn from these pairs instead of a store: a line has a user and its items"},
     RECOMMEND,
     PART_NONE},
    {{"test", 0, NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0,
      "measure by this file: pairs, as --train has them, or what came after --series"},
     RECOMMEND | FORECAST,
     PART_NONE},
    {{"split-days", 0, "recommend", "split_days", OPTION_INT, "N", "28", 1, 1e6,
      "hold out the last N days of the store"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"split-date", 0, NULL, NULL, OPTION_TEXT, "DATE", NULL, 0, 0,
      "hold out this day (2024-05-01) and what follows, instead"},
     RECOMMEND,
     PART_NONE},
    {{"leave-last-basket", 0, NULL, NULL, OPTION_SWITCH, NULL, NULL, 0, 0,
      "hold out each customer's last order, instead"},
     RECOMMEND,
     PART_NONE},
    {{"models", 0, "recommend", "models", OPTION_TEXT, "NAMES", "all", 0, 0,
      "measure these models, commas between: popular, itemknn, ease, ials, repeat"},
     RECOMMEND,
     PART_NONE},
    {{"factors", 0, "recommend", "factors", OPTION_INT, "N", "64", 1, 4096,
      "ials: factors of each user and product"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"iterations", 0, "recommend", "iterations", OPTION_INT, "N", "16", 1, 10000,
      "ials: iterations"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"unobserved", 0, "recommend", "unobserved", OPTION_REAL, "WEIGHT", "0.3", 0, 1e6,
      "ials: weight of each pair that did not happen, beside 1 for one that did"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"ials-lambda", 0, "recommend", "ials_lambda", OPTION_REAL, "NUMBER", "0.01", 0, 1e9,
      "ials: regularisation"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"ials-nu", 0, "recommend", "ials_nu", OPTION_REAL, "NUMBER", "1", 0, 10,
      "ials: how regularisation grows with what a user or product has; 0: not at all"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"ials-block", 0, "recommend", "ials_block", OPTION_INT, "N", "0", 0, 4096,
      "ials: factors solved at once; 0: all up to 128, else 64"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"seed", 0, "recommend", "seed", OPTION_INT, "N", "1", 0, 9e15, "ials: of its first factors"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"warm-start", 0, "recommend", "warm_start", OPTION_TEXT, "YES|NO", "no", 0, 0,
      "ials: begin the lists' learning with the product factors of the generation before"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"warm-iterations", 0, "recommend", "warm_iterations", OPTION_INT, "N", "4", 1, 10000,
      "ials: iterations of a learning that begins so"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"ease-lambda", 0, "recommend", "ease_lambda", OPTION_REAL, "NUMBER", "300", 0, 1e15,
      "ease: regularisation"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"ease-keep", 0, "recommend", "ease_keep", OPTION_INT, "N", "0", 0, 2e9,
      "ease: weights kept of each product, the greatest; 0: all, or 512 with more than 8,192 "
      "products"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"knn-neighbours", 0, "recommend", "knn_neighbours", OPTION_INT, "N", "20", 1, 2e9,
      "itemknn: neighbours of each product"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"knn-similarity", 0, "recommend", "knn_similarity", OPTION_TEXT, "NAME", "cosine", 0, 0,
      "itemknn: cosine or bm25"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"knn-shrinkage", 0, "recommend", "knn_shrinkage", OPTION_REAL, "NUMBER", "0", 0, 1e9,
      "itemknn: added to the cosine's denominator, against neighbours by chance"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"repeat-decay", 0, "recommend", "repeat_decay", OPTION_REAL, "FACTOR", "0.9", 0, 1,
      "repeat: what an order counts beside the next one in time; 1: the same"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"repeat-neighbours", 0, "recommend", "repeat_neighbours", OPTION_INT, "N", "100", 0, 1e6,
      "repeat: customers with like baskets who are asked too; 0, or with more than 20,000 "
      "customers: none"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"repeat-neighbour-weight", 0, "recommend", "repeat_neighbour_weight", OPTION_REAL, "SHARE",
      "0.4", 0, 1, "repeat: their share of the score"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"repeat-fill", 0, "recommend", "repeat_fill", OPTION_TEXT, "YES|NO", "yes", 0, 0,
      "repeat, where it is measured: popular products behind the customer's own"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"weight-order", 0, "recommend", "weight_order", OPTION_REAL, "WEIGHT", "1", 0, 1e6,
      "how much an order says that a customer wants the product"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"weight-cart", 0, "recommend", "weight_cart", OPTION_REAL, "WEIGHT", "0.5", 0, 1e6,
      "the same of a product put into a cart"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"weight-view", 0, "recommend", "weight_view", OPTION_REAL, "WEIGHT", "0.1", 0, 1e6,
      "the same of a view"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"weight-review", 0, "recommend", "weight_review", OPTION_REAL, "WEIGHT", "0.5", 0, 1e6,
      "the same of a review"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"weight-pair", 0, "recommend", "weight_pair", OPTION_REAL, "WEIGHT", "1", 0, 1e6,
      "the same of a plain pair, times its value"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"half-life", 0, "recommend", "half_life", OPTION_REAL, "DAYS", "0", 0, 1e6,
      "days after which an interaction says half as much; 0: never"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"most-items", 0, "recommend", "most_items", OPTION_INT, "N", "0", 0, 1e15,
      "leave out customers with more different products: bulk buyers; 0: none"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"most-events", 0, "recommend", "most_events", OPTION_INT, "N", "0", 0, 1e15,
      "leave out customers with more events on one day: bots; 0: none"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"keep-returned", 0, "recommend", "keep_returned", OPTION_SWITCH, NULL, NULL, 0, 0,
      "a product counts although all pieces of it came back"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"memory", 0, "recommend", "memory", OPTION_TEXT, "BYTES", "0", 0, 0,
      "what a rank may take for learning, as in 500M or 4G; 0: no limit"},
     RECOMMEND | NIGHTLY,
     PART_NONE},
    {{"ease-most-items", 0, "recommend", "ease_most_items", OPTION_INT, "N", "20000", 0, 2e9,
      "the mix has no ease with more products than this: its matrix has their square"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"list-length", 0, "recommend", "list_length", OPTION_INT, "N", "20", 1, 100,
      "places of each list"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"most-per-category", 0, "recommend", "most_per_category", OPTION_INT, "N", "0", 0, 100,
      "places of a list that products of one category may take; 0: all"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"show-owned", 0, "recommend", "show_owned", OPTION_SWITCH, NULL, NULL, 0, 0,
      "rec_user lists what the customer bought before, too"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"show-sold-out", 0, "recommend", "show_sold_out", OPTION_SWITCH, NULL, NULL, 0, 0,
      "list products whose stock is 0, too"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"exclude", 0, "recommend", "exclude", OPTION_TEXT, "FILE", NULL, 0, 0,
      "products that are never shown, an id a line (# begins a comment)"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_NONE},
    {{"allow", 0, "recommend", "allow", OPTION_TEXT, "FILE", NULL, 0, 0,
      "only these products are shown, an id a line"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_NONE},
    {{"again-days", 0, "recommend", "again_days", OPTION_INT, "N", "30", 1, 36500,
      "buy_again: how likely a purchase is within N days"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"popular-half-life", 0, "recommend", "popular_half_life", OPTION_REAL, "DAYS", "30", 0, 1e6,
      "rec_popular: days after which a sale counts half; 0: never"},
     RECOMMEND | PUBLISH | NIGHTLY,
     PART_RECOMMEND},
    {{"checkpoint-seconds", 0, "recommend", "checkpoint_seconds", OPTION_REAL, "SECONDS", "10", 0,
      1e9,
      "ials: keep what is learned after an iteration if so long ago nothing was kept; a run that "
      "was "
      "killed goes on from there"},
     RECOMMEND | NIGHTLY,
     PART_NONE},
    {{"recommend", 0, "recommend", "nightly", OPTION_TEXT, "YES|NO", "yes", 0, 0,
      "whether the night makes and publishes recommendations"},
     PUBLISH | NIGHTLY,
     PART_NONE},
    {{"series", 0, NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0,
      "forecast the series of this CSV instead of a store: id, date, value, and what else is "
      "known; with --evaluate"},
     FORECAST,
     PART_NONE},
    {{"levels", 0, NULL, NULL, OPTION_TEXT, "NAMES", NULL, 0, 0,
      "with --evaluate: also the WRMSSE over these levels and the series: total, or columns of the "
      "series such as state or state*category, commas between; a column weight weighs them"},
     FORECAST,
     PART_NONE},
    {{"frequency", 0, "forecast", "frequency", OPTION_TEXT, "NAME", "daily", 0, 0,
      "periods of the series: daily, weekly, monthly, quarterly or yearly; of files also hourly"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"season", 0, "forecast", "season", OPTION_INT, "N", "0", 0, 10000,
      "periods of a season; 0: that of the frequency (hourly 24, daily 7, monthly 12, quarterly "
      "4)"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"horizon", 0, "forecast", "horizon", OPTION_INT, "N", "28", 1, 1000, "periods ahead"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"forecast-by", 0, "forecast", "by", OPTION_TEXT, "WHAT", "product", 0, 0,
      "series of each product; or of product and country, or product and channel"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"forecast-models", 0, "forecast", "models", OPTION_TEXT, "NAMES", "all", 0, 0,
      "models that are tried and mixed, commas between"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"learn-origins", 0, "forecast", "learn_origins", OPTION_INT, "N", "4", 1, 10,
      "origins in the past that weights and intervals are learned from, one horizon apart"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"measure-origins", 0, NULL, NULL, OPTION_INT, "N", "3", 1, 5,
      "with --evaluate: origins that the models are measured from"},
     FORECAST,
     PART_NONE},
    {{"least-periods", 0, "forecast", "least_periods", OPTION_INT, "N", "1", 1, 1000000,
      "leave out series that sold in fewer periods"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"outlier-limit", 0, "forecast", "outlier_limit", OPTION_REAL, "N", "0", 0, 1000,
      "usual deviations past which a value is an outlier, which no model sees as it is; 0: none "
      "is"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"reconcile", 0, "forecast", "reconcile", OPTION_TEXT, "NAME", "mint", 0, 0,
      "how forecasts are made to add up: bottom-up, top-down-history, top-down-forecasts, wls or "
      "mint"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"anomaly-periods", 0, "forecast", "anomaly_periods", OPTION_INT, "N", "28", 0, 1000000,
      "demand_anomaly looks at the last N periods"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"lead-time", 0, "forecast", "lead_time", OPTION_INT, "DAYS", "7", 0, 1000,
      "from order to delivery, of products whose lead_time_days are not known"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"review-days", 0, "forecast", "review_days", OPTION_INT, "DAYS", "7", 0, 1000,
      "from one chance to order to the next"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"service-level", 0, "forecast", "service_level", OPTION_REAL, "SHARE", "0.95", 0.5, 0.9999,
      "probability to have enough of a product in stock"},
     FORECAST | PUBLISH | NIGHTLY,
     PART_FORECAST},
    {{"forecast", 0, "forecast", "nightly", OPTION_TEXT, "YES|NO", "yes", 0, 0,
      "whether the night makes and publishes forecasts"},
     PUBLISH | NIGHTLY,
     PART_NONE},
    {{"threads", 0, "run", "threads", OPTION_INT, "N", "1", 1, 1024,
      "threads of each rank; the results do not depend on it. mpirun ties one or two ranks to a "
      "core "
      "each: give it --bind-to none"},
     SALES | RECOMMEND | FORECAST | NIGHTLY,
     PART_NONE},
    {{"to", 0, "publish", "to", OPTION_TEXT, "TARGET", "sqlite:shop.db", 0, 0,
      "storefront database to publish into: sqlite:FILE"},
     PUBLISH | NIGHTLY,
     PART_NONE},
    {{"time-zone", 0, "store", "time_zone", OPTION_TEXT, "NAME", NULL, 0, 0,
      "the shop's time zone, as in Europe/London; fixed when the store is made (default: UTC)"},
     INIT | NIGHTLY,
     PART_NONE},
    {{"currency", 0, "store", "currency", OPTION_TEXT, "CODE", NULL, 0, 0,
      "the shop's currency; fixed when the store is made (default: EUR)"},
     INIT | NIGHTLY,
     PART_NONE},
    {{"money-decimals", 0, "store", "money_decimals", OPTION_INT, "N", NULL, 0, 6,
      "decimals of money; fixed when the store is made (default: 2)"},
     INIT | NIGHTLY,
     PART_NONE},
    {{"partitions", 0, "store", "partitions", OPTION_INT, "N", NULL, 1, 65536,
      "parts into which the store is cut, a power of two; fixed when the store is made "
      "(default: 256)"},
     INIT | NIGHTLY,
     PART_NONE},
    {{"dry-run", 0, NULL, NULL, OPTION_SWITCH, NULL, NULL, 0, 0,
      "print what would be done and how much memory it would take, and do nothing"},
     INGEST | NIGHTLY,
     PART_NONE},
    {{"run-record", 0, "run", "record", OPTION_TEXT, "PATH", NULL, 0, 0,
      "write run.json to PATH; jobs that change or publish a store write it to its folder too"},
     INGEST | SALES | RECOMMEND | FORECAST | PUBLISH | NIGHTLY,
     PART_NONE},
    {{"log-level", 0, "run", "log_level", OPTION_TEXT, "LEVEL", "info", 0, 0,
      "error, warn, info or debug"},
     EVERY,
     PART_NONE},
};

enum { N_OPTIONS = sizeof table / sizeof table[0] };

static unsigned job_bit(const char *job)
{
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = {{"init", INIT},           {"ingest", INGEST},    {"sales", SALES},
                {"publish", PUBLISH},     {"nightly", NIGHTLY},  {"verify", VERIFY},
                {"recommend", RECOMMEND}, {"forecast", FORECAST}};
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
    static const char *const kinds[PART_COUNT] = {
        [PART_SALES] = "", [PART_RECOMMEND] = "recommend-", [PART_FORECAST] = "forecast-"};
    Buffer values = {0};
    for (int i = 0; i < N_OPTIONS; i++) {
        if (table[i].shapes == part)
            append_value(&values, config, &table[i].option);
    }
    if (part == PART_SALES)
        append_aggregates(&values, config);
    buffer_append_bytes(&values, contents);
    uint64_t hash = hash64(values.data, values.size);
    (void)snprintf(name, STORE_NAME_SIZE, "%06lld-%s%08llx", (long long)generation, kinds[part],
                   (unsigned long long)(hash >> 32));
    buffer_free(&values);
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
