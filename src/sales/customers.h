/* Customers: what each one bought, and which months later they came back. */
#ifndef VESPER_SALES_CUSTOMERS_H
#define VESPER_SALES_CUSTOMERS_H

#include "sales/slots.h"

/* One customer of the partition being read. */
typedef struct CustomerSales {
    int32_t code;      /* in the partition */
    int32_t first_day; /* of the sales; DAY_NONE without any */
    int32_t last_day;
    int64_t orders;
    int64_t net;
} CustomerSales;

/* All zero is empty; sales_customers_init makes the table. */
typedef struct SalesCustomers {
    Table summary;          /* customer_summary of the partitions read so far */
    CustomerSales *current; /* [n_current] of the partition being read */
    int64_t n_current;
    int64_t current_capacity;
    int64_t buyers; /* customers with a sale */
    /* Months are slots of the cube's months. */
    int32_t n_months_room;
    int64_t *cohorts;       /* [room x room] customers by month of first sale, month of a sale */
    uint32_t *month_stamps; /* [room] customer seen last in that month */
    int32_t *months;        /* [room] scratch: the months of one customer */
} SalesCustomers;

void sales_customers_init(SalesCustomers *customers);
void sales_customers_free(SalesCustomers *customers);

/* Room for `lines` more lines' customers and for `months` months; forgets the last partition's.
 * Local. */
Status sales_customers_cover(SalesCustomers *customers, int64_t lines, const KeySlots *months,
                             Error *error) VESPER_MUST_USE;

/* Add the current partition's customers to the summary; `ids` [n_ids] by code. Local. */
Status sales_customers_name(SalesCustomers *customers, const Column *ids, int64_t n_ids,
                            int32_t partition, Error *error) VESPER_MUST_USE;

/* cohort_month, on rank 0. Collective. */
Status sales_customers_cohorts(Comm *comm, const SalesCustomers *customers, const KeySlots *months,
                               const KeyUnion *all_months, Table *rows,
                               Error *error) VESPER_MUST_USE;

#endif
