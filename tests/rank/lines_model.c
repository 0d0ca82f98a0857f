/* Random order lines and their groups; see lines_model.h. */
#include "rank/lines_model.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "rank/aggregate_model.h"
#include "sales/aggregate_internal.h"

#include <stdlib.h>

Status lines_model_shop(const Shape *shape, Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    TRY(model_shop(shop, error));
    int32_t n = shop->product.count;
    shop->partitions = PARTITIONS;
    shop->money_decimals = 2;
    shop->first_day = shape->first_day;
    shop->last_day = shop->as_of = shape->first_day + shape->n_days - 1;
    for (int level = 0; level <= 1; level++) {
        shop->levels[level].of_category = mem_new(9, sizeof(int32_t));
        for (int32_t i = 0; i < 9; i++)
            shop->levels[level].of_category[i] = level == 0 ? i : i % 3;
    }
    shop->catalogue.category = mem_new(n, sizeof(int32_t));
    shop->catalogue.brand = mem_new(n, sizeof(int32_t));
    shop->catalogue.cost = mem_new(n, sizeof(int64_t));
    for (int32_t i = 0; i < n; i++) {
        shop->catalogue.category[i] = i % 10 - 1;
        shop->catalogue.brand[i] = i % 6 - 1;
        shop->catalogue.cost[i] = i % 4 == 0 ? MONEY_NONE : 3 * i;
    }
out:
    return status;
}

static int32_t code_below(Random *random, int32_t n)
{
    return (int32_t)random_below(random, n + 1) - 1;
}

void lines_model_make(const Shape *shape, const Shop *shop, int32_t partition, Lines *lines)
{
    Random random = random_stream(4711, (uint64_t)partition);
    int32_t *c = lines->codes;
    int32_t *customer = c, *order = c + LINES_MOST, *day = c + 2 * LINES_MOST,
            *product = c + 3 * LINES_MOST, *quantity = c + 4 * LINES_MOST,
            *country = c + 5 * LINES_MOST, *channel = c + 6 * LINES_MOST,
            *currency = c + 7 * LINES_MOST, *segment = c + 8 * LINES_MOST,
            *order_day = c + 9 * LINES_MOST, *cohort = c + 10 * LINES_MOST;
    int64_t n = 0, most = partition == 2 ? 0 : random_below(&random, LINES_MOST - 100);
    for (int32_t who = 0, orders = 0; n < most; orders++) {
        bool is_new = orders == 0 || random_unit(&random) < 0.3;
        who += is_new && orders > 0;
        int64_t size = 1 + random_below(&random, shape->lines_most);
        bool is_cancelled = random_unit(&random) < shape->cancelled;
        for (int64_t k = 0; k < size && n < LINES_MOST; k++, n++) {
            customer[n] = who < shape->customers ? who : -1;
            order[n] = orders;
            day[n] = shape->first_day + (int32_t)random_below(&random, shape->n_days);
            product[n] = (int32_t)random_below(&random, shop->product.count);
            quantity[n] = 1 + (int32_t)random_below(&random, 5);
            if (random_unit(&random) < shape->returns)
                quantity[n] = -quantity[n];
            country[n] =
                k > 0 && random_unit(&random) < 0.8 ? country[n - 1] : code_below(&random, 12);
            channel[n] = code_below(&random, 3);
            currency[n] = code_below(&random, 2);
            segment[n] = customer[n] < 0 ? -1 : customer[n] % 5 - 1;
            lines->money[n] = random_below(&random, 1000);
            lines->money[LINES_MOST + n] = random_below(&random, 50);
            lines->flags[n] = is_cancelled;
            lines->flags[LINES_MOST + n] = (int8_t)random_below(&random, 24);
            lines->flags[2 * LINES_MOST + n] = (int8_t)(customer[n] < 0 ? -1 : orders % 2);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        order_day[i] = cohort[i] = DAY_NONE;
        for (int64_t k = 0; k < n; k++) {
            if (quantity[k] <= 0 || lines->flags[k])
                continue;
            if (order[k] == order[i] && (order_day[i] == DAY_NONE || day[k] < order_day[i]))
                order_day[i] = day[k];
            int32_t month = civil_month(day[k]);
            if (customer[i] >= 0 && customer[k] == customer[i] &&
                (cohort[i] == DAY_NONE || month < cohort[i]))
                cohort[i] = month;
        }
    }
    lines->view = (OrderLines){.partition = partition,
                               .n = n,
                               .customer = customer,
                               .order = order,
                               .day = day,
                               .product = product,
                               .quantity = quantity,
                               .price = lines->money,
                               .discount = shape->lacks_columns ? NULL : lines->money + LINES_MOST,
                               .cancelled = lines->flags,
                               .country = country,
                               .channel = shape->lacks_columns ? NULL : channel,
                               .currency = shape->lacks_columns ? NULL : currency,
                               .hour = lines->flags + LINES_MOST,
                               .segment = segment,
                               .returning = lines->flags + 2 * LINES_MOST,
                               .order_day = order_day,
                               .cohort = cohort};
}

/* ---- groups ---- */

static int64_t place_of(const Names *names, int32_t code)
{
    return code < 0 ? -1 : names->place[code];
}

/* Value of a dimension of line i, worked out from the words of group_key.h; false: no group. */
static bool value_of(const AggregateSpec *spec, const Dimension *by, const Shop *shop,
                     const OrderLines *lines, int64_t i, int64_t *value)
{
    int year, month, of_month;
    int32_t day = lines->day[i], category = shop->catalogue.category[lines->product[i]];
    int64_t since_monday = (((int64_t)day + 3) % 7 + 7) % 7;
    civil_from_day(day, &year, &month, &of_month);
    switch (by->kind) {
    case DIMENSION_DAY:
        *value = day;
        break;
    case DIMENSION_WEEK:
        *value = (day - since_monday - 4) / 7;
        break;
    case DIMENSION_MONTH:
        *value = (year - 1970) * 12 + month - 1;
        break;
    case DIMENSION_QUARTER:
        *value = (year - 1970) * 4 + (month - 1) / 3;
        break;
    case DIMENSION_YEAR:
        *value = year;
        break;
    case DIMENSION_WEEKDAY:
        *value = since_monday + 1;
        break;
    case DIMENSION_HOUR:
        *value = lines->hour[i];
        break;
    case DIMENSION_PRODUCT:
        *value = place_of(&shop->product, lines->product[i]);
        break;
    case DIMENSION_CATEGORY:
        *value = category < 0 ? -1
                              : place_of(&shop->levels[by->level].names,
                                         shop->levels[by->level].of_category[category]);
        break;
    case DIMENSION_BRAND:
        *value = place_of(&shop->brand, shop->catalogue.brand[lines->product[i]]);
        break;
    case DIMENSION_COUNTRY:
        *value = place_of(&shop->country, lines->country[i]);
        break;
    case DIMENSION_CHANNEL:
        *value = lines->channel ? place_of(&shop->channel, lines->channel[i]) : -1;
        break;
    case DIMENSION_SEGMENT:
        *value = place_of(&shop->segment, lines->segment[i]);
        break;
    case DIMENSION_CURRENCY:
        *value = lines->currency ? place_of(&shop->currency, lines->currency[i]) : -1;
        break;
    case DIMENSION_NEW_OR_RETURNING:
        *value = lines->returning[i];
        break;
    case DIMENSION_COHORT:
        *value = lines->cohort[i] == DAY_NONE ? civil_month(shop->first_day) - 1 : lines->cohort[i];
        break;
    case DIMENSION_ORDER_MONTH:
        if (lines->order_day[i] == DAY_NONE)
            return false;
        *value = civil_month(lines->order_day[i]);
        break;
    default:
        *value = spec->day_classes.class_of[day - spec->day_classes.first_day];
        return *value >= 0;
    }
    return true;
}

const char *const lines_model_conditions[N_CONDITIONS] = {
    NULL, "quantity > 2", "country = '' or weekday in (6, 7)",
    "not (cancelled = yes) and unit_price >= 3.5"};

/* The conditions as a function. */
static bool holds(int condition, const OrderLines *lines, const Shop *shop, int64_t i)
{
    int64_t weekday = (((int64_t)lines->day[i] + 3) % 7 + 7) % 7 + 1;
    switch (condition) {
    case 1:
        return lines->quantity[i] > 2;
    case 2:
        return names_text(&shop->country, lines->country[i]).size == 0 || weekday >= 6;
    case 3:
        return !lines->cancelled[i] && lines->price[i] >= 350;
    default:
        return true;
    }
}

static void set_sums(const Shop *shop, const OrderLines *lines, int64_t i, Entry *entry)
{
    int64_t quantity = lines->quantity[i], value = quantity * lines->price[i];
    int64_t discount = lines->discount && !lines->cancelled[i] ? lines->discount[i] : 0;
    int64_t cost = shop->catalogue.cost[lines->product[i]];
    int64_t *sums = entry->sums;
    if (quantity > 0) {
        sums[SUM_GROSS] = value;
        sums[SUM_UNITS] = quantity;
    }
    if (quantity < 0 || lines->cancelled[i]) {
        sums[SUM_RETURNED] = llabs(value);
        sums[SUM_UNITS_RETURNED] = llabs(quantity);
    }
    sums[SUM_NET] = sums[SUM_GROSS] - sums[SUM_RETURNED];
    entry->kept = quantity > 0 && !lines->cancelled[i];
    entry->value = entry->kept ? value : 0;
    sums[SUM_KEPT_VALUE] = entry->value;
    sums[SUM_KEPT_UNITS] = entry->kept ? quantity : 0;
    sums[SUM_DISCOUNT] = discount;
    sums[SUM_LINES] = 1;
    if (cost != MONEY_NONE)
        sums[SUM_MARGIN] = sums[SUM_GROSS] - sums[SUM_RETURNED] - discount -
                           (sums[SUM_UNITS] - sums[SUM_UNITS_RETURNED]) * cost;
    sums[SUM_FIRST_DAY] = entry->kept ? lines->day[i] : INT64_MAX;
    sums[SUM_LAST_DAY] = entry->kept ? lines->day[i] : INT64_MIN;
}

static int compare_entries(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Entries of all lines that count, by key, partition and order. */
static int64_t list_entries(const AggregateSpec *spec, int condition, const KeyLayout *layout,
                            const Shop *shop, const Lines *lines, Entry *entries)
{
    int64_t n = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        const OrderLines *view = &lines[p].view;
        for (int64_t i = 0; i < view->n; i++) {
            Entry entry = {.partition = p, .order = view->order[i], .customer = view->customer[i]};
            bool counts = holds(condition, view, shop, i) &&
                          (!spec->known_customers_only || view->customer[i] >= 0);
            for (int b = 0; b < spec->n_by && counts; b++) {
                int64_t value = 0;
                counts = value_of(spec, &spec->by[b], shop, view, i, &value);
                entry.key += (uint64_t)(value - layout->parts[b].base) * layout->parts[b].stride;
            }
            if (!counts)
                continue;
            set_sums(shop, view, i, &entry);
            entries[n++] = entry;
        }
    }
    qsort(entries, (size_t)n, sizeof *entries, compare_entries);
    return n;
}

uint64_t lines_model_hash(uint64_t key, int64_t value)
{
    uint64_t pair[2] = {key, (uint64_t)value};
    return hash64(pair, sizeof pair);
}

/* Entries become groups, in place; *values := a sum over all order values, in no order. */
static int64_t make_groups(Entry *entries, int64_t n, uint64_t *values)
{
    int64_t n_groups = 0;
    *values = 0;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        Entry group = {.key = entries[begin].key};
        group.sums[SUM_FIRST_DAY] = INT64_MAX;
        group.sums[SUM_LAST_DAY] = INT64_MIN;
        int64_t value = 0;
        bool has_order = false;
        for (end = begin; end < n && entries[end].key == group.key; end++) {
            const Entry *entry = &entries[end];
            for (int s = 0; s <= SUM_LINES; s++)
                group.sums[s] += entry->sums[s];
            if (entry->sums[SUM_FIRST_DAY] < group.sums[SUM_FIRST_DAY])
                group.sums[SUM_FIRST_DAY] = entry->sums[SUM_FIRST_DAY];
            if (entry->sums[SUM_LAST_DAY] > group.sums[SUM_LAST_DAY])
                group.sums[SUM_LAST_DAY] = entry->sums[SUM_LAST_DAY];
            bool is_new_customer = entry->kept && entry->customer >= 0;
            for (int64_t k = begin; k < end; k++)
                is_new_customer &= !entries[k].kept || entries[k].partition != entry->partition ||
                                   entries[k].customer != entry->customer;
            group.sums[SUM_CUSTOMERS] += is_new_customer;
            value += entry->value;
            has_order |= entry->kept;
            bool is_last = end + 1 == n || entries[end + 1].key != group.key ||
                           entries[end + 1].partition != entry->partition ||
                           entries[end + 1].order != entry->order;
            if (is_last && has_order) {
                group.sums[SUM_ORDERS]++;
                *values += lines_model_hash(group.key, value);
            }
            if (is_last) {
                value = 0;
                has_order = false;
            }
        }
        entries[n_groups++] = group;
    }
    return n_groups;
}

int64_t lines_model_groups(const AggregateSpec *spec, int condition, const KeyLayout *layout,
                           const Shop *shop, const Lines *lines, Entry *entries, uint64_t *values)
{
    int64_t n = list_entries(spec, condition, layout, shop, lines, entries);
    return make_groups(entries, n, values);
}
