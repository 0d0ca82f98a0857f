#include "ingest/convert.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- columns ---- */

static ColumnSpec spec_of(const Field *field)
{
    switch (field->kind) {
    case FIELD_CODE:
        return (ColumnSpec){field->stored,
                            field->dictionary >= DICTIONARY_COUNTRY ? COLUMN_I16 : COLUMN_I32,
                            UNIT_CODE};
    case FIELD_TEXT:
        return (ColumnSpec){field->stored, COLUMN_TEXT, UNIT_NONE};
    case FIELD_TIMESTAMP:
        return (ColumnSpec){field->stored, COLUMN_I64, UNIT_TIME_US};
    case FIELD_DAY:
        return (ColumnSpec){field->stored, COLUMN_I32, UNIT_DAY};
    case FIELD_MONEY:
        return (ColumnSpec){field->stored, COLUMN_I64, UNIT_MONEY_MINOR};
    case FIELD_INT32:
        return (ColumnSpec){field->stored, COLUMN_I32, UNIT_COUNT};
    case FIELD_INT64:
        return (ColumnSpec){field->stored, COLUMN_I64, UNIT_COUNT};
    case FIELD_HUNDREDTHS:
    case FIELD_SHARE:
        return (ColumnSpec){field->stored, COLUMN_I32, UNIT_NONE};
    case FIELD_BOOL:
    case FIELD_STATUS:
        return (ColumnSpec){field->stored, COLUMN_I8, UNIT_BOOL};
    case FIELD_EVENT_KIND:
        break;
    }
    return (ColumnSpec){field->stored, COLUMN_I8, UNIT_NONE};
}

/* What an empty or absent value becomes. */
static int64_t missing_value(const Field *field)
{
    switch (field->kind) {
    case FIELD_CODE:
    case FIELD_INT32:
        return -1;
    case FIELD_INT64:
    case FIELD_TIMESTAMP: /* its day is DAY_NONE then */
        return INT64_MIN;
    case FIELD_HUNDREDTHS:
        return 100;
    case FIELD_DAY:
        return DAY_NONE;
    case FIELD_MONEY:
        return strcmp(field->name, "discount") == 0 ? 0 : MONEY_NONE;
    case FIELD_BOOL:
        return 1;
    default:
        return 0;
    }
}

/* Columns that are made even if the file does not have them. All of a catalogue are: one batch may
 * know prices where another does not, and an unknown price is no price of 0. A holiday without a
 * country has none in any file, nor a pair without value or time, nor a stock-out an end. */
static bool is_made_by_rule(InputTable table, const Field *field)
{
    if (table == INPUT_PRODUCTS || table == INPUT_HOLIDAYS || table == INPUT_PAIRS ||
        table == INPUT_STOCKOUTS)
        return true;
    return table == INPUT_ORDERS &&
           (field->kind == FIELD_STATUS || field->dictionary == DICTIONARY_CUSTOMER);
}

static FieldPlan *find_plan(Converter *converter, const char *stored)
{
    for (int i = 0; i < converter->n_plans; i++) {
        if (strcmp(converter->plans[i].field->stored, stored) == 0)
            return &converter->plans[i];
    }
    return NULL;
}

void converter_init(Converter *converter, InputTable table, const InputSettings *settings,
                    const Mapping *mapping, const TimeZone *zone, int money_decimals,
                    StringMap *maps, Table *rows)
{
    const InputSchema *schema = input_schema(table);
    ColumnSpec specs[INPUT_FIELDS_MAX + 2];
    int n_specs = 0;
    bool has_time = false;
    *converter = (Converter){.table = table,
                             .settings = settings,
                             .zone = zone,
                             .money_decimals = money_decimals,
                             .n_columns = mapping->n_columns,
                             .rows = rows,
                             .names = mapping->names};
    for (int i = 0; i < schema->n_fields; i++) {
        const Field *field = &schema->fields[i];
        if (mapping->column[i] < 0 && !is_made_by_rule(table, field))
            continue;
        FieldPlan *plan = &converter->plans[converter->n_plans++];
        plan->field = field;
        plan->from = mapping->column[i];
        plan->missing = missing_value(field);
        has_time |= field->kind == FIELD_TIMESTAMP;
        specs[n_specs++] = spec_of(field);
    }
    if (has_time)
        specs[n_specs++] = (ColumnSpec){"day", COLUMN_I32, UNIT_DAY};
    specs[n_specs++] = (ColumnSpec){"row", COLUMN_I64, UNIT_NONE};
    table_init(rows, specs, n_specs);
    converter->code_columns = mem_new(converter->n_plans, sizeof *converter->code_columns);
    for (int i = 0; i < converter->n_plans; i++) {
        FieldPlan *plan = &converter->plans[i];
        plan->to = &rows->columns[i];
        if (plan->field->kind != FIELD_CODE)
            continue;
        plan->codes = &converter->code_columns[i];
        plan->codes->name = plan->field->name;
        plan->codes->to = plan->to;
        plan->codes->map = &maps[plan->field->dictionary];
    }
    converter->day = has_time ? table_column(rows, "day") : NULL;
    converter->time = find_plan(converter, "ts_us");
    converter->row = table_column(rows, "row");
    if (table == INPUT_ORDERS) {
        converter->order_id = find_plan(converter, "order");
        converter->quantity = find_plan(converter, "quantity");
        converter->unit_price = find_plan(converter, "unit_price");
        converter->cancelled = find_plan(converter, "cancelled");
    }
    if (table == INPUT_PROMOTIONS || table == INPUT_STOCKOUTS) {
        converter->first_day = find_plan(converter, "first_day");
        converter->last_day = find_plan(converter, "last_day");
    }
}

void converter_free(Converter *converter)
{
    mem_free(&converter->code_columns);
}

/* ---- values: NULL, or the reason for rejecting ---- */

static Bytes trim(Bytes text)
{
    if (text.size > 0 && (unsigned char)text.data[0] > ' ' &&
        (unsigned char)text.data[text.size - 1] > ' ')
        return text;
    return bytes_trim(text);
}

static const char *read_decimal(Converter *converter, FieldPlan *plan, int decimals, int64_t min,
                                int64_t max)
{
    switch (decimal_parse(plan->text, decimals, converter->settings->decimals, min, max,
                          &plan->number)) {
    case DECIMAL_OK:
        return NULL;
    case DECIMAL_TOO_PRECISE:
        if (decimals == 0 && plan->field->kind != FIELD_MONEY)
            return "not a whole number";
        (void)snprintf(converter->reason_text, sizeof converter->reason_text,
                       "more than %d decimals", decimals);
        return converter->reason_text;
    case DECIMAL_TOO_LARGE:
        return "too large for its column";
    default:
        return "not a number";
    }
}

static const char *not_negative(const FieldPlan *plan)
{
    return plan->number < 0 ? "negative" : NULL;
}

static const char *read_time(Converter *converter, FieldPlan *plan)
{
    Bytes text = plan->text;
    int64_t ts_us;
    int32_t day;
    if (text.size == converter->recent_size &&
        memcmp(text.data, converter->recent_time, (size_t)text.size) == 0) {
        plan->number = converter->recent_ts_us;
        return NULL;
    }
    if (!time_parse(&converter->settings->timestamp, converter->zone, text, &ts_us, &day)) {
        (void)snprintf(converter->reason_text, sizeof converter->reason_text,
                       converter->settings->timestamp.is_auto
                           ? "not a date and time like YYYY-MM-DD HH:MM:SS"
                           : "not a date and time of the form %s",
                       converter->settings->timestamp.text);
        return converter->reason_text;
    }
    plan->number = ts_us;
    converter->recent_ts_us = ts_us;
    converter->recent_day = day;
    converter->recent_size = text.size <= RECENT_TIME_BYTES ? text.size : 0;
    memcpy(converter->recent_time, text.data, (size_t)converter->recent_size);
    return NULL;
}

static const char *read_day(Converter *converter, FieldPlan *plan)
{
    int64_t ts_us;
    int32_t day;
    if (!time_parse(&converter->settings->day, converter->zone, plan->text, &ts_us, &day)) {
        (void)snprintf(converter->reason_text, sizeof converter->reason_text,
                       converter->settings->day.is_auto ? "not a date like YYYY-MM-DD"
                                                        : "not a date of the form %s",
                       converter->settings->day.text);
        return converter->reason_text;
    }
    plan->number = day;
    return NULL;
}

static bool is_word(Bytes text, const char *word)
{
    return (size_t)text.size == strlen(word) &&
           strncasecmp(text.data, word, (size_t)text.size) == 0;
}

/* Place of `text` among `words` [n], or -1; case does not matter. */
static int find_word(Bytes text, const char *const *words, int n)
{
    int i = 0;
    while (i < n && !is_word(text, words[i]))
        i++;
    return i < n ? i : -1;
}

static const char *read_bool(FieldPlan *plan)
{
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true"};
    int at = find_word(plan->text, words, 6);
    plan->number = at % 2;
    return at < 0 ? "neither yes nor no" : NULL;
}

static const char *read_event_kind(FieldPlan *plan)
{
    static const char *const words[] = {"view", "cart_add", "cart_remove", "checkout"};
    int at = find_word(plan->text, words, 4);
    plan->number = at;
    return at < 0 ? "not one of view, cart_add, cart_remove, checkout" : NULL;
}

static bool is_cancelled(Bytes text, const InputSettings *settings)
{
    for (int i = 0; i < settings->n_cancelled_words; i++) {
        Bytes word = settings->cancelled_words[i];
        if (text.size == word.size && strncasecmp(text.data, word.data, (size_t)word.size) == 0)
            return true;
    }
    return false;
}

static const char *read_text_value(Converter *converter, FieldPlan *plan)
{
    const char *reason;
    switch (plan->field->kind) {
    case FIELD_CODE:
        return plan->text.size > LOOKUP_TEXT_MAX ? "longer than 1024 bytes" : NULL;
    case FIELD_TEXT:
        return NULL;
    case FIELD_TIMESTAMP:
        return read_time(converter, plan);
    case FIELD_DAY:
        return read_day(converter, plan);
    case FIELD_MONEY:
        return read_decimal(converter, plan, converter->money_decimals, -MONEY_MAX, MONEY_MAX);
    case FIELD_INT32:
        reason = read_decimal(converter, plan, 0, -INT32_MAX, INT32_MAX);
        return reason == NULL && plan != converter->quantity ? not_negative(plan) : reason;
    case FIELD_INT64:
        return read_decimal(converter, plan, 0, -INT64_MAX, INT64_MAX);
    case FIELD_HUNDREDTHS:
        reason = read_decimal(converter, plan, 2, -INT32_MAX, INT32_MAX);
        return reason == NULL ? not_negative(plan) : reason;
    case FIELD_SHARE:
        reason = read_decimal(converter, plan, 4, -INT32_MAX, INT32_MAX);
        return reason == NULL && (plan->number < 0 || plan->number > 10000) ? "not from 0 to 1"
                                                                            : reason;
    case FIELD_BOOL:
        return read_bool(plan);
    case FIELD_EVENT_KIND:
        return read_event_kind(plan);
    case FIELD_STATUS:
        plan->number = is_cancelled(plan->text, converter->settings);
        return NULL;
    }
    return NULL;
}

static const char *read_value(Converter *converter, FieldPlan *plan, const CsvRecord *record)
{
    if (plan->from >= 0) {
        plan->text = trim(record->fields[plan->from]);
        if (plan->text.size > 0)
            return read_text_value(converter, plan);
        if (plan->field->required)
            return "empty";
    } else {
        plan->text = (Bytes){0};
    }
    plan->number = plan->missing;
    return NULL;
}

/* ---- whole records ---- */

static bool reject(Converter *converter, const char *field, const char *reason)
{
    converter->reject_field = field;
    converter->reject_reason = reason;
    return false;
}

/* Rules about more than one value of an order line. */
static bool check_order(Converter *converter)
{
    const InputSettings *settings = converter->settings;
    int64_t quantity = converter->quantity->number;
    int64_t price = converter->unit_price->number;
    int64_t amount;
    if (quantity == 0 && !settings->is_zero_quantity_allowed)
        return reject(converter, "quantity", "quantity is zero");
    if (price < 0 && !settings->is_negative_price_allowed)
        return reject(converter, "unit_price", "negative price");
    if (__builtin_mul_overflow(quantity, price, &amount) || amount > MONEY_MAX ||
        amount < -MONEY_MAX)
        return reject(converter, "unit_price", "quantity times price is too large for its column");
    const char *prefix = settings->cancelled_prefix;
    if (prefix[0] != 0 && bytes_start_with(converter->order_id->text, bytes_of(prefix)))
        converter->cancelled->number = 1;
    return true;
}

static bool check_days(Converter *converter)
{
    int64_t last = converter->last_day->number;
    if (last != DAY_NONE && last < converter->first_day->number)
        return reject(converter, "to", "before the first day");
    return true;
}

/* The column that is no text: its canonical name if it has one. */
static bool reject_bad_text(Converter *converter, const CsvRecord *record)
{
    for (int i = 0; i < converter->n_columns; i++) {
        if (bytes_are_utf8(record->fields[i]))
            continue;
        const char *name = converter->names[i];
        for (int k = 0; k < converter->n_plans; k++) {
            if (converter->plans[k].from == i)
                name = converter->plans[k].field->name;
        }
        return reject(converter, name, "not valid UTF-8 text");
    }
    return true;
}

/* False, with field and reason, if the record is no row. */
static bool read_record(Converter *converter, const CsvRecord *record)
{
    if (record->is_broken)
        return reject(converter, "", "broken quotes");
    if (record->n_fields != converter->n_columns) {
        (void)snprintf(converter->reason_text, sizeof converter->reason_text,
                       "%lld fields, header has %d", (long long)record->n_fields,
                       converter->n_columns);
        return reject(converter, "", converter->reason_text);
    }
    if (!record->is_ascii && !reject_bad_text(converter, record))
        return false;
    for (int i = 0; i < converter->n_plans; i++) {
        FieldPlan *plan = &converter->plans[i];
        const char *reason = read_value(converter, plan, record);
        if (reason != NULL)
            return reject(converter, plan->field->name, reason);
    }
    switch (converter->table) {
    case INPUT_ORDERS:
        return check_order(converter);
    case INPUT_PROMOTIONS:
    case INPUT_STOCKOUTS:
        return check_days(converter);
    default:
        return true;
    }
}

static Status store_value(Converter *converter, FieldPlan *plan, int64_t at, Error *error)
{
    Column *to = plan->to;
    if (plan->codes != NULL)
        return code_column_add(plan->codes, at, plan->text, error);
    switch (to->type) {
    case COLUMN_I8:
        ((int8_t *)to->data)[at] = (int8_t)plan->number;
        break;
    case COLUMN_I16:
        ((int16_t *)to->data)[at] = (int16_t)plan->number;
        break;
    case COLUMN_I32:
        ((int32_t *)to->data)[at] = (int32_t)plan->number;
        break;
    case COLUMN_I64:
        ((int64_t *)to->data)[at] = plan->number;
        break;
    case COLUMN_TEXT:
        return table_set_last_text(converter->rows, to, plan->text, error);
    case COLUMN_F64:
        vesper_assert(false);
    }
    return STATUS_OK;
}

Status converter_take(Converter *converter, const CsvRecord *record, int64_t row, bool *rejected,
                      Error *error)
{
    Status status = STATUS_OK;
    *rejected = !read_record(converter, record);
    if (*rejected)
        return STATUS_OK;
    TRY(table_add_row(converter->rows, error));
    int64_t at = converter->rows->rows - 1;
    for (int i = 0; i < converter->n_plans; i++)
        TRY(store_value(converter, &converter->plans[i], at, error));
    if (converter->day != NULL)
        ((int32_t *)converter->day->data)[at] =
            converter->time->number == INT64_MIN ? DAY_NONE : converter->recent_day;
    ((int64_t *)converter->row->data)[at] = row;
out:
    return status;
}

Status converter_finish(Converter *converter, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < converter->n_plans; i++) {
        FieldPlan *plan = &converter->plans[i];
        if (plan->codes != NULL)
            TRY(code_column_finish(plan->codes, converter->rows->rows, error));
    }
out:
    return status;
}
