#include "ingest/csv.h"

#include "base/memory.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- where the interesting bytes of a block are ---- */

enum { BLOCK = 64 };

/* One bit a byte of a block, lowest first. */
typedef struct BlockMask {
    uint64_t newline;
    uint64_t delimiter;
    uint64_t quote;
    uint64_t not_ascii; /* above 127, or NUL */
} BlockMask;

#ifdef __SSE2__

static uint64_t bits_equal(const __m128i part[4], char wanted)
{
    __m128i all = _mm_set1_epi8(wanted);
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(part[i], all)) << (16 * i);
    return bits;
}

static BlockMask mask_block(const char *text, char delimiter)
{
    __m128i part[4];
    __m128i high = _mm_setzero_si128();
    __m128i lowest = _mm_set1_epi8(-1);
    for (int i = 0; i < 4; i++) {
        part[i] = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        high = _mm_or_si128(high, part[i]);
        lowest = _mm_min_epu8(lowest, part[i]);
    }
    BlockMask mask = {bits_equal(part, '\n'), bits_equal(part, delimiter), bits_equal(part, '"'),
                      0};
    if (_mm_movemask_epi8(_mm_or_si128(high, _mm_cmpeq_epi8(lowest, _mm_setzero_si128()))) != 0) {
        mask.not_ascii = bits_equal(part, 0);
        for (int i = 0; i < 4; i++)
            mask.not_ascii |= (uint64_t)(uint32_t)_mm_movemask_epi8(part[i]) << (16 * i);
    }
    return mask;
}

#else

static BlockMask mask_block(const char *text, char delimiter)
{
    BlockMask mask = {0};
    for (int i = 0; i < BLOCK; i++) {
        mask.newline |= (uint64_t)(text[i] == '\n') << i;
        mask.delimiter |= (uint64_t)(text[i] == delimiter) << i;
        mask.quote |= (uint64_t)(text[i] == '"') << i;
        mask.not_ascii |= (uint64_t)(text[i] == 0 || (unsigned char)text[i] > 127) << i;
    }
    return mask;
}

#endif

/* The block of `text` at `base`, which may be cut short by the end of the text. */
static BlockMask mask_at(Bytes text, int64_t base, char delimiter)
{
    if (text.size - base >= BLOCK)
        return mask_block(text.data + base, delimiter);
    char last[BLOCK];
    memset(last, ' ', sizeof last);
    memcpy(last, text.data + base, (size_t)(text.size - base));
    return mask_block(last, delimiter);
}

int64_t csv_count_newlines(Bytes text)
{
    int64_t count = 0;
    int64_t i = 0;
    while (i < text.size) {
        /* Short inner loops over bytes are what compilers turn into vector code. */
        int64_t end = text.size - i < 255 ? text.size : i + 255;
        uint8_t part = 0;
        for (; i < end; i++)
            part = (uint8_t)(part + (text.data[i] == '\n'));
        count += part;
    }
    return count;
}

/* ---- the state at the end of a piece ---- */

CsvState csv_state_after(CsvState state, Bytes text, char delimiter)
{
    if (text.size == 0)
        return state;
    const char *data = text.data;
    const char *end = data + text.size;
    const char *at = data;
    if (state == CSV_QUOTE_IN_QUOTED) {
        state = *at == '"' ? CSV_QUOTED : CSV_UNQUOTED;
        at += *at == '"';
    }
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (quote == NULL)
            break;
        at = quote + 1;
        if (state == CSV_QUOTED) {
            if (at == end)
                return CSV_QUOTE_IN_QUOTED;
            if (*at == '"')
                at++;
            else
                state = CSV_UNQUOTED;
        } else if (quote == data ? state == CSV_FIELD_START
                                 : quote[-1] == delimiter || quote[-1] == '\n') {
            state = CSV_QUOTED;
        }
    }
    if (state == CSV_QUOTED)
        return CSV_QUOTED;
    return end[-1] == delimiter || end[-1] == '\n' ? CSV_FIELD_START : CSV_UNQUOTED;
}

void csv_scan_init(CsvScan *scan, char delimiter)
{
    *scan = (CsvScan){delimiter, CSV_FIELD_START, CSV_QUOTED, 0};
}

void csv_scan_feed(CsvScan *scan, Bytes block)
{
    bool same = scan->after_start == scan->after_quoted;
    scan->after_start = csv_state_after(scan->after_start, block, scan->delimiter);
    scan->after_quoted =
        same ? scan->after_start : csv_state_after(scan->after_quoted, block, scan->delimiter);
    scan->newlines += csv_count_newlines(block);
}

/* ---- records ---- */

void csv_record_free(CsvRecord *record)
{
    buffer_free(&record->scratch);
}

static void add_field(CsvRecord *record, const char *data, int64_t size)
{
    if (record->n_fields < CSV_FIELDS_MAX)
        record->fields[record->n_fields] = (Bytes){data, size};
    record->n_fields++;
}

/* End of a record's last field: its CR belongs to the line end. */
static int64_t without_cr(const char *text, int64_t begin, int64_t end)
{
    return end > begin && text[end - 1] == '\r' ? end - 1 : end;
}

/* The closing quote of a quoted field whose content starts at `begin`, or one at the end of the
 * text, which may be half of a doubled one; -1 if there is none. */
static int64_t find_closing_quote(Bytes text, int64_t begin)
{
    int64_t at = begin;
    for (;;) {
        const char *quote = memchr(text.data + at, '"', (size_t)(text.size - at));
        if (quote == NULL)
            return -1;
        at = quote - text.data;
        if (at + 1 == text.size || text.data[at + 1] != '"')
            return at;
        at += 2;
    }
}

/* Undo doubled quotes, in a copy of the record. */
static void undouble_quotes(CsvRecord *record)
{
    int64_t kept = record->n_fields < CSV_FIELDS_MAX ? record->n_fields : CSV_FIELDS_MAX;
    bool copied = false;
    for (int64_t i = 0; i < kept; i++) {
        Bytes *field = &record->fields[i];
        if (field->size == 0 || memchr(field->data, '"', (size_t)field->size) == NULL)
            continue;
        if (!copied) {
            buffer_clear(&record->scratch);
            buffer_append_bytes(&record->scratch, record->raw);
            copied = true;
        }
        char *to = record->scratch.data + (field->data - record->raw.data);
        int64_t size = 0;
        for (int64_t from = 0; from < field->size; from++) {
            to[size++] = field->data[from];
            from += field->data[from] == '"';
        }
        *field = (Bytes){to, size};
    }
}

static bool is_ascii(Bytes text)
{
    uint64_t found = 0;
    for (int64_t base = 0; base < text.size && found == 0; base += BLOCK)
        found = mask_at(text, base, ',').not_ascii;
    return found == 0;
}

/* A record field by field, from inside quotes or from its start: any record, at moderate speed. */
static int64_t read_fields(Bytes text, char delimiter, bool is_last, bool inside, CsvRecord *record)
{
    const char *data = text.data;
    int64_t at = 0;
    record->n_fields = 0;
    record->is_broken = false;
    for (;;) {
        int64_t begin = at;
        int64_t end = -1;
        if (inside || (at < text.size && data[at] == '"')) {
            begin = inside ? at : at + 1;
            inside = false;
            end = find_closing_quote(text, begin);
            if (end < 0)
                return is_last ? CSV_NEVER_CLOSED : CSV_NOT_WHOLE;
            at = end + 1;
        }
        int64_t tail = at;
        bool quote = false;
        for (; at < text.size && data[at] != delimiter && data[at] != '\n'; at++)
            quote |= data[at] == '"';
        if (at == text.size && !is_last)
            return CSV_NOT_WHOLE;
        bool ends_record = at == text.size || data[at] == '\n';
        int64_t tail_end = ends_record ? without_cr(data, tail, at) : at;
        record->is_broken |= quote || (end >= 0 && tail_end > tail);
        if (end < 0)
            end = tail_end;
        add_field(record, data + begin, end - begin);
        if (ends_record) {
            record->raw = (Bytes){data, tail_end};
            break;
        }
        at++;
    }
    int64_t taken = at < text.size ? at + 1 : at;
    record->newlines = csv_count_newlines((Bytes){data, taken});
    return taken;
}

static int64_t read_quoted_record(Bytes text, char delimiter, bool is_last, CsvRecord *record)
{
    int64_t taken = read_fields(text, delimiter, is_last, false, record);
    if (taken > 0) {
        record->is_ascii = is_ascii(record->raw);
        if (!record->is_broken)
            undouble_quotes(record);
    }
    return taken;
}

int64_t csv_next(Bytes text, char delimiter, bool is_last, CsvRecord *record)
{
    uint64_t not_ascii = 0;
    int64_t begin = 0; /* of the current field */
    int64_t end = -1;  /* of the record */
    record->n_fields = 0;
    for (int64_t base = 0; base < text.size && end < 0; base += BLOCK) {
        BlockMask mask = mask_at(text, base, delimiter);
        uint64_t line_end = mask.newline & (~mask.newline + 1);
        uint64_t in_record = line_end - 1; /* all bits if there is no line end */
        if ((mask.quote & in_record) != 0)
            return read_quoted_record(text, delimiter, is_last, record);
        not_ascii |= mask.not_ascii & in_record;
        for (uint64_t bits = mask.delimiter & in_record; bits != 0; bits &= bits - 1) {
            int64_t at = base + __builtin_ctzll(bits);
            add_field(record, text.data + begin, at - begin);
            begin = at + 1;
        }
        if (line_end != 0)
            end = base + __builtin_ctzll(line_end);
    }
    record->newlines = end >= 0;
    if (end < 0) {
        if (!is_last || text.size == 0)
            return CSV_NOT_WHOLE;
        end = text.size;
    }
    int64_t field_end = without_cr(text.data, begin, end);
    add_field(record, text.data + begin, field_end - begin);
    record->raw = (Bytes){text.data, field_end};
    record->is_ascii = not_ascii == 0;
    record->is_broken = false;
    return end + record->newlines;
}

int64_t csv_skip_rest(Bytes text, char delimiter, bool is_last, CsvRecord *record)
{
    if (text.size == 0)
        return is_last ? CSV_NEVER_CLOSED : CSV_NOT_WHOLE;
    return read_fields(text, delimiter, is_last, true, record);
}

int64_t csv_field_offset(Bytes raw, char delimiter, int64_t n)
{
    int64_t at = 0;
    for (int64_t field = 0; field < n; field++) {
        if (at < raw.size && raw.data[at] == '"')
            at = find_closing_quote(raw, at + 1) + 1;
        const char *found = memchr(raw.data + at, delimiter, (size_t)(raw.size - at));
        if (found == NULL)
            return raw.size;
        at = found - raw.data + 1;
    }
    return at;
}

void csv_append_field(Buffer *line, Bytes text, char delimiter)
{
    bool plain = true;
    for (int64_t i = 0; i < text.size && plain; i++)
        plain = text.data[i] != delimiter && strchr("\"\r\n", text.data[i]) == NULL;
    if (plain) {
        buffer_append_bytes(line, text);
        return;
    }
    buffer_append(line, "\"", 1);
    for (int64_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_append(line, "\"", 1);
        buffer_append(line, &text.data[i], 1);
    }
    buffer_append(line, "\"", 1);
}
