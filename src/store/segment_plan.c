/* Segments, planning: schema, partitions, checksums and datasets, agreed by all ranks before one of
 * them calls HDF5. */
#include "store/segment_plan.h"

#include "base/hash.h"
#include "base/memory.h"
#include "table/narrow.h"

#include <string.h>

enum { METADATA_BYTES = 1 << 18 /* more than all headers of a file take */ };

/* ---- schema and partitions ---- */

static Status take_schema(SegmentPlan *plan, const Table *rows, Error *error)
{
    Status status = STATUS_OK;
    SegmentLayout *layout = &plan->layout;
    segment_copy_name(layout->table, sizeof layout->table, plan->spec->table);
    segment_copy_name(layout->kind, sizeof layout->kind, plan->spec->kind);
    layout->batch = plan->spec->batch;
    layout->partitions = plan->spec->partitions;
    layout->n_columns = rows->n_columns;
    for (int i = 0; i < rows->n_columns; i++) {
        const Column *column = &rows->columns[i];
        if (!segment_column_name_is_valid(bytes_of(column->name)))
            FAIL(error, STATUS_BUG, "table %s: a column cannot be called '%s'", layout->table,
                 column->name);
        memcpy(layout->columns[i].name, column->name, COLUMN_NAME_SIZE);
        layout->columns[i].type = column->type;
        layout->columns[i].unit = column->unit;
        layout->columns[i].stored = column->type;
        layout->columns[i].is_coded = column_is_coded(column);
        buffer_printf(&plan->schema, "%s %s %s\n", column->name, segment_type_name(column->type),
                      segment_unit_name(column->unit));
    }
    TRY(segment_layout_plan(layout, error));
out:
    return status;
}

/* The schema is that of the first rank that has columns; ranks with rows must have the same. */
static Status agree_schema(Comm *comm, SegmentPlan *plan, Error *error)
{
    Status status;
    int64_t source = plan->rows->n_columns > 0 ? comm_rank(comm) : comm_size(comm);
    comm_min_i64(comm, &source, 1);
    if (source == comm_size(comm))
        FAIL(error, STATUS_BUG, "table %s has no columns", plan->spec->table);
    TRY_ALL(comm, take_schema(plan, plan->rows, error), error);
    Buffer own = plan->schema;
    plan->schema = (Buffer){0};
    if (comm_rank(comm) == (int)source)
        buffer_append_bytes(&plan->schema, buffer_view(&own));
    comm_broadcast_buffer(comm, (int)source, &plan->schema);
    int64_t is_coded[TABLE_COLUMNS_MAX] = {0};
    for (int i = 0; i < plan->layout.n_columns; i++)
        is_coded[i] = plan->layout.columns[i].is_coded;
    comm_broadcast(comm, (int)source, is_coded, sizeof is_coded);
    bool is_equal = bytes_equal(buffer_view(&own), buffer_view(&plan->schema));
    for (int i = 0; i < plan->layout.n_columns && is_equal; i++)
        is_equal = is_coded[i] == plan->layout.columns[i].is_coded;
    is_equal |= plan->rows->rows == 0;
    buffer_free(&own);
    TRY_ALL(comm,
            is_equal ? STATUS_OK
                     : error_set(error, STATUS_BUG, __FILE__, __LINE__,
                                 "table %s: ranks have different columns", plan->spec->table),
            error);
    TRY(segment_layout_share(comm, (int)source, &plan->layout, error));
out:
    return status;
}

static void choose_writers(Comm *comm, SegmentPlan *plan)
{
    int64_t rank = comm_rank(comm), owners = plan->n_partitions > 0;
    int64_t first = owners > 0 ? rank : comm_size(comm);
    comm_sum_i64(comm, &owners, 1);
    comm_min_i64(comm, &first, 1);
    plan->is_alone = owners <= 1;
    plan->leads = rank == (owners == 1 ? first : 0);
}

static int64_t own_rows(const SegmentPlan *plan)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < plan->n_partitions; i++)
        rows += plan->partition_rows[i];
    return rows;
}

static Status check_runs(Comm *comm, const SegmentPlan *plan, Error *error)
{
    int64_t before = comm_prefix_i64(comm, plan->n_partitions);
    int64_t all = plan->n_partitions;
    comm_sum_i64(comm, &all, 1);
    bool is_right = all == plan->spec->partitions &&
                    (plan->n_partitions == 0 || before == plan->first) &&
                    own_rows(plan) == plan->rows->rows;
    return comm_agree(comm,
                      is_right ? STATUS_OK
                               : error_set(error, STATUS_BUG, __FILE__, __LINE__,
                                           "table %s: the ranks' partitions do not make up the "
                                           "whole, or not their rows",
                                           plan->spec->table),
                      error);
}

/* Ends of the texts [begin, begin + n), counted from the first byte of text `origin`. */
static void relative_ends(const Column *column, int64_t origin, int64_t begin, int64_t n,
                          int64_t *ends)
{
    int64_t start = column_text_bytes(column, origin);
    for (int64_t i = 0; i < n; i++)
        ends[i] = column->ends[begin + i] - start;
}

/* Least and greatest of what each column stores; for types, those of the codes follow behind. */
typedef struct Ranges {
    int64_t min[2 * TABLE_COLUMNS_MAX], max[2 * TABLE_COLUMNS_MAX];
} Ranges;

static void bits_range(const double *values, int64_t n, int64_t *min, int64_t *max)
{
    *min = INT64_MAX;
    *max = INT64_MIN;
    for (int64_t i = 0; i < n; i++) {
        int64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        *min = bits < *min ? bits : *min;
        *max = bits > *max ? bits : *max;
        if (*min < *max) /* that is all one wants to know */
            return;
    }
}

static void text_range(const SegmentPlan *plan, const Column *column, int64_t *max)
{
    int64_t row = 0;
    for (int64_t p = 0; p < plan->n_partitions; p++) {
        int64_t bytes = column_text_bytes(column, row + plan->partition_rows[p]) -
                        column_text_bytes(column, row);
        *max = bytes > *max ? bytes : *max;
        row += plan->partition_rows[p];
    }
}

static void coded_range(const SegmentPlan *plan, const CodedPart *part, int64_t *max_end,
                        int64_t *max_code)
{
    for (int64_t p = 0; p < plan->n_partitions; p++) {
        int64_t bytes = part->byte_starts[p + 1] - part->byte_starts[p];
        int64_t last = part->text_starts[p + 1] - part->text_starts[p] - 1;
        *max_end = bytes > *max_end ? bytes : *max_end;
        *max_code = last > *max_code ? last : *max_code;
    }
}

static void find_range(const SegmentPlan *plan, int i, Ranges *ranges)
{
    const Column *column = &plan->rows->columns[i];
    int codes = plan->layout.n_columns + i;
    int64_t *min = &ranges->min[i], *max = &ranges->max[i];
    if (narrow_applies(column->type)) {
        narrow_range(column->type, column->data, plan->rows->rows, min, max);
    } else if (column->type == COLUMN_F64) {
        bits_range(column->data, plan->rows->rows, min, max);
    } else {
        *min = ranges->min[codes] = 0;
        if (column_is_coded(column))
            coded_range(plan, &plan->coded[i], max, &ranges->max[codes]);
        else
            text_range(plan, column, max);
    }
}

/* How each column is stored, over all ranks' values: the narrowest type, or one value for all. */
static void choose_stored_types(Comm *comm, SegmentPlan *plan)
{
    SegmentLayout *layout = &plan->layout;
    Ranges ranges;
    int64_t rows = plan->rows->rows;
    for (int i = 0; i < 2 * layout->n_columns; i++) {
        ranges.min[i] = INT64_MAX;
        ranges.max[i] = INT64_MIN;
    }
    for (int i = 0; i < layout->n_columns && rows > 0; i++)
        find_range(plan, i, &ranges);
    comm_min_i64(comm, ranges.min, 2 * (int64_t)layout->n_columns);
    comm_max_i64(comm, ranges.max, 2 * (int64_t)layout->n_columns);
    comm_sum_i64(comm, &rows, 1);
    layout->format = 1;
    for (int i = 0; i < layout->n_columns; i++) {
        SegmentColumn *column = &layout->columns[i];
        int codes = layout->n_columns + i;
        bool is_whole = narrow_applies(column->type);
        column->is_constant = column->type == COLUMN_F64 && plan->spec->stores_constants &&
                              rows > 1 && ranges.min[i] == ranges.max[i];
        if (column->type != COLUMN_F64)
            column->stored = narrow_type(ranges.min[i], ranges.max[i]);
        if (column->is_coded)
            column->codes_stored = narrow_type(ranges.min[codes], ranges.max[codes]);
        column->min = is_whole ? ranges.min[i] : INT64_MAX;
        column->max = is_whole ? ranges.max[i] : INT64_MIN;
        if (column->is_coded || column->is_constant)
            layout->format = 2;
    }
}

/* Coded texts of this rank's partitions. */
static Status code_texts(SegmentPlan *plan, Error *error)
{
    Status status = STATUS_OK;
    plan->coded = mem_new(plan->layout.n_columns, sizeof *plan->coded);
    for (int i = 0; i < plan->layout.n_columns && plan->rows->rows > 0; i++) {
        if (plan->layout.columns[i].is_coded)
            TRY(coded_part_make(&plan->rows->columns[i], plan->n_partitions, plan->partition_rows,
                                &plan->coded[i], error));
    }
out:
    return status;
}

/* ---- values on their way to the file ---- */

Status segment_scratch_init(SegmentScratch *scratch, int64_t n, Error *error)
{
    Status status;
    TRY(mem_resize(&scratch->ends, n, sizeof *scratch->ends, "a segment's values", error));
    TRY(mem_resize(&scratch->stored, n, sizeof *scratch->stored, "a segment's values", error));
out:
    return status;
}

void segment_scratch_free(SegmentScratch *scratch)
{
    mem_free(&scratch->ends);
    mem_free(&scratch->stored);
}

static uint64_t stored_hash(ColumnType type, const void *values, ColumnType stored, int64_t n,
                            SegmentScratch *scratch)
{
    if (type == stored)
        return hash64(values, n * (int64_t)column_width(type));
    narrow_convert(type, values, stored, scratch->stored, n);
    return hash64(scratch->stored, n * (int64_t)column_width(stored));
}

static void index_text(SegmentLayout *layout, int i, const Column *column, int64_t partition,
                       int64_t begin, int64_t n, SegmentScratch *scratch)
{
    int64_t *index = layout->index;
    const SegmentColumn *spec = &layout->columns[i];
    int64_t start = column_text_bytes(column, begin);
    int64_t bytes = column_text_bytes(column, begin + n) - start;
    const char *data = bytes > 0 ? column->bytes + start : NULL;
    relative_ends(column, begin, begin, n, scratch->ends);
    index[spec->byte_offset + partition + 1] = bytes;
    index[spec->checksum + partition] = (int64_t)hash64(data, bytes);
    index[spec->ends_checksum + partition] =
        (int64_t)stored_hash(COLUMN_I64, scratch->ends, spec->stored, n, scratch);
}

static void index_coded(SegmentLayout *layout, int i, const CodedPart *part, int64_t p,
                        int64_t partition, int64_t begin, int64_t n, SegmentScratch *scratch)
{
    int64_t *index = layout->index;
    const SegmentColumn *spec = &layout->columns[i];
    int64_t first = part->text_starts[p], n_texts = part->text_starts[p + 1] - first;
    int64_t start = part->byte_starts[p], bytes = part->byte_starts[p + 1] - start;
    index[spec->byte_offset + partition + 1] = bytes;
    index[spec->text_offset + partition + 1] = n_texts;
    index[spec->checksum + partition] =
        (int64_t)hash64(bytes > 0 ? part->bytes + start : NULL, bytes);
    index[spec->ends_checksum + partition] =
        (int64_t)stored_hash(COLUMN_I64, part->ends + first, spec->stored, n_texts, scratch);
    index[spec->codes_checksum + partition] =
        (int64_t)stored_hash(COLUMN_I32, part->codes + begin, spec->codes_stored, n, scratch);
}

/* Fill this rank's share of the index: row counts, byte counts, checksums. */
static Status fill_index(SegmentPlan *plan, Error *error)
{
    Status status = STATUS_OK;
    SegmentLayout *layout = &plan->layout;
    SegmentScratch scratch = {0};
    int64_t largest = 0;
    for (int64_t p = 0; p < plan->n_partitions; p++) {
        layout->index[plan->first + p + 1] = plan->partition_rows[p];
        if (plan->partition_rows[p] > largest)
            largest = plan->partition_rows[p];
    }
    TRY(segment_scratch_init(&scratch, largest, error));
    for (int i = 0; i < layout->n_columns; i++) {
        const Column *column = &plan->rows->columns[i];
        const SegmentColumn *spec = &layout->columns[i];
        int64_t begin = 0;
        for (int64_t p = 0; p < plan->n_partitions; p++) {
            int64_t n = plan->partition_rows[p];
            int64_t partition = plan->first + p;
            if (spec->is_coded) {
                index_coded(layout, i, &plan->coded[i], p, partition, begin, n, &scratch);
            } else if (spec->type == COLUMN_TEXT) {
                index_text(layout, i, column, partition, begin, n, &scratch);
            } else {
                const char *values =
                    n > 0 ? (const char *)column->data + (size_t)begin * column_width(spec->type)
                          : NULL;
                layout->index[spec->checksum + partition] = (int64_t)stored_hash(
                    spec->type, values, spec->stored, spec->is_constant ? 1 : n, &scratch);
            }
            begin += n;
        }
    }
out:
    segment_scratch_free(&scratch);
    return status;
}

/* Counts [1 .. n] become offsets, in place. */
static void sum_up(int64_t *offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        offset[i + 1] += offset[i];
}

static void share_index(Comm *comm, SegmentLayout *layout)
{
    comm_sum_i64(comm, layout->index, layout->n_index);
    sum_up(layout->index, layout->partitions);
    for (int i = 0; i < layout->n_columns; i++) {
        if (layout->columns[i].type == COLUMN_TEXT)
            sum_up(layout->index + layout->columns[i].byte_offset, layout->partitions);
        if (layout->columns[i].is_coded)
            sum_up(layout->index + layout->columns[i].text_offset, layout->partitions);
    }
    layout->rows = layout->index[layout->partitions];
}

/* ---- its datasets, in the order of the file ---- */

static SegmentDataset *add_dataset(SegmentPlan *plan, hid_t type, size_t width, const char *prefix,
                                   const char *name, const char *suffix)
{
    vesper_assert(plan->n_datasets < N_DATASETS_MAX);
    SegmentDataset *dataset = &plan->datasets[plan->n_datasets++];
    Buffer text = {0};
    buffer_printf(&text, "%s%s%s", prefix, name, suffix);
    vesper_assert(text.size < (int64_t)sizeof dataset->name);
    memcpy(dataset->name, buffer_string(&text), (size_t)text.size + 1);
    buffer_free(&text);
    dataset->type = type;
    dataset->width = width;
    dataset->handle = H5I_INVALID_HID;
    return dataset;
}

static void add_index(SegmentPlan *plan, hid_t type, const char *prefix, const char *name,
                      const char *suffix, int64_t at, int64_t size)
{
    SegmentDataset *dataset = add_dataset(plan, type, sizeof(int64_t), prefix, name, suffix);
    dataset->is_index = true;
    dataset->size = size;
    dataset->data = plan->layout.index + at;
}

/* This rank's part of a column: elements [offset[first], offset[first + n_partitions]). */
static SegmentDataset *add_column_part(SegmentPlan *plan, const char *suffix,
                                       const SegmentColumn *spec, ColumnType from,
                                       ColumnType stored, const int64_t *offset, const void *data)
{
    size_t width = stored == COLUMN_TEXT ? 1 : column_width(stored);
    SegmentDataset *dataset =
        add_dataset(plan, hdf5_type_of(stored), width, "", spec->name, suffix);
    dataset->from = from;
    dataset->stored = stored;
    dataset->size = offset[plan->layout.partitions];
    dataset->at = offset[plan->first];
    dataset->count = offset[plan->first + plan->n_partitions] - dataset->at;
    dataset->data = data;
    dataset->unit = suffix[0] == '\0' ? segment_unit_name(spec->unit) : NULL;
    return dataset;
}

static void plan_index(SegmentPlan *plan)
{
    const SegmentLayout *layout = &plan->layout;
    int64_t partitions = layout->partitions;
    hid_t sum = H5T_STD_U64LE, offset = H5T_STD_I64LE;
    add_index(plan, offset, "", "partition_offset", "", 0, partitions + 1);
    for (int i = 0; i < layout->n_columns; i++) {
        const SegmentColumn *spec = &layout->columns[i];
        add_index(plan, sum, "checksum/", spec->name, "", spec->checksum, partitions);
        if (spec->type == COLUMN_TEXT) {
            add_index(plan, sum, "checksum/", spec->name, ".end", spec->ends_checksum, partitions);
            add_index(plan, offset, "", spec->name, ".partition_offset", spec->byte_offset,
                      partitions + 1);
        }
        if (spec->is_coded) {
            add_index(plan, sum, "checksum/", spec->name, ".code", spec->codes_checksum,
                      partitions);
            add_index(plan, offset, "", spec->name, ".text_offset", spec->text_offset,
                      partitions + 1);
        }
    }
}

static void plan_texts(SegmentPlan *plan, int i, const Column *column)
{
    const int64_t *offset = plan->layout.index;
    const SegmentColumn *spec = &plan->layout.columns[i];
    const CodedPart *part = &plan->coded[i];
    if (!spec->is_coded) {
        add_column_part(plan, "", spec, COLUMN_TEXT, COLUMN_TEXT, offset + spec->byte_offset,
                        column ? column->bytes : NULL);
        add_column_part(plan, ".end", spec, COLUMN_I64, spec->stored, offset, NULL)->ends_of =
            column;
        return;
    }
    add_column_part(plan, "", spec, COLUMN_TEXT, COLUMN_TEXT, offset + spec->byte_offset,
                    part->bytes);
    add_column_part(plan, ".end", spec, COLUMN_I64, spec->stored, offset + spec->text_offset,
                    part->ends);
    add_column_part(plan, ".code", spec, COLUMN_I32, spec->codes_stored, offset, part->codes);
}

/* The one value for all rows, which the first rank with rows writes. */
static void plan_constant(SegmentPlan *plan, const SegmentColumn *spec, const Column *column)
{
    const int64_t *offset = plan->layout.index;
    SegmentDataset *dataset = add_column_part(plan, "", spec, spec->type, spec->stored, offset,
                                              column ? column->data : NULL);
    dataset->size = 1;
    dataset->count = column && dataset->at == 0 ? 1 : 0;
    dataset->at = 0;
}

static void plan_datasets(SegmentPlan *plan)
{
    const SegmentLayout *layout = &plan->layout;
    plan->datasets = mem_new(N_DATASETS_MAX, sizeof *plan->datasets);
    plan_index(plan);
    for (int i = 0; i < layout->n_columns; i++) {
        const SegmentColumn *spec = &layout->columns[i];
        const Column *column = plan->rows->rows > 0 ? &plan->rows->columns[i] : NULL;
        if (spec->type == COLUMN_TEXT)
            plan_texts(plan, i, column);
        else if (spec->is_constant)
            plan_constant(plan, spec, column);
        else
            add_column_part(plan, "", spec, spec->type, spec->stored, layout->index,
                            column ? column->data : NULL)
                ->range_of = spec->min <= spec->max ? spec : NULL;
    }
}

int64_t segment_plan_bytes(const SegmentPlan *plan)
{
    int64_t bytes = METADATA_BYTES;
    for (int i = 0; i < plan->n_datasets; i++)
        bytes += plan->datasets[i].size * (int64_t)plan->datasets[i].width;
    return bytes;
}

/* The ends of `count` texts from position `at` of this rank's part, each counted from the start of
 * its partition's bytes. */
static void make_ends(const SegmentPlan *plan, const Column *column, int64_t at, int64_t count,
                      int64_t *ends)
{
    int64_t begin = 0;
    for (int64_t p = 0; p < plan->n_partitions && begin < at + count; p++) {
        int64_t end = begin + plan->partition_rows[p];
        int64_t from = begin > at ? begin : at;
        int64_t to = end < at + count ? end : at + count;
        if (from < to)
            relative_ends(column, begin, from, to - from, ends + (from - at));
        begin = end;
    }
}

/* Elements [at, at + count) of this rank's part as they go to the file. */
const void *segment_plan_piece(const SegmentPlan *plan, const SegmentDataset *dataset, int64_t at,
                               int64_t count, SegmentScratch *scratch)
{
    const void *values = scratch->ends;
    if (dataset->ends_of)
        make_ends(plan, dataset->ends_of, at, count, scratch->ends);
    else if (dataset->from == COLUMN_TEXT)
        return (const char *)dataset->data + at;
    else
        values = (const char *)dataset->data + (size_t)at * column_width(dataset->from);
    if (dataset->from == dataset->stored)
        return values;
    narrow_convert(dataset->from, values, dataset->stored, scratch->stored, count);
    return scratch->stored;
}

Status segment_plan_make(Comm *comm, SegmentPlan *plan, Error *error)
{
    Status status;
    choose_writers(comm, plan);
    TRY(check_runs(comm, plan, error));
    TRY(agree_schema(comm, plan, error));
    TRY_ALL(comm, code_texts(plan, error), error);
    choose_stored_types(comm, plan);
    TRY_ALL(comm, fill_index(plan, error), error);
    share_index(comm, &plan->layout);
    plan_datasets(plan);
out:
    return status;
}

void segment_plan_free(SegmentPlan *plan)
{
    for (int i = 0; plan->coded && i < plan->layout.n_columns; i++)
        coded_part_free(&plan->coded[i]);
    mem_free(&plan->coded);
    mem_free(&plan->datasets);
    buffer_free(&plan->schema);
    segment_layout_free(&plan->layout);
}
