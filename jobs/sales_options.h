/* SalesOptions of a run, from its configuration. */
#ifndef VESPER_JOBS_SALES_OPTIONS_H
#define VESPER_JOBS_SALES_OPTIONS_H

#include "base/config.h"
#include "sales/sales.h"

/* STATUS_USAGE says which setting, and what is possible. Local; the same on every rank. */
Status sales_options_read(const Config *config, SalesOptions *options,
                          Error *error) VESPER_MUST_USE;

#endif
