/* Configuration from the command line, the environment and the defaults (the ini: config_ini.c). */
#include "base/config_internal.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* getopt's number for option i: past every letter. */
enum { FIRST_NUMBER = 256 };

/* ---- checking ---- */

static bool is_yes(const char *text)
{
    return strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0 ||
           strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0;
}

static bool is_no(const char *text)
{
    return strcasecmp(text, "no") == 0 || strcasecmp(text, "false") == 0 ||
           strcasecmp(text, "off") == 0 || strcmp(text, "0") == 0;
}

static bool is_int(const Option *option, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text))
        return false;
    return option->min >= option->max ||
           ((double)value >= option->min && (double)value <= option->max);
}

static bool is_real(const Option *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || isspace((unsigned char)*text))
        return false;
    return option->min >= option->max || (value >= option->min && value <= option->max);
}

Status config_check(const Option *option, const char *text, const char *source, Error *error)
{
    Status status = STATUS_OK;
    char range[64] = "";
    if (option->min < option->max)
        snprintf(range, sizeof range, " from %.15g to %.15g", option->min, option->max);
    if (!bytes_are_utf8(bytes_of(text)))
        FAIL(error, STATUS_USAGE, "%s: the value is not valid UTF-8", source);
    if (*text == '\0')
        FAIL(error, STATUS_USAGE, "%s: the value is empty; it needs %s", source,
             option->argument ? option->argument : "yes or no");
    if (option->type == OPTION_INT && !is_int(option, text))
        FAIL(error, STATUS_USAGE, "%s: '%s' is not a whole number%s", source, text, range);
    if (option->type == OPTION_REAL && !is_real(option, text))
        FAIL(error, STATUS_USAGE, "%s: '%s' is not a number%s", source, text, range);
    if (option->type == OPTION_SWITCH && !is_yes(text) && !is_no(text))
        FAIL(error, STATUS_USAGE, "%s: '%s' is neither yes nor no", source, text);
out:
    return status;
}

void config_apply(ConfigValue *value, const Option *option, const char *text)
{
    if (option->type == OPTION_SWITCH)
        text = is_yes(text) ? "yes" : "no";
    if (option->type != OPTION_LIST)
        config_value_clear(value);
    config_value_add(value, bytes_of(text));
}

void config_apply_list(ConfigValue *value, const char *text)
{
    static const char blanks[] = " \t";
    text += strspn(text, blanks);
    while (*text) {
        size_t length = strcspn(text, blanks);
        config_value_add(value, (Bytes){text, (int64_t)length});
        text += length;
        text += strspn(text, blanks);
    }
}

static void apply_text(ConfigValue *value, const Option *option, const char *text)
{
    if (option->type == OPTION_LIST)
        config_apply_list(value, text);
    else
        config_apply(value, option, text);
}

/* ---- command line ---- */

void config_environment_name(const char *flag, char name[CONFIG_NAME_SIZE])
{
    snprintf(name, CONFIG_NAME_SIZE, "VESPER_%s", flag);
    for (char *c = name; *c; c++) {
        if (*c == '-')
            *c = '_';
        else
            *c = (char)toupper((unsigned char)*c);
    }
}

/* The command line, and which options it may have. */
typedef struct CommandLine {
    int argc;
    char **argv;
    const Option *options;
    int n_options;
    const bool *is_offered; /* NULL: all are */
} CommandLine;

static bool may_stand(const CommandLine *line, int i)
{
    return line->is_offered == NULL || line->is_offered[i];
}

/* What the user calls: "vesper sales", or a program by its path. */
static const char *command_of(const CommandLine *line)
{
    const char *slash = strrchr(line->argv[0], '/');
    return slash ? slash + 1 : line->argv[0];
}

/* `name` is no flag of this command: is it one of another, several, or none? */
static void describe_unknown(const CommandLine *line, const char *given, const char *name,
                             Buffer *text)
{
    const char **flags = mem_new(line->n_options, sizeof *flags);
    int n = 0, n_begun = 0;
    bool is_foreign = false;
    for (int i = 0; i < line->n_options; i++) {
        const char *flag = line->options[i].flag;
        if (!may_stand(line, i)) {
            is_foreign |= strcmp(flag, name) == 0;
            continue;
        }
        flags[n++] = flag;
        n_begun += strncmp(flag, name, strlen(name)) == 0;
    }
    if (is_foreign) {
        buffer_printf(text, "'%s' takes no --%s", command_of(line), name);
    } else if (n_begun > 1) {
        buffer_printf(text, "option %s is ambiguous; it may be", given);
        for (int i = 0, k = 0; i < n; i++) {
            if (strncmp(flags[i], name, strlen(name)) == 0)
                buffer_printf(text, "%s --%s", k++ > 0 ? "," : "", flags[i]);
        }
    } else {
        buffer_printf(text, "unknown option %s", given);
        (void)suggest_nearest(text, name, flags, n, "--");
    }
    mem_free(&flags);
}

static Status unknown_flag(const CommandLine *line, const char *given, Error *error)
{
    Buffer text = {0};
    const char *wrong = given + strspn(given, "-");
    char *name = config_copy_bytes((Bytes){wrong, (int64_t)strcspn(wrong, "=")});
    describe_unknown(line, given, name, &text);
    bool asks = buffer_string(&text)[text.size - 1] == '?';
    buffer_printf(&text, "%s see '%s --help'", asks ? "" : ";", command_of(line));
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    mem_free(&name);
    buffer_free(&text);
    return status;
}

static int option_by_number(const CommandLine *line, int number)
{
    if (number >= FIRST_NUMBER)
        return number - FIRST_NUMBER;
    for (int i = 0; i < line->n_options; i++) {
        if (may_stand(line, i) && line->options[i].letter && line->options[i].letter == number)
            return i;
    }
    return -1;
}

/* What getopt_long complained about with '?' or ':'. */
static Status refuse_flag(const CommandLine *line, int complaint, int number, const char *given,
                          Error *error)
{
    int i = option_by_number(line, number);
    if (i < 0) {
        char letter[3] = {'-', (char)number, '\0'};
        return unknown_flag(line, number ? letter : given, error);
    }
    if (complaint == ':')
        return error_set(error, STATUS_USAGE, __FILE__, __LINE__, "option --%s needs a value: %s",
                         line->options[i].flag, line->options[i].argument);
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__, "option --%s takes no value",
                     line->options[i].flag);
}

static Status parse_flags(const CommandLine *line, const struct option *flags, const char *letters,
                          Config *config, Error *error)
{
    Status status = STATUS_OK;
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    int number;
    while ((number = getopt_long(line->argc, line->argv, letters, flags, NULL)) != -1) {
        if (number == '?' || number == ':') {
            TRY(refuse_flag(line, number, optopt, line->argv[optind - 1], error));
            continue;
        }
        int i = option_by_number(line, number);
        const Option *option = &line->options[i];
        const char *text = option->type == OPTION_SWITCH ? "yes" : optarg;
        char source[CONFIG_NAME_SIZE];
        snprintf(source, sizeof source, "option --%s", option->flag);
        TRY(config_check(option, text, source, error));
        config_apply(&config->values[i], option, text);
        config->values[i].is_argument = true;
    }
    for (; optind < line->argc; optind++) {
        if (!bytes_are_utf8(bytes_of(line->argv[optind])))
            FAIL(error, STATUS_USAGE, "an argument is not valid UTF-8");
        config_value_add(&config->arguments, bytes_of(line->argv[optind]));
    }
out:
    return status;
}

static Status parse_arguments(const CommandLine *given, Config *config, Error *error)
{
    CommandLine line = *given;
    struct option *flags = mem_new(line.n_options + 1, sizeof *flags);
    line.argv = mem_new(line.argc + 1, sizeof *line.argv); /* getopt reorders them */
    for (int i = 0; i < line.argc; i++)
        line.argv[i] = given->argv[i];
    Buffer letters = {0};
    buffer_append_string(&letters, ":");
    for (int i = 0, n = 0; i < line.n_options; i++) {
        const Option *option = &line.options[i];
        bool has_value = option->type != OPTION_SWITCH;
        if (!may_stand(&line, i))
            continue;
        flags[n++] = (struct option){
            .name = option->flag,
            .has_arg = has_value ? required_argument : no_argument,
            .val = FIRST_NUMBER + i,
        };
        if (option->letter)
            buffer_printf(&letters, "%c%s", option->letter, has_value ? ":" : "");
    }
    Status status = parse_flags(&line, flags, buffer_string(&letters), config, error);
    buffer_free(&letters);
    mem_free(&line.argv);
    mem_free(&flags);
    return status;
}

/* ---- the other sources ---- */

/* The environment's text for an option; NULL if unset or empty. */
static const char *environment_text(const Option *option, char name[CONFIG_NAME_SIZE])
{
    config_environment_name(option->flag, name);
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

static Status parse_environment(const Option *options, int n_options, Config *config, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < n_options; i++) {
        char name[CONFIG_NAME_SIZE];
        const char *text = environment_text(&options[i], name);
        if (!text || config->values[i].n_items > 0)
            continue;
        TRY(config_check(&options[i], text, name, error));
        apply_text(&config->values[i], &options[i], text);
    }
out:
    return status;
}

static void apply_ini(const Option *options, int n_options, Config *config)
{
    for (int i = 0; i < n_options; i++) {
        if (config->values[i].n_items > 0 || !options[i].section)
            continue;
        for (int k = 0; k < config->n_entries; k++) {
            const IniEntry *entry = &config->entries[k];
            if (entry->is_option && strcmp(entry->section, options[i].section) == 0 &&
                strcmp(entry->key, options[i].key) == 0)
                apply_text(&config->values[i], &options[i], entry->value);
        }
    }
}

static void apply_defaults(const Option *options, int n_options, Config *config)
{
    for (int i = 0; i < n_options; i++) {
        Error error;
        const char *text = options[i].fallback;
        if (!text || config->values[i].n_items > 0)
            continue;
        vesper_assert(*text == '\0' ||
                      config_check(&options[i], text, "default", &error) == STATUS_OK);
        apply_text(&config->values[i], &options[i], text);
    }
}

/* The ini to read: the option called "config", if the table has one. */
static const char *ini_path_in_force(const Option *options, int n_options, const Config *config)
{
    for (int i = 0; i < n_options; i++) {
        if (strcmp(options[i].flag, "config") == 0)
            return config->values[i].n_items > 0 ? config->values[i].items[0] : NULL;
    }
    return NULL;
}

Status config_parse(int argc, char **argv, const Option *options, int n_options,
                    const bool *is_offered, const char *const *free_sections, Config **config,
                    Error *error)
{
    Status status = STATUS_OK;
    const CommandLine line = {argc, argv, options, n_options, is_offered};
    Config *c = mem_new(1, sizeof *c);
    c->values = mem_new(n_options, sizeof *c->values);
    for (; c->n_values < n_options; c->n_values++) {
        c->values[c->n_values].flag = mem_copy_string(options[c->n_values].flag);
        c->values[c->n_values].type = options[c->n_values].type;
    }
    TRY(parse_arguments(&line, c, error));
    TRY(parse_environment(options, n_options, c, error));
    const char *path = ini_path_in_force(options, n_options, c);
    if (path) {
        c->ini_path = mem_copy_string(path);
        TRY(config_read_ini(path, options, n_options, free_sections, c, error));
        apply_ini(options, n_options, c);
    }
    apply_defaults(options, n_options, c);
    *config = c;
    c = NULL;
out:
    config_free(&c);
    return status;
}
