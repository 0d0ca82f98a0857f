/* Verify: every checksum of every segment in force. */
#include "store/internal.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LISTED_MAX = 100 };

/* One thing found wrong. Plain numbers, so that ranks can exchange them. */
typedef struct Finding {
    int64_t segment;
    int64_t column; /* -1: the file as a whole */
    int64_t is_ends;
    int64_t partition;
} Finding;

typedef struct Findings {
    Finding *list;
    int64_t n;
    int64_t checked;
} Findings;

static void add_finding(Findings *findings, Finding finding)
{
    if ((findings->n & (findings->n - 1)) == 0)
        mem_grow(&findings->list, findings->n > 0 ? 2 * findings->n : 1, sizeof *findings->list);
    findings->list[findings->n++] = finding;
}

static Status check_block(const SegmentFile *file, int64_t segment, SegmentBlock block, char **data,
                          Findings *findings, Error *error)
{
    Status status;
    bool intact = false;
    TRY(mem_resize(data, segment_block_bytes(file->layout, block), 1, "a block to verify", error));
    TRY(segment_read_block(file, block, *data, &intact, error));
    findings->checked++;
    if (!intact)
        add_finding(findings, (Finding){segment, block.column, block.is_ends, block.partition});
out:
    return status;
}

static Status check_partition(const SegmentFile *file, int64_t segment, int64_t partition,
                              char **data, Findings *findings, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < file->layout->n_columns; i++) {
        SegmentBlock block = {.column = i, .partition = partition};
        TRY(check_block(file, segment, block, data, findings, error));
        block.is_ends = true;
        if (file->layout->columns[i].type == COLUMN_TEXT)
            TRY(check_block(file, segment, block, data, findings, error));
    }
out:
    return status;
}

/* This rank's share: partitions of each segment, dealt out in turn. */
static Status check_share(Store *store, int rank, int size, Findings *findings, Error *error)
{
    Status status;
    char *data = NULL;
    TRY(fault_point("store.verify", error));
    for (int i = 0; i < store->n_segments; i++) {
        StoreSegment *segment = &store->segments[i];
        SegmentFile file;
        if (segment->damage.status != STATUS_OK) {
            if (rank == 0)
                add_finding(findings, (Finding){i, -1, 0, 0});
            continue;
        }
        TRY(store_segment_take(store, segment, &file, error));
        for (int64_t p = rank; p < segment->layout.partitions && status == STATUS_OK; p += size)
            status = check_partition(&file, i, p, &data, findings, error);
        store_segment_give_back(store, segment);
        TRY(status);
    }
out:
    mem_free(&data);
    return status;
}

static int compare_findings(const void *left, const void *right)
{
    const Finding *a = left, *b = right;
    int64_t difference = a->segment != b->segment       ? a->segment - b->segment
                         : a->column != b->column       ? a->column - b->column
                         : a->partition != b->partition ? a->partition - b->partition
                                                        : a->is_ends - b->is_ends;
    return (difference > 0) - (difference < 0);
}

static void describe(Store *store, const Finding *finding, Error *error)
{
    StoreSegment *segment = &store->segments[finding->segment];
    SegmentFile file = {.fd = -1, .shown = segment->shown, .layout = &segment->layout};
    if (finding->column < 0) {
        *error = segment->damage;
        return;
    }
    error_set(error, STATUS_IO, __FILE__, __LINE__,
              "%s: column %s of partition %" PRId64 " is damaged%s", file.shown,
              file.layout->columns[finding->column].name, finding->partition,
              finding->is_ends ? " (text ends)" : "");
}

/* List what was found, and make the error of it. `all` is sorted. */
static Status report(Store *store, const Finding *all, int64_t n, int64_t checked, Error *error)
{
    Error first = {0};
    describe(store, &all[0], &first);
    for (int64_t i = 0; i < n && i < LISTED_MAX; i++) {
        Error one = {0};
        describe(store, &all[i], &one);
        log_line(LOG_ERROR, LOG_ROOT, "verify", "damaged=\"%s\"", one.message);
    }
    if (n > LISTED_MAX)
        log_line(LOG_ERROR, LOG_ROOT, "verify", "damaged_and_not_listed=%" PRId64, n - LISTED_MAX);
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "%s: %" PRId64 " damaged among %" PRId64
                     " blocks, the first: %s; restore the files from a backup",
                     store->path, n, checked, first.message);
}

Status store_verify(Comm *comm, Store *store, int64_t *blocks_checked, Error *error)
{
    Status status;
    Findings own = {0};
    char *all = NULL;
    int64_t bytes = 0;
    TRY_ALL(comm, check_share(store, comm_rank(comm), comm_size(comm), &own, error), error);
    comm_sum_i64(comm, &own.checked, 1);
    *blocks_checked = own.checked;
    TRY(comm_gather_all(comm, own.list, own.n * (int64_t)sizeof *own.list, &all, &bytes, NULL,
                        error));
    int64_t n = bytes / (int64_t)sizeof(Finding);
    if (n > 0) {
        Finding *findings = (Finding *)(void *)all;
        qsort(findings, (size_t)n, sizeof *findings, compare_findings);
        status = report(store, findings, n, own.checked, error);
    }
out:
    mem_free(&all);
    mem_free(&own.list);
    return status;
}
