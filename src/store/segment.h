/* Segment: one table of one batch (or of one run's results) as one HDF5 file (docs/format.md).
 *
 * Written once by all ranks together through parallel HDF5; read by any rank alone through a
 * SegmentLayout, the small description of where everything lies in the file, with plain reads. */
#ifndef VESPER_STORE_SEGMENT_H
#define VESPER_STORE_SEGMENT_H

#include "comm/comm.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "columns are little-endian and are read into memory as they are");

/* Segments with coded texts or values stored once, which only results have, are of format 2, all
 * others of 1. */
#define SEGMENT_RESULT "result"
enum { SEGMENT_FORMAT = 2, SEGMENT_NAME_SIZE = 64, SEGMENT_KIND_SIZE = 16 };

typedef struct SegmentColumn {
    char name[COLUMN_NAME_SIZE];
    ColumnType type;
    ColumnUnit unit;
    ColumnType stored; /* as it lies in the file: the narrowest integers that hold all values (text:
                          all ends); float64 as it is */
    int64_t min, max;  /* of whole numbers: all values of the segment are inside; without rows, and
                          for other types, INT64_MAX and INT64_MIN */
    int64_t data_at;   /* place in the file of the values, or of the bytes of texts; 0 if empty */
    int64_t ends_at;   /* text: of the ends */
    bool is_coded;     /* text: bytes and ends are those of each partition's different texts */
    bool is_constant;  /* float64: all rows have the one value that is stored */
    ColumnType codes_stored; /* coded: as ends are stored */
    int64_t codes_at;        /* coded: place in the file of the codes */
    /* Places in SegmentLayout.index: */
    int64_t checksum;       /* [partitions] of the values, or of the bytes */
    int64_t ends_checksum;  /* text: [partitions] of the ends */
    int64_t byte_offset;    /* text: [partitions + 1] first byte of each partition */
    int64_t codes_checksum; /* coded: [partitions] of the codes */
    int64_t text_offset;    /* coded: [partitions + 1] first text of each partition */
} SegmentColumn;

/* All zero is empty. */
typedef struct SegmentLayout {
    char table[SEGMENT_NAME_SIZE];
    char kind[SEGMENT_KIND_SIZE];
    int64_t format; /* of the file */
    int64_t batch;
    int64_t partitions;
    int64_t rows;
    int64_t file_bytes;
    int n_columns;
    SegmentColumn columns[TABLE_COLUMNS_MAX];
    int64_t n_index;
    int64_t *index; /* [0 .. partitions]: first row of each partition; then as the columns say */
} SegmentLayout;

void segment_layout_free(SegmentLayout *layout);
/* Give each column its places in the index, and allocate that, zeroed. Local. */
Status segment_layout_plan(SegmentLayout *layout, Error *error) VESPER_MUST_USE;
/* Root's layout everywhere. Collective. */
Status segment_layout_share(Comm *comm, int root, SegmentLayout *layout,
                            Error *error) VESPER_MUST_USE;
/* Read it from a file and check all of it against the file's size. `shown` is the name in messages.
 * Local. */
Status segment_layout_read(const char *path, const char *shown, SegmentLayout *layout,
                           Error *error) VESPER_MUST_USE;
int segment_layout_find(const SegmentLayout *layout, const char *column); /* -1 if absent */
int64_t segment_partition_rows(const SegmentLayout *layout, int64_t partition);
/* A checksum over all checksums, in column order. */
uint64_t segment_layout_checksum(const SegmentLayout *layout);

typedef enum SegmentTransfer { SEGMENT_INDEPENDENT, SEGMENT_COLLECTIVE } SegmentTransfer;
/* From VESPER_HDF5_TRANSFER of rank 0: "independent" (default) or "collective". Collective. */
Status segment_transfer_choose(Comm *comm, SegmentTransfer *transfer, Error *error) VESPER_MUST_USE;

typedef struct SegmentSpec {
    const char *path; /* where to write: a temporary name */
    const char *table;
    const char *kind;
    int64_t batch;
    int64_t partitions;
    bool stores_constants; /* a float64 column that has one value is stored as that */
    SegmentTransfer transfer;
} SegmentSpec;

/* Write a segment. `rows` holds this rank's partitions [first, first + n_partitions), in order;
 * ranks own runs of partitions in rank order. A rank without partitions may pass a table without
 * columns. The file is complete and read back for its layout, which all ranks get; each of them
 * is to sync it (file_syncs.h): on some file systems it reaches the disk no other way. Collective.
 */
Status segment_write(Comm *comm, const SegmentSpec *spec, const Table *rows, int64_t first,
                     int64_t n_partitions, const int64_t *partition_rows, SegmentLayout *layout,
                     Error *error) VESPER_MUST_USE;

/* An open segment. fd -1: not open. */
typedef struct SegmentFile {
    int fd;
    const char *shown;
    const SegmentLayout *layout;
} SegmentFile;

/* One block of a column: the values of a partition, or (is_ends) the ends of its texts, or
 * (is_codes) its codes. */
typedef struct SegmentBlock {
    int column;
    bool is_ends, is_codes;
    int64_t partition;
} SegmentBlock;
int64_t segment_block_bytes(const SegmentLayout *layout, SegmentBlock block);
/* Read one block; *intact says whether its checksum holds. Local. */
Status segment_read_block(const SegmentFile *file, SegmentBlock block, void *data, bool *intact,
                          Error *error) VESPER_MUST_USE;
/* The error of a block that is not intact. */
Status segment_damaged(const SegmentFile *file, SegmentBlock block, Error *error);

/* Append the rows of a partition to `rows`: its columns by name, verified; a column that the
 * segment lacks becomes zero (UNIT_CODE -1, text empty). Local. */
Status segment_append(const SegmentFile *file, int64_t partition, Table *rows,
                      Error *error) VESPER_MUST_USE;

/* Copy a name that is known to fit into `size` bytes. */
void segment_copy_name(char *to, size_t size, const char *name);
/* Names of types and units, as in the schema attribute and in JSON. Parsing gives false. */
const char *segment_type_name(ColumnType type);
const char *segment_unit_name(ColumnUnit unit);
bool segment_type_parse(Bytes text, ColumnType *type);
bool segment_unit_parse(Bytes text, ColumnUnit *unit);
/* Letters, digits and underscores; not longer than a column's name; not one of the format's own. */
bool segment_column_name_is_valid(Bytes name);

#endif
