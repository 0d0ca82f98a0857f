/* Exact decimal text to integers: money to minor units, quantities, counts. */
#ifndef VESPER_BASE_DECIMAL_H
#define VESPER_BASE_DECIMAL_H

#include "base/bytes.h"

typedef enum DecimalResult {
    DECIMAL_OK,
    DECIMAL_EMPTY,
    DECIMAL_NOT_A_NUMBER,
    DECIMAL_TOO_PRECISE, /* more non-zero decimals than asked for */
    DECIMAL_TOO_LARGE    /* outside [min, max] */
} DecimalResult;

typedef struct DecimalStyle {
    char point; /* '.' or ',' */
    char group; /* thousands separator, 0 for none */
} DecimalStyle;

/* `text` (optional sign, digits, optional point and decimals, optional exponent of the form e+3)
 * times 10^decimals, exactly. Spaces around are ignored. Local. */
DecimalResult decimal_parse(Bytes text, int decimals, DecimalStyle style, int64_t min, int64_t max,
                            int64_t *value);

/* `value` minor units as text with `decimals` decimals ("-12.50"). */
enum { DECIMAL_TEXT_SIZE = 48 };
void decimal_format(int64_t value, int decimals, char text[DECIMAL_TEXT_SIZE]);

/* 1234567 as "1,234,567", for people; and with decimals, as "12,345.67". */
void count_format(int64_t value, char text[DECIMAL_TEXT_SIZE]);
void count_format_decimals(int64_t value, int decimals, char text[DECIMAL_TEXT_SIZE]);

/* The same, usable inside one call of a printing function. */
typedef struct CountText {
    char text[DECIMAL_TEXT_SIZE];
} CountText;
CountText count_text(int64_t value);

#endif
