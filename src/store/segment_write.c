/* Segments, writing: all ranks together, through parallel HDF5. What one rank has alone, as any
 * table of a few rows, it writes alone: opening a file by MPI-IO costs more than such a table.
 *
 * HDF5 hangs when one rank fails, or passes something else, in a call that the others make too. So
 * everything that can be checked or can run out (schema, partitions, disk space) is looked at
 * before (segment_plan.c), and every group of calls is followed by an agreement. The bytes of the
 * file do not depend on the number of ranks: no times, no chunks, space given out at creation in a
 * fixed order. */
#include "store/segment_plan.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "comm/native.h"
#include "store/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EMPTY_BYTES = 4096,      /* more than a file without objects has */
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

/* The bytes of a file without objects, made in memory. */
static bool make_empty_file(Buffer *bytes)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    hsize_t size = 0;
    void *memory = NULL; /* of HDF5's driver, which gives the address of its pointer */
    if (H5Pset_obj_track_times(create, false) >= 0 &&
        H5Pset_link_phase_change(create, LINKS_COMPACT, LINKS_COMPACT) >= 0 &&
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
        H5Pset_fapl_core(access, EMPTY_BYTES, false) >= 0)
        file = H5Fcreate("empty", H5F_ACC_TRUNC, create, access);
    bool is_done = file >= 0 && H5Fflush(file, H5F_SCOPE_LOCAL) >= 0 &&
                   H5Fget_filesize(file, &size) >= 0 &&
                   H5Fget_vfd_handle(file, access, &memory) >= 0;
    if (is_done)
        buffer_append(bytes, *(void **)memory, (int64_t)size);
    hdf5_close(file);
    hdf5_close(create);
    hdf5_close(access);
    return is_done;
}

static hid_t open_file(Comm *comm, const SegmentPlan *plan)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
        (plan->is_alone ? H5Pset_file_locking(access, false, true)
                        : H5Pset_fapl_mpio(access, comm_native(comm), MPI_INFO_NULL)) >= 0)
        file = H5Fopen(plan->spec->path, H5F_ACC_RDWR, access);
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

/* All objects of the file. Every rank that takes part makes the same calls with the same values. */
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

static bool write_piece(const SegmentDataset *dataset, hid_t transfer, int64_t at, int64_t count,
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

/* Write this rank's part in `n_pieces` pieces (collective transfers: as many on every rank). */
static bool write_part(const SegmentPlan *plan, const SegmentDataset *dataset, hid_t transfer,
                       int64_t n_pieces, int64_t piece, SegmentScratch *scratch)
{
    bool is_done = true;
    static const char nothing[8];
    for (int64_t i = 0; i < n_pieces; i++) {
        int64_t at = i * piece < dataset->count ? i * piece : dataset->count;
        int64_t count = dataset->count - at < piece ? dataset->count - at : piece;
        const void *data = count > 0 ? segment_plan_piece(plan, dataset, at, count, scratch)
                                     : (const void *)nothing;
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
    for (int i = 0; i < plan->n_datasets; i++) {
        const SegmentDataset *dataset = &plan->datasets[i];
        if (dataset->is_index || dataset->size == 0)
            continue;
        bool is_done = write_part(plan, dataset, transfer, n_pieces[i], piece_elements(), scratch);
        if (!is_done && status == STATUS_OK)
            status = hdf5_error(error, "write", plan->spec->path);
    }
    return status;
}

/* The index, by one rank, independently. */
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

static Status write_data(Comm *comm, SegmentPlan *plan, Error *error)
{
    Status status;
    hid_t transfer = H5I_INVALID_HID;
    SegmentScratch scratch = {0};
    int64_t n_pieces[N_DATASETS_MAX] = {0};
    TRY_ALL(comm, prepare_data(plan, &transfer, &scratch, error), error);
    for (int i = 0; i < plan->n_datasets; i++)
        n_pieces[i] = pieces_of(&plan->datasets[i]);
    if (!plan->is_alone && plan->spec->transfer == SEGMENT_COLLECTIVE)
        comm_max_i64(comm, n_pieces, plan->n_datasets);
    TRY_ALL(comm,
            plan->takes_part ? write_columns(plan, transfer, n_pieces, &scratch, error) : STATUS_OK,
            error);
    TRY_ALL(comm, plan->leads ? write_index(plan, error) : STATUS_OK, error);
out:
    hdf5_close(transfer);
    segment_scratch_free(&scratch);
    return status;
}

/* The file without objects, with our mode, by one rank, and its room set aside: a full disk is one
 * rank's plain error before HDF5 has the file open. Later HDF5 could not even close it: what is
 * left of a file that it failed to close makes it crash when the program ends. */
static Status create_file(const SegmentPlan *plan, Error *error)
{
    Status status;
    const char *path = plan->spec->path;
    Buffer empty = {0};
    int fd = -1;
    TRY(files_create(path, error));
    TRY(files_check_room(path, segment_plan_bytes(plan), error));
    TRY(files_reserve(path, segment_plan_bytes(plan), error));
    if (!make_empty_file(&empty))
        TRY(hdf5_error(error, "create", path));
    TRY(files_open(path, true, &fd, error));
    TRY(files_write_at(fd, path, empty.data, empty.size, 0, error));
out:
    if (fd >= 0)
        close(fd);
    buffer_free(&empty);
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

static Status write_file(Comm *comm, SegmentPlan *plan, Error *error)
{
    Status status;
    const char *path = plan->spec->path;
    bool takes_part = plan->takes_part, is_open = false;
    TRY_ALL(comm, plan->leads ? create_file(plan, error) : STATUS_OK, error);
    TRY_ALL(comm, see_file(plan, error), error);
    plan->file = takes_part ? open_file(comm, plan) : H5I_INVALID_HID;
    bool is_missing = takes_part && plan->file < 0;
    TRY_ALL(comm, is_missing ? hdf5_error(error, "create", path) : STATUS_OK, error);
    is_open = true;
    TRY_ALL(comm, takes_part ? create_objects(plan, error) : STATUS_OK, error);
    TRY(write_data(comm, plan, error));
out:
    for (int i = 0; i < plan->n_datasets; i++)
        hdf5_close(plan->datasets[i].handle);
    /* Closing is collective: only if every rank that takes part has the file open. */
    if (is_open) {
        /* After an error, the first one stays the one that is told. */
        Error unused;
        Error *told = status == STATUS_OK ? error : &unused;
        bool is_closed = !takes_part || H5Fclose(plan->file) >= 0;
        Status closed = is_closed ? STATUS_OK : hdf5_error(told, "close", path);
        if (status == STATUS_OK)
            status = comm_agree(comm, closed, error);
    }
    if (status == STATUS_OK)
        status = comm_agree(comm, plan->leads ? files_release(path, error) : STATUS_OK, error);
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
