#include "calendar.h"

#include "base/civil.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum {
    HOLIDAYS_A_BLOCK = 4096,
    WEEKDAYS = 7,
    THURSDAY = 4, /* 1970-01-01 */
    FRIDAY = 5
};

enum { DE, GB, FR, NL, ES, IT, AT, BE, PL, SE, CH, IE };

static const struct {
    const char *code;
    double share;
} COUNTRIES[COUNTRY_COUNT] = {
    {"DE", 0.30}, {"GB", 0.14}, {"FR", 0.12}, {"NL", 0.08}, {"ES", 0.08}, {"IT", 0.08},
    {"AT", 0.06}, {"BE", 0.04}, {"PL", 0.04}, {"SE", 0.03}, {"CH", 0.02}, {"IE", 0.01},
};

/* month 0: days after Easter Sunday. */
static const struct {
    int month, day;
    const char *name;
    uint32_t countries; /* bit a country */
} HOLIDAY_RULES[] = {
    {1, 1, "New Year's Day", 0xFFF},
    {1, 6, "Epiphany", 1U << ES | 1U << IT | 1U << AT | 1U << PL | 1U << SE},
    {3, 17, "Saint Patrick's Day", 1U << IE},
    {0, -2, "Good Friday", 1U << DE | 1U << GB | 1U << ES | 1U << SE | 1U << CH},
    {0, 1, "Easter Monday", 0xFFF & ~(1U << ES)},
    {4, 25, "Liberation Day", 1U << IT},
    {4, 27, "King's Day", 1U << NL},
    {5, 1, "Labour Day", 0xFFF & ~(1U << GB | 1U << NL | 1U << IE | 1U << CH)},
    {5, 3, "Constitution Day", 1U << PL},
    {5, 8, "Victory Day", 1U << FR},
    {0, 39, "Ascension Day", 0xFFF & ~(1U << GB | 1U << ES | 1U << IT | 1U << PL | 1U << IE)},
    {0, 50, "Whit Monday", 1U << DE | 1U << FR | 1U << NL | 1U << AT | 1U << BE | 1U << CH},
    {6, 2, "Republic Day", 1U << IT},
    {6, 6, "National Day", 1U << SE},
    {7, 14, "Bastille Day", 1U << FR},
    {7, 21, "National Day", 1U << BE},
    {8, 1, "Swiss National Day", 1U << CH},
    {8, 15, "Assumption Day", 1U << FR | 1U << ES | 1U << IT | 1U << AT | 1U << BE | 1U << PL},
    {10, 3, "German Unity Day", 1U << DE},
    {10, 12, "Fiesta Nacional", 1U << ES},
    {10, 26, "National Day", 1U << AT},
    {11, 1, "All Saints' Day", 1U << FR | 1U << ES | 1U << IT | 1U << AT | 1U << BE | 1U << PL},
    {11, 11, "Armistice Day", 1U << FR | 1U << BE | 1U << PL},
    {12, 8, "Immaculate Conception", 1U << ES | 1U << IT | 1U << AT},
    {12, 25, "Christmas Day", 0xFFF},
    {12, 26, "Boxing Day", 0xFFF & ~(1U << FR | 1U << ES | 1U << BE)},
};
enum { RULE_COUNT = (int)(sizeof HOLIDAY_RULES / sizeof HOLIDAY_RULES[0]) };

/* Demand by hour of the day; the evening is busiest. */
static const double HOUR_WEIGHTS[HOURS] = {
    12, 6, 3, 2, 2, 3, 8, 20, 36, 48, 55, 58, 60, 56, 52, 52, 55, 62, 74, 88, 94, 80, 52, 26,
};
static const double WEEKDAY_WEIGHTS[WEEKDAYS] = {1.12, 1.05, 1.0, 0.98, 1.0, 0.95, 0.9}; /* Sun.. */

const char *country_code(int country)
{
    return COUNTRIES[country].code;
}

int country_draw(Random *random)
{
    double unit = random_unit(random);
    int country = 0;
    while (country < COUNTRY_COUNT - 1 && unit >= COUNTRIES[country].share)
        unit -= COUNTRIES[country++].share;
    return country;
}

/* The Gregorian computus (Meeus 1991, "Astronomical Algorithms", chapter 8). */
static int32_t easter_sunday(int year)
{
    int a = year % 19;
    int b = year / 100;
    int c = year % 100;
    int f = (b + 8) / 25;
    int g = (b - f + 1) / 3;
    int h = (19 * a + b - b / 4 - g + 15) % 30;
    int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    int m = (a + 11 * h + 22 * l) / 451;
    int sum = h + l - 7 * m + 114;
    return civil_day(year, sum / 31, sum % 31 + 1);
}

static int weekday_of(int32_t civil)
{
    return (int)(((int64_t)civil + THURSDAY) % WEEKDAYS + WEEKDAYS) % WEEKDAYS;
}

static int compare_holidays(const void *left, const void *right)
{
    const Holiday *a = left;
    const Holiday *b = right;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return (a->country > b->country) - (a->country < b->country);
}

static Status make_holidays(Calendar *calendar, Error *error)
{
    Status status = STATUS_OK;
    int first_year, last_year, month, day_of_month;
    civil_from_day(calendar->start, &first_year, &month, &day_of_month);
    civil_from_day(calendar->start + calendar->days - 1, &last_year, &month, &day_of_month);
    int64_t most = (int64_t)(last_year - first_year + 1) * RULE_COUNT * COUNTRY_COUNT;
    TRY(mem_resize(&calendar->holidays, most, sizeof *calendar->holidays, "holidays", error));
    for (int year = first_year; year <= last_year; year++) {
        for (int rule = 0; rule < RULE_COUNT; rule++) {
            int32_t civil =
                HOLIDAY_RULES[rule].month == 0
                    ? easter_sunday(year) + HOLIDAY_RULES[rule].day
                    : civil_day(year, HOLIDAY_RULES[rule].month, HOLIDAY_RULES[rule].day);
            int32_t day = civil - calendar->start;
            if (day < 0 || day >= calendar->days)
                continue;
            for (int country = 0; country < COUNTRY_COUNT; country++)
                if (HOLIDAY_RULES[rule].countries >> country & 1)
                    calendar->holidays[calendar->n_holidays++] =
                        (Holiday){.day = day, .country = country, .name = HOLIDAY_RULES[rule].name};
        }
    }
    if (calendar->n_holidays > 0)
        qsort(calendar->holidays, (size_t)calendar->n_holidays, sizeof *calendar->holidays,
              compare_holidays);
out:
    return status;
}

/* Trend, season, weekday and the sales days before Christmas; holidays are taken off after. */
static double day_weight(const Calendar *calendar, int32_t day)
{
    int year, month, day_of_month;
    int32_t civil = calendar->start + day;
    civil_from_day(civil, &year, &month, &day_of_month);
    int in_year = civil - civil_day(year, 1, 1);
    double weight = 1.0 + 0.25 * day / 365.25;
    weight *= WEEKDAY_WEIGHTS[weekday_of(civil)];
    double advent = (in_year - 344) / 13.0;
    weight *= 1.0 + 0.12 * cos(2.0 * M_PI * (in_year - 330) / 365.25) +
              (in_year < 358 ? 0.7 * exp(-advent * advent) : 0.0);
    int32_t first_of_november = civil_day(year, 11, 1);
    int32_t black_friday =
        first_of_november + (FRIDAY - weekday_of(first_of_november) + WEEKDAYS) % WEEKDAYS + 21;
    if (civil == black_friday)
        weight *= 2.1;
    if (civil == black_friday + 3)
        weight *= 1.6;
    Random random = sampling_stream(calendar->seed, STREAM_DAY, day);
    return weight * exp(0.08 * random_normal(&random));
}

/* Lines of the days in proportion to their weights, rounded so that every sum from the first day
 * on is the nearest integer below its exact share: no line is lost. */
static Status spread_lines(Calendar *calendar, int64_t lines, Error *error)
{
    Status status = STATUS_OK;
    double *before = NULL;
    TRY(mem_resize(&before, calendar->days + 1, sizeof *before, "the calendar", error));
    for (int32_t day = 0; day < calendar->days; day++)
        before[day + 1] = day_weight(calendar, day);
    for (int64_t i = 0; i < calendar->n_holidays; i++) {
        const Holiday *holiday = &calendar->holidays[i];
        before[holiday->day + 1] *= 1.0 - 0.5 * COUNTRIES[holiday->country].share;
    }
    before[0] = 0.0;
    for (int32_t day = 0; day < calendar->days; day++)
        before[day + 1] += before[day];
    calendar->first_line[0] = 0;
    calendar->first_block[0] = 0;
    for (int32_t day = 0; day < calendar->days; day++) {
        double share = before[day + 1] / before[calendar->days];
        int64_t end = day + 1 < calendar->days ? (int64_t)((double)lines * share) : lines;
        int64_t n = end - calendar->first_line[day];
        calendar->first_line[day + 1] = end;
        calendar->first_block[day + 1] =
            calendar->first_block[day] + (n + BLOCK_LINES_MAX - 1) / BLOCK_LINES_MAX;
    }
out:
    mem_free(&before);
    return status;
}

Status calendar_init(Calendar *calendar, uint64_t seed, int32_t start, int32_t days, int64_t lines,
                     Error *error)
{
    Status status = STATUS_OK;
    int year, month, day_of_month;
    civil_from_day(start, &year, &month, &day_of_month);
    *calendar = (Calendar){
        .seed = seed, .start = start, .days = days, .start_in_year = start - civil_day(year, 1, 1)};
    double sum = 0.0;
    for (int hour = 0; hour < HOURS; hour++)
        sum += HOUR_WEIGHTS[hour];
    for (int hour = 0; hour < HOURS; hour++)
        calendar->hours[hour + 1] = calendar->hours[hour] + HOUR_WEIGHTS[hour] / sum;
    TRY(mem_resize(&calendar->first_line, days + 1, sizeof(int64_t), "the calendar", error));
    TRY(mem_resize(&calendar->first_block, days + 1, sizeof(int64_t), "the calendar", error));
    TRY(make_holidays(calendar, error));
    TRY(spread_lines(calendar, lines, error));
out:
    return status;
}

void calendar_free(Calendar *calendar)
{
    mem_free(&calendar->first_line);
    mem_free(&calendar->first_block);
    mem_free(&calendar->holidays);
}

int64_t calendar_block_count(const Calendar *calendar)
{
    return calendar->first_block[calendar->days];
}

Block calendar_slot(const Calendar *calendar, int32_t day, int64_t slot)
{
    int64_t n_lines = calendar->first_line[day + 1] - calendar->first_line[day];
    int64_t n_slots = calendar->first_block[day + 1] - calendar->first_block[day];
    vesper_assert(slot >= 0 && slot < n_slots);
    int64_t even = n_lines / n_slots;
    int64_t larger = n_lines % n_slots; /* so many slots have one line more */
    return (Block){
        .number = calendar->first_block[day] + slot,
        .day = day,
        .slot = slot,
        .n_slots = n_slots,
        .first_line = calendar->first_line[day] + even * slot + (slot < larger ? slot : larger),
        .n_lines = (int32_t)(even + (slot < larger ? 1 : 0)),
    };
}

Block calendar_block(const Calendar *calendar, int64_t number)
{
    int32_t low = 0; /* the last day whose first block is not past `number` */
    int32_t high = calendar->days;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (calendar->first_block[middle] <= number)
            low = middle;
        else
            high = middle;
    }
    return calendar_slot(calendar, low, number - calendar->first_block[low]);
}

int64_t calendar_second(const Calendar *calendar, double share)
{
    int hour = 0;
    while (hour < HOURS - 1 && share >= calendar->hours[hour + 1])
        hour++;
    double width = calendar->hours[hour + 1] - calendar->hours[hour];
    int64_t second = (int64_t)(3600.0 * (hour + (share - calendar->hours[hour]) / width));
    return second < SECONDS_A_DAY ? second : SECONDS_A_DAY - 1;
}

char *put_day(const Calendar *calendar, char *at, int32_t day)
{
    return put_date(at, calendar->start + day);
}

char *put_time(const Calendar *calendar, char *at, int64_t seconds)
{
    int64_t day = seconds / SECONDS_A_DAY;
    int64_t second = seconds % SECONDS_A_DAY;
    if (second < 0) {
        day--;
        second += SECONDS_A_DAY;
    }
    at = put_day(calendar, at, (int32_t)day);
    *at++ = ' ';
    return put_seconds(at, second);
}

static Status write_holidays(void *context, int64_t block, Text texts[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    const Calendar *calendar = context;
    Text *text = &texts[OUTPUT_HOLIDAYS];
    int64_t end = (block + 1) * HOLIDAYS_A_BLOCK;
    for (int64_t i = block * HOLIDAYS_A_BLOCK; i < end && i < calendar->n_holidays; i++) {
        const Holiday *holiday = &calendar->holidays[i];
        TRY(text_reserve(text, 128, error));
        char *at = put_day(calendar, text_end(text), holiday->day);
        *at++ = ',';
        at = put_string(at, country_code(holiday->country));
        *at++ = ',';
        at = put_field(at, holiday->name);
        *at++ = '\n';
        text_row(text, at);
    }
out:
    return status;
}

Stage calendar_stage(Calendar *calendar)
{
    return (Stage){.name = "holidays",
                   .n_blocks = (calendar->n_holidays + HOLIDAYS_A_BLOCK - 1) / HOLIDAYS_A_BLOCK,
                   .n_rows = calendar->n_holidays,
                   .progress = OUTPUT_HOLIDAYS,
                   .make_block = write_holidays,
                   .context = calendar};
}
