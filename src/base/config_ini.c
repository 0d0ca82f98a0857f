/* Configuration from an ini file, read with inih through a line reader of our own: it counts lines
 * for the messages, lets keys be indented (inih would take such a line for a continuation), and
 * refuses what inih would cut off in silence. */
#include "base/config_internal.h"
#include "base/memory.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SECTION_MOST = 49 }; /* inih keeps so many bytes of a section's name */

typedef struct IniReader {
    FILE *file;
    const char *path;
    int line;
    const Option *options;
    int n_options;
    const char *const *free_sections;
    Config *config;
    Status status;
    Error *error;
} IniReader;

/* ---- lines ---- */

/* One line, indentation cut off, or STATUS_USAGE. *ended at the end of the file. */
static Status read_line(IniReader *reader, char *line, int size, bool *ended)
{
    Status status = STATUS_OK;
    Error *error = reader->error;
    int n = 0, c = 0;
    bool is_indented = true, has_nul = false;
    *ended = false;
    while (n < size - 2 && c != '\n' && (c = getc(reader->file)) != EOF) {
        if (is_indented && (c == ' ' || c == '\t'))
            continue;
        is_indented = false;
        has_nul |= c == '\0';
        line[n++] = (char)c;
    }
    line[n] = '\0';
    if (ferror(reader->file))
        FAIL(error, STATUS_USAGE, "%s: cannot be read: %s", reader->path, strerror(errno));
    *ended = n == 0 && c == EOF;
    reader->line++;
    if (c != '\n' && c != EOF)
        FAIL(error, STATUS_USAGE, "%s:%d: the line is longer than %d bytes; shorten it",
             reader->path, reader->line, size - 3);
    if (has_nul || !bytes_are_utf8(bytes_of(line)))
        FAIL(error, STATUS_USAGE, "%s:%d: not valid UTF-8 text; save the file as UTF-8",
             reader->path, reader->line);
    if (line[0] == '[' && !strchr(line, ']'))
        FAIL(error, STATUS_USAGE, "%s:%d: the ']' that ends the section's name is missing",
             reader->path, reader->line);
    if (line[0] == '[' && strcspn(line, "]") > SECTION_MOST + 1)
        FAIL(error, STATUS_USAGE, "%s:%d: the section's name is longer than %d bytes", reader->path,
             reader->line, SECTION_MOST);
out:
    return status;
}

/* inih's fgets. */
static char *next_line(char *line, int size, void *stream)
{
    IniReader *reader = stream;
    bool ended = true;
    if (reader->status == STATUS_OK)
        reader->status = read_line(reader, line, size, &ended);
    return reader->status == STATUS_OK && !ended ? line : NULL;
}

/* ---- what a key may be ---- */

static bool is_free_section(const char *section, const char *const *patterns)
{
    for (; patterns && *patterns; patterns++) {
        size_t length = strlen(*patterns);
        bool is_prefix = length > 0 && (*patterns)[length - 1] == '*';
        if (is_prefix ? strncmp(section, *patterns, length - 1) == 0
                      : strcmp(section, *patterns) == 0)
            return true;
    }
    return false;
}

static const Option *find_option(const IniReader *reader, const char *section, const char *key)
{
    for (int i = 0; i < reader->n_options; i++) {
        const Option *option = &reader->options[i];
        if (option->section && strcmp(option->section, section) == 0 &&
            strcmp(option->key, key) == 0)
            return option;
    }
    return NULL;
}

static bool is_in(const char *name, const char **names, int n_names)
{
    for (int i = 0; i < n_names; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* A key or section that nobody asks for: say what is possible. */
static Status refuse_entry(const IniReader *reader, const char *section, const char *key)
{
    int n_free = 0, n_keys = 0, n_sections = 0;
    while (reader->free_sections && reader->free_sections[n_free])
        n_free++;
    const char **keys = mem_new(reader->n_options, sizeof *keys);
    const char **sections = mem_new(reader->n_options + n_free, sizeof *sections);
    for (int i = 0; i < reader->n_options; i++) {
        const Option *option = &reader->options[i];
        if (!option->section)
            continue;
        if (strcmp(option->section, section) == 0)
            keys[n_keys++] = option->key;
        if (!is_in(option->section, sections, n_sections))
            sections[n_sections++] = option->section;
    }
    for (int i = 0; i < n_free; i++) {
        if (!is_in(reader->free_sections[i], sections, n_sections))
            sections[n_sections++] = reader->free_sections[i];
    }
    Buffer text = {0};
    if (n_keys > 0) {
        buffer_printf(&text, "unknown key '%s' in [%s]", key, section);
        config_suggest(&text, key, keys, n_keys, "");
    } else if (*section == '\0') {
        buffer_printf(&text, "the key '%s' stands before the first [section]", key);
        config_suggest(&text, "", sections, n_sections, "");
    } else {
        buffer_printf(&text, "unknown section [%s]", section);
        config_suggest(&text, section, sections, n_sections, "");
    }
    Status status = error_set(reader->error, STATUS_USAGE, __FILE__, __LINE__, "%s:%d: %s",
                              reader->path, reader->line, buffer_string(&text));
    buffer_free(&text);
    mem_free(&keys);
    mem_free(&sections);
    return status;
}

static Status check_entry(const IniReader *reader, const Option *option, const char *section,
                          const char *key, const char *value)
{
    Status status = STATUS_OK;
    Error *error = reader->error;
    if (!option && !is_free_section(section, reader->free_sections))
        return refuse_entry(reader, section, key);
    if (*key == '\0')
        FAIL(error, STATUS_USAGE, "%s:%d: there is no key before the '='", reader->path,
             reader->line);
    if (*value == '\0')
        FAIL(error, STATUS_USAGE,
             "%s:%d: '%s' in [%s] has no value; leave the line out (a ';' after a blank begins a "
             "comment)",
             reader->path, reader->line, key, section);
    for (int i = 0; i < reader->config->n_entries; i++) {
        const IniEntry *earlier = &reader->config->entries[i];
        if (strcmp(earlier->section, section) == 0 && strcmp(earlier->key, key) == 0 &&
            !(option && option->type == OPTION_LIST))
            FAIL(error, STATUS_USAGE, "%s:%d: '%s' in [%s] is given twice, first in line %d",
                 reader->path, reader->line, key, section, earlier->line);
    }
    if (option) {
        Buffer source = {0};
        buffer_printf(&source, "%s:%d: [%s] %s", reader->path, reader->line, section, key);
        status = config_check(option, value, buffer_string(&source), error);
        buffer_free(&source);
    }
out:
    return status;
}

/* inih's handler: nonzero to go on. */
static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    IniReader *reader = user;
    if (reader->status != STATUS_OK)
        return 0;
    const Option *option = find_option(reader, section, key);
    reader->status = check_entry(reader, option, section, key, value);
    if (reader->status == STATUS_OK)
        config_entry_add(reader->config, section, key, value, option != NULL, reader->line);
    return reader->status == STATUS_OK;
}

Status config_read_ini(const char *path, const Option *options, int n_options,
                       const char *const *free_sections, Config *config, Error *error)
{
    Status status = STATUS_OK;
    IniReader reader = {
        .path = path,
        .options = options,
        .n_options = n_options,
        .free_sections = free_sections,
        .config = config,
        .error = error,
    };
    struct stat about;
    reader.file = fopen(path, "re");
    if (!reader.file)
        FAIL(error, STATUS_USAGE, "cannot read the configuration %s: %s", path, strerror(errno));
    if (fstat(fileno(reader.file), &about) == 0 && S_ISDIR(about.st_mode))
        FAIL(error, STATUS_USAGE, "the configuration %s is a folder, not an ini file", path);
    int wrong_line = ini_parse_stream(next_line, &reader, take_entry, &reader);
    TRY(reader.status);
    if (wrong_line > 0)
        FAIL(error, STATUS_USAGE,
             "%s:%d: neither a [section] nor KEY = VALUE nor a comment (; or #)", path, wrong_line);
    if (wrong_line < 0)
        FAIL(error, STATUS_MEMORY, "out of memory reading the configuration %s", path);
out:
    if (reader.file)
        fclose(reader.file);
    return status;
}
