/* Configuration: one table of options gives parsing, checks and --help.
 *
 * A value comes from the first of: the command line, the environment (VESPER_ and the flag in
 * capitals), the ini file (-c), the default. Secrets have no option: libraries read their own
 * password files. */
#ifndef VESPER_BASE_CONFIG_H
#define VESPER_BASE_CONFIG_H

#include "base/bytes.h"

typedef enum OptionType {
    OPTION_TEXT,
    OPTION_INT,    /* int64, checked against min..max */
    OPTION_REAL,   /* double, checked against min..max */
    OPTION_SWITCH, /* no argument on the command line; yes/no in the ini */
    OPTION_LIST    /* may be given several times; in the ini separated by spaces */
} OptionType;

typedef struct Option {
    const char *flag;    /* "time-zone": --time-zone, VESPER_TIME_ZONE */
    char letter;         /* 'c' for -c, 0 for none */
    const char *section; /* ini section and key, NULL when it cannot stand in the ini */
    const char *key;
    OptionType type;
    const char *argument; /* "NAME", as shown in --help */
    const char *fallback; /* default as text, NULL for none */
    double min, max;      /* for OPTION_INT and OPTION_REAL; both 0: any number */
    const char *help;
} Option;

typedef struct Config Config;

/* Parse argv against `options`; reads the ini that -c/--config names. argv[0] is the command, as
 * messages name it. Options that are not offered (is_offered [n_options]; NULL: all are) may stand
 * in the ini and the environment, but not on the command line.
 * Unknown flags, bad values and ini keys in a known section that no option or `free_sections`
 * entry explains are STATUS_USAGE with one line that says what was meant, or what is possible.
 * `free_sections` is a
 * NULL-ended list of sections whose keys the jobs interpret: exact names ("orders.columns"), or
 * beginnings that end in * ("aggregate.*"). The option that names the ini has the flag "config".
 * Local (called on rank 0; see config_pack). */
Status config_parse(int argc, char **argv, const Option *options, int n_options,
                    const bool *is_offered, const char *const *free_sections, Config **config,
                    Error *error) VESPER_MUST_USE;
void config_free(Config **config);

/* As text that config_unpack takes on the other ranks. */
void config_pack(const Config *config, Buffer *packed);
Status config_unpack(Bytes packed, Config **config, Error *error) VESPER_MUST_USE;

/* Values by flag; asking for a flag that is not in the table is our bug. A number without value and
 * default is 0. */
const char *config_text(const Config *config, const char *flag); /* NULL if unset */
bool config_is_set(const Config *config, const char *flag); /* it has a value from any source */
bool config_is_argument(const Config *config, const char *flag); /* from the command line */
int64_t config_int(const Config *config, const char *flag);
double config_real(const Config *config, const char *flag);
bool config_switch(const Config *config, const char *flag);
int config_list_count(const Config *config, const char *flag);
const char *config_list_item(const Config *config, const char *flag, int i);

/* Sections of the ini whose names begin with `prefix`, in its order. */
int config_ini_section_count(const Config *config, const char *prefix);
const char *config_ini_section(const Config *config, const char *prefix, int i);
/* Keys of the ini itself, for sections that a job interprets. NULL / 0 when absent. */
const char *config_ini(const Config *config, const char *section, const char *key);
int config_ini_count(const Config *config, const char *section);
void config_ini_entry(const Config *config, const char *section, int i, const char **key,
                      const char **value);
const char *config_ini_path(const Config *config); /* NULL without -c */

/* Arguments of the command line that belong to no option, in their order. */
int config_argument_count(const Config *config);
const char *config_argument(const Config *config, int i);

/* Hash of all values in force and of the free sections' keys, sorted by name: part of a run's
 * identity. `flags_left_out` is a NULL-ended list. */
uint64_t config_hash(const Config *config, const char *const *flags_left_out);

/* The --help text of one command. */
void config_help(const char *usage, const char *purpose, const Option *options, int n_options,
                 Buffer *text);

#endif
