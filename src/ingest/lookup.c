#include "ingest/lookup.h"

#include <string.h>

static inline uint64_t load_8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t load_4(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* memcmp for the short texts that nearly all are, without a call: two words, which may overlap. */
static inline bool is_same(Bytes a, Bytes b)
{
    if (a.size != b.size)
        return false;
    if (a.size < 4 || a.size > 16)
        return bytes_equal(a, b);
    const char *a_end = a.data + a.size, *b_end = b.data + b.size;
    if (a.size < 8)
        return load_4(a.data) == load_4(b.data) && load_4(a_end - 4) == load_4(b_end - 4);
    return load_8(a.data) == load_8(b.data) && load_8(a_end - 8) == load_8(b_end - 8);
}

static Bytes text_of(const CodeColumn *column, int run)
{
    int32_t begin = run > 0 ? column->ends[run - 1] : 0;
    return (Bytes){column->texts + begin, column->ends[run] - begin};
}

/* Bring near what string_map_add will read: the first slot of each text, then where the string
 * found there lies, then the string. Only hints: a string that stands in a later slot is just read
 * more slowly. */
static void prefetch(const CodeColumn *column)
{
    const StringMap *map = column->map;
    uint64_t at[LOOKUP_RUNS];
    int64_t before[LOOKUP_RUNS]; /* index in map->ends of the string before; -1 for none */
    for (int i = 0; i < column->n_runs; i++) {
        Bytes text = text_of(column, i);
        at[i] = hash64(text.data, text.size) >> 32 & ((uint64_t)map->n_slots - 1);
        __builtin_prefetch(&map->slots[at[i]]);
    }
    for (int i = 0; i < column->n_runs; i++) {
        before[i] = (int64_t)(map->slots[at[i]] & UINT32_MAX) - 2;
        if (before[i] >= 0)
            __builtin_prefetch(&map->ends[before[i]]);
    }
    for (int i = 0; i < column->n_runs; i++) {
        if (before[i] >= 0)
            __builtin_prefetch(map->bytes + map->ends[before[i]]);
    }
}

static void fill_codes(Column *to, int64_t begin, int64_t end, int32_t code)
{
    for (int64_t row = begin; row < end; row++) {
        if (to->type == COLUMN_I16)
            ((int16_t *)to->data)[row] = (int16_t)code;
        else
            ((int32_t *)to->data)[row] = code;
    }
}

Status code_column_finish(CodeColumn *column, int64_t rows, Error *error)
{
    Status status = STATUS_OK;
    if (column->map->count > 0)
        prefetch(column);
    for (int i = 0; i < column->n_runs; i++) {
        Bytes text = text_of(column, i);
        int32_t code = -1;
        if (text.size > 0)
            TRY(string_map_add(column->map, text, &code, error));
        if (column->to->type == COLUMN_I16 && code > INT16_MAX)
            FAIL(error, STATUS_INPUT,
                 "more than %d different values of %s; is another column meant?", INT16_MAX,
                 column->name);
        int64_t end = i + 1 < column->n_runs ? column->first_row[i + 1] : rows;
        fill_codes(column->to, column->first_row[i], end, code);
    }
    column->n_runs = 0;
out:
    return status;
}

Status code_column_add(CodeColumn *column, int64_t row, Bytes text, Error *error)
{
    int32_t used = 0;
    if (column->n_runs > 0) {
        if (is_same(text, text_of(column, column->n_runs - 1)))
            return STATUS_OK;
        used = column->ends[column->n_runs - 1];
        if (column->n_runs == LOOKUP_RUNS || used + text.size > LOOKUP_TEXTS_BYTES) {
            Status status = code_column_finish(column, row, error);
            if (status != STATUS_OK)
                return status;
            used = 0;
        }
    }
    if (text.size > 0)
        memcpy(column->texts + used, text.data, (size_t)text.size);
    column->ends[column->n_runs] = used + (int32_t)text.size;
    column->first_row[column->n_runs] = row;
    column->n_runs++;
    return STATUS_OK;
}
