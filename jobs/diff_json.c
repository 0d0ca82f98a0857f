/* What changed, for programs: one JSON object. Money in minor units. */
#include "base/civil.h"
#include "diff.h"
#include "run_name.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *day_json(int32_t day)
{
    char text[CIVIL_TEXT_SIZE];
    if (day == DAY_NONE)
        return json_null();
    civil_format_day(day, text);
    return json_string(text);
}

static json_t *night_json(const KeptNight *night)
{
    json_t *runs = json_object();
    for (int part = PART_SALES; part < PART_COUNT; part++) {
        if (night->runs[part][0] != '\0')
            (void)json_object_set_new(runs, run_part_name((ResultPart)part),
                                      json_string(night->runs[part]));
    }
    return json_pack("{so sI so}", "day", day_json(night->day), "generation",
                     (json_int_t)night->generation, "runs", runs);
}

static json_t *product_json(const Change *change, const CustomerChanges *unused)
{
    (void)unused;
    return json_pack("{ss sI sI sb}", "product_id", change->name, "net_minor",
                     (json_int_t)change->amount, "units", (json_int_t)change->after, "is_new",
                     change->is_new);
}

static json_t *move_json(const Change *change, const CustomerChanges *customers)
{
    return json_pack("{ss ss sI}", "from", customers->segments[change->from], "to",
                     customers->segments[change->to], "customers", (json_int_t)change->amount);
}

static json_t *customer_json(const Change *change, const CustomerChanges *customers)
{
    return json_pack("{ss ss ss sI}", "customer", change->name, "from",
                     customers->segments[change->from], "to", customers->segments[change->to],
                     "net_minor", (json_int_t)change->amount);
}

static json_t *revision_json(const Change *change, const CustomerChanges *unused)
{
    (void)unused;
    return json_pack("{ss sI sI sb}", "name", change->name, "units_before",
                     (json_int_t)change->before, "units_after", (json_int_t)change->after, "is_new",
                     change->is_new);
}

static json_t *list_json(const ChangeList *list,
                         json_t *(*item)(const Change *, const CustomerChanges *),
                         const CustomerChanges *customers)
{
    json_t *array = json_array();
    for (int64_t i = 0; i < list->n; i++)
        (void)json_array_append_new(array, item(&list->items[i], customers));
    return array;
}

static json_t *products_json(const ProductChanges *products)
{
    if (!products->is_there)
        return json_null();
    return json_pack("{sI sI sI sI so so}", "net_minor", (json_int_t)products->net_minor, "units",
                     (json_int_t)products->units, "changed", (json_int_t)products->changed, "new",
                     (json_int_t)products->added, "up",
                     list_json(&products->up, product_json, NULL), "down",
                     list_json(&products->down, product_json, NULL));
}

static json_t *customers_json(const CustomerChanges *customers)
{
    if (!customers->is_there)
        return json_null();
    return json_pack("{sI sI sI sI sI so so}", "before", (json_int_t)customers->before, "after",
                     (json_int_t)customers->after, "new", (json_int_t)customers->added, "gone",
                     (json_int_t)customers->gone, "moved", (json_int_t)customers->moved, "moves",
                     list_json(&customers->moves, move_json, customers), "largest",
                     list_json(&customers->customers, customer_json, customers));
}

static json_t *forecast_json(const ForecastChanges *forecast)
{
    if (!forecast->is_there)
        return json_null();
    bool is_common = forecast->n_common > 0;
    return json_pack(
        "{so so sI sI so so so}", "first_day",
        is_common ? day_json(forecast->first_day) : json_null(), "last_day",
        is_common ? day_json(forecast->last_day) : json_null(), "units_before",
        (json_int_t)forecast->before, "units_after", (json_int_t)forecast->after, "up",
        forecast->has_products ? list_json(&forecast->up, revision_json, NULL) : json_null(),
        "down",
        forecast->has_products ? list_json(&forecast->down, revision_json, NULL) : json_null(),
        "categories", list_json(&forecast->categories, revision_json, NULL));
}

static json_t *rows_json(int64_t rows)
{
    return rows < 0 ? json_null() : json_integer(rows);
}

static json_t *tables_json(const Changes *changes)
{
    json_t *tables = json_array();
    for (int i = 0; i < changes->n_tables; i++) {
        const TableChange *table = &changes->tables[i];
        (void)json_array_append_new(tables, json_pack("{ss so so}", "name", table->name,
                                                      "rows_before", rows_json(table->before),
                                                      "rows_after", rows_json(table->after)));
    }
    return tables;
}

void diff_print_json(const Diff *diff, const StoreSettings *settings)
{
    const Changes *changes = &diff->changes;
    json_t *root =
        json_pack("{so so ss si so so so so}", "from", night_json(&diff->before), "to",
                  night_json(&diff->after), "currency", settings->currency, "money_decimals",
                  settings->money_decimals, "products", products_json(&changes->products),
                  "customers", customers_json(&changes->customers), "forecast",
                  forecast_json(&changes->forecast), "tables", tables_json(changes));
    char *text = json_dumps(root, JSON_INDENT(2));
    vesper_assert(text != NULL);
    (void)puts(text);
    free(text);
    json_decref(root);
}
