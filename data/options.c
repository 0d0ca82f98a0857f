#include "options.h"

#include "base/civil.h"
#include "base/config.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const Option TABLE[] = {
    {.flag = "lines",
     .type = OPTION_INT,
     .argument = "N",
     .fallback = "1000000",
     .min = 0,
     .max = 1e12,
     .help = "order lines, returns included"},
    {.flag = "customers",
     .type = OPTION_INT,
     .argument = "N",
     .fallback = "50000",
     .min = 1,
     .max = 1e10,
     .help = "customers; 15 % of the orders have none"},
    {.flag = "products",
     .type = OPTION_INT,
     .argument = "N",
     .fallback = "5000",
     .min = 1,
     .max = 1e7,
     .help = "products, over the whole period"},
    {.flag = "days",
     .type = OPTION_INT,
     .argument = "N",
     .fallback = "730",
     .min = 1,
     .max = 36500,
     .help = "length of the period"},
    {.flag = "start",
     .type = OPTION_TEXT,
     .argument = "DATE",
     .fallback = "2023-01-01",
     .help = "first day, YYYY-MM-DD"},
    {.flag = "seed",
     .type = OPTION_INT,
     .argument = "N",
     .fallback = "1",
     .min = 0,
     .max = 1e15,
     .help = "another seed makes another shop"},
    {.flag = "dirty",
     .type = OPTION_INT,
     .argument = "PER_MILLE",
     .fallback = "0",
     .min = 0,
     .max = 1000,
     .help = "spoil so many of 1000 order lines; dirty.csv lists them"},
    {.flag = "tables",
     .type = OPTION_TEXT,
     .argument = "LIST",
     .help = "files to write, separated by commas: orders, products, customers, events, reviews, "
             "promotions, holidays, stockouts, dirty; all of them without this option"},
    {.flag = "out",
     .type = OPTION_TEXT,
     .argument = "DIR",
     .help = "folder for the files; made if it is not there"},
    {.flag = "help", .letter = 'h', .type = OPTION_SWITCH, .help = "show this"},
};
enum { TABLE_SIZE = (int)(sizeof TABLE / sizeof TABLE[0]) };

bool options_ask_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

void options_print_help(void)
{
    Buffer text = {0};
    config_help("[mpirun -n RANKS] vesper-datagen --out DIR [options]",
                "Makes the data of a realistic shop as CSV files. The same options give the same "
                "bytes on any number of ranks.",
                TABLE, TABLE_SIZE, &text);
    (void)fputs(buffer_string(&text), stdout);
    buffer_free(&text);
}

static Status parse_day(const char *text, int32_t *day, Error *error)
{
    Status status = STATUS_OK;
    int year, month, day_of_month;
    int size = 0;
    bool fits = sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day_of_month, &size) == 3 &&
                (size_t)size == strlen(text) && civil_is_valid(year, month, day_of_month);
    /* Years before and after must still have four digits. */
    if (!fits || year < 1000 || year > 9000)
        FAIL(error, STATUS_USAGE, "option --start: '%s' is no day like 2023-01-01", text);
    *day = civil_day(year, month, day_of_month);
out:
    return status;
}

static Status take_values(const Config *config, Options *options, Error *error)
{
    Status status = STATUS_OK;
    options->seed = (uint64_t)config_int(config, "seed");
    options->lines = config_int(config, "lines");
    options->customers = config_int(config, "customers");
    options->products = (int32_t)config_int(config, "products");
    options->days = (int32_t)config_int(config, "days");
    options->dirty_per_mille = config_int(config, "dirty");
    TRY(parse_day(config_text(config, "start"), &options->start, error));
    if (config_text(config, "out") == NULL)
        FAIL(error, STATUS_USAGE, "where to? --out DIR names the folder for the files");
    options->folder = mem_copy_string(config_text(config, "out"));
    if (config_text(config, "tables") != NULL)
        options->tables = mem_copy_string(config_text(config, "tables"));
out:
    return status;
}

Status options_read(Comm *comm, int argc, char **argv, Options *options, Error *error)
{
    Status status = STATUS_OK;
    Config *config = NULL;
    const char *const no_sections[] = {NULL};
    bool root = comm_rank(comm) == 0;
    TRY_ALL(comm,
            root ? config_parse(argc, argv, TABLE, TABLE_SIZE, NULL, no_sections, &config, error)
                 : STATUS_OK,
            error);
    TRY(comm_broadcast_config(comm, 0, &config, error));
    TRY_ALL(comm, take_values(config, options, error), error);
out:
    config_free(&config);
    return status;
}

void options_free(Options *options)
{
    mem_free(&options->folder);
    mem_free(&options->tables);
}
