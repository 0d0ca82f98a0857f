/* Segments, the part without HDF5: layouts, and reading rows through them. */
#include "store/segment.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/files.h"
#include "table/narrow.h"

#include <inttypes.h>
#include <string.h>

static const char *const type_names[] = {"int8", "int16", "int32", "int64", "float64", "text"};
static const char *const unit_names[] = {"none",  "count",   "money_minor", "day",
                                         "month", "time_us", "code",        "bool"};
enum {
    N_TYPES = sizeof type_names / sizeof *type_names,
    N_UNITS = sizeof unit_names / sizeof *unit_names
};

void segment_copy_name(char *to, size_t size, const char *name)
{
    size_t length = strlen(name);
    vesper_assert(length < size);
    memcpy(to, name, length + 1);
}

const char *segment_type_name(ColumnType type)
{
    return type_names[type];
}

const char *segment_unit_name(ColumnUnit unit)
{
    return unit_names[unit];
}

static int find_name(const char *const *names, int n, Bytes text)
{
    for (int i = 0; i < n; i++) {
        if (bytes_equal(bytes_of(names[i]), text))
            return i;
    }
    return -1;
}

bool segment_type_parse(Bytes text, ColumnType *type)
{
    int i = find_name(type_names, N_TYPES, text);
    if (i >= 0)
        *type = (ColumnType)i;
    return i >= 0;
}

bool segment_unit_parse(Bytes text, ColumnUnit *unit)
{
    int i = find_name(unit_names, N_UNITS, text);
    if (i >= 0)
        *unit = (ColumnUnit)i;
    return i >= 0;
}

bool segment_column_name_is_valid(Bytes name)
{
    if (name.size < 1 || name.size >= COLUMN_NAME_SIZE)
        return false;
    for (int64_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return !bytes_equal(name, bytes_of("partition_offset")) &&
           !bytes_equal(name, bytes_of("checksum"));
}

void segment_layout_free(SegmentLayout *layout)
{
    mem_free(&layout->index);
    memset(layout, 0, sizeof *layout);
}

Status segment_layout_plan(SegmentLayout *layout, Error *error)
{
    int64_t partitions = layout->partitions;
    int64_t next = partitions + 1;
    for (int i = 0; i < layout->n_columns; i++) {
        SegmentColumn *column = &layout->columns[i];
        column->checksum = next;
        next += partitions;
        if (column->type == COLUMN_TEXT) {
            column->ends_checksum = next;
            column->byte_offset = next + partitions;
            next += 2 * partitions + 1;
        }
        if (column->is_coded) {
            column->codes_checksum = next;
            column->text_offset = next + partitions;
            next += 2 * partitions + 1;
        }
    }
    layout->n_index = next;
    Status status =
        mem_resize(&layout->index, next, sizeof *layout->index, "the index of a segment", error);
    if (status == STATUS_OK)
        memset(layout->index, 0, (size_t)next * sizeof *layout->index);
    return status;
}

Status segment_layout_share(Comm *comm, int root, SegmentLayout *layout, Error *error)
{
    Status status;
    SegmentLayout shared = *layout;
    comm_broadcast(comm, root, &shared, sizeof shared);
    if (comm_rank(comm) != root) {
        segment_layout_free(layout);
        *layout = shared;
        layout->index = NULL;
    }
    TRY_ALL(comm, comm_rank(comm) == root ? STATUS_OK : segment_layout_plan(layout, error), error);
    comm_broadcast(comm, root, layout->index, layout->n_index * (int64_t)sizeof *layout->index);
out:
    return status;
}

int segment_layout_find(const SegmentLayout *layout, const char *column)
{
    for (int i = 0; i < layout->n_columns; i++) {
        if (strcmp(layout->columns[i].name, column) == 0)
            return i;
    }
    return -1;
}

int64_t segment_partition_rows(const SegmentLayout *layout, int64_t partition)
{
    return layout->index[partition + 1] - layout->index[partition];
}

uint64_t segment_layout_checksum(const SegmentLayout *layout)
{
    uint64_t checksum = 0;
    int64_t bytes = layout->partitions * (int64_t)sizeof *layout->index;
    for (int i = 0; i < layout->n_columns; i++) {
        const SegmentColumn *column = &layout->columns[i];
        checksum = hash64_seeded(layout->index + column->checksum, bytes, checksum);
        if (column->type == COLUMN_TEXT)
            checksum = hash64_seeded(layout->index + column->ends_checksum, bytes, checksum);
        if (column->is_coded)
            checksum = hash64_seeded(layout->index + column->codes_checksum, bytes, checksum);
    }
    return checksum;
}

/* Where a block lies in its dataset: elements [*begin, *end) of *width bytes at file byte *at, and
 * the place of its checksum in the index. */
static void locate(const SegmentLayout *layout, SegmentBlock block, int64_t *at, int64_t *begin,
                   int64_t *end, int64_t *width, int64_t *checksum)
{
    const SegmentColumn *column = &layout->columns[block.column];
    bool is_bytes = column->type == COLUMN_TEXT && !block.is_ends && !block.is_codes;
    const int64_t *offset = layout->index;
    if (is_bytes)
        offset += column->byte_offset;
    else if (block.is_ends && column->is_coded)
        offset += column->text_offset;
    *at = block.is_codes ? column->codes_at : block.is_ends ? column->ends_at : column->data_at;
    *begin = column->is_constant ? 0 : offset[block.partition];
    *end = column->is_constant ? 1 : offset[block.partition + 1];
    *width = is_bytes
                 ? 1
                 : (int64_t)column_width(block.is_codes ? column->codes_stored : column->stored);
    *checksum = block.partition + (block.is_codes  ? column->codes_checksum
                                   : block.is_ends ? column->ends_checksum
                                                   : column->checksum);
}

int64_t segment_block_bytes(const SegmentLayout *layout, SegmentBlock block)
{
    int64_t at, begin, end, width, checksum;
    locate(layout, block, &at, &begin, &end, &width, &checksum);
    return (end - begin) * width;
}

Status segment_read_block(const SegmentFile *file, SegmentBlock block, void *data, bool *intact,
                          Error *error)
{
    int64_t at, begin, end, width, checksum;
    locate(file->layout, block, &at, &begin, &end, &width, &checksum);
    int64_t bytes = (end - begin) * width;
    Status status;
    TRY(files_read_at(file->fd, file->shown, data, bytes, at + begin * width, error));
    *intact = hash64(data, bytes) == (uint64_t)file->layout->index[checksum];
out:
    return status;
}

Status segment_damaged(const SegmentFile *file, SegmentBlock block, Error *error)
{
    int64_t at, begin, end, width, checksum;
    locate(file->layout, block, &at, &begin, &end, &width, &checksum);
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "%s: column %s of partition %" PRId64 " is damaged (%s%" PRId64
                     " bytes at byte %" PRId64 " do not have checksum %016" PRIx64
                     "); restore the file from a backup, or run `vesper verify` for all damaged "
                     "blocks",
                     file->shown, file->layout->columns[block.column].name, block.partition,
                     block.is_codes  ? "codes, "
                     : block.is_ends ? "text ends, "
                                     : "",
                     (end - begin) * width, at + begin * width,
                     (uint64_t)file->layout->index[checksum]);
}

static Status read_intact(const SegmentFile *file, SegmentBlock block, void *data, Error *error)
{
    bool intact = false;
    Status status = segment_read_block(file, block, data, &intact, error);
    if (status == STATUS_OK && !intact)
        status = segment_damaged(file, block, error);
    return status;
}

static void fill_absent(Column *column, int64_t rows, int64_t n)
{
    if (column->type == COLUMN_TEXT) {
        int64_t end = column_text_bytes(column, rows);
        for (int64_t i = 0; i < n; i++)
            column->ends[rows + i] = end;
        return;
    }
    size_t width = column_width(column->type);
    int value = column->unit == UNIT_CODE ? 0xff : 0; /* all bits set is -1 at any width */
    memset((char *)column->data + (size_t)rows * width, value, (size_t)n * width);
}

/* Read a block of `n` values, stored as narrow as they are, as values of `type`. */
static Status read_values(const SegmentFile *file, SegmentBlock block, ColumnType type,
                          void *values, int64_t n, void *scratch, Error *error)
{
    Status status;
    const SegmentColumn *column = &file->layout->columns[block.column];
    ColumnType stored = block.is_codes ? column->codes_stored : column->stored;
    void *to = stored == type ? values : scratch;
    TRY(read_intact(file, block, to, error));
    if (stored != type)
        narrow_convert(stored, scratch, type, values, n);
    double *numbers = values;
    for (int64_t i = 1; column->is_constant && i < n; i++)
        numbers[i] = numbers[0];
out:
    return status;
}

/* The different texts of a partition, and which of them each row has. */
typedef struct CodedBlock {
    int64_t n_texts;
    char *bytes;
    int64_t *ends;
    int32_t *codes; /* [n] */
} CodedBlock;

static Status read_coded(const SegmentFile *file, SegmentBlock block, int64_t n, void *scratch,
                         CodedBlock *coded, Error *error)
{
    Status status = STATUS_OK;
    const int64_t *first = file->layout->index + file->layout->columns[block.column].text_offset;
    int64_t bytes = segment_block_bytes(file->layout, block), last = 0;
    coded->n_texts = first[block.partition + 1] - first[block.partition];
    TRY(mem_resize(&coded->bytes, bytes, 1, "texts of a partition", error));
    TRY(mem_resize(&coded->ends, coded->n_texts, sizeof *coded->ends, "texts of a partition",
                   error));
    TRY(mem_resize(&coded->codes, n, sizeof *coded->codes, "texts of a partition", error));
    TRY(read_intact(file, block, coded->bytes, error));
    block.is_ends = true;
    if (coded->n_texts > n)
        return segment_damaged(file, block, error);
    TRY(read_values(file, block, COLUMN_I64, coded->ends, coded->n_texts, scratch, error));
    for (int64_t t = 0; t < coded->n_texts; t++) {
        if (coded->ends[t] < last || coded->ends[t] > bytes)
            return segment_damaged(file, block, error);
        last = coded->ends[t];
    }
    if (last != bytes)
        return segment_damaged(file, block, error);
    block.is_ends = false;
    block.is_codes = true;
    TRY(read_values(file, block, COLUMN_I32, coded->codes, n, scratch, error));
    for (int64_t i = 0; i < n; i++)
        if (coded->codes[i] < 0 || coded->codes[i] >= coded->n_texts)
            return segment_damaged(file, block, error);
out:
    return status;
}

/* Coded texts of a partition behind those of the column's first `rows` rows, each on its own. */
static Status append_coded(const SegmentFile *file, SegmentBlock block, Column *column,
                           int64_t rows, int64_t n, void *scratch, Error *error)
{
    Status status = STATUS_OK;
    CodedBlock coded = {0};
    int64_t end = column_text_bytes(column, rows);
    TRY(read_coded(file, block, n, scratch, &coded, error));
    for (int64_t i = 0; i < n; i++) {
        int32_t code = coded.codes[i];
        end += coded.ends[code] - (code > 0 ? coded.ends[code - 1] : 0);
        column->ends[rows + i] = end;
    }
    if (end > column->bytes_capacity) {
        TRY(mem_resize(&column->bytes, end, 1, column->name, error));
        column->bytes_capacity = end;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t start = coded.codes[i] > 0 ? coded.ends[coded.codes[i] - 1] : 0;
        int64_t size = coded.ends[coded.codes[i]] - start;
        if (size > 0)
            memcpy(column->bytes + column->ends[rows + i] - size, coded.bytes + start,
                   (size_t)size);
    }
out:
    mem_free(&coded.bytes);
    mem_free(&coded.ends);
    mem_free(&coded.codes);
    return status;
}

/* Texts of a partition: bytes behind those of the column's first `rows` rows, ends moved there. */
static Status append_text(const SegmentFile *file, SegmentBlock block, Column *column, int64_t rows,
                          int64_t n, void *scratch, Error *error)
{
    Status status;
    int64_t start = column_text_bytes(column, rows);
    int64_t bytes = segment_block_bytes(file->layout, block);
    if (start + bytes > column->bytes_capacity) {
        TRY(mem_resize(&column->bytes, start + bytes, 1, column->name, error));
        column->bytes_capacity = start + bytes;
    }
    TRY(read_intact(file, block, column->bytes + start, error));
    block.is_ends = true;
    int64_t *ends = column->ends + rows;
    TRY(read_values(file, block, COLUMN_I64, ends, n, scratch, error));
    int64_t last = 0;
    for (int64_t i = 0; i < n; i++) {
        if (ends[i] < last || ends[i] > bytes)
            return segment_damaged(file, block, error);
        last = ends[i];
        ends[i] += start;
    }
    if (last != bytes)
        return segment_damaged(file, block, error);
out:
    return status;
}

Status segment_append(const SegmentFile *file, int64_t partition, Table *rows, Error *error)
{
    Status status;
    char *scratch = NULL;
    int64_t n = segment_partition_rows(file->layout, partition);
    if (n == 0)
        return STATUS_OK;
    TRY(fault_point("store.read", error));
    TRY(table_reserve(rows, rows->rows + n, error));
    TRY(mem_resize(&scratch, n, sizeof(int64_t), "values of a partition", error));
    for (int i = 0; i < rows->n_columns; i++) {
        Column *column = &rows->columns[i];
        SegmentBlock block = {.column = segment_layout_find(file->layout, column->name),
                              .partition = partition};
        if (block.column < 0)
            fill_absent(column, rows->rows, n);
        else if (file->layout->columns[block.column].type != column->type)
            FAIL(error, STATUS_IO, "%s: column %s is %s, and %s in other batches", file->shown,
                 column->name, segment_type_name(file->layout->columns[block.column].type),
                 segment_type_name(column->type));
        else if (file->layout->columns[block.column].is_coded)
            TRY(append_coded(file, block, column, rows->rows, n, scratch, error));
        else if (column->type == COLUMN_TEXT)
            TRY(append_text(file, block, column, rows->rows, n, scratch, error));
        else
            TRY(read_values(file, block, column->type,
                            (char *)column->data + (size_t)rows->rows * column_width(column->type),
                            n, scratch, error));
    }
    rows->rows += n;
out:
    mem_free(&scratch);
    return status;
}
