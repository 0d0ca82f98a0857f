/* Segments, writing: one rank makes the file and all that is not rows; then all ranks write their
 * rows together, through parallel HDF5. What one rank has alone, as any table of a few rows, it
 * writes alone: opening a file by MPI-IO costs more than such a table.
 *
 * HDF5 hangs when one rank fails, or passes something else, in a call that the others make too, and
 * crashes when the program ends over what is left of a file that it could not write. So everything
 * that can be checked or can run out (schema, partitions, disk space) is looked at before
 * (segment_plan.c); what HDF5 itself writes it writes to memory, from where it goes to the disk by
 * plain writes; and every group of calls is followed by an agreement. The bytes of the file do not
 * depend on the number of ranks: no times, no chunks, space given out at creation in a fixed order.
 */
#include "store/segment_plan.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "comm/native.h"
#include "store/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IMAGE_BLOCK = 1 << 16,
    LINKS_COMPACT = 1024,    /* names of a group stay in its header up to so many */
    PIECE_ELEMENTS = 1 << 20 /* one HDF5 write: what a scratch array holds, far below an int */
};

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

static hid_t create_file(const char *path, Error *error)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_obj_track_times(create, false) >= 0 &&
        H5Pset_link_phase_change(create, LINKS_COMPACT, LINKS_COMPACT) >= 0 &&
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
        H5Pset_file_locking(access, false, true) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    if (file < 0)
        (void)hdf5_error(error, "create", path);
    hdf5_close(create);
    hdf5_close(access);
    return file;
}

/* On all ranks together, of which one reads what HDF5 wants to know. */
static hid_t open_file(Comm *comm, const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
        H5Pset_fapl_mpio(access, comm_native(comm), MPI_INFO_NULL) >= 0 &&
        H5Pset_all_coll_metadata_ops(access, true) >= 0)
        file = H5Fopen(path, H5F_ACC_RDWR, access);
    hdf5_close(access);
    return file;
}

static bool write_header(const SegmentPlan *plan)
{
    const SegmentLayout *layout = &plan->layout;
    const int32_t format = (int32_t)layout->format;
    const int32_t partitions = (int32_t)layout->partitions;
    hid_t file = plan->file;
    return write_attribute(file, "format", H5T_STD_I32LE, &format) &&
           write_text_attribute(file, "table", bytes_of(layout->table)) &&
           write_text_attribute(file, "kind", bytes_of(layout->kind)) &&
           write_attribute(file, "batch", H5T_STD_I64LE, &layout->batch) &&
           write_attribute(file, "partitions", H5T_STD_I32LE, &partitions) &&
           write_attribute(file, "rows", H5T_STD_I64LE, &layout->rows) &&
           write_text_attribute(file, "schema", buffer_view(&plan->schema));
}

static bool create_dataset(hid_t file, hid_t properties, SegmentDataset *dataset)
{
    hsize_t size = (hsize_t)dataset->size;
    hid_t space = H5Screate_simple(1, &size, NULL);
    dataset->handle =
        H5Dcreate2(file, dataset->name, dataset->type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    hdf5_close(space);
    bool is_done = dataset->handle >= 0;
    if (is_done && dataset->unit)
        is_done = write_text_attribute(dataset->handle, "unit", bytes_of(dataset->unit));
    if (is_done && dataset->range_of)
        is_done = write_attribute(dataset->handle, "min", H5T_STD_I64LE, &dataset->range_of->min) &&
                  write_attribute(dataset->handle, "max", H5T_STD_I64LE, &dataset->range_of->max);
    if (is_done && dataset->is_index) {
        uint64_t sum = hash64(dataset->data, dataset->size * (int64_t)dataset->width);
        is_done = write_attribute(dataset->handle, "xxh3", H5T_STD_U64LE, &sum);
    }
    return is_done;
}

/* All objects of the file. Local, on the rank that leads. */
static Status create_objects(SegmentPlan *plan, Error *error)
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
        checksums = H5Gcreate2(plan->file, "checksum", H5P_DEFAULT, group, H5P_DEFAULT);
    is_done = is_done && checksums >= 0 && write_header(plan);
    for (int i = 0; i < plan->n_datasets && is_done; i++)
        is_done = create_dataset(plan->file, dataset, &plan->datasets[i]);
    Status status = is_done ? STATUS_OK : hdf5_error(error, "create", plan->spec->path);
    hdf5_close(checksums);
    hdf5_close(group);
    hdf5_close(dataset);
    return status;
}

/* ---- the file without its rows, on the rank that leads ---- */

static Status write_index(SegmentPlan *plan, Error *error)
{
    for (int i = 0; i < plan->n_datasets; i++) {
        const SegmentDataset *dataset = &plan->datasets[i];
        if (dataset->is_index && dataset->size > 0 &&
            H5Dwrite(dataset->handle, dataset->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, dataset->data) <
                0)
            return hdf5_error(error, "write", plan->spec->path);
    }
    return STATUS_OK;
}

/* Where the rows will lie. */
static Status find_places(SegmentPlan *plan, Error *error)
{
    for (int i = 0; i < plan->n_datasets; i++) {
        SegmentDataset *dataset = &plan->datasets[i];
        haddr_t at = dataset->size > 0 ? H5Dget_offset(dataset->handle) : 0;
        if (at == HADDR_UNDEF)
            return hdf5_error(error, "lay out", plan->spec->path);
        dataset->offset = (int64_t)at;
    }
    return STATUS_OK;
}

static Status close_file(SegmentPlan *plan, Status status, Error *error)
{
    for (int i = 0; i < plan->n_datasets; i++) {
        hdf5_close(plan->datasets[i].handle);
        plan->datasets[i].handle = H5I_INVALID_HID;
    }
    bool is_closed = plan->file < 0 || H5Fclose(plan->file) >= 0;
    plan->file = H5I_INVALID_HID;
    if (status == STATUS_OK && !is_closed)
        status = hdf5_error(error, "close", plan->spec->path);
    return status;
}

/* In memory, with holes where the rows will be. */
static Status make_image(SegmentPlan *plan, int *image, Error *error)
{
    Status status = STATUS_OK;
    const char *path = plan->spec->path;
    plan->file = create_file(path, error);
    if (plan->file < 0)
        return error->status;
    *image = hdf5_divert(path);
    if (*image < 0) {
        status = files_error(error, "lay out", path);
        goto out;
    }
    TRY(create_objects(plan, error));
    TRY(write_index(plan, error));
    TRY(find_places(plan, error));
out:
    return close_file(plan, status, error);
}

static Status copy_part(int image, int fd, const char *path, int64_t at, int64_t end, char *block,
                        Error *error)
{
    Status status = STATUS_OK;
    while (at < end) {
        int64_t size = end - at < IMAGE_BLOCK ? end - at : IMAGE_BLOCK;
        TRY(files_read_at(image, path, block, size, at, error));
        TRY(files_write_at(fd, path, block, size, at, error));
        at += size;
    }
out:
    return status;
}

/* All of the image but its holes. */
static Status copy_image(int image, int fd, const char *path, Error *error)
{
    Status status = STATUS_OK;
    char *block = mem_new(IMAGE_BLOCK, 1);
    off_t end = 0, size = lseek(image, 0, SEEK_END);
    for (off_t at; (at = lseek(image, end, SEEK_DATA)) >= 0;) {
        end = lseek(image, at, SEEK_HOLE);
        TRY(copy_part(image, fd, path, at, end, block, error));
    }
    if (errno != ENXIO) /* there is no more data */
        TRY(files_error(error, "lay out", path));
    if (ftruncate(fd, size) != 0)
        status = files_error(error, "write", path);
out:
    mem_free(&block);
    return status;
}

/* With our mode, and its room set aside: a full disk is a plain error before the rows come. */
static Status lay_out(SegmentPlan *plan, Error *error)
{
    Status status;
    const char *path = plan->spec->path;
    int image = -1, fd = -1;
    TRY(files_create(path, error));
    TRY(files_check_room(path, segment_plan_bytes(plan), error));
    TRY(make_image(plan, &image, error));
    TRY(files_reserve(path, segment_plan_bytes(plan), error));
    TRY(files_open(path, true, &fd, error));
    TRY(copy_image(image, fd, path, error));
out:
    if (image >= 0)
        close(image);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- rows ---- */

static Status write_piece(const SegmentPlan *plan, const SegmentDataset *dataset, hid_t transfer,
                          int64_t at, int64_t count, const void *data, Error *error)
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
    Status status = is_done ? STATUS_OK : hdf5_error(error, "write", plan->spec->path);
    hdf5_close(memory);
    hdf5_close(space);
    return status;
}

/* Write this rank's part in `n_pieces` pieces (collective transfers: as many on every rank). */
static Status write_part(const SegmentPlan *plan, const SegmentDataset *dataset, hid_t transfer,
                         int64_t n_pieces, int64_t piece, SegmentScratch *scratch, Error *error)
{
    Status status = STATUS_OK;
    Error later; /* the first failure is told */
    static const char nothing[8];
    for (int64_t i = 0; i < n_pieces; i++) {
        int64_t at = i * piece < dataset->count ? i * piece : dataset->count;
        int64_t count = dataset->count - at < piece ? dataset->count - at : piece;
        const void *data = count > 0 ? segment_plan_piece(plan, dataset, at, count, scratch)
                                     : (const void *)nothing;
        Status written = write_piece(plan, dataset, transfer, dataset->at + at, count, data,
                                     status == STATUS_OK ? error : &later);
        status = status == STATUS_OK ? written : status;
    }
    return status;
}

/* Elements of one write; VESPER_HDF5_PIECE makes it small for tests. */
static int64_t piece_elements(void)
{
    const char *text = getenv("VESPER_HDF5_PIECE");
    long long wanted = text ? strtoll(text, NULL, 10) : 0;
    return wanted > 0 && wanted < PIECE_ELEMENTS ? wanted : PIECE_ELEMENTS;
}

static int64_t pieces_of(const SegmentDataset *dataset)
{
    int64_t piece = piece_elements();
    return (dataset->count + piece - 1) / piece;
}

/* The columns, each rank its own part. `n_pieces` [n_datasets]: of each dataset. */
static Status write_columns(SegmentPlan *plan, hid_t transfer, const int64_t *n_pieces,
                            SegmentScratch *scratch, Error *error)
{
    Status status = STATUS_OK;
    Error later;
    for (int i = 0; i < plan->n_datasets; i++) {
        const SegmentDataset *dataset = &plan->datasets[i];
        if (dataset->is_index || dataset->size == 0)
            continue;
        Status written = write_part(plan, dataset, transfer, n_pieces[i], piece_elements(), scratch,
                                    status == STATUS_OK ? error : &later);
        status = status == STATUS_OK ? written : status;
    }
    return status;
}

static Status make_transfer(const SegmentPlan *plan, hid_t *properties, Error *error)
{
    *properties = H5Pcreate(H5P_DATASET_XFER);
    bool is_together = !plan->is_alone && plan->spec->transfer == SEGMENT_COLLECTIVE;
    H5FD_mpio_xfer_t mode = is_together ? H5FD_MPIO_COLLECTIVE : H5FD_MPIO_INDEPENDENT;
    if (*properties < 0 || H5Pset_dxpl_mpio(*properties, mode) < 0)
        return hdf5_error(error, "set up the writing of", "a segment");
    return STATUS_OK;
}

static Status prepare_data(SegmentPlan *plan, hid_t *transfer, SegmentScratch *scratch,
                           Error *error)
{
    Status status;
    int64_t most = 0;
    TRY(fault_point("store.segment.write", error));
    TRY(make_transfer(plan, transfer, error));
    for (int i = 0; i < plan->n_datasets; i++) {
        const SegmentDataset *dataset = &plan->datasets[i];
        if (!dataset->is_index && dataset->count > most)
            most = dataset->count;
    }
    TRY(segment_scratch_init(scratch, most < piece_elements() ? most : piece_elements(), error));
out:
    return status;
}

/* Whether this rank sees the file that another one made: HDF5 would hang if one does not. */
static Status see_file(const SegmentPlan *plan, Error *error)
{
    Status status;
    int fd = -1;
    TRY(fault_point("store.segment.create", error));
    TRY(files_open(plan->spec->path, true, &fd, error));
out:
    if (fd >= 0)
        close(fd);
    return status;
}

static Status open_datasets(SegmentPlan *plan, Error *error)
{
    for (int i = 0; i < plan->n_datasets; i++) {
        SegmentDataset *dataset = &plan->datasets[i];
        if (dataset->is_index)
            continue;
        dataset->handle = H5Dopen2(plan->file, dataset->name, H5P_DEFAULT);
        if (dataset->handle < 0)
            return hdf5_error(error, "open", plan->spec->path);
    }
    return STATUS_OK;
}

/* On all ranks. */
static Status open_together(Comm *comm, SegmentPlan *plan, Error *error)
{
    Status status;
    hid_t file = open_file(comm, plan->spec->path);
    bool is_missing = file < 0;
    TRY_ALL(comm, is_missing ? hdf5_error(error, "open", plan->spec->path) : STATUS_OK, error);
    plan->file = file; /* closing is collective: only if every rank has the file open */
    TRY_ALL(comm, open_datasets(plan, error), error);
out:
    return status;
}

/* The rows that one rank has alone. */
static Status write_alone(const SegmentPlan *plan, SegmentScratch *scratch, Error *error)
{
    Status status;
    const char *path = plan->spec->path;
    int64_t piece = piece_elements();
    int fd = -1;
    TRY(files_open(path, true, &fd, error));
    for (int i = 0; i < plan->n_datasets; i++) {
        const SegmentDataset *dataset = &plan->datasets[i];
        int64_t width = (int64_t)dataset->width;
        for (int64_t at = 0; at < dataset->count && !dataset->is_index; at += piece) {
            int64_t count = dataset->count - at < piece ? dataset->count - at : piece;
            const void *data = segment_plan_piece(plan, dataset, at, count, scratch);
            TRY(files_write_at(fd, path, data, count * width,
                               dataset->offset + (dataset->at + at) * width, error));
        }
    }
out:
    if (fd >= 0)
        close(fd);
    return status;
}

/* The rows of all ranks. After a failure HDF5 gets memory to write to when the file is closed. */
static Status write_together(Comm *comm, SegmentPlan *plan, hid_t transfer, SegmentScratch *scratch,
                             Error *error)
{
    Status status;
    int64_t n_pieces[N_DATASETS_MAX] = {0};
    TRY(open_together(comm, plan, error));
    for (int i = 0; i < plan->n_datasets; i++)
        n_pieces[i] = pieces_of(&plan->datasets[i]);
    if (plan->spec->transfer == SEGMENT_COLLECTIVE)
        comm_max_i64(comm, n_pieces, plan->n_datasets);
    TRY_ALL(comm, write_columns(plan, transfer, n_pieces, scratch, error), error);
out:
    if (plan->file >= 0) { /* on all ranks, then */
        Error unused;
        int nowhere = status == STATUS_OK ? -1 : hdf5_divert(plan->spec->path);
        Status closed = close_file(plan, STATUS_OK, status == STATUS_OK ? error : &unused);
        if (nowhere >= 0)
            close(nowhere);
        if (status == STATUS_OK)
            status = comm_agree(comm, closed, error);
    }
    return status;
}

static Status write_file(Comm *comm, SegmentPlan *plan, Error *error)
{
    Status status;
    hid_t transfer = H5I_INVALID_HID;
    SegmentScratch scratch = {0};
    TRY_ALL(comm, plan->leads ? lay_out(plan, error) : STATUS_OK, error);
    TRY_ALL(comm, see_file(plan, error), error);
    TRY_ALL(comm, prepare_data(plan, &transfer, &scratch, error), error);
    if (plan->is_alone)
        TRY_ALL(comm, plan->leads ? write_alone(plan, &scratch, error) : STATUS_OK, error);
    else
        TRY(write_together(comm, plan, transfer, &scratch, error));
    TRY_ALL(comm, plan->leads ? files_release(plan->spec->path, error) : STATUS_OK, error);
out:
    hdf5_close(transfer);
    segment_scratch_free(&scratch);
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
            a->columns[i].is_coded != b->columns[i].is_coded ||
            a->columns[i].codes_stored != b->columns[i].codes_stored ||
            a->columns[i].is_constant != b->columns[i].is_constant ||
            a->columns[i].min != b->columns[i].min || a->columns[i].max != b->columns[i].max ||
            a->columns[i].unit != b->columns[i].unit)
            return false;
    }
    return memcmp(a->index, b->index, (size_t)a->n_index * sizeof *a->index) == 0;
}

static Status read_back(const SegmentPlan *plan, SegmentLayout *layout, Error *error)
{
    Status status;
    const char *path = plan->spec->path;
    TRY(segment_layout_read(path, path, layout, error));
    if (!is_same_layout(&plan->layout, layout))
        FAIL(error, STATUS_IO, "%s is not what was written; check the disk and run again", path);
out:
    return status;
}

Status segment_write(Comm *comm, const SegmentSpec *spec, const Table *rows, int64_t first,
                     int64_t n_partitions, const int64_t *partition_rows, SegmentLayout *layout,
                     Error *error)
{
    Status status;
    SegmentPlan plan = {.spec = spec,
                        .rows = rows,
                        .first = n_partitions > 0 ? first : 0,
                        .n_partitions = n_partitions,
                        .partition_rows = partition_rows,
                        .file = H5I_INVALID_HID};
    vesper_assert(spec->partitions >= 0 && spec->partitions < INT32_MAX);
    hdf5_be_quiet();
    TRY(segment_plan_make(comm, &plan, error));
    TRY(write_file(comm, &plan, error));
    TRY_ALL(comm, comm_rank(comm) == 0 ? read_back(&plan, layout, error) : STATUS_OK, error);
    TRY(segment_layout_share(comm, 0, layout, error));
out:
    segment_plan_free(&plan);
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
