/* Configuration from an ini file, read with inih through a line reader of our own: it counts lines
 * for the messages, lets keys be indented (inih would take such a line for a continuation), and
 * refuses what inih would cut off in silence. A line that ends in a backslash goes on in the next
 * one: that one is given to inih indented, as a continuation in its sense. */
#include "base/config_internal.h"
#include "base/memory.h"
#include "base/suggest.h"

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
    bool continues;    /* this line goes on with the value of the line before */
    bool is_continued; /* and the next one with that of this line */
    const Option *options;
    int n_options;
    const char *const *free_sections;
    Config *config;
    Status status;
    Error *error;
} IniReader;

/* ---- lines ---- */

/* The bytes of a line before a comment and the blanks before it. */
static size_t size_without_comment(const char *line)
{
    static const char blanks[] = " \t\r\n";
    size_t size = strcspn(line, "\n");
    for (size_t i = 1; i < size; i++) {
        if (line[i] == ';' && strchr(blanks, line[i - 1]))
            size = i;
    }
    while (size > 0 && strchr(blanks, line[size - 1]))
        size--;
    return size;
}

/* Find the backslash that says that the next line goes on with this one, and take it away; with it
 * the comment, which inih leaves in continuations. */
static Status join_lines(IniReader *reader, char *line)
{
    Status status = STATUS_OK;
    size_t size = size_without_comment(line);
    char first = line[strspn(line, " ")];
    bool is_text = size > 0 && first != ';' && first != '#';
    reader->is_continued =
        is_text && size > 1 && line[size - 1] == '\\' && (first != '[' || reader->continues);
    if (reader->continues && !is_text)
        FAIL(reader->error, STATUS_USAGE,
             "%s:%d: the line before ends in a backslash, so its value must go on here",
             reader->path, reader->line);
    if (reader->continues || reader->is_continued)
        line[size - (reader->is_continued ? 1 : 0)] = '\0';
out:
    return status;
}

/* One line, indentation cut off, or STATUS_USAGE. *ended at the end of the file. */
static Status read_line(IniReader *reader, char *line, int size, bool *ended)
{
    Status status = STATUS_OK;
    Error *error = reader->error;
    int n = 0, c = 0;
    bool is_indented = true, has_nul = false;
    *ended = false;
    reader->continues = reader->is_continued;
    if (reader->continues)
        line[n++] = ' ';
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
        FAIL(error, STATUS_USAGE,
             "%s:%d: the line is longer than %d bytes; end it with a backslash and go on in the "
             "next",
             reader->path, reader->line, size - 3 - (reader->continues ? 1 : 0));
    if (has_nul || !bytes_are_utf8(bytes_of(line)))
        FAIL(error, STATUS_USAGE, "%s:%d: not valid UTF-8 text; save the file as UTF-8",
             reader->path, reader->line);
    if (line[0] == '[' && !strchr(line, ']'))
        FAIL(error, STATUS_USAGE, "%s:%d: the ']' that ends the section's name is missing",
             reader->path, reader->line);
    if (line[0] == '[' && strcspn(line, "]") > SECTION_MOST + 1)
        FAIL(error, STATUS_USAGE, "%s:%d: the section's name is longer than %d bytes", reader->path,
             reader->line, SECTION_MOST);
    TRY(join_lines(reader, line));
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

/* The section of the only option that has this key; NULL: there is none, or several. */
static const char *section_of(const IniReader *reader, const char *key)
{
    const char *section = NULL;
    int n = 0;
    for (int i = 0; i < reader->n_options; i++) {
        const Option *option = &reader->options[i];
        if (option->section && strcmp(option->key, key) == 0) {
            section = option->section;
            n++;
        }
    }
    return n == 1 ? section : NULL;
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
        const char *elsewhere = section_of(reader, key);
        buffer_printf(&text, "unknown key '%s' in [%s]", key, section);
        if (elsewhere)
            buffer_printf(&text, "; it belongs in [%s]", elsewhere);
        else
            suggest_words(&text, key, keys, n_keys, "");
    } else if (*section == '\0') {
        buffer_printf(&text, "the key '%s' stands before the first [section]", key);
        suggest_words(&text, "", sections, n_sections, "");
    } else {
        buffer_printf(&text, "unknown section [%s]", section);
        suggest_words(&text, section, sections, n_sections, "");
    }
    Status status = error_set(reader->error, STATUS_USAGE, __FILE__, __LINE__, "%s:%d: %s",
                              reader->path, reader->line, buffer_string(&text));
    buffer_free(&text);
    mem_free(&keys);
    mem_free(&sections);
    return status;
}

static Status check_key(const IniReader *reader, const Option *option, const char *section,
                        const char *key)
{
    Status status = STATUS_OK;
    Error *error = reader->error;
    if (!option && !is_free_section(section, reader->free_sections))
        return refuse_entry(reader, section, key);
    if (*key == '\0')
        FAIL(error, STATUS_USAGE, "%s:%d: there is no key before the '='", reader->path,
             reader->line);
    for (int i = 0; i < reader->config->n_entries; i++) {
        const IniEntry *earlier = &reader->config->entries[i];
        if (strcmp(earlier->section, section) == 0 && strcmp(earlier->key, key) == 0 &&
            !(option && option->type == OPTION_LIST))
            FAIL(error, STATUS_USAGE, "%s:%d: '%s' in [%s] is given twice, first in line %d",
                 reader->path, reader->line, key, section, earlier->line);
    }
out:
    return status;
}

static Status check_value(const IniReader *reader, const IniEntry *entry)
{
    Status status = STATUS_OK;
    Error *error = reader->error;
    const Option *option = find_option(reader, entry->section, entry->key);
    if (*entry->value == '\0')
        FAIL(error, STATUS_USAGE,
             "%s:%d: '%s' in [%s] has no value; leave the line out (a ';' after a blank begins a "
             "comment)",
             reader->path, entry->line, entry->key, entry->section);
    if (option) {
        Buffer source = {0};
        buffer_printf(&source, "%s:%d: [%s] %s", reader->path, entry->line, entry->section,
                      entry->key);
        status = config_check(option, entry->value, buffer_string(&source), error);
        buffer_free(&source);
    }
out:
    return status;
}

/* Add a line's text to the value of the line before. */
static void continue_entry(IniEntry *entry, const char *text)
{
    Buffer value = {0};
    buffer_printf(&value, "%s%s%s", entry->value, *entry->value ? " " : "", text);
    mem_free(&entry->value);
    entry->value = mem_copy_string(buffer_string(&value));
    buffer_free(&value);
}

/* inih's handler: nonzero to go on. */
static int take_entry(void *user, const char *section, const char *key, const char *value)
{
    IniReader *reader = user;
    Config *config = reader->config;
    if (reader->status != STATUS_OK)
        return 0;
    if (reader->continues && config->n_entries > 0) {
        continue_entry(&config->entries[config->n_entries - 1], value);
    } else {
        const Option *option = find_option(reader, section, key);
        reader->status = check_key(reader, option, section, key);
        if (reader->status == STATUS_OK)
            config_entry_add(config, section, key, value, option != NULL, reader->line);
    }
    if (reader->status == STATUS_OK && !reader->is_continued)
        reader->status = check_value(reader, &config->entries[config->n_entries - 1]);
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
