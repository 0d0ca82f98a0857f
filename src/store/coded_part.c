/* Coded texts on their way to a segment; see coded_part.h. */
#include "store/coded_part.h"

#include "base/memory.h"

#include <string.h>

/* While a part is made. */
typedef struct Maker {
    CodedPart *part;
    const TextList *list;
    int32_t *number; /* [1 + list->n] of each text, from the empty one on, if it is marked */
    int64_t *marked; /* [1 + list->n] by the last partition that it was in, counted from 1 */
    int64_t n_texts, text_capacity;
    int64_t n_bytes, byte_capacity;
} Maker;

void coded_part_free(CodedPart *part)
{
    mem_free(&part->codes);
    mem_free(&part->text_starts);
    mem_free(&part->byte_starts);
    mem_free(&part->ends);
    mem_free(&part->bytes);
}

static Status add_text(Maker *maker, int64_t partition, int32_t code, Error *error)
{
    Status status = STATUS_OK;
    CodedPart *part = maker->part;
    int64_t start = code > 0 ? maker->list->ends[code - 1] : 0;
    int64_t size = code < 0 ? 0 : maker->list->ends[code] - start;
    if (maker->n_texts == maker->text_capacity) {
        maker->text_capacity = maker->text_capacity * 2 + 1024;
        TRY(mem_resize(&part->ends, maker->text_capacity, sizeof *part->ends, "texts", error));
    }
    if (maker->n_bytes + size > maker->byte_capacity) {
        maker->byte_capacity = (maker->n_bytes + size) * 2 + 1024;
        TRY(mem_resize(&part->bytes, maker->byte_capacity, 1, "texts", error));
    }
    if (size > 0)
        memcpy(part->bytes + maker->n_bytes, maker->list->bytes + start, (size_t)size);
    maker->n_bytes += size;
    part->ends[maker->n_texts++] = maker->n_bytes - part->byte_starts[partition];
out:
    return status;
}

static Status add_partition(Maker *maker, int64_t partition, const int32_t *from, int64_t n,
                            int32_t *codes, Error *error)
{
    Status status = STATUS_OK;
    int64_t first = maker->n_texts;
    maker->part->text_starts[partition] = first;
    maker->part->byte_starts[partition] = maker->n_bytes;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = 1 + (int64_t)from[i];
        if (maker->marked[at] != partition + 1) {
            maker->marked[at] = partition + 1;
            maker->number[at] = (int32_t)(maker->n_texts - first);
            TRY(add_text(maker, partition, from[i], error));
        }
        codes[i] = maker->number[at];
    }
out:
    return status;
}

Status coded_part_make(const Column *column, int64_t n_partitions, const int64_t *partition_rows,
                       CodedPart *part, Error *error)
{
    Status status = STATUS_OK;
    Maker maker = {.part = part, .list = &column->list};
    int64_t row = 0, rows = 0;
    for (int64_t p = 0; p < n_partitions; p++)
        rows += partition_rows[p];
    TRY(mem_resize(&part->codes, rows, sizeof *part->codes, "codes", error));
    TRY(mem_resize(&part->text_starts, n_partitions + 1, sizeof(int64_t), "codes", error));
    TRY(mem_resize(&part->byte_starts, n_partitions + 1, sizeof(int64_t), "codes", error));
    TRY(mem_resize(&maker.number, 1 + column->list.n, sizeof *maker.number, "codes", error));
    TRY(mem_resize(&maker.marked, 1 + column->list.n, sizeof *maker.marked, "codes", error));
    memset(maker.marked, 0, (size_t)(1 + column->list.n) * sizeof *maker.marked);
    for (int64_t p = 0; p < n_partitions; row += partition_rows[p], p++)
        TRY(add_partition(&maker, p, (const int32_t *)column->data + row, partition_rows[p],
                          part->codes + row, error));
    part->text_starts[n_partitions] = maker.n_texts;
    part->byte_starts[n_partitions] = maker.n_bytes;
out:
    mem_free(&maker.number);
    mem_free(&maker.marked);
    return status;
}
