/* Groups to a table: numbers in their order, then names; see aggregate_rows.h. */
#include "sales/aggregate_rows.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/group_order.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAYS_A_WEEK = 7, FIRST_MONDAY = 4 /* 1970-01-05 */, MADE_SIZE = CIVIL_TEXT_SIZE };

/* ---- columns ---- */

static ColumnSpec dimension_spec(const Dimension *dimension, char name[COLUMN_NAME_SIZE])
{
    ColumnSpec spec = {name, COLUMN_I32, UNIT_NONE};
    dimension_column(dimension, name);
    switch (dimension->kind) {
    case DIMENSION_DAY:
    case DIMENSION_WEEK:
        spec.unit = UNIT_DAY;
        break;
    case DIMENSION_MONTH:
    case DIMENSION_ORDER_MONTH:
        spec.unit = UNIT_MONTH;
        break;
    case DIMENSION_YEAR:
    case DIMENSION_WEEKDAY:
    case DIMENSION_HOUR:
    case DIMENSION_DAY_CLASS:
        break;
    default:
        spec.type = COLUMN_TEXT;
    }
    return spec;
}

void aggregate_key_columns(const AggregateSpec *spec, char key[STORE_NAME_SIZE * 2])
{
    enum { SIZE = STORE_NAME_SIZE * 2 };
    char name[COLUMN_NAME_SIZE];
    int length = 0;
    key[0] = '\0';
    for (int i = 0; i < spec->n_by; i++) {
        dimension_column(&spec->by[i], name);
        length += snprintf(key + length, (size_t)(SIZE - length), "%s%s", i > 0 ? "," : "", name);
        vesper_assert(length < SIZE);
    }
}

/* ---- dimensions in keys ---- */

/* Reads one dimension of key after key. Neighbours mostly share all but the last dimension, so what
 * the last key had is remembered: most divisions are saved. */
typedef struct DigitReader {
    const KeyPart *part;
    uint64_t before; /* least key with the same dimensions before this one */
    uint64_t start;  /* keys [start, start + stride) behind `before` have `digit` */
    uint64_t digit;
} DigitReader;

static inline uint64_t read_digit(DigitReader *reader, uint64_t key)
{
    uint64_t stride = reader->part->stride, period = stride * reader->part->radix;
    vesper_assert(period > 0);
    if (key - reader->before >= period)
        reader->before = key - key % period;
    uint64_t rest = key - reader->before;
    if (stride == 1)
        return rest;
    if (rest - reader->start >= stride) {
        reader->digit = rest / stride;
        reader->start = reader->digit * stride;
    }
    return reader->digit;
}

static int32_t number_of(const KeyPart *part, uint64_t digit)
{
    int64_t value = part->base + (int64_t)digit;
    if (part->dimension.kind == DIMENSION_WEEK)
        value = value * DAYS_A_WEEK + FIRST_MONDAY;
    return (int32_t)value;
}

static Status fill_numbers(const KeyPart *part, const uint64_t *keys, int64_t n, Column *column,
                           Error *error)
{
    Status status = STATUS_OK;
    DigitReader reader = {.part = part};
    int32_t *numbers = NULL;
    TRY(mem_resize(&numbers, n, sizeof *numbers, column->name, error));
    for (int64_t i = 0; i < n; i++)
        numbers[i] = number_of(part, read_digit(&reader, keys[i]));
    column->data = numbers;
out:
    return status;
}

/* ---- texts ---- */

/* The texts of a dimension: names in bytewise order, or a few made here. */
typedef struct TextSource {
    int64_t base;
    const Names *names;      /* NULL: made */
    char (*made)[MADE_SIZE]; /* [radix] */
} TextSource;

static void quarter_text(int64_t quarter, char text[MADE_SIZE])
{
    int64_t of_year = (quarter % 4 + 4) % 4;
    int64_t year = 1970 + (quarter - of_year) / 4;
    (void)snprintf(text, MADE_SIZE, "%04d-Q%d", (int)year, (int)of_year + 1);
}

static void text_source_init(TextSource *source, const KeyPart *part, const Shop *shop)
{
    static const char *const returning[] = {"", "new", "returning"};
    const Names *names = dimension_names(&part->dimension, shop);
    *source = (TextSource){.base = part->base, .names = names};
    if (names)
        return;
    source->made = mem_new((int64_t)part->radix, sizeof *source->made);
    for (int64_t digit = 0; digit < (int64_t)part->radix; digit++) {
        int64_t value = part->base + digit;
        if (part->dimension.kind == DIMENSION_QUARTER)
            quarter_text(value, source->made[digit]);
        else if (part->dimension.kind == DIMENSION_COHORT && digit == 0)
            source->made[digit][0] = '\0';
        else if (part->dimension.kind == DIMENSION_COHORT)
            civil_format_month((int32_t)value, source->made[digit]);
        else
            (void)snprintf(source->made[digit], MADE_SIZE, "%s", returning[value + 1]);
    }
}

static Bytes source_text(const TextSource *source, uint64_t digit)
{
    if (!source->names)
        return bytes_of(source->made[digit]);
    int64_t place = source->base + (int64_t)digit;
    return names_text(source->names, place < 0 ? -1 : source->names->code[place]);
}

/* Two walks over the rows: how many bytes there are, so that they are allocated once, then the
 * bytes. */
static Status fill_texts(const KeyPart *part, const Shop *shop, const uint64_t *keys, int64_t n,
                         Column *column, Error *error)
{
    Status status = STATUS_OK;
    TextSource source;
    DigitReader reader = {.part = part};
    text_source_init(&source, part, shop);
    TRY(mem_resize(&column->ends, n, sizeof *column->ends, column->name, error));
    int64_t size = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t digit = read_digit(&reader, keys[i]);
        column->ends[i] = (int64_t)digit; /* until the second walk */
        size += source_text(&source, digit).size;
    }
    TRY(mem_resize(&column->bytes, size, 1, column->name, error));
    column->bytes_capacity = size;
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        Bytes text = source_text(&source, (uint64_t)column->ends[i]);
        memcpy(column->bytes + end, text.data, (size_t)text.size);
        end += text.size;
        column->ends[i] = end;
    }
out:
    mem_free(&source.made);
    return status;
}

/* ---- names by their codes ---- */

/* The names of a dimension, if so many rows of all ranks share them that codes are shorter. */
static TextList list_of(const KeyPart *part, const Shop *shop, int64_t all_rows)
{
    const Names *names = dimension_names(&part->dimension, shop);
    if (!names || names->count == 0 || all_rows / 2 < names->count)
        return (TextList){0};
    const Column *texts = &names->texts.columns[0];
    return (TextList){.n = names->count, .ends = texts->ends, .bytes = texts->bytes};
}

static Status fill_codes(const KeyPart *part, const Shop *shop, const uint64_t *keys, int64_t n,
                         Column *column, Error *error)
{
    Status status = STATUS_OK;
    const Names *names = dimension_names(&part->dimension, shop);
    DigitReader reader = {.part = part};
    int32_t *codes = NULL;
    TRY(mem_resize(&codes, n, sizeof *codes, column->name, error));
    for (int64_t i = 0; i < n; i++) {
        int64_t place = part->base + (int64_t)read_digit(&reader, keys[i]);
        codes[i] = place < 0 ? -1 : names->code[place];
    }
    column_set_codes(column, column->list, codes);
out:
    return status;
}

/* ---- the table ---- */

static Status fill_dimension(const KeyPart *part, const Shop *shop, const uint64_t *keys, int64_t n,
                             Column *column, Error *error)
{
    if (column_is_coded(column))
        return fill_codes(part, shop, keys, n, column, error);
    if (column->type == COLUMN_TEXT)
        return fill_texts(part, shop, keys, n, column, error);
    return fill_numbers(part, keys, n, column, error);
}

/* The measures move from `numbers`, the dimensions are read from its keys. */
static Status fill_table(const AggregateSpec *spec, const Shop *shop, const KeyLayout *layout,
                         int64_t all_rows, Table *numbers, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    ColumnSpec columns[TABLE_COLUMNS_MAX];
    char names[AGGREGATE_BY_MAX][COLUMN_NAME_SIZE];
    for (int i = 0; i < spec->n_by; i++)
        columns[i] = dimension_spec(&spec->by[i], names[i]);
    for (int m = 0; m < spec->n_measures; m++) {
        const Column *from = &numbers->columns[1 + m];
        columns[spec->n_by + m] = (ColumnSpec){from->name, from->type, from->unit};
    }
    table_init(rows, columns, spec->n_by + spec->n_measures);
    for (int i = 0; i < spec->n_by; i++)
        if (columns[i].type == COLUMN_TEXT)
            rows->columns[i].list = list_of(&layout->parts[i], shop, all_rows);
    if (numbers->rows == 0)
        return STATUS_OK;
    for (int m = 0; m < spec->n_measures; m++) {
        rows->columns[spec->n_by + m].data = numbers->columns[1 + m].data;
        numbers->columns[1 + m].data = NULL;
    }
    const uint64_t *keys = table_column(numbers, GROUP_KEY)->data;
    for (int i = 0; i < spec->n_by; i++)
        TRY(fill_dimension(&layout->parts[i], shop, keys, numbers->rows, &rows->columns[i], error));
    rows->rows = numbers->rows;
    rows->capacity = numbers->rows;
out:
    return status;
}

Status aggregate_rows(Comm *comm, const AggregateSpec *spec, const Shop *shop, Groups *groups,
                      Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Table numbers = {0};
    KeyLayout layout = groups->layout;
    *rows = (Table){0};
    TRY_ALL(comm, fault_point("sales.aggregate_rows", error), error);
    TRY(group_measures(comm, spec, groups, &numbers, error));
    TRY(group_order(comm, spec, &layout, &numbers, error));
    int64_t all_rows = numbers.rows;
    comm_sum_i64(comm, &all_rows, 1);
    TRY_ALL(comm, fill_table(spec, shop, &layout, all_rows, &numbers, rows, error), error);
out:
    table_free(&numbers);
    groups_free(groups);
    if (status != STATUS_OK)
        table_free(rows);
    return status;
}
