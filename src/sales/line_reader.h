/* LineReader: the order lines of one partition after another, from the store, checked, with what is
 * derived from them. One thread uses a reader at a time. Local. */
#ifndef VESPER_SALES_LINE_READER_H
#define VESPER_SALES_LINE_READER_H

#include "sales/order_lines.h"

/* Absolute values of everything read so far, added up: no other sum is larger. Where a cheap upper
 * bound is small enough, that is added instead. */
typedef struct LineMagnitudes {
    uint64_t minor; /* value of lines */
    uint64_t units;
    uint64_t discount; /* minor units */
} LineMagnitudes;

typedef struct LineReader {
    Store *store;
    const Shop *shop;
    uint32_t needs; /* LINES_... */
    LineMagnitudes magnitudes;
    LineMagnitudes line_most; /* most that one line can add to them */
    Table rows;               /* of the partition at hand */
    Table customers;          /* their attributes */
    /* Columns that are not in the store as OrderLines has them; [capacity]. */
    int64_t capacity;
    int32_t *country, *channel, *currency, *segment, *order_day, *cohort;
    int8_t *hour, *returning;
    int32_t *segment_of; /* [segment_capacity] by customer code */
    int64_t segment_capacity;
    int32_t *month_of; /* [days of the shop] for cohorts */
} LineReader;

/* STATUS_IO if the store has codes that its dictionaries do not. */
Status line_reader_init(LineReader *reader, Store *store, const Shop *shop, uint32_t needs,
                        Error *error) VESPER_MUST_USE;
void line_reader_free(LineReader *reader);

/* *lines := the partition's, until the next call. STATUS_INPUT if a sum would leave int64. */
Status line_reader_read(LineReader *reader, int32_t partition, OrderLines *lines,
                        Error *error) VESPER_MUST_USE;

/* Check the sums of all ranks. Collective. */
Status line_magnitudes_check(Comm *comm, const LineMagnitudes *magnitudes,
                             Error *error) VESPER_MUST_USE;

#endif
