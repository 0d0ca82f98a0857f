/* Civil time: days, months, time zones and timestamps.
 *
 * day    int32, days since 1970-01-01 in the store's time zone (proleptic Gregorian)
 * month  int32, months since 1970-01
 * ts_us  int64, microseconds since 1970-01-01T00:00:00Z */
#ifndef VESPER_BASE_CIVIL_H
#define VESPER_BASE_CIVIL_H

#include "base/bytes.h"

int32_t civil_day(int year, int month, int day);
void civil_from_day(int32_t day, int *year, int *month, int *day_of_month);
bool civil_is_valid(int year, int month, int day);
int32_t civil_month(int32_t day);
enum { CIVIL_TEXT_SIZE = 32 };
void civil_format_day(int32_t day, char text[CIVIL_TEXT_SIZE]);     /* YYYY-MM-DD */
void civil_format_month(int32_t month, char text[CIVIL_TEXT_SIZE]); /* YYYY-MM */
void civil_format_utc(int64_t ts_us, char text[CIVIL_TEXT_SIZE]);   /* YYYY-MM-DDTHH:MM:SSZ */

/* A time zone by its IANA name ("UTC", "Europe/London"), as a table of offsets learned from the C
 * library. A local time that a clock change skips is read with the offset before the change; one
 * that happens twice, as its first occurrence. */
typedef struct TimeZone TimeZone;
Status timezone_new(const char *name, TimeZone **zone, Error *error) VESPER_MUST_USE;
void timezone_free(TimeZone **zone);
int64_t timezone_to_utc(const TimeZone *zone, int64_t local_us);
int64_t timezone_to_local(const TimeZone *zone, int64_t utc_us);
int32_t timezone_day(const TimeZone *zone, int64_t utc_us);

/* A timestamp pattern: %Y %m %d %H %M %S, %f (1 to 9 decimals of a second), %b (Jan), %p (AM/PM
 * with %I), %y, %z (Z, +hh:mm, +hhmm), %s (unix seconds), %% and literal text. "auto" takes ISO
 * 8601 in its usual spellings: YYYY-MM-DD, then optionally T or space, HH:MM, :SS, .ffffff, zone.
 * Without %z the time is local in the store's zone; without a time of day it is midnight. */
typedef struct TimePattern {
    bool is_auto;
    char text[64];
} TimePattern;
Status time_pattern_init(TimePattern *pattern, const char *text, Error *error) VESPER_MUST_USE;

/* Parse all of `text`; false if it does not fit or is no real date. `day` is the local day. */
bool time_parse(const TimePattern *pattern, const TimeZone *zone, Bytes text, int64_t *ts_us,
                int32_t *day);

#endif
