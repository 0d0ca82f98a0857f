#include "support/csv_model.h"

#include <string.h>

enum { PLACES_CHECKED = 8 }; /* each is found from the record's start */

/* ---- the table in csv.h, one byte at a time ---- */

static CsvState step(CsvState state, char c, char delimiter)
{
    if (c == '"') {
        static const CsvState after_quote[] = {
            [CSV_FIELD_START] = CSV_QUOTED,
            [CSV_UNQUOTED] = CSV_UNQUOTED,
            [CSV_QUOTED] = CSV_QUOTE_IN_QUOTED,
            [CSV_QUOTE_IN_QUOTED] = CSV_QUOTED,
        };
        return after_quote[state];
    }
    if (state == CSV_QUOTED)
        return CSV_QUOTED;
    return c == delimiter || c == '\n' ? CSV_FIELD_START : CSV_UNQUOTED;
}

static bool breaks(CsvState state, char c, char delimiter)
{
    return (state == CSV_UNQUOTED && c == '"') ||
           (state == CSV_QUOTE_IN_QUOTED && c != '"' && c != delimiter && c != '\n');
}

static void end_field(CsvModel *model, CsvModelRecord *record, int64_t first_value)
{
    model->fields[model->n_fields++] =
        (Bytes){model->values + first_value, model->n_values - first_value};
    record->n_fields++;
}

/* Fields of a record whose raw bytes are known. */
static void split(CsvModel *model, CsvModelRecord *record)
{
    CsvState state = CSV_FIELD_START;
    int64_t first_value = model->n_values;
    record->first_field = model->n_fields;
    record->is_ascii = true;
    for (int64_t i = 0; i < record->raw_size; i++) {
        char c = model->text.data[record->begin + i];
        CsvState after = step(state, c, model->delimiter);
        record->is_broken |= breaks(state, c, model->delimiter);
        record->is_ascii &= c != 0 && (unsigned char)c < 128;
        if (after == CSV_FIELD_START) {
            end_field(model, record, first_value);
            first_value = model->n_values;
        } else if (!(c == '"' && (state == CSV_FIELD_START || state == CSV_QUOTED))) {
            model->values[model->n_values++] = c;
        }
        state = after;
    }
    end_field(model, record, first_value);
}

static void read_record(CsvModel *model, int64_t begin, int64_t line)
{
    CsvModelRecord *record = &model->records[model->n_records++];
    Bytes text = model->text;
    CsvState state = CSV_FIELD_START;
    int64_t at = begin;
    *record = (CsvModelRecord){.begin = begin, .line = line};
    while (at < text.size && !(text.data[at] == '\n' && state != CSV_QUOTED))
        state = step(state, text.data[at++], model->delimiter);
    if (at == text.size && state == CSV_QUOTED) {
        record->taken = CSV_NEVER_CLOSED;
        return;
    }
    record->taken = at - begin + (at < text.size);
    record->raw_size = at - begin;
    if (at > begin && text.data[at - 1] == '\r')
        record->raw_size--;
    split(model, record);
}

void csv_model_read(CsvModel *model, Bytes text, char delimiter)
{
    int64_t at = 0, line = 1;
    model->text = text;
    model->delimiter = delimiter;
    model->n_records = 0;
    model->n_fields = 0;
    model->n_values = 0;
    while (at < text.size) {
        read_record(model, at, line);
        int64_t taken = model->records[model->n_records - 1].taken;
        int64_t end = taken == CSV_NEVER_CLOSED ? text.size : at + taken;
        for (; at < end; at++)
            line += text.data[at] == '\n';
    }
}

/* ---- csv.h against it ---- */

static const char *compare_fields(const CsvModel *model, const CsvModelRecord *expected,
                                  const CsvRecord *record)
{
    for (int64_t i = 0; i < expected->n_fields && i < CSV_FIELDS_MAX; i++) {
        if (!bytes_equal(record->fields[i], model->fields[expected->first_field + i]))
            return "a field differs";
        if (i >= PLACES_CHECKED)
            continue;
        int64_t offset = csv_field_offset(record->raw, model->delimiter, i);
        if (offset > record->raw.size ||
            (i > 0 && record->raw.data[offset - 1] != model->delimiter))
            return "a field's place differs";
    }
    return NULL;
}

static const char *compare(const CsvModel *model, int64_t at, int64_t begin, int64_t taken,
                           int64_t line, const CsvRecord *record)
{
    if (at >= model->n_records)
        return "a record too many";
    const CsvModelRecord *expected = &model->records[at];
    if (expected->begin != begin || expected->taken != taken)
        return "a record's place differs";
    if (expected->line != line)
        return "a record's line differs";
    if (taken == CSV_NEVER_CLOSED)
        return NULL;
    if (expected->is_broken != record->is_broken)
        return "a record is broken and should not, or is not and should";
    if (expected->n_fields != record->n_fields)
        return "the number of fields differs";
    if (expected->is_ascii != record->is_ascii)
        return "a record is taken for ASCII and is not, or is and is not";
    if (!bytes_equal(record->raw, (Bytes){model->text.data + begin, expected->raw_size}))
        return "a record's raw text differs";
    return record->is_broken ? NULL : compare_fields(model, expected, record);
}

/* Read the records that start in [at, end); *n counts all records seen. */
static const char *check_records(const CsvModel *model, int64_t at, int64_t end, int64_t line,
                                 int64_t *n, CsvRecord *record)
{
    const char *problem = NULL;
    while (at < end && problem == NULL) {
        /* First the text of the piece alone, then what follows it. */
        Bytes text = {model->text.data + at, end - at};
        int64_t taken = csv_next(text, model->delimiter, end == model->text.size, record);
        if (taken == CSV_NOT_WHOLE) {
            text.size = model->text.size - at;
            taken = csv_next(text, model->delimiter, true, record);
        }
        problem = compare(model, (*n)++, at, taken, line, record);
        if (taken <= 0)
            break;
        at += taken;
        line += record->newlines;
    }
    return problem;
}

const char *csv_model_check_whole(const CsvModel *model, CsvRecord *record)
{
    int64_t n = 0;
    const char *problem = check_records(model, 0, model->text.size, 1, &n, record);
    return problem == NULL && n != model->n_records ? "records are missing" : problem;
}

/* The first line that begins at or after `at`. */
static int64_t line_border(Bytes text, int64_t at)
{
    if (at == 0 || at >= text.size)
        return at;
    const char *found = memchr(text.data + at - 1, '\n', (size_t)(text.size - at + 1));
    return found != NULL ? found - text.data + 1 : text.size;
}

const char *csv_model_check_pieces(const CsvModel *model, const int64_t *borders, int64_t n_borders,
                                   int64_t block, CsvRecord *record)
{
    const char *problem = NULL;
    Bytes text = model->text;
    CsvState state = CSV_FIELD_START;
    int64_t n = 0, line = 1, begin = 0;
    for (int64_t i = 0; i <= n_borders && problem == NULL; i++) {
        int64_t end = i < n_borders ? line_border(text, borders[i]) : text.size;
        CsvScan scan;
        csv_scan_init(&scan, model->delimiter);
        for (int64_t at = begin; at < end; at += block)
            csv_scan_feed(&scan, (Bytes){text.data + at, at + block < end ? block : end - at});
        int64_t at = begin, at_line = line;
        if (state == CSV_QUOTED) {
            int64_t taken = csv_skip_rest((Bytes){text.data + begin, end - begin}, model->delimiter,
                                          end == text.size, record);
            at = taken > 0 ? begin + taken : end;
            at_line += taken > 0 ? record->newlines : 0;
        } else if (state != CSV_FIELD_START && begin < end) {
            return "a line begins in an impossible state";
        }
        problem = check_records(model, at, end, at_line, &n, record);
        if (begin < end)
            state = state == CSV_QUOTED ? scan.after_quoted : scan.after_start;
        line += scan.newlines;
        begin = end;
    }
    return problem == NULL && n != model->n_records ? "records are missing" : problem;
}
