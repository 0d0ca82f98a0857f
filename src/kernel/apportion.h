/* Apportion: whole numbers for a table of fractions whose column totals are given.
 *
 * Controlled rounding (Cox 1987): in each column every row gets its value rounded down or up, and
 * the column adds up to its total. Who is rounded up is decided column after column: the rows to
 * which rounding so far owes most, so that the sum of a row over the columns stays close to its
 * value too (error diffusion). Fixed point: no result depends on anything but the numbers. Local.
 */
#ifndef VESPER_KERNEL_APPORTION_H
#define VESPER_KERNEL_APPORTION_H

#include <stdint.h>

typedef struct ApportionRow {
    int64_t *values; /* [width] in: value times 2^shift, from 0 on; out: its whole number */
    int64_t owed;    /* sum of values less whole numbers so far, times 2^shift; 0 to begin with */
} ApportionRow;

/* rows [n]; totals [width]: of each column the sum of its values, rounded down or up to a whole
 * number. Equal claims go to the row that comes first. places [n]: workspace. O(n width). */
void apportion(ApportionRow *rows, int64_t n, int64_t width, int shift, const int64_t *totals,
               int64_t *places);

#endif
