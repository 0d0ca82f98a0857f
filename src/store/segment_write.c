/* Segments, writing: all ranks together, through parallel HDF5.
 *
 * HDF5 hangs when one rank fails, or passes something else, in a call that the others make too. So
 * everything that can be checked or can run out (schema, partitions, disk space) is looked at
 * before, and every group of calls is followed by an agreement. The bytes of the file do not depend
 * on the number of ranks: no times, no chunks, space given out at creation in a fixed order. */
#include "store/segment.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "comm/native.h"
#include "store/files.h"
#include "store/hdf5_error.h"
#include "table/narrow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINKS_COMPACT = 1024,     /* names of a group stay in its header up to so many */
    METADATA_BYTES = 1 << 18, /* more than all headers of a file take */
    PIECE_ELEMENTS = 1 << 20, /* one HDF5 write: what a scratch array holds, far below an int */
    N_DATASETS_MAX = 6 * TABLE_COLUMNS_MAX + 2
};

/* One dataset of the file: a column's values, or a part of the index. */
typedef struct Dataset {
    char name[2 * COLUMN_NAME_SIZE];
    hid_t type; /* in the file and in memory */
    size_t width;
    int64_t size; /* elements, over all ranks */
    int64_t at;   /* this rank's elements are [at, at + count) */
    int64_t count;
    const void *data; /* this rank's, of type `from`; NULL: made from `ends_of` while writing */
    const Column *ends_of;
    ColumnType from, stored; /* in memory and in the file; COLUMN_TEXT: bytes as they are */
    bool is_index;    /* the same on every rank, written by rank 0, guarded by attribute xxh3 */
    const char *unit; /* NULL for none */
    hid_t handle;
} Dataset;

typedef struct Writer {
    const SegmentSpec *spec;
    const Table *rows;
    int64_t first, n_partitions;
    const int64_t *partition_rows;
    SegmentLayout layout;
    Buffer schema;
    Dataset *datasets;
    int n_datasets;
    hid_t file;
} Writer;

/* ---- what will be written ---- */

static Status take_schema(Writer *writer, const Table *rows, Error *error)
{
    Status status = STATUS_OK;
    SegmentLayout *layout = &writer->layout;
    vesper_assert(strlen(writer->spec->table) < SEGMENT_NAME_SIZE &&
                  strlen(writer->spec->kind) < SEGMENT_KIND_SIZE);
    strcpy(layout->table, writer->spec->table);
    strcpy(layout->kind, writer->spec->kind);
    layout->batch = writer->spec->batch;
    layout->partitions = writer->spec->partitions;
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
        buffer_printf(&writer->schema, "%s %s %s\n", column->name, segment_type_name(column->type),
                      segment_unit_name(column->unit));
    }
    TRY(segment_layout_plan(layout, error));
out:
    return status;
}

/* The schema is that of the first rank that has columns; ranks with rows must have the same. */
static Status agree_schema(Comm *comm, Writer *writer, Error *error)
{
    Status status;
    int64_t source = writer->rows->n_columns > 0 ? comm_rank(comm) : comm_size(comm);
    comm_min_i64(comm, &source, 1);
    if (source == comm_size(comm))
        FAIL(error, STATUS_BUG, "table %s has no columns", writer->spec->table);
    TRY_ALL(comm, take_schema(writer, writer->rows, error), error);
    Buffer own = writer->schema;
    writer->schema = (Buffer){0};
    if (comm_rank(comm) == (int)source)
        buffer_append_bytes(&writer->schema, buffer_view(&own));
    comm_broadcast_buffer(comm, (int)source, &writer->schema);
    bool is_equal =
        writer->rows->rows == 0 || bytes_equal(buffer_view(&own), buffer_view(&writer->schema));
    buffer_free(&own);
    TRY_ALL(comm,
            is_equal ? STATUS_OK
                     : error_set(error, STATUS_BUG, __FILE__, __LINE__,
                                 "table %s: ranks have different columns", writer->spec->table),
            error);
    TRY(segment_layout_share(comm, (int)source, &writer->layout, error));
out:
    return status;
}

static int64_t own_rows(const Writer *writer)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < writer->n_partitions; i++)
        rows += writer->partition_rows[i];
    return rows;
}

static Status check_runs(Comm *comm, const Writer *writer, Error *error)
{
    int64_t before = comm_prefix_i64(comm, writer->n_partitions);
    int64_t all = writer->n_partitions;
    comm_sum_i64(comm, &all, 1);
    bool is_right = all == writer->spec->partitions &&
                    (writer->n_partitions == 0 || before == writer->first) &&
                    own_rows(writer) == writer->rows->rows;
    return comm_agree(comm,
                      is_right ? STATUS_OK
                               : error_set(error, STATUS_BUG, __FILE__, __LINE__,
                                           "table %s: the ranks' partitions do not make up the "
                                           "whole, or not their rows",
                                           writer->spec->table),
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

/* The narrowest type for each column over all ranks' values. */
static void choose_stored_types(Comm *comm, Writer *writer)
{
    SegmentLayout *layout = &writer->layout;
    int64_t min[TABLE_COLUMNS_MAX], max[TABLE_COLUMNS_MAX];
    for (int i = 0; i < layout->n_columns; i++) {
        min[i] = INT64_MAX;
        max[i] = INT64_MIN;
        const Column *column = writer->rows->rows > 0 ? &writer->rows->columns[i] : NULL;
        if (column && narrow_applies(column->type))
            narrow_range(column->type, column->data, writer->rows->rows, &min[i], &max[i]);
        int64_t row = 0;
        for (int64_t p = 0; column && column->type == COLUMN_TEXT && p < writer->n_partitions;
             p++) {
            int64_t bytes = column_text_bytes(column, row + writer->partition_rows[p]) -
                            column_text_bytes(column, row);
            min[i] = 0;
            max[i] = bytes > max[i] ? bytes : max[i];
            row += writer->partition_rows[p];
        }
    }
    comm_min_i64(comm, min, layout->n_columns);
    comm_max_i64(comm, max, layout->n_columns);
    for (int i = 0; i < layout->n_columns; i++) {
        SegmentColumn *column = &layout->columns[i];
        if (column->type != COLUMN_F64)
            column->stored = narrow_type(min[i], max[i]);
    }
}

/* Space for one partition, or one piece, of values on their way to the file. */
typedef struct Scratch {
    int64_t *ends;
    int64_t *stored;
} Scratch;

static Status scratch_init(Scratch *scratch, int64_t n, Error *error)
{
    Status status;
    TRY(mem_resize(&scratch->ends, n, sizeof *scratch->ends, "a segment's values", error));
    TRY(mem_resize(&scratch->stored, n, sizeof *scratch->stored, "a segment's values", error));
out:
    return status;
}

static void scratch_free(Scratch *scratch)
{
    mem_free(&scratch->ends);
    mem_free(&scratch->stored);
}

static uint64_t stored_hash(ColumnType type, const void *values, ColumnType stored, int64_t n,
                            Scratch *scratch)
{
    if (type == stored)
        return hash64(values, n * (int64_t)column_width(type));
    narrow_convert(type, values, stored, scratch->stored, n);
    return hash64(scratch->stored, n * (int64_t)column_width(stored));
}

static void index_text(SegmentLayout *layout, int i, const Column *column, int64_t partition,
                       int64_t begin, int64_t n, Scratch *scratch)
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

/* Fill this rank's share of the index: row counts, byte counts, checksums. */
static Status fill_index(Writer *writer, Error *error)
{
    Status status = STATUS_OK;
    SegmentLayout *layout = &writer->layout;
    Scratch scratch = {0};
    int64_t largest = 0;
    for (int64_t p = 0; p < writer->n_partitions; p++) {
        layout->index[writer->first + p + 1] = writer->partition_rows[p];
        if (writer->partition_rows[p] > largest)
            largest = writer->partition_rows[p];
    }
    TRY(scratch_init(&scratch, largest, error));
    for (int i = 0; i < layout->n_columns; i++) {
        const Column *column = &writer->rows->columns[i];
        const SegmentColumn *spec = &layout->columns[i];
        int64_t begin = 0;
        for (int64_t p = 0; p < writer->n_partitions; p++) {
            int64_t n = writer->partition_rows[p];
            int64_t partition = writer->first + p;
            if (spec->type == COLUMN_TEXT) {
                index_text(layout, i, column, partition, begin, n, &scratch);
            } else {
                const char *values =
                    n > 0 ? (const char *)column->data + (size_t)begin * column_width(spec->type)
                          : NULL;
                layout->index[spec->checksum + partition] =
                    (int64_t)stored_hash(spec->type, values, spec->stored, n, &scratch);
            }
            begin += n;
        }
    }
out:
    scratch_free(&scratch);
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
    }
    layout->rows = layout->index[layout->partitions];
}

/* ---- its datasets, in the order of the file ---- */

static Dataset *add_dataset(Writer *writer, hid_t type, size_t width, const char *prefix,
                            const char *name, const char *suffix)
{
    vesper_assert(writer->n_datasets < N_DATASETS_MAX);
    Dataset *dataset = &writer->datasets[writer->n_datasets++];
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

static void add_index(Writer *writer, hid_t type, const char *prefix, const char *name,
                      const char *suffix, int64_t at, int64_t size)
{
    Dataset *dataset = add_dataset(writer, type, sizeof(int64_t), prefix, name, suffix);
    dataset->is_index = true;
    dataset->size = size;
    dataset->data = writer->layout.index + at;
}

static hid_t hdf5_type(ColumnType type)
{
    switch (type) {
    case COLUMN_I8:
        return H5T_STD_I8LE;
    case COLUMN_I16:
        return H5T_STD_I16LE;
    case COLUMN_I32:
        return H5T_STD_I32LE;
    case COLUMN_I64:
        return H5T_STD_I64LE;
    case COLUMN_F64:
        return H5T_IEEE_F64LE;
    case COLUMN_TEXT:
        break;
    }
    return H5T_STD_U8LE;
}

/* This rank's part of a column: elements [offset[first], offset[first + n_partitions]). */
static Dataset *add_column_part(Writer *writer, const char *suffix, const SegmentColumn *spec,
                                ColumnType from, ColumnType stored, const int64_t *offset,
                                const void *data)
{
    size_t width = stored == COLUMN_TEXT ? 1 : column_width(stored);
    Dataset *dataset = add_dataset(writer, hdf5_type(stored), width, "", spec->name, suffix);
    dataset->from = from;
    dataset->stored = stored;
    dataset->size = offset[writer->layout.partitions];
    dataset->at = offset[writer->first];
    dataset->count = offset[writer->first + writer->n_partitions] - dataset->at;
    dataset->data = data;
    dataset->unit = suffix[0] == '\0' ? segment_unit_name(spec->unit) : NULL;
    return dataset;
}

static void plan_datasets(Writer *writer)
{
    SegmentLayout *layout = &writer->layout;
    int64_t partitions = layout->partitions;
    const int64_t *offset = layout->index;
    writer->datasets = mem_new(N_DATASETS_MAX, sizeof *writer->datasets);
    add_index(writer, H5T_STD_I64LE, "", "partition_offset", "", 0, partitions + 1);
    for (int i = 0; i < layout->n_columns; i++) {
        const SegmentColumn *spec = &layout->columns[i];
        hid_t sum = H5T_STD_U64LE;
        add_index(writer, sum, "checksum/", spec->name, "", spec->checksum, partitions);
        if (spec->type == COLUMN_TEXT) {
            add_index(writer, sum, "checksum/", spec->name, ".end", spec->ends_checksum,
                      partitions);
            add_index(writer, H5T_STD_I64LE, "", spec->name, ".partition_offset", spec->byte_offset,
                      partitions + 1);
        }
    }
    bool has_rows = writer->rows->rows > 0;
    for (int i = 0; i < layout->n_columns; i++) {
        const SegmentColumn *spec = &layout->columns[i];
        const Column *column = has_rows ? &writer->rows->columns[i] : NULL;
        if (spec->type == COLUMN_TEXT) {
            add_column_part(writer, "", spec, COLUMN_TEXT, COLUMN_TEXT, offset + spec->byte_offset,
                            column ? column->bytes : NULL);
            add_column_part(writer, ".end", spec, COLUMN_I64, spec->stored, offset, NULL)->ends_of =
                column;
        } else {
            add_column_part(writer, "", spec, spec->type, spec->stored, offset,
                            column ? column->data : NULL);
        }
    }
}

static int64_t bytes_needed(const Writer *writer)
{
    int64_t bytes = METADATA_BYTES;
    for (int i = 0; i < writer->n_datasets; i++)
        bytes += writer->datasets[i].size * (int64_t)writer->datasets[i].width;
    return bytes;
}

/* ---- HDF5 ---- */

static bool write_attribute(hid_t object, const char *name, hid_t type, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool is_done = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
    hdf5_close(attribute);
    hdf5_close(space);
    return is_done;
}

static bool write_text_attribute(hid_t object, const char *name, Bytes text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    bool is_done = H5Tset_size(type, (size_t)(text.size > 0 ? text.size : 1)) >= 0 &&
                   H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0 &&
                   write_attribute(object, name, type, text.size > 0 ? text.data : "");
    hdf5_close(type);
    return is_done;
}

static hid_t open_parallel(Comm *comm, const char *path)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_obj_track_times(create, false) >= 0 &&
        H5Pset_link_phase_change(create, LINKS_COMPACT, LINKS_COMPACT) >= 0 &&
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
        H5Pset_fapl_mpio(access, comm_native(comm), MPI_INFO_NULL) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    hdf5_close(create);
    hdf5_close(access);
    return file;
}

static bool write_header(const Writer *writer)
{
    const SegmentLayout *layout = &writer->layout;
    const int32_t format = SEGMENT_FORMAT;
    const int32_t partitions = (int32_t)layout->partitions;
    hid_t file = writer->file;
    return write_attribute(file, "format", H5T_STD_I32LE, &format) &&
           write_text_attribute(file, "table", bytes_of(layout->table)) &&
           write_text_attribute(file, "kind", bytes_of(layout->kind)) &&
           write_attribute(file, "batch", H5T_STD_I64LE, &layout->batch) &&
           write_attribute(file, "partitions", H5T_STD_I32LE, &partitions) &&
           write_attribute(file, "rows", H5T_STD_I64LE, &layout->rows) &&
           write_text_attribute(file, "schema", buffer_view(&writer->schema));
}

static bool create_dataset(hid_t file, hid_t properties, Dataset *dataset)
{
    hsize_t size = (hsize_t)dataset->size;
    hid_t space = H5Screate_simple(1, &size, NULL);
    dataset->handle =
        H5Dcreate2(file, dataset->name, dataset->type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    hdf5_close(space);
    bool is_done = dataset->handle >= 0;
    if (is_done && dataset->unit)
        is_done = write_text_attribute(dataset->handle, "unit", bytes_of(dataset->unit));
    if (is_done && dataset->is_index) {
        uint64_t sum = hash64(dataset->data, dataset->size * (int64_t)dataset->width);
        is_done = write_attribute(dataset->handle, "xxh3", H5T_STD_U64LE, &sum);
    }
    return is_done;
}

/* All objects of the file. Every rank makes the same calls with the same values. */
static Status create_objects(Writer *writer, Error *error)
{
    hid_t group = H5Pcreate(H5P_GROUP_CREATE);
    hid_t dataset = H5Pcreate(H5P_DATASET_CREATE);
    hid_t checksums = H5I_INVALID_HID;
    bool is_done = H5Pset_obj_track_times(group, false) >= 0 &&
                   H5Pset_link_phase_change(group, LINKS_COMPACT, LINKS_COMPACT) >= 0 &&
                   H5Pset_obj_track_times(dataset, false) >= 0 &&
                   H5Pset_layout(dataset, H5D_CONTIGUOUS) >= 0 &&
                   H5Pset_alloc_time(dataset, H5D_ALLOC_TIME_EARLY) >= 0 &&
                   H5Pset_fill_time(dataset, H5D_FILL_TIME_NEVER) >= 0;
    if (is_done)
        checksums = H5Gcreate2(writer->file, "checksum", H5P_DEFAULT, group, H5P_DEFAULT);
    is_done = is_done && checksums >= 0 && write_header(writer);
    for (int i = 0; i < writer->n_datasets && is_done; i++)
        is_done = create_dataset(writer->file, dataset, &writer->datasets[i]);
    Status status = is_done ? STATUS_OK : hdf5_error(error, "create", writer->spec->path);
    hdf5_close(checksums);
    hdf5_close(group);
    hdf5_close(dataset);
    return status;
}

static bool write_piece(const Dataset *dataset, hid_t transfer, int64_t at, int64_t count,
                        const void *data)
{
    hsize_t start = (hsize_t)at, length = (hsize_t)count;
    hid_t memory = H5Screate_simple(1, &length, NULL);
    hid_t space = H5Dget_space(dataset->handle);
    bool is_done;
    if (count > 0)
        is_done = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &length, NULL) >= 0;
    else
        is_done = H5Sselect_none(space) >= 0 && H5Sselect_none(memory) >= 0;
    /* Even after a failure above: the others may be waiting in a collective write. */
    if (!is_done) {
        H5Sselect_none(space);
        H5Sselect_none(memory);
    }
    if (H5Dwrite(dataset->handle, dataset->type, memory, space, transfer, data) < 0)
        is_done = false;
    hdf5_close(memory);
    hdf5_close(space);
    return is_done;
}

/* The ends of `count` texts from position `at` of this rank's part, each counted from the start of
 * its partition's bytes. */
static void make_ends(const Writer *writer, const Column *column, int64_t at, int64_t count,
                      int64_t *ends)
{
    int64_t begin = 0;
    for (int64_t p = 0; p < writer->n_partitions && begin < at + count; p++) {
        int64_t end = begin + writer->partition_rows[p];
        int64_t from = begin > at ? begin : at;
        int64_t to = end < at + count ? end : at + count;
        if (from < to)
            relative_ends(column, begin, from, to - from, ends + (from - at));
        begin = end;
    }
}

/* Elements [at, at + count) of this rank's part as they go to the file. */
static const void *piece_data(const Writer *writer, const Dataset *dataset, int64_t at,
                              int64_t count, Scratch *scratch)
{
    const void *values = scratch->ends;
    if (dataset->ends_of)
        make_ends(writer, dataset->ends_of, at, count, scratch->ends);
    else if (dataset->from == COLUMN_TEXT)
        return (const char *)dataset->data + at;
    else
        values = (const char *)dataset->data + (size_t)at * column_width(dataset->from);
    if (dataset->from == dataset->stored)
        return values;
    narrow_convert(dataset->from, values, dataset->stored, scratch->stored, count);
    return scratch->stored;
}

/* Write this rank's part in `n_pieces` pieces (collective transfers: as many on every rank). */
static bool write_part(const Writer *writer, const Dataset *dataset, hid_t transfer,
                       int64_t n_pieces, int64_t piece, Scratch *scratch)
{
    bool is_done = true;
    static const char nothing[8];
    for (int64_t i = 0; i < n_pieces; i++) {
        int64_t at = i * piece < dataset->count ? i * piece : dataset->count;
        int64_t count = dataset->count - at < piece ? dataset->count - at : piece;
        const void *data =
            count > 0 ? piece_data(writer, dataset, at, count, scratch) : (const void *)nothing;
        if (!write_piece(dataset, transfer, dataset->at + at, count, data))
            is_done = false;
    }
    return is_done;
}

/* Elements of one write; VESPER_HDF5_PIECE makes it small for tests. */
static int64_t piece_elements(void)
{
    const char *text = getenv("VESPER_HDF5_PIECE");
    long long wanted = text ? strtoll(text, NULL, 10) : 0;
    return wanted > 0 && wanted < PIECE_ELEMENTS ? wanted : PIECE_ELEMENTS;
}

static int64_t pieces_of(const Dataset *dataset)
{
    int64_t piece = piece_elements();
    return (dataset->count + piece - 1) / piece;
}

/* The columns, each rank its own part. `n_pieces` [n_datasets]: of each dataset. */
static Status write_columns(Writer *writer, hid_t transfer, const int64_t *n_pieces,
                            Scratch *scratch, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < writer->n_datasets; i++) {
        const Dataset *dataset = &writer->datasets[i];
        if (dataset->is_index || dataset->size == 0)
            continue;
        bool is_done =
            write_part(writer, dataset, transfer, n_pieces[i], piece_elements(), scratch);
        if (!is_done && status == STATUS_OK)
            status = hdf5_error(error, "write", writer->spec->path);
    }
    return status;
}

/* The index, by one rank, independently. */
static Status write_index(Writer *writer, Error *error)
{
    for (int i = 0; i < writer->n_datasets; i++) {
        const Dataset *dataset = &writer->datasets[i];
        if (dataset->is_index && dataset->size > 0 &&
            H5Dwrite(dataset->handle, dataset->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, dataset->data) <
                0)
            return hdf5_error(error, "write", writer->spec->path);
    }
    return STATUS_OK;
}

static Status make_transfer(SegmentTransfer transfer, hid_t *properties, Error *error)
{
    *properties = H5Pcreate(H5P_DATASET_XFER);
    H5FD_mpio_xfer_t mode =
        transfer == SEGMENT_COLLECTIVE ? H5FD_MPIO_COLLECTIVE : H5FD_MPIO_INDEPENDENT;
    if (*properties < 0 || H5Pset_dxpl_mpio(*properties, mode) < 0)
        return hdf5_error(error, "set up the writing of", "a segment");
    return STATUS_OK;
}

static Status prepare_data(Writer *writer, hid_t *transfer, Scratch *scratch, Error *error)
{
    Status status;
    int64_t most = 0;
    TRY(fault_point("store.segment.write", error));
    TRY(make_transfer(writer->spec->transfer, transfer, error));
    for (int i = 0; i < writer->n_datasets; i++) {
        const Dataset *dataset = &writer->datasets[i];
        if (!dataset->is_index && dataset->count > most)
            most = dataset->count;
    }
    TRY(scratch_init(scratch, most < piece_elements() ? most : piece_elements(), error));
out:
    return status;
}

static Status write_data(Comm *comm, Writer *writer, Error *error)
{
    Status status;
    hid_t transfer = H5I_INVALID_HID;
    Scratch scratch = {0};
    int64_t n_pieces[N_DATASETS_MAX] = {0};
    TRY_ALL(comm, prepare_data(writer, &transfer, &scratch, error), error);
    for (int i = 0; i < writer->n_datasets; i++)
        n_pieces[i] = pieces_of(&writer->datasets[i]);
    if (writer->spec->transfer == SEGMENT_COLLECTIVE)
        comm_max_i64(comm, n_pieces, writer->n_datasets);
    TRY_ALL(comm, write_columns(writer, transfer, n_pieces, &scratch, error), error);
    TRY_ALL(comm, comm_rank(comm) == 0 ? write_index(writer, error) : STATUS_OK, error);
    TRY_ALL(comm,
            H5Fflush(writer->file, H5F_SCOPE_GLOBAL) >= 0
                ? STATUS_OK
                : hdf5_error(error, "flush", writer->spec->path),
            error);
out:
    hdf5_close(transfer);
    scratch_free(&scratch);
    return status;
}

/* The empty file, with our mode, by rank 0; and a look whether the disk has room at all. */
static Status create_file(const Writer *writer, Error *error)
{
    Status status;
    TRY(files_create(writer->spec->path, error));
    TRY(files_check_room(writer->spec->path, bytes_needed(writer), error));
out:
    return status;
}

/* Set the room aside before any rank writes, so that a full disk is one rank's plain error. HDF5
 * has given every dataset its place by now, so the file's size is known. */
static Status reserve_room(const Writer *writer, Error *error)
{
    hsize_t bytes = 0;
    if (H5Fget_filesize(writer->file, &bytes) < 0)
        return hdf5_error(error, "measure", writer->spec->path);
    return files_reserve(writer->spec->path, (int64_t)bytes, error);
}

/* Whether this rank sees the file that rank 0 made: HDF5 would hang if one does not. */
static Status see_file(const Writer *writer, Error *error)
{
    Status status;
    int fd = -1;
    TRY(fault_point("store.segment.create", error));
    TRY(files_open(writer->spec->path, true, &fd, error));
out:
    if (fd >= 0)
        close(fd);
    return status;
}

static Status write_file(Comm *comm, Writer *writer, Error *error)
{
    Status status;
    bool is_root = comm_rank(comm) == 0;
    const char *path = writer->spec->path;
    bool is_open = false;
    TRY_ALL(comm, is_root ? create_file(writer, error) : STATUS_OK, error);
    TRY_ALL(comm, see_file(writer, error), error);
    writer->file = open_parallel(comm, path);
    TRY_ALL(comm, writer->file >= 0 ? STATUS_OK : hdf5_error(error, "create", path), error);
    is_open = true;
    TRY_ALL(comm, create_objects(writer, error), error);
    TRY_ALL(comm, is_root ? reserve_room(writer, error) : STATUS_OK, error);
    TRY(write_data(comm, writer, error));
out:
    for (int i = 0; i < writer->n_datasets; i++)
        hdf5_close(writer->datasets[i].handle);
    /* Closing is collective: only if every rank has the file open. */
    if (is_open) {
        Status closed = H5Fclose(writer->file) >= 0 ? STATUS_OK : hdf5_error(error, "close", path);
        if (status == STATUS_OK)
            status = comm_agree(comm, closed, error);
    }
    return status;
}

/* ---- after writing ---- */

static bool is_same_layout(const SegmentLayout *a, const SegmentLayout *b)
{
    if (a->partitions != b->partitions || a->rows != b->rows || a->n_columns != b->n_columns ||
        a->batch != b->batch || strcmp(a->table, b->table) != 0 || strcmp(a->kind, b->kind) != 0 ||
        a->n_index != b->n_index)
        return false;
    for (int i = 0; i < a->n_columns; i++) {
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
            a->columns[i].type != b->columns[i].type ||
            a->columns[i].stored != b->columns[i].stored ||
            a->columns[i].unit != b->columns[i].unit)
            return false;
    }
    return memcmp(a->index, b->index, (size_t)a->n_index * sizeof *a->index) == 0;
}

static Status sync_and_check(const Writer *writer, SegmentLayout *layout, Error *error)
{
    Status status;
    const char *path = writer->spec->path;
    TRY(fault_point("store.segment.sync", error));
    TRY(files_sync(path, error));
    TRY(segment_layout_read(path, path, layout, error));
    if (!is_same_layout(&writer->layout, layout))
        FAIL(error, STATUS_IO, "%s is not what was written; check the disk and run again", path);
out:
    return status;
}

Status segment_write(Comm *comm, const SegmentSpec *spec, const Table *rows, int64_t first,
                     int64_t n_partitions, const int64_t *partition_rows, SegmentLayout *layout,
                     Error *error)
{
    Status status;
    Writer writer = {.spec = spec,
                     .rows = rows,
                     .first = n_partitions > 0 ? first : 0,
                     .n_partitions = n_partitions,
                     .partition_rows = partition_rows,
                     .file = H5I_INVALID_HID};
    vesper_assert(spec->partitions >= 0 && spec->partitions < INT32_MAX);
    hdf5_be_quiet();
    TRY(check_runs(comm, &writer, error));
    TRY(agree_schema(comm, &writer, error));
    choose_stored_types(comm, &writer);
    TRY_ALL(comm, fill_index(&writer, error), error);
    share_index(comm, &writer.layout);
    plan_datasets(&writer);
    TRY(write_file(comm, &writer, error));
    TRY_ALL(comm, comm_rank(comm) == 0 ? sync_and_check(&writer, layout, error) : STATUS_OK, error);
    TRY(segment_layout_share(comm, 0, layout, error));
out:
    mem_free(&writer.datasets);
    buffer_free(&writer.schema);
    segment_layout_free(&writer.layout);
    return status;
}

Status segment_transfer_choose(Comm *comm, SegmentTransfer *transfer, Error *error)
{
    Status status = STATUS_OK;
    const char *text = comm_rank(comm) == 0 ? getenv("VESPER_HDF5_TRANSFER") : NULL;
    int64_t choice = SEGMENT_INDEPENDENT;
    if (text && strcmp(text, "collective") == 0)
        choice = SEGMENT_COLLECTIVE;
    else if (text && strcmp(text, "independent") != 0)
        status =
            error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                      "VESPER_HDF5_TRANSFER is '%s'; it can be independent or collective", text);
    TRY_ALL(comm, status, error);
    comm_broadcast(comm, 0, &choice, sizeof choice);
    *transfer = (SegmentTransfer)choice;
out:
    return status;
}
