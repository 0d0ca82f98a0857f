/* Configuration in force: values by flag, the ini's own keys, packing for the other ranks. */
#include "base/config_internal.h"
#include "base/hash.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *config_copy_bytes(Bytes text)
{
    char *copy = mem_new(text.size + 1, 1);
    if (text.size > 0)
        memcpy(copy, text.data, (size_t)text.size);
    return copy;
}

void config_value_clear(ConfigValue *value)
{
    for (int i = 0; i < value->n_items; i++)
        mem_free(&value->items[i]);
    value->n_items = 0;
}

void config_value_add(ConfigValue *value, Bytes item)
{
    if (value->n_items == value->capacity) {
        value->capacity = value->capacity ? 2 * value->capacity : 1;
        mem_grow(&value->items, value->capacity, sizeof *value->items);
    }
    value->items[value->n_items++] = config_copy_bytes(item);
}

void config_entry_add(Config *config, const char *section, const char *key, const char *value,
                      bool is_option, int line)
{
    if (config->n_entries == config->entries_capacity) {
        config->entries_capacity = config->entries_capacity ? 2 * config->entries_capacity : 16;
        mem_grow(&config->entries, config->entries_capacity, sizeof *config->entries);
    }
    config->entries[config->n_entries++] = (IniEntry){
        .section = mem_copy_string(section),
        .key = mem_copy_string(key),
        .value = mem_copy_string(value),
        .is_option = is_option,
        .line = line,
    };
}

void config_free(Config **config)
{
    Config *c = *config;
    if (!c)
        return;
    for (int i = 0; i < c->n_values; i++) {
        config_value_clear(&c->values[i]);
        mem_free(&c->values[i].items);
        mem_free(&c->values[i].flag);
    }
    config_value_clear(&c->arguments);
    mem_free(&c->arguments.items);
    for (int i = 0; i < c->n_entries; i++) {
        mem_free(&c->entries[i].section);
        mem_free(&c->entries[i].key);
        mem_free(&c->entries[i].value);
    }
    mem_free(&c->values);
    mem_free(&c->entries);
    mem_free(&c->ini_path);
    mem_free(config);
}

/* ---- packing: numbers end with a space, texts are preceded by their length ---- */

static void pack_number(Buffer *packed, int64_t number)
{
    buffer_printf(packed, "%" PRId64 " ", number);
}

static void pack_text(Buffer *packed, const char *text)
{
    pack_number(packed, (int64_t)strlen(text));
    buffer_append_string(packed, text);
}

static void pack_items(Buffer *packed, const ConfigValue *value)
{
    pack_number(packed, value->n_items);
    for (int k = 0; k < value->n_items; k++)
        pack_text(packed, value->items[k]);
}

void config_pack(const Config *config, Buffer *packed)
{
    pack_number(packed, config->n_values);
    for (int i = 0; i < config->n_values; i++) {
        const ConfigValue *value = &config->values[i];
        pack_text(packed, value->flag);
        pack_number(packed, value->type);
        pack_number(packed, value->is_argument);
        pack_items(packed, value);
    }
    pack_items(packed, &config->arguments);
    pack_number(packed, config->n_entries);
    for (int i = 0; i < config->n_entries; i++) {
        const IniEntry *entry = &config->entries[i];
        pack_text(packed, entry->section);
        pack_text(packed, entry->key);
        pack_text(packed, entry->value);
        pack_number(packed, entry->is_option);
    }
    pack_number(packed, config->ini_path != NULL);
    if (config->ini_path)
        pack_text(packed, config->ini_path);
}

/* Numbers and texts of a packed config. After the first mistake everything is 0 or empty. */
typedef struct Reader {
    Bytes left;
    bool is_broken;
} Reader;

static int64_t unpack_number(Reader *reader, int64_t most)
{
    int64_t number = 0, at = 0;
    while (at < reader->left.size && reader->left.data[at] >= '0' && reader->left.data[at] <= '9' &&
           number <= most)
        number = number * 10 + (reader->left.data[at++] - '0');
    if (at == 0 || at == reader->left.size || reader->left.data[at] != ' ' || number > most) {
        *reader = (Reader){.is_broken = true};
        return 0;
    }
    reader->left = (Bytes){reader->left.data + at + 1, reader->left.size - at - 1};
    return number;
}

static Bytes unpack_text(Reader *reader)
{
    int64_t size = unpack_number(reader, reader->left.size);
    if (size > reader->left.size) {
        *reader = (Reader){.is_broken = true};
        size = 0;
    }
    Bytes text = {reader->left.data, size};
    if (size > 0)
        reader->left = (Bytes){text.data + size, reader->left.size - size};
    return text;
}

static void unpack_items(Reader *reader, ConfigValue *value)
{
    int64_t n = unpack_number(reader, reader->left.size);
    for (int64_t k = 0; k < n && !reader->is_broken; k++)
        config_value_add(value, unpack_text(reader));
}

static void unpack_entry(Reader *reader, Config *config)
{
    char *section = config_copy_bytes(unpack_text(reader));
    char *key = config_copy_bytes(unpack_text(reader));
    char *value = config_copy_bytes(unpack_text(reader));
    config_entry_add(config, section, key, value, unpack_number(reader, 1) != 0, 0);
    mem_free(&section);
    mem_free(&key);
    mem_free(&value);
}

Status config_unpack(Bytes packed, Config **config, Error *error)
{
    Reader reader = {.left = packed};
    Config *c = mem_new(1, sizeof *c);
    int n_values = (int)unpack_number(&reader, packed.size);
    c->values = mem_new(n_values, sizeof *c->values);
    for (; c->n_values < n_values && !reader.is_broken; c->n_values++) {
        ConfigValue *value = &c->values[c->n_values];
        value->flag = config_copy_bytes(unpack_text(&reader));
        value->type = (OptionType)unpack_number(&reader, OPTION_LIST);
        value->is_argument = unpack_number(&reader, 1) != 0;
        unpack_items(&reader, value);
    }
    unpack_items(&reader, &c->arguments);
    int n_entries = (int)unpack_number(&reader, packed.size);
    for (int i = 0; i < n_entries && !reader.is_broken; i++)
        unpack_entry(&reader, c);
    if (unpack_number(&reader, 1))
        c->ini_path = config_copy_bytes(unpack_text(&reader));
    if (reader.is_broken || reader.left.size != 0) {
        config_free(&c);
        return error_set(error, STATUS_BUG, __FILE__, __LINE__,
                         "the configuration did not arrive whole from the first rank");
    }
    *config = c;
    return STATUS_OK;
}

/* ---- asking ---- */

static const ConfigValue *find_value(const Config *config, const char *flag)
{
    for (int i = 0; i < config->n_values; i++) {
        if (strcmp(config->values[i].flag, flag) == 0)
            return &config->values[i];
    }
    bug_abort(__FILE__, __LINE__, flag); /* no such option in this job's table */
}

static const char *first_item(const Config *config, const char *flag, OptionType type)
{
    const ConfigValue *value = find_value(config, flag);
    vesper_assert(value->type == type);
    return value->n_items > 0 ? value->items[0] : NULL;
}

bool config_is_set(const Config *config, const char *flag)
{
    return find_value(config, flag)->n_items > 0;
}

bool config_is_argument(const Config *config, const char *flag)
{
    return find_value(config, flag)->is_argument;
}

const char *config_text(const Config *config, const char *flag)
{
    return first_item(config, flag, OPTION_TEXT);
}

int64_t config_int(const Config *config, const char *flag)
{
    const char *text = first_item(config, flag, OPTION_INT);
    return text ? strtoll(text, NULL, 10) : 0;
}

double config_real(const Config *config, const char *flag)
{
    const char *text = first_item(config, flag, OPTION_REAL);
    return text ? strtod(text, NULL) : 0;
}

bool config_switch(const Config *config, const char *flag)
{
    const char *text = first_item(config, flag, OPTION_SWITCH);
    return text && strcmp(text, "yes") == 0;
}

int config_list_count(const Config *config, const char *flag)
{
    const ConfigValue *value = find_value(config, flag);
    vesper_assert(value->type == OPTION_LIST);
    return value->n_items;
}

const char *config_list_item(const Config *config, const char *flag, int i)
{
    vesper_assert(i >= 0 && i < config_list_count(config, flag));
    return find_value(config, flag)->items[i];
}

const char *config_ini(const Config *config, const char *section, const char *key)
{
    for (int i = 0; i < config->n_entries; i++) {
        const IniEntry *entry = &config->entries[i];
        if (strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    return NULL;
}

/* Whether entry i is the first of its section, and that begins with `prefix`. */
static bool begins_section(const Config *config, const char *prefix, int i)
{
    const char *section = config->entries[i].section;
    if (strncmp(section, prefix, strlen(prefix)) != 0)
        return false;
    for (int k = 0; k < i; k++) {
        if (strcmp(config->entries[k].section, section) == 0)
            return false;
    }
    return true;
}

int config_ini_section_count(const Config *config, const char *prefix)
{
    int n = 0;
    for (int i = 0; i < config->n_entries; i++)
        n += begins_section(config, prefix, i);
    return n;
}

const char *config_ini_section(const Config *config, const char *prefix, int i)
{
    for (int k = 0; k < config->n_entries; k++) {
        if (begins_section(config, prefix, k) && i-- == 0)
            return config->entries[k].section;
    }
    bug_abort(__FILE__, __LINE__, "ini section out of range");
}

int config_ini_count(const Config *config, const char *section)
{
    int n = 0;
    for (int i = 0; i < config->n_entries; i++)
        n += strcmp(config->entries[i].section, section) == 0;
    return n;
}

void config_ini_entry(const Config *config, const char *section, int i, const char **key,
                      const char **value)
{
    for (int k = 0; k < config->n_entries; k++) {
        const IniEntry *entry = &config->entries[k];
        if (strcmp(entry->section, section) == 0 && i-- == 0) {
            *key = entry->key;
            *value = entry->value;
            return;
        }
    }
    bug_abort(__FILE__, __LINE__, "ini entry out of range");
}

const char *config_ini_path(const Config *config)
{
    return config->ini_path;
}

int config_argument_count(const Config *config)
{
    return config->arguments.n_items;
}

const char *config_argument(const Config *config, int i)
{
    vesper_assert(i >= 0 && i < config->arguments.n_items);
    return config->arguments.items[i];
}

/* ---- identity ---- */

static bool is_listed(const char *name, const char *const *names)
{
    for (; names && *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static int compare_strings(const void *a, const void *b)
{
    char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* One line of text for each value: its name and items, each packed, so that no two sets of values
 * make the same text. */
uint64_t config_hash(const Config *config, const char *const *flags_left_out)
{
    char **lines = mem_new(config->n_values + config->n_entries, sizeof *lines);
    Buffer line = {0}, all = {0};
    int n = 0;
    for (int i = 0; i < config->n_values; i++) {
        const ConfigValue *value = &config->values[i];
        if (is_listed(value->flag, flags_left_out))
            continue;
        buffer_clear(&line);
        buffer_printf(&line, "--%s ", value->flag);
        for (int k = 0; k < value->n_items; k++)
            pack_text(&line, value->items[k]);
        lines[n++] = mem_copy_string(buffer_string(&line));
    }
    for (int i = 0; i < config->n_entries; i++) {
        const IniEntry *entry = &config->entries[i];
        if (entry->is_option)
            continue; /* counted above as the option's value */
        buffer_clear(&line);
        buffer_printf(&line, "[%s] ", entry->section);
        pack_text(&line, entry->key);
        pack_text(&line, entry->value);
        lines[n++] = mem_copy_string(buffer_string(&line));
    }
    if (n > 0)
        qsort(lines, (size_t)n, sizeof *lines, compare_strings);
    for (int i = 0; i < n; i++) {
        pack_text(&all, lines[i]);
        mem_free(&lines[i]);
    }
    uint64_t hash = hash64(buffer_string(&all), all.size);
    buffer_free(&line);
    buffer_free(&all);
    mem_free(&lines);
    return hash;
}
