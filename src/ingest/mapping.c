#include "ingest/mapping.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const reject_columns[REJECT_COLUMNS] = {"vesper_file", "vesper_line", "vesper_field",
                                                    "vesper_reason"};

/* ---- settings ---- */

static Status read_delimiter(const char *text, InputSettings *settings)
{
    static const struct {
        const char *name;
        char value;
    } known[] = {{",", ','},   {"comma", ','}, {";", ';'}, {"semicolon", ';'},
                 {"\t", '\t'}, {"tab", '\t'},  {"|", '|'}, {"pipe", '|'}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(text, known[i].name) == 0) {
            settings->delimiter = known[i].value;
            return STATUS_OK;
        }
    }
    return STATUS_USAGE;
}

static Status read_point(const char *text, InputSettings *settings)
{
    if (strcmp(text, ".") != 0 && strcmp(text, ",") != 0)
        return STATUS_USAGE;
    settings->decimals.point = text[0];
    return STATUS_OK;
}

static Status read_thousands(const char *text, InputSettings *settings)
{
    if (strcmp(text, "none") == 0)
        settings->decimals.group = 0;
    else if (strcmp(text, "space") == 0)
        settings->decimals.group = ' ';
    else if (strlen(text) == 1 && strchr(",.'_", text[0]) != NULL)
        settings->decimals.group = text[0];
    else
        return STATUS_USAGE;
    return STATUS_OK;
}

static Status read_permission(const char *text, bool *is_allowed)
{
    *is_allowed = strcmp(text, "allow") == 0;
    return *is_allowed || strcmp(text, "reject") == 0 ? STATUS_OK : STATUS_USAGE;
}

static Status read_negative_price(const char *text, InputSettings *settings)
{
    return read_permission(text, &settings->is_negative_price_allowed);
}

static Status read_zero_quantity(const char *text, InputSettings *settings)
{
    return read_permission(text, &settings->is_zero_quantity_allowed);
}

static Status read_timestamp(const char *text, InputSettings *settings)
{
    Error unused;
    return time_pattern_init(&settings->timestamp, text, &unused);
}

static Status read_day(const char *text, InputSettings *settings)
{
    Error unused;
    return time_pattern_init(&settings->day, text, &unused);
}

static Status read_cancelled_prefix(const char *text, InputSettings *settings)
{
    settings->cancelled_prefix = text;
    return STATUS_OK;
}

static Status read_cancelled_status(const char *text, InputSettings *settings)
{
    settings->n_cancelled_words = 0;
    for (text += strspn(text, " "); *text != 0; text += strspn(text, " ")) {
        if (settings->n_cancelled_words == CANCELLED_WORDS_MAX)
            return STATUS_USAGE;
        Bytes word = {text, (int64_t)strcspn(text, " ")};
        settings->cancelled_words[settings->n_cancelled_words++] = word;
        text += word.size;
    }
    return STATUS_OK;
}

static Status read_query(const char *text, InputSettings *settings)
{
    settings->query = text;
    return STATUS_OK;
}

static Status read_source_table(const char *text, InputSettings *settings)
{
    settings->source_table = text;
    return STATUS_OK;
}

static Status read_watermark(const char *text, InputSettings *settings)
{
    settings->watermark = text;
    return STATUS_OK;
}

static Status read_watermark_settle(const char *text, InputSettings *settings)
{
    int64_t most = (int64_t)366 * 86400;
    char *end = NULL;
    settings->watermark_settle = strtoll(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    return is_number && settings->watermark_settle <= most ? STATUS_OK : STATUS_USAGE;
}

static Status read_range_key(const char *text, InputSettings *settings)
{
    settings->range_key = text;
    return STATUS_OK;
}

typedef struct Setting {
    const char *key;
    bool orders_only;
    Status (*read)(const char *text, InputSettings *settings);
    const char *possible;
} Setting;

static const char pattern_help[] = "auto, or a pattern of %Y %m %d %H %M %S %f %b %p %I %y %z %s "
                                   "and text, like %d/%m/%Y %H:%M";
static const char permission_help[] = "reject or allow";

static const Setting known_settings[] = {
    {"delimiter", false, read_delimiter, "comma, semicolon, tab or pipe"},
    {"timestamp", false, read_timestamp, pattern_help},
    {"day", false, read_day, pattern_help},
    {"decimal_point", false, read_point, ". or ,"},
    {"thousands", false, read_thousands, "none, space, or one of , . ' _"},
    {"query", false, read_query, "a SELECT"},
    {"table", false, read_source_table, "NAME or SCHEMA.NAME"},
    {"watermark", false, read_watermark, "a column"},
    {"watermark_settle", false, read_watermark_settle, "seconds, at most a year"},
    {"range_key", false, read_range_key, "a column of whole numbers"},
    {"cancelled_prefix", true, read_cancelled_prefix, "any text"},
    {"cancelled_status", true, read_cancelled_status, "at most 32 words with spaces between"},
    {"negative_price", true, read_negative_price, permission_help},
    {"zero_quantity", true, read_zero_quantity, permission_help},
};
enum { N_SETTINGS = sizeof known_settings / sizeof known_settings[0] };

static const Setting *find_setting(const char *key, InputTable table)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        bool fits = table == INPUT_ORDERS || !known_settings[i].orders_only;
        if (fits && strcmp(key, known_settings[i].key) == 0)
            return &known_settings[i];
    }
    return NULL;
}

static Status unknown_setting(const Config *config, InputTable table, const char *key, Error *error)
{
    Buffer possible = {0};
    for (int i = 0; i < N_SETTINGS; i++) {
        if (table == INPUT_ORDERS || !known_settings[i].orders_only)
            buffer_printf(&possible, "%s%s", possible.size > 0 ? ", " : "", known_settings[i].key);
    }
    Status status = error_set(
        error, STATUS_USAGE, __FILE__, __LINE__, "%s: [%s] has no setting \"%s\"; possible are %s",
        config_ini_path(config), input_schema(table)->name, key, buffer_string(&possible));
    buffer_free(&possible);
    return status;
}

Status input_settings_read(const Config *config, InputTable table, InputSettings *settings,
                           Error *error)
{
    Status status = STATUS_OK;
    const char *section = input_schema(table)->name;
    *settings = (InputSettings){
        .delimiter = ',',
        .decimals = {.point = '.'},
        .cancelled_prefix = "",
        .watermark_settle = WATERMARK_SETTLE_DEFAULT,
    };
    TRY(read_cancelled_status("cancelled canceled refunded returned", settings));
    TRY(time_pattern_init(&settings->timestamp, "auto", error));
    TRY(time_pattern_init(&settings->day, "auto", error));
    for (int i = 0; i < config_ini_count(config, section); i++) {
        const char *key, *value;
        config_ini_entry(config, section, i, &key, &value);
        const Setting *setting = find_setting(key, table);
        if (setting == NULL) {
            status = unknown_setting(config, table, key, error);
            goto out;
        }
        if (setting->read(value, settings) != STATUS_OK)
            FAIL(error, STATUS_USAGE, "%s: [%s] %s = \"%s\" is not possible; use %s",
                 config_ini_path(config), section, key, value, setting->possible);
    }
    if (settings->query != NULL && settings->source_table != NULL)
        FAIL(error, STATUS_USAGE, "%s: [%s] has both query and table; leave one of them out",
             config_ini_path(config), section);
    if (settings->decimals.point == settings->decimals.group)
        FAIL(error, STATUS_USAGE,
             "%s: [%s] decimal_point and thousands are both \"%c\"; set the other one too",
             config_ini_path(config), section, settings->decimals.point);
out:
    return status;
}

/* ---- columns ---- */

/* "a, b, c" of the file's own columns, shortened if it is long. */
static void list_columns(const Mapping *mapping, Buffer *list)
{
    int first = mapping->mended ? REJECT_COLUMNS : 0;
    for (int i = first; i < mapping->n_columns && list->size < 400; i++)
        buffer_printf(list, "%s\"%.60s\"", i > first ? ", " : "", mapping->names[i]);
    if (list->size >= 400)
        buffer_append_string(list, ", ...");
}

static Status missing_column(const Mapping *mapping, const char *place, const char *wanted,
                             const char *advice, const char *section, const char *key, Error *error)
{
    Buffer list = {0};
    list_columns(mapping, &list);
    Status status = error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                              "%s has no column \"%s\"%s [%s] %s = COLUMN; it has %s", place,
                              wanted, advice, section, key, buffer_string(&list));
    buffer_free(&list);
    return status;
}

/* The column called `name`: -1 if there is none, -2 if there are several. */
static int find_column(const Mapping *mapping, const char *name, bool ignore_case)
{
    int found = -1;
    for (int i = mapping->mended ? REJECT_COLUMNS : 0; i < mapping->n_columns; i++) {
        const char *other = mapping->names[i];
        if ((ignore_case ? strcasecmp(name, other) : strcmp(name, other)) == 0)
            found = found == -1 ? i : -2;
    }
    return found;
}

static Status map_field(const Config *config, const char *section, const Field *field,
                        const char *place, const Mapping *mapping, int *column, Error *error)
{
    Status status = STATUS_OK;
    const char *name = config_ini(config, section, field->name);
    if (name != NULL && strcmp(name, "-") == 0) {
        *column = -1;
        if (field->required)
            FAIL(error, STATUS_USAGE, "%s: [%s] %s = - is not possible: the column is required",
                 config_ini_path(config), section, field->name);
        return STATUS_OK;
    }
    const char *wanted = name != NULL ? name : field->name;
    *column = find_column(mapping, wanted, false);
    if (*column == -1 && name == NULL)
        *column = find_column(mapping, wanted, true);
    if (*column == -2)
        FAIL(error, STATUS_INPUT, "%s has more than one column \"%s\"", place, wanted);
    if (*column == -1 && name != NULL)
        return missing_column(mapping, place, wanted, ", which the ini names; mend", section,
                              field->name, error);
    if (*column == -1 && field->required)
        return missing_column(mapping, place, wanted,
                              mapping->n_columns == 1
                                  ? "; is the delimiter right? name it in the ini:"
                                  : "; name it in the ini:",
                              section, field->name, error);
out:
    return status;
}

/* Every key of the section must be a column of the table. */
static Status check_keys(const Config *config, const char *section, const InputSchema *schema,
                         Error *error)
{
    Status status = STATUS_OK;
    Buffer possible = {0};
    for (int i = 0; i < config_ini_count(config, section); i++) {
        const char *key, *value;
        int at = 0;
        config_ini_entry(config, section, i, &key, &value);
        while (at < schema->n_fields && strcmp(schema->fields[at].name, key) != 0)
            at++;
        if (at < schema->n_fields)
            continue;
        for (at = 0; at < schema->n_fields; at++)
            buffer_printf(&possible, "%s%s", at > 0 ? ", " : "", schema->fields[at].name);
        FAIL(error, STATUS_USAGE, "%s: [%s] %s: the table %s has no such column; it has %s",
             config_ini_path(config), section, key, schema->name, buffer_string(&possible));
    }
out:
    buffer_free(&possible);
    return status;
}

static Status name_columns(Bytes header, char delimiter, const char *place, Mapping *mapping,
                           Error *error)
{
    Status status = STATUS_OK;
    CsvRecord *record = mem_new(1, sizeof *record);
    vesper_assert(csv_next(header, delimiter, true, record) > 0);
    if (record->n_fields > CSV_FIELDS_MAX)
        FAIL(error, STATUS_INPUT, "%s has %lld columns, at most %d are possible", place,
             (long long)record->n_fields, CSV_FIELDS_MAX);
    mapping->n_columns = (int)record->n_fields;
    mapping->names = mem_new(record->n_fields, sizeof *mapping->names);
    for (int i = 0; i < mapping->n_columns; i++) {
        Buffer name = {0};
        buffer_append_bytes(&name, record->fields[i]);
        mapping->names[i] = mem_copy_string(buffer_string(&name));
        buffer_free(&name);
    }
    mapping->mended = mapping->n_columns > REJECT_COLUMNS;
    for (int i = 0; i < REJECT_COLUMNS && mapping->mended; i++)
        mapping->mended = strcmp(mapping->names[i], reject_columns[i]) == 0;
out:
    csv_record_free(record);
    mem_free(&record);
    return status;
}

Status mapping_make(const Config *config, InputTable table, Bytes header, char delimiter,
                    const char *place, Mapping *mapping, Error *error)
{
    Status status = STATUS_OK;
    const InputSchema *schema = input_schema(table);
    char section[64];
    vesper_assert(schema->n_fields <= INPUT_FIELDS_MAX);
    (void)snprintf(section, sizeof section, "%s.columns", schema->name);
    *mapping = (Mapping){0};
    TRY(name_columns(header, delimiter, place, mapping, error));
    TRY(check_keys(config, section, schema, error));
    for (int i = 0; i < schema->n_fields; i++)
        TRY(map_field(config, section, &schema->fields[i], place, mapping, &mapping->column[i],
                      error));
out:
    return status;
}

void mapping_free(Mapping *mapping)
{
    for (int i = 0; i < mapping->n_columns; i++)
        mem_free(&mapping->names[i]);
    mem_free(&mapping->names);
    mapping->n_columns = 0;
}
