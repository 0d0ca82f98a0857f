/* The --help text of a command, made from its table of options. */
#include "base/config_internal.h"

#include <string.h>

enum { COLUMNS = 96, HELP_COLUMN_MOST = 34 };

/* "  -c, --config FILE" */
static void append_flag(Buffer *line, const Option *option)
{
    if (option->letter)
        buffer_printf(line, "  -%c, --%s", option->letter, option->flag);
    else
        buffer_printf(line, "      --%s", option->flag);
    if (option->type != OPTION_SWITCH && option->argument)
        buffer_printf(line, " %s", option->argument);
}

/* The help, then in brackets where else the value can come from. A no-break mark keeps the parts of
 * each whole: words are split at plain blanks only. */
static void append_description(Buffer *words, const Option *option)
{
    char environment[CONFIG_NAME_SIZE];
    config_environment_name(option->flag, environment);
    buffer_append_string(words, option->help);
    if (option->type == OPTION_LIST)
        buffer_append_string(words, "; may be given several times");
    buffer_append_string(words, " (");
    if (option->fallback && *option->fallback && option->type != OPTION_SWITCH)
        buffer_printf(words, "default %s; ", option->fallback);
    if (option->section)
        buffer_printf(words, "ini [%s]\x01%s; ", option->section, option->key);
    buffer_printf(words, "%s)", environment);
}

static void append_blanks(Buffer *text, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        buffer_append_string(text, " ");
}

/* Words in lines from column `indent` on; the first line is already there. */
static void append_wrapped(Buffer *text, const char *words, int64_t indent)
{
    int64_t column = indent;
    while (*words) {
        int64_t length = (int64_t)strcspn(words, " ");
        if (column > indent && column + 1 + length > COLUMNS) {
            buffer_append_string(text, "\n");
            append_blanks(text, indent);
            column = indent;
        }
        if (column > indent) {
            buffer_append_string(text, " ");
            column++;
        }
        for (int64_t i = 0; i < length; i++)
            buffer_append(text, words[i] == '\x01' ? " " : &words[i], 1);
        column += length;
        words += length;
        words += strspn(words, " ");
    }
    buffer_append_string(text, "\n");
}

/* Column at which the descriptions begin: past the longest flag that is not too long. */
static int64_t help_column(const Option *options, int n_options)
{
    int64_t column = 0;
    for (int i = 0; i < n_options; i++) {
        Buffer line = {0};
        append_flag(&line, &options[i]);
        if (line.size + 2 > column && line.size + 2 <= HELP_COLUMN_MOST)
            column = line.size + 2;
        buffer_free(&line);
    }
    return column;
}

void config_help(const char *usage, const char *purpose, const Option *options, int n_options,
                 Buffer *text)
{
    int64_t indent = help_column(options, n_options);
    buffer_printf(text, "Usage: %s\n\n", usage);
    append_wrapped(text, purpose, 0);
    if (n_options > 0)
        buffer_append_string(text, "\nOptions:\n");
    for (int i = 0; i < n_options; i++) {
        Buffer flag = {0}, words = {0};
        append_flag(&flag, &options[i]);
        append_description(&words, &options[i]);
        buffer_append_bytes(text, buffer_view(&flag));
        if (flag.size + 2 > indent) {
            buffer_append_string(text, "\n");
            append_blanks(text, indent);
        } else {
            append_blanks(text, indent - flag.size);
        }
        append_wrapped(text, buffer_string(&words), indent);
        buffer_free(&flag);
        buffer_free(&words);
    }
    buffer_append_string(text, "\nA value is taken from the first of: command line, environment, "
                               "ini, default.\n");
}
