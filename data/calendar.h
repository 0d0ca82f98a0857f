/* Calendar: how the order lines spread over days and hours, and the blocks they are made in.
 *
 * Days are counted from the first day of the period. A day's weight is trend x weekday x yearly
 * season x holidays x noise; its lines are cut into slots of equal demand, one block each. */
#ifndef VESPER_DATA_CALENDAR_H
#define VESPER_DATA_CALENDAR_H

#include "sampling.h"
#include "writer.h"

enum { HOURS = 24, SECONDS_A_DAY = 86400, COUNTRY_COUNT = 12, BLOCK_LINES_MAX = 4096 };

typedef struct Holiday {
    int32_t day;
    int country;
    const char *name;
} Holiday;

typedef struct Calendar {
    uint64_t seed;
    int32_t start; /* civil day of day 0 */
    int32_t days;
    int start_in_year;       /* of day 0, from 0 */
    int64_t *first_line;     /* [days + 1] */
    int64_t *first_block;    /* [days + 1] */
    double hours[HOURS + 1]; /* share of a day's demand before each hour */
    Holiday *holidays;       /* by day, then country */
    int64_t n_holidays;
} Calendar;

/* A day's slot of order lines. */
typedef struct Block {
    int64_t number;
    int32_t day;
    int64_t slot;
    int64_t n_slots;    /* of its day */
    int64_t first_line; /* number of its first line in the whole period */
    int32_t n_lines;
} Block;

Status calendar_init(Calendar *calendar, uint64_t seed, int32_t start, int32_t days, int64_t lines,
                     Error *error) VESPER_MUST_USE;
void calendar_free(Calendar *calendar);

int64_t calendar_block_count(const Calendar *calendar);
Block calendar_block(const Calendar *calendar, int64_t number);
Block calendar_slot(const Calendar *calendar, int32_t day, int64_t slot);

/* Second of the day before which `share` of a day's demand has come. */
int64_t calendar_second(const Calendar *calendar, double share);

/* Countries of the shop, by falling share. */
const char *country_code(int country);
int country_draw(Random *random);

char *put_day(const Calendar *calendar, char *at, int32_t day); /* YYYY-MM-DD */
/* YYYY-MM-DD HH:MM:SS; seconds since the start of day 0, may be below zero. */
char *put_time(const Calendar *calendar, char *at, int64_t seconds);

/* Stage that writes holidays.csv; context is the calendar. */
Stage calendar_stage(Calendar *calendar);

#endif
