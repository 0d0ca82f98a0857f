/* The plan of a segment: what all ranks together will write, known before the file is made.
 *
 * Shared by segment_plan.c, which works it out, and segment_write.c, which carries it out. */
#ifndef VESPER_STORE_SEGMENT_PLAN_H
#define VESPER_STORE_SEGMENT_PLAN_H

#include "store/coded_part.h"
#include "store/hdf5_help.h"
#include "store/segment.h"

enum { N_DATASETS_MAX = 8 * TABLE_COLUMNS_MAX + 2 };

/* One dataset of the file: a column's values, or a part of the index. */
typedef struct SegmentDataset {
    char name[2 * COLUMN_NAME_SIZE];
    hid_t type; /* in the file and in memory */
    size_t width;
    int64_t size; /* elements, over all ranks */
    int64_t at;   /* this rank's elements are [at, at + count) */
    int64_t count;
    const void *data; /* this rank's, of type `from`; NULL: made from `ends_of` while writing */
    const Column *ends_of;
    ColumnType from, stored;       /* in memory and in the file; COLUMN_TEXT: bytes as they are */
    const SegmentColumn *range_of; /* whole numbers: whose least and greatest value go with it */
    bool is_index;    /* the same on every rank, written by one, guarded by attribute xxh3 */
    const char *unit; /* NULL for none */
    hid_t handle;
    int64_t offset; /* in the file, known to the rank that leads */
} SegmentDataset;

typedef struct SegmentPlan {
    const SegmentSpec *spec;
    const Table *rows;
    int64_t first, n_partitions;
    const int64_t *partition_rows;
    SegmentLayout layout;
    Buffer schema;
    CodedPart *coded; /* [columns of the layout], empty where a column is not coded */
    SegmentDataset *datasets;
    int n_datasets;
    bool is_alone; /* no more than one rank has partitions: it writes without the others */
    bool leads;    /* this rank does what one does for all, and writes if one has rows alone */
    hid_t file;
} SegmentPlan;

/* Space for one partition, or one piece, of values on their way to the file. */
typedef struct SegmentScratch {
    int64_t *ends;
    int64_t *stored;
} SegmentScratch;

Status segment_scratch_init(SegmentScratch *scratch, int64_t n, Error *error) VESPER_MUST_USE;
void segment_scratch_free(SegmentScratch *scratch);

/* Work out layout, index and datasets from spec, rows, first, n_partitions and partition_rows,
 * which the caller has set. Collective. */
Status segment_plan_make(Comm *comm, SegmentPlan *plan, Error *error) VESPER_MUST_USE;
void segment_plan_free(SegmentPlan *plan);
/* What the file will need at most. Local. */
int64_t segment_plan_bytes(const SegmentPlan *plan);
/* Elements [at, at + count) of this rank's part of a column as they go to the file; borrowed from
 * the rows or from `scratch`, which has room for `count`. Local. */
const void *segment_plan_piece(const SegmentPlan *plan, const SegmentDataset *dataset, int64_t at,
                               int64_t count, SegmentScratch *scratch);

#endif
