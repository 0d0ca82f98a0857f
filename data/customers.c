#include "customers.h"

#include <math.h>

enum {
    RUN = 128, /* neighbours in activity that share an interval; longer than any interval */
    INTERVAL_MIN = 5,
    INTERVAL_MAX = 120,
    FAVOURITES_MIN = 2,
    FAVOURITES_SPREAD = 5,
    DRAWS_MAX = 32,
    JOINED_EARLY_DAYS = 1095, /* known customers joined in so many days before day 0 */
    ROWS_A_BLOCK = 4096
};

static const double ACTIVITY_SIGMA = 1.1;
static const double KNOWN_SHARE = 0.4;       /* customers who joined before day 0 */
static const double MEAN_INTEREST = 600.0;   /* days, exponential */
static const double REPEAT_SHARE = 0.35;     /* visits that are re-purchases */
static const double VISITS_A_CYCLE = 1.2;    /* re-purchases expected in an interval */
static const double WELCOME_SHARE_MAX = 0.3; /* of a day's visits, by customers new that day */

/* The x with P(X <= x) = share, by bisection; enough for whole days. */
static double normal_quantile(double share)
{
    double low = -8.0;
    double high = 8.0;
    for (int step = 0; step < 50; step++) {
        double middle = 0.5 * (low + high);
        if (sampling_normal_cdf(middle) < share)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void customers_init(Customers *customers, uint64_t seed, const Catalogue *catalogue, int64_t count,
                    double orders_a_day)
{
    *customers = (Customers){
        .seed = seed,
        .calendar = catalogue->calendar,
        .catalogue = catalogue,
        .count = count,
        .before = (int64_t)(KNOWN_SHARE * (double)count),
        .orders_a_day = orders_a_day,
    };
    /* Not all are there, and still interested, at a time. */
    double mean_rate = orders_a_day / (0.6 * (double)count);
    for (int bin = 0; bin < INTERVAL_BINS; bin++) {
        double x = normal_quantile((bin + 0.5) / INTERVAL_BINS);
        double activity = exp(ACTIVITY_SIGMA * x - 0.5 * ACTIVITY_SIGMA * ACTIVITY_SIGMA);
        double interval = VISITS_A_CYCLE / (REPEAT_SHARE * mean_rate * activity);
        customers->intervals[bin] =
            interval < INTERVAL_MAX ? (int32_t)(interval > INTERVAL_MIN ? interval : INTERVAL_MIN)
                                    : INTERVAL_MAX;
    }
}

/* Customers who have joined by a day; their indexes are those below. */
static int64_t joined_by(const Customers *customers, int32_t day)
{
    int64_t later = customers->count - customers->before;
    int32_t days = customers->calendar->days;
    /* later * (day + 1) / days, rounded up, without leaving int64. */
    int64_t whole = later / days * (day + 1);
    int64_t rest = later % days * (day + 1);
    return customers->before + whole + (rest + days - 1) / days;
}

static int32_t joining_day(const Customers *customers, int64_t index)
{
    if (index < customers->before) {
        double age = (double)(customers->before - index) / (double)customers->before;
        return -1 - (int32_t)(age * (JOINED_EARLY_DAYS - 1));
    }
    int32_t low = 0; /* the first day by which more than `index` have joined */
    int32_t high = customers->calendar->days - 1;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (joined_by(customers, middle) > index)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static Customer make_customer(const Customers *customers, int64_t index)
{
    Random random = sampling_stream(customers->seed, STREAM_CUSTOMER, index);
    Customer customer = {.index = index, .joined = joining_day(customers, index)};
    double interest = random_exponential(&random, MEAN_INTEREST);
    customer.left = (customer.joined > 0 ? customer.joined : 0) + (int32_t)interest;
    customer.country = country_draw(&random);
    double segment = random_unit(&random);
    customer.segment = segment < 0.90   ? SEGMENT_CONSUMER
                       : segment < 0.98 ? SEGMENT_SMALL_BUSINESS
                                        : SEGMENT_WHOLESALE;
    customer.n_favourites = FAVOURITES_MIN + (int)random_below(&random, FAVOURITES_SPREAD);
    for (int taste = 0; taste < TASTE_COUNT; taste++)
        customer.tastes[taste] = catalogue_draw_cluster(customers->catalogue, &random);
    return customer;
}

/* Move a place to the nearest one of its run that is due on `day`; false if there is none. */
static bool find_due(const Customers *customers, int32_t day, int64_t *place, int64_t *cycle)
{
    int64_t n_runs = (customers->count + RUN - 1) / RUN;
    int64_t run = *place / RUN;
    int64_t interval = customers->intervals[run * INTERVAL_BINS / n_runs];
    int64_t phase = day + INTERVAL_MAX; /* a day moved before day 0 stays positive */
    int64_t due = *place - (phase + *place) % interval;
    if (due < run * RUN)
        due += interval;
    if (due >= (run + 1) * RUN || due >= customers->count)
        return false;
    *place = due;
    *cycle = (phase + due) / interval;
    return true;
}

static bool draw_welcome(const Customers *customers, int32_t day, Random *random, Visit *visit)
{
    int64_t present = joined_by(customers, day);
    int64_t known = joined_by(customers, day - 1);
    double share = (double)(present - known) / customers->orders_a_day;
    if (!sampling_happens(random, share < WELCOME_SHARE_MAX ? share : WELCOME_SHARE_MAX))
        return false;
    *visit = (Visit){.customer =
                         make_customer(customers, known + random_below(random, present - known))};
    return true;
}

void customers_draw(const Customers *customers, int32_t day, Random *random, Visit *visit)
{
    if (draw_welcome(customers, day, random, visit))
        return;
    int64_t present = joined_by(customers, day);
    bool wants_repeat = sampling_happens(random, REPEAT_SHARE);
    int32_t due_day = day - (int32_t)random_below(random, 3) + 1; /* a day early, on time, late */
    for (int draw = 0; draw < DRAWS_MAX; draw++) {
        double quantile = sampling_normal_cdf(random_normal(random) + ACTIVITY_SIGMA);
        int64_t place = (int64_t)((double)customers->count * quantile);
        if (place >= customers->count)
            place = customers->count - 1;
        int64_t cycle = 0;
        bool repeats = wants_repeat && find_due(customers, due_day, &place, &cycle);
        int64_t index = sampling_permute(place, customers->count, customers->seed);
        if (index >= present)
            continue;
        *visit = (Visit){
            .customer = make_customer(customers, index), .repeats = repeats, .cycle = cycle};
        if (visit->customer.left >= day)
            return;
    }
    *visit = (Visit){.customer = make_customer(customers, random_below(random, present))};
}

int32_t customers_favourite(const Customers *customers, const Customer *customer, int i,
                            int64_t *every, int64_t *offset)
{
    static const int64_t CYCLES[] = {1, 1, 1, 2, 3};
    Random random = sampling_stream(customers->seed, STREAM_FAVOURITE, customer->index * 8 + i);
    *every = CYCLES[random_below(&random, 5)];
    *offset = random_below(&random, *every);
    int32_t cluster = customers_draw_taste(customer, &random);
    return catalogue_draw_member(customers->catalogue, cluster, &random);
}

int32_t customers_draw_taste(const Customer *customer, Random *random)
{
    double unit = random_unit(random);
    return customer->tastes[unit < 0.6 ? 0 : unit < 0.9 ? 1 : 2];
}

static Status write_customers(void *context, int64_t block, Text texts[OUTPUT_COUNT], Error *error)
{
    static const char *const SEGMENTS[] = {"consumer", "small business", "wholesale"};
    Status status = STATUS_OK;
    const Customers *customers = context;
    Text *text = &texts[OUTPUT_CUSTOMERS];
    int64_t end = (block + 1) * ROWS_A_BLOCK;
    for (int64_t i = block * ROWS_A_BLOCK; i < end && i < customers->count; i++) {
        TRY(text_reserve(text, 128, error));
        Customer customer = make_customer(customers, i);
        char *at = put_int(text_end(text), i + 1);
        *at++ = ',';
        at = put_day(customers->calendar, at, customer.joined);
        *at++ = ',';
        at = put_string(at, country_code(customer.country));
        *at++ = ',';
        at = put_string(at, SEGMENTS[customer.segment]);
        *at++ = '\n';
        text_row(text, at);
    }
out:
    return status;
}

Stage customers_stage(Customers *customers)
{
    return (Stage){.name = output_name(OUTPUT_CUSTOMERS),
                   .n_blocks = (customers->count + ROWS_A_BLOCK - 1) / ROWS_A_BLOCK,
                   .n_rows = customers->count,
                   .progress = OUTPUT_CUSTOMERS,
                   .make_block = write_customers,
                   .context = customers};
}
