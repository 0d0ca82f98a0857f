/* Configuration: precedence, checks, messages, packing, identity, help. */
#include "base/config.h"
#include "unit/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MOST = 16 };

static const Option options[] = {
    {"config", 'c', NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0, "read options from this ini file"},
    {"time-zone", 0, "store", "time_zone", OPTION_TEXT, "NAME", "UTC", 0, 0,
     "IANA name of the zone in which a day begins and ends"},
    {"partitions", 'p', "store", "partitions", OPTION_INT, "N", "256", 1, 4096, "partitions"},
    {"any-number", 0, "store", "any", OPTION_INT, "N", NULL, 0, 0, "any whole number"},
    {"max-rejected", 0, "ingest", "max_rejected", OPTION_REAL, "SHARE", "0.01", 0, 1,
     "refuse the batch past this share of bad rows"},
    {"input", 'i', "ingest", "inputs", OPTION_LIST, "TABLE=PATH", NULL, 0, 0, "what to take in"},
    {"dry-run", 0, "ingest", "dry_run", OPTION_SWITCH, NULL, NULL, 0, 0, "only say what would be"},
};
enum { N_OPTIONS = sizeof options / sizeof *options };
static const char *const free_sections[] = {"orders", "orders.columns", "aggregate.*", NULL};

static char ini_path[] = "/tmp/vesper_config_XXXXXX";

/* Parse a command line given as words with blanks between. */
static Status parse(const char *words, Config **config, Error *error)
{
    char copy[512], *argv[ARGUMENTS_MOST + 1] = {"vesper"};
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *rest = copy, *word; (word = strtok_r(rest, " ", &rest)) && argc < ARGUMENTS_MOST;)
        argv[argc++] = word;
    *config = NULL;
    return config_parse(argc, argv, options, N_OPTIONS, NULL, free_sections, config, error);
}

static Config *parse_well(const char *words)
{
    Config *config;
    Error error = {0};
    Status status = parse(words, &config, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "%s: ", error.message);
    CU_ASSERT_EQUAL_FATAL(status, STATUS_OK);
    return config;
}

/* The message with which a command line is refused. */
static const char *refusal(const char *words)
{
    static Error error;
    Config *config;
    error = (Error){0};
    Status status = parse(words, &config, &error);
    CU_ASSERT_EQUAL(status, STATUS_USAGE);
    CU_ASSERT_PTR_NULL(config);
    config_free(&config);
    return error.message;
}

static void write_ini_bytes(const char *text, size_t size)
{
    FILE *file = fopen(ini_path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fwrite(text, 1, size, file);
    fclose(file);
}

/* "-c FILE" for an ini with this text. */
static const char *with_ini(const char *text)
{
    static char words[64];
    if (strstr(ini_path, "XXXXXX"))
        close(mkstemp(ini_path));
    write_ini_bytes(text, strlen(text));
    snprintf(words, sizeof words, "-c %s", ini_path);
    return words;
}

static bool says(const char *message, const char *part)
{
    bool found = strstr(message, part) != NULL;
    if (!found)
        fprintf(stderr, "'%s' is not in '%s': ", part, message);
    return found;
}

static void test_defaults(void)
{
    Config *config = parse_well("");
    CU_ASSERT_STRING_EQUAL(config_text(config, "time-zone"), "UTC");
    CU_ASSERT_PTR_NULL(config_text(config, "config"));
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 256);
    CU_ASSERT_EQUAL(config_int(config, "any-number"), 0);
    CU_ASSERT_DOUBLE_EQUAL(config_real(config, "max-rejected"), 0.01, 0);
    CU_ASSERT_EQUAL(config_list_count(config, "input"), 0);
    CU_ASSERT(!config_switch(config, "dry-run"));
    CU_ASSERT_PTR_NULL(config_ini_path(config));
    CU_ASSERT_PTR_NULL(config_ini(config, "orders", "x"));
    config_free(&config);
    config_free(&config);
}

static void test_command_line(void)
{
    Config *config = parse_well("--time-zone=Europe/London -p 8 -i a=1 --input b=2 --dry-run "
                                "--partitions 16 --max-rejected 1e-3 --any-number -7");
    CU_ASSERT_STRING_EQUAL(config_text(config, "time-zone"), "Europe/London");
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 16);
    CU_ASSERT_EQUAL(config_int(config, "any-number"), -7);
    CU_ASSERT_DOUBLE_EQUAL(config_real(config, "max-rejected"), 0.001, 0);
    CU_ASSERT_EQUAL_FATAL(config_list_count(config, "input"), 2);
    CU_ASSERT_STRING_EQUAL(config_list_item(config, "input", 0), "a=1");
    CU_ASSERT_STRING_EQUAL(config_list_item(config, "input", 1), "b=2");
    CU_ASSERT(config_switch(config, "dry-run"));
    CU_ASSERT(config_is_argument(config, "dry-run") && config_is_argument(config, "partitions"));
    config_free(&config);
    config = parse_well(with_ini("[store]\npartitions = 32\n"));
    CU_ASSERT(config_is_set(config, "partitions") && !config_is_argument(config, "partitions"));
    CU_ASSERT(!config_is_argument(config, "time-zone") && config_is_argument(config, "config"));
    config_free(&config);
}

static void test_precedence(void)
{
    const char *ini = with_ini("[store]\ntime_zone = Asia/Kolkata\npartitions = 32\n"
                               "[ingest]\ninputs = x=1\ty=2\ninputs = z=3\ndry_run = Yes\n");
    char words[256];
    Config *config = parse_well(ini);
    CU_ASSERT_STRING_EQUAL(config_text(config, "time-zone"), "Asia/Kolkata");
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 32);
    CU_ASSERT(config_switch(config, "dry-run"));
    CU_ASSERT_EQUAL_FATAL(config_list_count(config, "input"), 3);
    CU_ASSERT_STRING_EQUAL(config_list_item(config, "input", 1), "y=2");
    CU_ASSERT_STRING_EQUAL(config_list_item(config, "input", 2), "z=3");
    CU_ASSERT_STRING_EQUAL(config_ini_path(config), ini_path);
    config_free(&config);

    setenv("VESPER_TIME_ZONE", "America/New_York", 1);
    setenv("VESPER_INPUT", "e=1 f=2", 1);
    setenv("VESPER_DRY_RUN", "no", 1);
    setenv("VESPER_PARTITIONS", "", 1);   /* as unset */
    setenv("VESPER_FAULT_TRACE", "x", 1); /* no option */
    config = parse_well(ini);
    CU_ASSERT_STRING_EQUAL(config_text(config, "time-zone"), "America/New_York");
    CU_ASSERT_EQUAL(config_list_count(config, "input"), 2);
    CU_ASSERT(!config_switch(config, "dry-run"));
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 32);
    config_free(&config);

    snprintf(words, sizeof words, "%s --time-zone UTC -i g=1 --dry-run", ini);
    config = parse_well(words);
    CU_ASSERT_STRING_EQUAL(config_text(config, "time-zone"), "UTC");
    CU_ASSERT_EQUAL(config_list_count(config, "input"), 1);
    CU_ASSERT(config_switch(config, "dry-run"));
    config_free(&config);

    setenv("VESPER_CONFIG", ini_path, 1);
    setenv("VESPER_PARTITIONS", "x", 1);
    CU_ASSERT(says(refusal(""), "VESPER_PARTITIONS: 'x' is not a whole number from 1 to 4096"));
    unsetenv("VESPER_PARTITIONS");
    config = parse_well("");
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 32);
    config_free(&config);
    unsetenv("VESPER_CONFIG");
    unsetenv("VESPER_TIME_ZONE");
    unsetenv("VESPER_INPUT");
    unsetenv("VESPER_DRY_RUN");
    unsetenv("VESPER_FAULT_TRACE");
}

static void test_command_line_refusals(void)
{
    CU_ASSERT_STRING_EQUAL(refusal("--partitons 3"),
                           "unknown option --partitons; did you mean --partitions? see 'vesper "
                           "--help'");
    CU_ASSERT_STRING_EQUAL(refusal("--zzzzzzzz=3"),
                           "unknown option --zzzzzzzz=3; see 'vesper --help'");
    CU_ASSERT(says(refusal("-x"), "unknown option -x; see"));
    CU_ASSERT(says(refusal("--time-zone"), "option --time-zone needs a value: NAME"));
    CU_ASSERT(says(refusal("-p"), "option --partitions needs a value: N"));
    CU_ASSERT(says(refusal("--dry-run=yes"), "option --dry-run takes no value"));
    CU_ASSERT(says(refusal("--time-zone="), "option --time-zone: the value is empty"));
    CU_ASSERT(says(refusal("--partitions 0"),
                   "option --partitions: '0' is not a whole number from 1 to 4096"));
    CU_ASSERT(says(refusal("-p 4097"), "not a whole number from 1 to 4096"));
    CU_ASSERT(says(refusal("-p 8.0"), "not a whole number"));
    CU_ASSERT(says(refusal("--any-number 99999999999999999999"), "not a whole number"));
    CU_ASSERT(says(refusal("--max-rejected nan"), "'nan' is not a number from 0 to 1"));
    CU_ASSERT(says(refusal("--max-rejected 1.5"), "not a number from 0 to 1"));
    CU_ASSERT(says(refusal("--max-rejected 1%"), "not a number from 0 to 1"));
    CU_ASSERT(says(refusal("--time-zone \xff"), "not valid UTF-8"));
    CU_ASSERT(says(refusal("\xff"), "an argument is not valid UTF-8"));
}

/* What another command takes is neither taken, nor suggested, nor in the way of a short form. */
static void test_not_offered(void)
{
    static const char *const lines[][2] = {
        {"--time-zone UTC", "'vesper plan' takes no --time-zone; see 'vesper plan --help'"},
        {"--time-zone=UTC", "'vesper plan' takes no --time-zone; see"},
        {"--time-zon UTC", "unknown option --time-zon; see"},
        {"-p 3", "unknown option -p; see"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool is_offered[N_OPTIONS] = {false};
        char words[64], *rest = words;
        snprintf(words, sizeof words, "%s", lines[i][0]);
        char *argv[3] = {"/opt/vesper plan"};
        int argc = 1;
        for (char *word; argc < 3 && (word = strtok_r(rest, " ", &rest)) != NULL;)
            argv[argc++] = word;
        Config *config = NULL;
        Error error = {0};
        CU_ASSERT_EQUAL(config_parse(argc, argv, options, N_OPTIONS, is_offered, free_sections,
                                     &config, &error),
                        STATUS_USAGE);
        CU_ASSERT(says(error.message, lines[i][1]));
    }
}

static void test_arguments(void)
{
    Config *config = parse_well("first -p 8 second --dry-run -- -x");
    static const char *const expected[] = {"first", "second", "-x"};
    CU_ASSERT_EQUAL_FATAL(config_argument_count(config), 3);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_STRING_EQUAL(config_argument(config, i), expected[i]);
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 8);
    config_free(&config);
    config = parse_well("-p 8");
    CU_ASSERT_EQUAL(config_argument_count(config), 0);
    config_free(&config);
}

static void test_free_sections(void)
{
    Config *config = parse_well(with_ini("\xef\xbb\xbf# a comment\n"
                                         "[orders.columns]\r\n"
                                         "  order_id = Invoice ; the number\r\n"
                                         "\tproduct_id=StockCode\n"
                                         "; another\n"
                                         "[orders]\n"
                                         "cancel_prefix = C\n"
                                         "[aggregate.by country]\n"
                                         "by = country\n"
                                         "[orders.columns]\n"
                                         "quantity = a;b # c"));
    CU_ASSERT_EQUAL(config_ini_count(config, "orders.columns"), 3);
    CU_ASSERT_EQUAL(config_ini_count(config, "products.columns"), 0);
    CU_ASSERT_STRING_EQUAL(config_ini(config, "orders.columns", "order_id"), "Invoice");
    CU_ASSERT_STRING_EQUAL(config_ini(config, "orders", "cancel_prefix"), "C");
    CU_ASSERT_STRING_EQUAL(config_ini(config, "aggregate.by country", "by"), "country");
    const char *key = NULL, *value = NULL;
    config_ini_entry(config, "orders.columns", 2, &key, &value);
    CU_ASSERT_STRING_EQUAL(key, "quantity");
    CU_ASSERT_STRING_EQUAL(value, "a;b # c");
    config_free(&config);
}

/* The ini is refused with PATH:`tail`. */
static bool is_refused_with(const char *ini, const char *tail)
{
    char expected[256];
    const char *message = refusal(with_ini(ini));
    snprintf(expected, sizeof expected, "%s%s", ini_path, tail);
    return says(message, expected);
}

static void test_ini_refusals(void)
{
    CU_ASSERT(is_refused_with("[store]\n\ntimezone = UTC\n",
                              ":3: unknown key 'timezone' in [store]; did you mean time_zone? "
                              "possible: time_zone, partitions, any"));
    CU_ASSERT(is_refused_with("[ingest]\npartitions = 8\n",
                              ":2: unknown key 'partitions' in [ingest]; it belongs in [store]"));
    CU_ASSERT(is_refused_with("[order.columns]\nx = 1\n",
                              ":2: unknown section [order.columns]; did you mean orders.columns? "
                              "possible: store, ingest, orders, orders.columns, aggregate.*"));
    CU_ASSERT(is_refused_with("x = 1\n", ":1: the key 'x' stands before the first [section]"));
    CU_ASSERT(is_refused_with("[store]\npartitions = many\n",
                              ":2: [store] partitions: 'many' is not a whole number from 1 to"));
    CU_ASSERT(is_refused_with("[ingest]\ndry_run = perhaps\n",
                              ":2: [ingest] dry_run: 'perhaps' is neither yes nor no"));
    CU_ASSERT(is_refused_with("[orders]\na = 1\nb\n", ":3: neither a [section] nor KEY = VALUE"));
    CU_ASSERT(is_refused_with("[orders\na = 1\n", ":1: the ']' that ends"));
    CU_ASSERT(is_refused_with("[orders]\ndelimiter = ;\n", ":2: 'delimiter' in [orders] has no"));
    CU_ASSERT(is_refused_with("[orders]\n= 1\n", ":2: there is no key before the '='"));
    CU_ASSERT(is_refused_with("[orders]\na = 1\n[store]\n[orders]\na = 2\n",
                              ":5: 'a' in [orders] is given twice, first in line 2"));
    CU_ASSERT(is_refused_with("[orders]\na = \xff\n", ":2: not valid UTF-8"));
    char line[512];
    memset(line, 'x', sizeof line);
    memcpy(line, "[orders]\na = ", 13);
    line[sizeof line - 1] = '\0';
    CU_ASSERT(is_refused_with(line, ":2: the line is longer than "));
    memset(line, 'x', sizeof line);
    memcpy(line, "[orders", 7);
    memcpy(line + 52, "]\na = 1\n", 9);
    CU_ASSERT(is_refused_with(line, ":1: the section's name is longer than 49 bytes"));
    static const char with_nul[] = "[orders]\na = \0b\n";
    const char *words = with_ini("");
    write_ini_bytes(with_nul, sizeof with_nul - 1);
    CU_ASSERT(says(refusal(words), ":2: not valid UTF-8"));
    CU_ASSERT(says(refusal("-c /nowhere/store.ini"),
                   "cannot read the configuration /nowhere/store.ini: No such file"));
    CU_ASSERT(says(refusal("-c /tmp"), "the configuration /tmp is a folder"));
    Config *config = parse_well(with_ini(""));
    config_free(&config);
}

static void test_longest_line(void)
{
    char line[256] = "[orders]\na = ";
    size_t most = 9 + 197; /* a line of 197 bytes, as inih takes them */
    memset(line + 13, 'x', most - 13);
    memcpy(line + most, "\n", 2);
    Config *config = parse_well(with_ini(line));
    CU_ASSERT_EQUAL(strlen(config_ini(config, "orders", "a")), most - 13);
    config_free(&config);
}

/* A value goes on in the next line after a backslash. */
static void test_continued_lines(void)
{
    char text[1024] = "[aggregate.x]\nwhere = \\ ; a comment\r\n  a = 'x' and \\\n[b] \\  \n"
                      "\tc ; d\nby = e\\f ; a \\\n[store]\ntime_zone = \\\n  UTC\npartitions=32";
    Config *config = parse_well(with_ini(text));
    CU_ASSERT_STRING_EQUAL(config_ini(config, "aggregate.x", "where"), "a = 'x' and [b] c");
    CU_ASSERT_STRING_EQUAL(config_ini(config, "aggregate.x", "by"), "e\\f");
    CU_ASSERT_STRING_EQUAL(config_text(config, "time-zone"), "UTC");
    CU_ASSERT_EQUAL(config_int(config, "partitions"), 32);
    config_free(&config);

    strcpy(text, "[orders]\na = 0 \\\n"); /* longer than any one line */
    for (int i = 0; i < 3; i++) {
        size_t size = strlen(text);
        memset(text + size, 'x', 190);
        strcpy(text + size + 190, i < 2 ? "\\\n" : "\n");
    }
    config = parse_well(with_ini(text));
    CU_ASSERT_EQUAL(strlen(config_ini(config, "orders", "a")), 1 + 3 * (1 + 190));
    config_free(&config);

    CU_ASSERT(is_refused_with("[orders]\na = 1 \\\n\nb = 1\n", ":3: the line before ends in a"));
    CU_ASSERT(is_refused_with("[orders]\na = 1 \\\n; b\n", ":3: the line before ends in a"));
    CU_ASSERT(is_refused_with("[orders]\na = 1 \\", ":3: the line before ends in a"));
    CU_ASSERT(is_refused_with("[orders]\na = 1\n\\\nb\n", ":3: neither a [section] nor KEY"));
    CU_ASSERT(is_refused_with("[orders]\na \\\nb = 1\n", ":2: neither a [section] nor KEY"));
    CU_ASSERT(is_refused_with("[store]\npartitions = 1 \\\n2\n",
                              ":2: [store] partitions: '1 2' is not a whole number"));
    CU_ASSERT(is_refused_with("[orders]\na = 1 \\\n2\na = 3\n", ":4: 'a' in [orders] is given"));
}

static void test_sections(void)
{
    Config *config = parse_well(with_ini("[aggregate.b]\nx = 1\ny = 2\n[orders]\nx = 1\n"
                                         "[aggregate.none]\n[aggregate.a]\nx = 1\n"
                                         "[aggregate.b]\nz = 1\n"));
    CU_ASSERT_EQUAL_FATAL(config_ini_section_count(config, "aggregate."), 2);
    CU_ASSERT_STRING_EQUAL(config_ini_section(config, "aggregate.", 0), "aggregate.b");
    CU_ASSERT_STRING_EQUAL(config_ini_section(config, "aggregate.", 1), "aggregate.a");
    CU_ASSERT_EQUAL(config_ini_section_count(config, "promotions"), 0);
    config_free(&config);
}

static void test_pack(void)
{
    Config *config = parse_well(with_ini("[orders]\na = é 12 \n[store]\nany = 5\n"));
    char *argv[] = {"vesper", "-c", ini_path,    "-i", "line\nbreak and 7 ",
                    "-i",     "x",  "--dry-run", "may"};
    Error error;
    Config *original = NULL, *copy = NULL;
    CU_ASSERT_EQUAL_FATAL(
        config_parse(9, argv, options, N_OPTIONS, NULL, free_sections, &original, &error),
        STATUS_OK);
    Buffer packed = {0}, again = {0};
    config_pack(original, &packed);
    CU_ASSERT_EQUAL_FATAL(config_unpack(buffer_view(&packed), &copy, &error), STATUS_OK);
    config_pack(copy, &again);
    CU_ASSERT(bytes_equal(buffer_view(&packed), buffer_view(&again)));
    CU_ASSERT_STRING_EQUAL(config_list_item(copy, "input", 0), "line\nbreak and 7 ");
    CU_ASSERT_STRING_EQUAL(config_ini(copy, "orders", "a"), "é 12");
    CU_ASSERT_EQUAL(config_int(copy, "any-number"), 5);
    CU_ASSERT(config_switch(copy, "dry-run") && config_is_argument(copy, "dry-run"));
    CU_ASSERT_STRING_EQUAL(config_ini_path(copy), ini_path);
    CU_ASSERT_STRING_EQUAL(config_argument(copy, 0), "may");
    CU_ASSERT_EQUAL(config_hash(original, NULL), config_hash(copy, NULL));
    CU_ASSERT(config_hash(original, NULL) != config_hash(config, NULL));
    config_free(&copy);
    for (int64_t size = 0; size < packed.size; size++) { /* cut anywhere: refused, nothing left */
        CU_ASSERT_EQUAL(config_unpack((Bytes){packed.data, size}, &copy, &error), STATUS_BUG);
        CU_ASSERT_PTR_NULL(copy);
    }
    buffer_free(&packed);
    buffer_free(&again);
    config_free(&original);
    config_free(&config);
}

static uint64_t hash_of(const char *words)
{
    static const char *const left_out[] = {"config", "dry-run", NULL};
    Config *config = parse_well(words);
    uint64_t hash = config_hash(config, left_out);
    config_free(&config);
    return hash;
}

static void test_hash(void)
{
    CU_ASSERT_EQUAL(hash_of(""), hash_of("--dry-run"));
    CU_ASSERT_EQUAL(hash_of(""), hash_of("--partitions 256"));
    CU_ASSERT_EQUAL(hash_of("-p 8"), hash_of(with_ini("[store]\npartitions = 8\n")));
    CU_ASSERT(hash_of("") != hash_of("--partitions 255"));
    CU_ASSERT(hash_of("-i ab -i c") != hash_of("-i a -i bc"));
    CU_ASSERT(hash_of("-i a -i b") != hash_of("-i b -i a"));
    uint64_t hash = hash_of(with_ini("[orders]\na = 1\nb = 2\n"));
    CU_ASSERT(hash != hash_of(""));
    CU_ASSERT_EQUAL(hash, hash_of(with_ini("[orders]\nb = 2\n[orders]\na = 1\n")));
    CU_ASSERT(hash != hash_of(with_ini("[orders]\na = 1\nb = 3\n")));
    CU_ASSERT(hash != hash_of(with_ini("[orders.columns]\na = 1\nb = 2\n")));
}

static void test_help(void)
{
    Buffer text = {0};
    config_help("vesper ingest [options]", "Take in what happened since last night.", options,
                N_OPTIONS, &text);
    const char *help = buffer_string(&text);
    CU_ASSERT(says(help, "Usage: vesper ingest [options]\n\nTake in"));
    CU_ASSERT(says(help, "  -c, --config FILE         read options"));
    CU_ASSERT(says(help, "default UTC"));
    CU_ASSERT(says(help, "VESPER_TIME_ZONE)"));
    CU_ASSERT(says(help, "ini [store] time_zone"));
    CU_ASSERT(says(help, "      --dry-run  "));
    for (const char *line = help; *line;) {
        size_t length = strcspn(line, "\n");
        CU_ASSERT(length <= 100);
        CU_ASSERT(length == 0 || line[length - 1] != ' ');
        line += length + (line[length] == '\n');
    }
    buffer_free(&text);
    unlink(ini_path); /* the last test */
}

CU_TestInfo config_tests[] = {
    {"defaults", test_defaults},
    {"command_line", test_command_line},
    {"precedence", test_precedence},
    {"command_line_refusals", test_command_line_refusals},
    {"arguments", test_arguments},
    {"options that are not offered", test_not_offered},
    {"free_sections", test_free_sections},
    {"ini_refusals", test_ini_refusals},
    {"longest_line", test_longest_line},
    {"continued_lines", test_continued_lines},
    {"sections", test_sections},
    {"pack", test_pack},
    {"hash", test_hash},
    {"help", test_help},
    CU_TEST_INFO_NULL,
};
