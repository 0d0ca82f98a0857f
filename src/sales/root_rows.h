/* For tables that one rank can make: few rows, as of days or months. */
#ifndef VESPER_SALES_ROOT_ROWS_H
#define VESPER_SALES_ROOT_ROWS_H

#include "comm/comm.h"

/* All ranks' rows to rank 0, in rank order; the other ranks' tables are empty then. Collective. */
Status root_rows(Comm *comm, Table *table, Error *error) VESPER_MUST_USE;

#endif
