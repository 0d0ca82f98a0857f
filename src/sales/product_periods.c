/* Recent sales of each product; see product_periods.h. */
#include "sales/product_periods_internal.h"

#include "base/fault.h"
#include "base/memory.h"

#include <string.h>

static int16_t class_of_age(int age)
{
    if (age >= BLOCK_DAYS)
        return (int16_t)block_class(age / BLOCK_DAYS);
    return age == 0   ? CLASS_DAY
           : age == 1 ? CLASS_DAY_BEFORE
           : age < 7  ? CLASS_WEEK
           : age < 14 ? CLASS_WEEK_BEFORE
                      : CLASS_FOUR_WEEKS;
}

Status product_periods_new(const Shop *shop, ProductPeriods **periods,
                           AggregateSpec specs[PRODUCT_SPECS], Error *error)
{
    ProductPeriods *made = mem_new(1, sizeof *made);
    Status status =
        mem_resize(&made->class_of, CLASSES_DAYS, sizeof *made->class_of, "classes of days", error);
    *periods = made;
    if (status != STATUS_OK)
        return status;
    for (int age = 0; age < CLASSES_DAYS; age++)
        made->class_of[CLASSES_DAYS - 1 - age] = class_of_age(age);
    bool has_days = shop->as_of != DAY_NONE;
    specs[0] = (AggregateSpec){
        .name = "product_periods",
        .n_by = 2,
        .by = {{.kind = DIMENSION_PRODUCT}, {.kind = DIMENSION_DAY_CLASS}},
        .n_measures = 3,
        .measures = {MEASURE_NET, MEASURE_UNITS, MEASURE_UNITS_RETURNED},
        .day_classes = {.first_day = has_days ? shop->as_of - CLASSES_DAYS + 1 : 0,
                        .n_days = has_days ? CLASSES_DAYS : 0,
                        .class_of = made->class_of,
                        .n_classes = CLASSES},
    };
    specs[1] = (AggregateSpec){
        .name = "product_days",
        .n_by = 1,
        .by = {{.kind = DIMENSION_PRODUCT}},
        .n_measures = 2,
        .measures = {MEASURE_FIRST_DAY, MEASURE_LAST_DAY},
    };
    return STATUS_OK;
}

void product_periods_free(ProductPeriods **periods)
{
    if (!*periods)
        return;
    mem_free(&(*periods)->class_of);
    mem_free(&(*periods)->sales);
    mem_free(&(*periods)->days);
    mem_free(periods);
}

/* ---- from groups to runs of products ---- */

/* First product of rank `rank`: products are dealt out evenly, sold or not. */
static int32_t run_start(Comm *comm, const Shop *shop, int rank)
{
    return (int32_t)((int64_t)shop->product.count * rank / comm_size(comm));
}

static int32_t group_product(const Groups *groups, int64_t i)
{
    return (int32_t)key_part_value(&groups->layout.parts[0], groups->keys[i]);
}

/* counts [size] := how many groups, which are by product, go to each rank's run. Local. */
static void count_groups(Comm *comm, const Shop *shop, const Groups *groups, int64_t *counts)
{
    int to = 0;
    memset(counts, 0, (size_t)comm_size(comm) * sizeof *counts);
    for (int64_t i = 0; i < groups->n; i++) {
        int32_t product = group_product(groups, i);
        vesper_assert(product >= 0 && product < shop->product.count);
        while (product >= run_start(comm, shop, to + 1))
            to++;
        counts[to]++;
    }
}

static Status pack_sales(const Groups *groups, ClassSales **sales, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("sales.product_periods", error));
    TRY(mem_resize(sales, groups->n, sizeof **sales, "recent sales of products", error));
    for (int64_t i = 0; i < groups->n; i++) {
        (*sales)[i] = (ClassSales){
            .product = group_product(groups, i),
            .day_class = (int32_t)key_part_value(&groups->layout.parts[1], groups->keys[i]),
            .net = groups->sums[SUM_NET][i],
            .units = groups->sums[SUM_UNITS][i],
            .units_returned = groups->sums[SUM_UNITS_RETURNED][i],
        };
    }
out:
    return status;
}

static Status pack_days(const Groups *groups, ProductDays **days, Error *error)
{
    Status status =
        mem_resize(days, groups->n, sizeof **days, "first and last days of products", error);
    if (status != STATUS_OK)
        return status;
    for (int64_t i = 0; i < groups->n; i++) {
        int64_t last = groups->sums[SUM_LAST_DAY][i];
        bool is_sold = last != INT64_MIN;
        (*days)[i] = (ProductDays){
            .product = group_product(groups, i),
            .first_day = is_sold ? (int32_t)groups->sums[SUM_FIRST_DAY][i] : DAY_NONE,
            .last_day = is_sold ? (int32_t)last : DAY_NONE,
        };
    }
    return STATUS_OK;
}

static int64_t total(Comm *comm, const int64_t *counts)
{
    int64_t sum = 0;
    for (int r = 0; r < comm_size(comm); r++)
        sum += counts[r];
    return sum;
}

/* Keys ascend from rank to rank and begin with the product, so what comes in, ordered by source, is
 * sorted. */
Status product_periods_take(Comm *comm, const Shop *shop, ProductPeriods *periods, Groups *groups,
                            Error *error)
{
    Status status = STATUS_OK;
    ClassSales *sales = NULL;
    ProductDays *days = NULL;
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    int64_t *received = mem_new(comm_size(comm), sizeof *received);
    periods->first_product = run_start(comm, shop, comm_rank(comm));
    periods->end_product = run_start(comm, shop, comm_rank(comm) + 1);

    TRY_ALL(comm, pack_sales(&groups[0], &sales, error), error);
    count_groups(comm, shop, &groups[0], counts);
    groups_free(&groups[0]);
    TRY(comm_exchange(comm, sales, counts, sizeof *sales, &periods->sales, received, error));
    periods->n_sales = total(comm, received);
    mem_free(&sales);

    TRY_ALL(comm, pack_days(&groups[1], &days, error), error);
    count_groups(comm, shop, &groups[1], counts);
    TRY(comm_exchange(comm, days, counts, sizeof *days, &periods->days, received, error));
    periods->n_days = total(comm, received);
out:
    mem_free(&sales);
    mem_free(&days);
    mem_free(&counts);
    mem_free(&received);
    for (int i = 0; i < PRODUCT_SPECS; i++)
        groups_free(&groups[i]);
    return status;
}

bool product_sales_next(const ProductPeriods *periods, int64_t *at, ProductSales *sales)
{
    if (*at == periods->n_sales)
        return false;
    *sales = (ProductSales){.product = periods->sales[*at].product};
    for (; *at < periods->n_sales && periods->sales[*at].product == sales->product; ++*at) {
        const ClassSales *part = &periods->sales[*at];
        sales->net[part->day_class] = part->net;
        sales->units[part->day_class] = part->units;
        sales->units_returned[part->day_class] = part->units_returned;
    }
    return true;
}
