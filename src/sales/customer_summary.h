/* customer_summary: what each customer bought, RFM scores and segment, and what is expected. */
#ifndef VESPER_SALES_CUSTOMER_SUMMARY_H
#define VESPER_SALES_CUSTOMER_SUMMARY_H

#include "sales/customer_value.h"

/* The table of all ranks, by customer id; each rank the next run of rows. `facts` are sorted, and
 * emptied; forecast NULL: its columns are NaN. Reads the ids of this rank's partitions.
 * docs/tables.md has the columns. Collective. */
Status customer_summary_rows(Comm *comm, Store *store, const Shop *shop, CustomerFacts *facts,
                             const CustomerForecast *forecast, Table *rows,
                             Error *error) VESPER_MUST_USE;

#endif
