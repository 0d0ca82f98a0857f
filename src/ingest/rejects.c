#include "ingest/rejects.h"

#include "base/memory.h"

#include <stdio.h>

void rejects_free(Rejects *rejects)
{
    buffer_free(&rejects->text);
    mem_free(&rejects->rows);
    mem_free(&rejects->ends);
    rejects->count = 0;
    rejects->capacity = 0;
}

void rejects_write_header(Bytes header, char delimiter, bool mended, Buffer *text)
{
    int64_t skipped = mended ? csv_field_offset(header, delimiter, REJECT_COLUMNS) : 0;
    for (int i = 0; i < REJECT_COLUMNS; i++) {
        buffer_append_string(text, reject_columns[i]);
        buffer_append(text, &delimiter, 1);
    }
    buffer_append(text, header.data + skipped, header.size - skipped);
    buffer_append(text, "\n", 1);
}

/* The text of reject `i`. */
static Bytes text_of(const Rejects *rejects, int64_t i)
{
    int64_t begin = i > 0 ? rejects->ends[i - 1] : 0;
    return (Bytes){rejects->text.data + begin, rejects->ends[i] - begin};
}

/* Note that text for `row` was appended. */
static Status end_one(Rejects *rejects, int64_t row, Error *error)
{
    Status status = STATUS_OK;
    if (rejects->count == rejects->capacity) {
        int64_t capacity = rejects->capacity > 0 ? 2 * rejects->capacity : 64;
        TRY(mem_resize(&rejects->rows, capacity, sizeof *rejects->rows, "rejected rows", error));
        TRY(mem_resize(&rejects->ends, capacity, sizeof *rejects->ends, "rejected rows", error));
        rejects->capacity = capacity;
    }
    rejects->rows[rejects->count] = row;
    rejects->ends[rejects->count] = rejects->text.size;
    rejects->count++;
out:
    return status;
}

Status rejects_add(Rejects *rejects, const Reject *reject, Error *error)
{
    Status status = STATUS_OK;
    Buffer *text = &rejects->text;
    const CsvRecord *record = reject->record;
    char line[32];
    (void)snprintf(line, sizeof line, "%lld", (long long)reject->line);
    Bytes fields[REJECT_COLUMNS] = {bytes_of(reject->path), bytes_of(line), bytes_of(reject->field),
                                    bytes_of(reject->reason)};
    for (int i = 0; i < REJECT_COLUMNS; i++) {
        csv_append_field(text, fields[i], rejects->delimiter);
        buffer_append(text, &rejects->delimiter, 1);
    }
    int64_t skipped = 0;
    if (rejects->mended && record->n_fields > REJECT_COLUMNS)
        skipped = csv_field_offset(record->raw, rejects->delimiter, REJECT_COLUMNS);
    buffer_append(text, record->raw.data + skipped, record->raw.size - skipped);
    buffer_append(text, "\n", 1);
    if (text->size > REJECTS_BYTES_MAX)
        FAIL(error, STATUS_INPUT,
             "%s:%lld: %s %s: more than 256 MiB of rows are rejected; is the mapping right?",
             reject->path, (long long)reject->line, reject->field, reject->reason);
    TRY(end_one(rejects, reject->row, error));
out:
    return status;
}

Status rejects_merge(Rejects *rejects, Rejects *more, Error *error)
{
    Status status = STATUS_OK;
    Rejects merged = {.delimiter = rejects->delimiter, .mended = rejects->mended};
    int64_t a = 0, b = 0;
    while (a < rejects->count || b < more->count) {
        bool from_more =
            a == rejects->count || (b < more->count && more->rows[b] < rejects->rows[a]);
        const Rejects *from = from_more ? more : rejects;
        int64_t *i = from_more ? &b : &a;
        buffer_append_bytes(&merged.text, text_of(from, *i));
        TRY(end_one(&merged, from->rows[*i], error));
        (*i)++;
    }
    rejects_free(rejects);
    rejects_free(more);
    *rejects = merged;
    merged = (Rejects){0};
out:
    rejects_free(&merged);
    return status;
}
