/* SalesCube: what sold by day, by month and country, and by product. */
#ifndef VESPER_SALES_CUBE_H
#define VESPER_SALES_CUBE_H

#include "sales/slots.h"

/* Sums of one day, product, or month and country; one cache line. The stamps name the order and the
 * customer that were counted last: as their lines are contiguous, a different stamp means a new
 * one. Cells are added over ranks as CELL_WORDS int64 each, with the stamps cleared. */
typedef struct SalesCell {
    int64_t gross;    /* minor units */
    int64_t returned; /* minor units, >= 0 for prices >= 0 */
    int64_t units;
    int64_t units_returned;
    int64_t lines;
    int64_t orders;
    int64_t customers;
    uint32_t order_stamp;
    uint32_t customer_stamp;
} SalesCell;
enum { CELL_WORDS = 8 };
_Static_assert(sizeof(SalesCell) == CELL_WORDS * sizeof(int64_t), "a cell is CELL_WORDS int64");

/* All zero is empty (without products). */
typedef struct SalesCube {
    int32_t n_products;
    int32_t n_places; /* countries + 1: place 0 is "unknown" (code -1) */
    KeySlots days;
    KeySlots months;
    int32_t *month_slots;   /* [days.count] slot of the month of each day */
    SalesCell *day_cells;   /* [days.count] */
    SalesCell *place_cells; /* [months.count x n_places] row-major */
    SalesCell *products;    /* [n_products] */
    int32_t day_capacity;
    int32_t month_capacity;
} SalesCube;

Status sales_cube_init(SalesCube *cube, int64_t n_products, int64_t n_countries,
                       Error *error) VESPER_MUST_USE;
void sales_cube_free(SalesCube *cube);

/* Make cells for these days and their months. Local. */
Status sales_cube_cover(SalesCube *cube, const int32_t *days, int64_t n,
                        Error *error) VESPER_MUST_USE;

/* sales_daily, on rank 0; `total` [1] gets the sums of all days on every rank (its orders and
 * customers are those of single days added up), days the days of all ranks. Collective. */
Status sales_cube_daily(Comm *comm, const SalesCube *cube, const KeyUnion *days, SalesCell *total,
                        Table *rows, Error *error) VESPER_MUST_USE;

/* sales_monthly_country, on rank 0. `countries` is the dictionary. Collective. */
Status sales_cube_monthly_country(Comm *comm, const SalesCube *cube, const KeyUnion *months,
                                  const Column *countries, Table *rows,
                                  Error *error) VESPER_MUST_USE;

/* product_total, each rank the next run of products. `ids` is the dictionary, sorted [n_products]
 * the codes by id. Collective. */
Status sales_cube_product_total(Comm *comm, SalesCube *cube, const Column *ids,
                                const int64_t *sorted, Table *rows, Error *error) VESPER_MUST_USE;

/* orders [n_products] := orders of each product over all ranks. Collective. */
void sales_cube_product_orders(Comm *comm, const SalesCube *cube, int64_t *orders);

/* *sorted [n] (mem_free) := codes of a dictionary's texts in bytewise order. Local. */
Status sales_sort_texts(const Column *texts, int64_t n, int64_t **sorted,
                        Error *error) VESPER_MUST_USE;

#endif
