/* What a Config holds; for the config*.c files alone. */
#ifndef VESPER_BASE_CONFIG_INTERNAL_H
#define VESPER_BASE_CONFIG_INTERNAL_H

#include "base/config.h"

/* One option's value in force: one item, several for a list, none if unset. Checked, so numbers are
 * read from the text when asked for; a switch is "yes" or "no". */
typedef struct ConfigValue {
    char *flag;
    OptionType type;
    int n_items;
    int capacity;
    char **items;
    bool is_argument; /* of the command line */
} ConfigValue;

/* One key of the ini. */
typedef struct IniEntry {
    char *section;
    char *key;
    char *value;
    bool is_option; /* stands for an option of the table */
    int line;       /* where it stood; 0 after config_unpack */
} IniEntry;

struct Config {
    int n_values;
    ConfigValue *values;
    int n_entries;
    int entries_capacity;
    IniEntry *entries;
    char *ini_path;
    ConfigValue arguments; /* that belong to no option, in their order */
};

void config_value_clear(ConfigValue *value);
void config_value_add(ConfigValue *value, Bytes item);
void config_entry_add(Config *config, const char *section, const char *key, const char *value,
                      bool is_option, int line);
char *config_copy_bytes(Bytes text); /* NUL-terminated; mem_free */

/* STATUS_USAGE if `text` is no value of `option`; `source` says where it comes from. */
Status config_check(const Option *option, const char *text, const char *source, Error *error);
/* Put `text`, checked before, in force; a switch becomes "yes" or "no". */
void config_apply(ConfigValue *value, const Option *option, const char *text);
/* The same for each of the items that stand in one text, with blanks between. */
void config_apply_list(ConfigValue *value, const char *text);

/* Add the entries of the ini file `path`, checked against the options. */
Status config_read_ini(const char *path, const Option *options, int n_options,
                       const char *const *free_sections, Config *config, Error *error);

/* VESPER_TIME_ZONE for the flag time-zone. */
enum { CONFIG_NAME_SIZE = 80 };
void config_environment_name(const char *flag, char name[CONFIG_NAME_SIZE]);

#endif
