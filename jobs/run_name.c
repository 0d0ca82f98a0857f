#include "run_name.h"

#include "base/civil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const part_names[PART_COUNT] = {
    [PART_SALES] = "sales", [PART_RECOMMEND] = "recommend", [PART_FORECAST] = "forecast"};

const char *run_part_name(ResultPart part)
{
    return part_names[part];
}

void run_name_print(const RunName *name, char text[STORE_NAME_SIZE])
{
    int length = snprintf(text, STORE_NAME_SIZE, "%06lld-", (long long)name->generation);
    if (name->part != PART_SALES)
        length += snprintf(text + length, (size_t)(STORE_NAME_SIZE - length), "%s-",
                           part_names[name->part]);
    if (name->as_of != DAY_NONE) {
        int year, month, day;
        civil_from_day(name->as_of, &year, &month, &day);
        length += snprintf(text + length, (size_t)(STORE_NAME_SIZE - length), "%04d%02d%02d-", year,
                           month, day);
    }
    (void)snprintf(text + length, (size_t)(STORE_NAME_SIZE - length), "%s", name->hash);
}

static int32_t parse_day(const char *text)
{
    long number = strtol(text, NULL, 10);
    int year = (int)(number / 10000), month = (int)(number / 100 % 100), day = (int)(number % 100);
    return civil_is_valid(year, month, day) ? civil_day(year, month, day) : DAY_NONE;
}

/* What is printed again as it stood is a name; everything else is none. */
bool run_name_parse(const char *text, RunName *name)
{
    char again[STORE_NAME_SIZE];
    const char *at = strchr(text, '-'), *hash = strrchr(text, '-');
    *name = (RunName){.generation = strtoll(text, NULL, 10), .part = PART_SALES, .as_of = DAY_NONE};
    if (at == NULL || name->generation < 0 || strlen(hash + 1) != RUN_HASH_SIZE - 1 ||
        strspn(hash + 1, "0123456789abcdef") != RUN_HASH_SIZE - 1)
        return false;
    memcpy(name->hash, hash + 1, RUN_HASH_SIZE);
    for (int part = PART_SALES + 1; at < hash && part < PART_COUNT; part++) {
        size_t length = strlen(part_names[part]);
        if (strncmp(at + 1, part_names[part], length) == 0 && at[1 + length] == '-') {
            name->part = (ResultPart)part;
            at += 1 + length;
        }
    }
    if (at < hash)
        name->as_of = parse_day(at + 1);
    run_name_print(name, again);
    return strcmp(again, text) == 0;
}
