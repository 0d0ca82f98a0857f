/* Segments, reading the layout: one rank, HDF5's POSIX driver. Nothing in the file is believed
 * before it was checked against the file's size. */
#include "store/segment.h"

#include "base/hash.h"
#include "base/memory.h"
#include "store/files.h"
#include "store/hdf5_help.h"
#include "table/narrow.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_ATTRIBUTE_MAX = 4096 };

typedef struct Reader {
    const char *shown;
    int fd;
    hid_t file;
    SegmentLayout *layout;
} Reader;

static Status damaged(Error *error, const char *shown, const char *what)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "%s is damaged: %s; restore it from a backup", shown, what);
}

static Status damaged_part(Error *error, const char *shown, const char *what, const char *part)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "%s is damaged: %s of %s; restore it from a backup", shown, what, part);
}

/* ---- attributes ---- */

/* An attribute holding one value of a class and at most `size` bytes; negative if it is not. */
static hid_t open_attribute(hid_t object, const char *name, H5T_class_t class, size_t size_max,
                            size_t *size)
{
    if (H5Aexists(object, name) <= 0)
        return H5I_INVALID_HID;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    bool is_good = type >= 0 && space >= 0 && H5Tget_class(type) == class &&
                   H5Sget_simple_extent_npoints(space) == 1 && H5Tget_size(type) <= size_max &&
                   !(class == H5T_STRING && H5Tis_variable_str(type) != 0);
    if (is_good)
        *size = H5Tget_size(type);
    hdf5_close(type);
    hdf5_close(space);
    if (!is_good) {
        hdf5_close(attribute);
        return H5I_INVALID_HID;
    }
    return attribute;
}

static bool read_integer(hid_t object, const char *name, hid_t type, void *value)
{
    size_t size;
    hid_t attribute = open_attribute(object, name, H5T_INTEGER, sizeof(int64_t), &size);
    bool is_done = attribute >= 0 && H5Aread(attribute, type, value) >= 0;
    hdf5_close(attribute);
    return is_done;
}

static bool read_text(hid_t object, const char *name, Buffer *text)
{
    size_t size = 0;
    char data[TEXT_ATTRIBUTE_MAX + 1] = {0};
    hid_t attribute = open_attribute(object, name, H5T_STRING, TEXT_ATTRIBUTE_MAX, &size);
    hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    bool is_done = type >= 0 && H5Aread(attribute, type, data) >= 0;
    hdf5_close(type);
    hdf5_close(attribute);
    buffer_clear(text);
    if (is_done)
        buffer_append_string(text, data);
    return is_done;
}

static bool read_name(hid_t object, const char *name, char *to, size_t size)
{
    Buffer text = {0};
    bool is_done = read_text(object, name, &text) && text.size < (int64_t)size;
    if (is_done)
        memcpy(to, buffer_string(&text), (size_t)text.size + 1);
    buffer_free(&text);
    return is_done;
}

/* ---- schema ---- */

/* The text before `end`, cut off `rest`. */
static Bytes cut(Bytes *rest, char end)
{
    const char *found = rest->size > 0 ? memchr(rest->data, end, (size_t)rest->size) : NULL;
    Bytes part = {.data = rest->data, .size = found ? found - rest->data : rest->size};
    int64_t used = found ? part.size + 1 : part.size;
    rest->data += used;
    rest->size -= used;
    return part;
}

static bool parse_schema(SegmentLayout *layout, Bytes schema)
{
    while (schema.size > 0) {
        Bytes line = cut(&schema, '\n');
        if (layout->n_columns == TABLE_COLUMNS_MAX)
            return false;
        SegmentColumn *column = &layout->columns[layout->n_columns];
        Bytes name = cut(&line, ' ');
        Bytes type = cut(&line, ' ');
        if (!segment_column_name_is_valid(name) || !segment_type_parse(type, &column->type) ||
            !segment_unit_parse(line, &column->unit))
            return false;
        memcpy(column->name, name.data, (size_t)name.size);
        column->name[name.size] = '\0';
        if (segment_layout_find(layout, column->name) >= 0)
            return false;
        layout->n_columns++;
    }
    return layout->n_columns > 0;
}

static Status read_header(Reader *reader, Error *error)
{
    Status status = STATUS_OK;
    SegmentLayout *layout = reader->layout;
    Buffer schema = {0};
    int64_t format = 0;
    if (!read_integer(reader->file, "format", H5T_NATIVE_INT64, &format) || format < 1) {
        status = damaged(error, reader->shown, "it has no attribute format, so is no segment");
        goto out;
    }
    if (format > SEGMENT_FORMAT)
        FAIL(error, STATUS_IO,
             "%s was written by a newer Vesper (format %" PRId64 ", this one reads %d): upgrade "
             "Vesper",
             reader->shown, format, SEGMENT_FORMAT);
    layout->format = format;
    bool is_good =
        read_name(reader->file, "table", layout->table, sizeof layout->table) &&
        read_name(reader->file, "kind", layout->kind, sizeof layout->kind) &&
        read_integer(reader->file, "batch", H5T_NATIVE_INT64, &layout->batch) &&
        read_integer(reader->file, "partitions", H5T_NATIVE_INT64, &layout->partitions) &&
        read_integer(reader->file, "rows", H5T_NATIVE_INT64, &layout->rows) &&
        read_text(reader->file, "schema", &schema);
    /* Each partition takes eight bytes of index, each row at least one: so far, no overflow. */
    is_good = is_good && layout->partitions >= 0 && layout->partitions < INT32_MAX &&
              layout->partitions <= layout->file_bytes / (int64_t)sizeof(int64_t) &&
              layout->rows >= 0 && layout->rows <= layout->file_bytes && layout->batch >= 0;
    if (!is_good)
        status = damaged(error, reader->shown, "its attributes make no sense");
    else if (!parse_schema(layout, buffer_view(&schema)))
        status = damaged(error, reader->shown, "its attribute schema makes no sense");
out:
    buffer_free(&schema);
    return status;
}

/* ---- datasets ---- */

static bool has_type(hid_t dataset, hid_t expected)
{
    hid_t type = H5Dget_type(dataset);
    bool is_equal = type >= 0 && H5Tequal(type, expected) > 0;
    hdf5_close(type);
    return is_equal;
}

static bool has_size(hid_t dataset, int64_t size)
{
    hsize_t found = 0;
    hid_t space = H5Dget_space(dataset);
    bool is_equal = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                    H5Sget_simple_extent_dims(space, &found, NULL) == 1 && found == (hsize_t)size;
    hdf5_close(space);
    return is_equal;
}

/* One run of bytes in this very file. */
static bool is_plain(hid_t dataset)
{
    hid_t properties = H5Dget_create_plist(dataset);
    bool is_good = properties >= 0 && H5Pget_layout(properties) == H5D_CONTIGUOUS &&
                   H5Pget_external_count(properties) == 0 && H5Pget_nfilters(properties) == 0;
    hdf5_close(properties);
    return is_good;
}

static Status open_dataset(const Reader *reader, const char *name, hid_t *handle, Error *error)
{
    *handle = H5I_INVALID_HID;
    if (H5Lexists(reader->file, name, H5P_DEFAULT) <= 0)
        return damaged_part(error, reader->shown, "there is nothing", name);
    *handle = H5Dopen2(reader->file, name, H5P_DEFAULT);
    return *handle >= 0 ? STATUS_OK : hdf5_error(error, "read", reader->shown);
}

/* Where the `size` elements of a dataset lie; *at 0 if there are none. */
static Status locate_dataset(const Reader *reader, const char *name, hid_t handle, hid_t type,
                             int64_t size, int64_t *at, Error *error)
{
    *at = 0;
    if (!has_type(handle, type) || !has_size(handle, size) || !is_plain(handle))
        return damaged_part(error, reader->shown, "wrong type, size or layout", name);
    if (size == 0)
        return STATUS_OK;
    haddr_t address = H5Dget_offset(handle);
    int64_t width = (int64_t)H5Tget_size(type);
    int64_t file_bytes = reader->layout->file_bytes;
    if (address == HADDR_UNDEF || address > (haddr_t)file_bytes ||
        size > (file_bytes - (int64_t)address) / width)
        return damaged_part(error, reader->shown, "the data lies beyond the end of the file", name);
    *at = (int64_t)address;
    return STATUS_OK;
}

/* The type of whole numbers that is as wide as those of a dataset, if it is narrower than `type`.
 */
static ColumnType stored_type(hid_t handle, ColumnType type)
{
    hid_t found = H5Dget_type(handle);
    size_t width = found >= 0 ? H5Tget_size(found) : 0;
    hdf5_close(found);
    for (ColumnType narrow = COLUMN_I8; narrow_applies(type) && narrow < type; narrow++)
        if (column_width(narrow) == width)
            return narrow;
    return type;
}

/* Least and greatest value of a column of whole numbers. */
static Status read_range(const Reader *reader, hid_t handle, SegmentColumn *column, Error *error)
{
    column->min = INT64_MAX;
    column->max = INT64_MIN;
    if (!narrow_applies(column->type) || reader->layout->rows == 0)
        return STATUS_OK;
    bool is_good = read_integer(handle, "min", H5T_NATIVE_INT64, &column->min) &&
                   read_integer(handle, "max", H5T_NATIVE_INT64, &column->max) &&
                   column->min <= column->max;
    return is_good ? STATUS_OK
                   : damaged_part(error, reader->shown, "no attributes min and max", column->name);
}

/* Place of a column's dataset, and the type it is stored as: at most as wide as `type`. Its range
 * goes to `ranged`, if that is not NULL. */
static Status find_column(const Reader *reader, const char *name, ColumnType type, int64_t size,
                          int64_t *at, ColumnType *stored, SegmentColumn *ranged, Error *error)
{
    Status status;
    hid_t handle;
    TRY(open_dataset(reader, name, &handle, error));
    *stored = stored_type(handle, type);
    TRY(locate_dataset(reader, name, handle, hdf5_type_of(*stored), size, at, error));
    if (ranged)
        TRY(read_range(reader, handle, ranged, error));
out:
    hdf5_close(handle);
    return status;
}

/* Read a part of the index and check it against its own checksum. */
static Status read_index(const Reader *reader, const char *prefix, const char *name,
                         const char *suffix, hid_t type, int64_t size, int64_t place, Error *error)
{
    Status status;
    hid_t handle = H5I_INVALID_HID;
    Buffer full = {0};
    int64_t at;
    uint64_t sum = 0;
    int64_t *to = reader->layout->index + place;
    int64_t bytes = size * (int64_t)sizeof *to;
    buffer_printf(&full, "%s%s%s", prefix, name, suffix);
    const char *shown = buffer_string(&full);
    TRY(open_dataset(reader, shown, &handle, error));
    TRY(locate_dataset(reader, shown, handle, type, size, &at, error));
    TRY(files_read_at(reader->fd, reader->shown, to, bytes, at, error));
    if (!read_integer(handle, "xxh3", H5T_NATIVE_UINT64, &sum) || sum != hash64(to, bytes))
        status = damaged_part(error, reader->shown, "wrong checksum", shown);
out:
    hdf5_close(handle);
    buffer_free(&full);
    return status;
}

/* Offsets [partitions + 1] from 0, never falling; *total is the last. */
static bool offsets_are_good(const int64_t *offset, int64_t partitions, int64_t *total)
{
    bool is_good = offset[0] == 0;
    for (int64_t i = 0; i < partitions && is_good; i++)
        is_good = offset[i] <= offset[i + 1];
    *total = offset[partitions];
    return is_good;
}

static Status read_offsets(const Reader *reader, const char *name, const char *suffix,
                           int64_t place, int64_t *total, Error *error)
{
    Status status;
    int64_t partitions = reader->layout->partitions;
    TRY(read_index(reader, "", name, suffix, H5T_STD_I64LE, partitions + 1, place, error));
    if (!offsets_are_good(reader->layout->index + place, partitions, total))
        status = damaged_part(error, reader->shown, "falling offsets", name);
out:
    return status;
}

/* What only a coded text has. */
static Status read_codes(const Reader *reader, SegmentColumn *column, int64_t *n_texts,
                         Error *error)
{
    Status status;
    const SegmentLayout *layout = reader->layout;
    Buffer codes = {0};
    buffer_printf(&codes, "%s.code", column->name);
    TRY(find_column(reader, buffer_string(&codes), COLUMN_I32, layout->rows, &column->codes_at,
                    &column->codes_stored, NULL, error));
    TRY(read_index(reader, "checksum/", column->name, ".code", H5T_STD_U64LE, layout->partitions,
                   column->codes_checksum, error));
    TRY(read_offsets(reader, column->name, ".text_offset", column->text_offset, n_texts, error));
out:
    buffer_free(&codes);
    return status;
}

static Status read_ends(const Reader *reader, SegmentColumn *column, int64_t n_texts, Error *error)
{
    Buffer ends = {0};
    buffer_printf(&ends, "%s.end", column->name);
    Status status = find_column(reader, buffer_string(&ends), COLUMN_I64, n_texts, &column->ends_at,
                                &column->stored, NULL, error);
    buffer_free(&ends);
    return status;
}

static Status read_column(const Reader *reader, SegmentColumn *column, Error *error)
{
    Status status;
    const SegmentLayout *layout = reader->layout;
    int64_t size = layout->rows, n_texts = layout->rows;
    TRY(read_index(reader, "checksum/", column->name, "", H5T_STD_U64LE, layout->partitions,
                   column->checksum, error));
    if (column->type == COLUMN_TEXT) {
        if (column->is_coded)
            TRY(read_codes(reader, column, &n_texts, error));
        TRY(read_ends(reader, column, n_texts, error));
        TRY(read_index(reader, "checksum/", column->name, ".end", H5T_STD_U64LE, layout->partitions,
                       column->ends_checksum, error));
        TRY(read_offsets(reader, column->name, ".partition_offset", column->byte_offset, &size,
                         error));
    }
    ColumnType stored = COLUMN_TEXT;
    if (column->is_constant)
        size = 1;
    TRY(find_column(reader, column->name, column->type, size, &column->data_at, &stored, column,
                    error));
    if (column->type != COLUMN_TEXT)
        column->stored = stored;
out:
    return status;
}

/* How each column is stored, where there is a choice. */
static void find_forms(const Reader *reader)
{
    SegmentLayout *layout = reader->layout;
    bool has_forms = layout->format > 1 && strcmp(layout->kind, SEGMENT_RESULT) == 0;
    for (int i = 0; i < layout->n_columns && has_forms; i++) {
        SegmentColumn *column = &layout->columns[i];
        Buffer codes = {0};
        buffer_printf(&codes, "%s.code", column->name);
        if (column->type == COLUMN_TEXT)
            column->is_coded = H5Lexists(reader->file, buffer_string(&codes), H5P_DEFAULT) > 0;
        buffer_free(&codes);
        if (column->type != COLUMN_F64 || layout->rows < 2 ||
            H5Lexists(reader->file, column->name, H5P_DEFAULT) <= 0)
            continue;
        hid_t handle = H5Dopen2(reader->file, column->name, H5P_DEFAULT);
        column->is_constant = handle >= 0 && has_size(handle, 1);
        hdf5_close(handle);
    }
}

static Status read_layout(Reader *reader, Error *error)
{
    Status status;
    SegmentLayout *layout = reader->layout;
    int64_t rows;
    TRY(read_header(reader, error));
    find_forms(reader);
    TRY(segment_layout_plan(layout, error));
    TRY(read_offsets(reader, "partition_offset", "", 0, &rows, error));
    if (rows != layout->rows) {
        status = damaged(error, reader->shown, "its partitions do not add up to its rows");
        goto out;
    }
    for (int i = 0; i < layout->n_columns; i++)
        TRY(read_column(reader, &layout->columns[i], error));
out:
    return status;
}

static hid_t open_serial(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    /* Segments never change: no lock is wanted, and some file systems have none to give. */
    if (H5Pset_fapl_sec2(access) >= 0 && H5Pset_file_locking(access, false, true) >= 0)
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    hdf5_close(access);
    return file;
}

Status segment_layout_read(const char *path, const char *shown, SegmentLayout *layout, Error *error)
{
    Status status;
    struct stat about;
    Reader reader = {.shown = shown, .fd = -1, .file = H5I_INVALID_HID, .layout = layout};
    segment_layout_free(layout);
    hdf5_be_quiet();
    TRY(files_open(path, false, &reader.fd, error));
    if (fstat(reader.fd, &about) != 0) {
        status = files_error(error, "read", path);
        goto out;
    }
    layout->file_bytes = about.st_size;
    reader.file = open_serial(path);
    if (reader.file < 0) {
        status = hdf5_error(error, "read", shown);
        goto out;
    }
    TRY(read_layout(&reader, error));
out:
    hdf5_close(reader.file);
    if (reader.fd >= 0)
        close(reader.fd);
    if (status != STATUS_OK)
        segment_layout_free(layout);
    return status;
}
