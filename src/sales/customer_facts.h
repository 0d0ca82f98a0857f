/* CustomerFacts: what each known customer bought, learned in the pass, one row a customer. */
#ifndef VESPER_SALES_CUSTOMER_FACTS_H
#define VESPER_SALES_CUSTOMER_FACTS_H

#include "sales/order_lines.h"

/* The customers of some partitions; all zero is empty. Rows of a partition stand together, in the
 * order of their codes; customer_facts_sort brings the partitions into order. A purchase is a day
 * with a kept sale. */
typedef struct CustomerFacts {
    int64_t n;
    int64_t capacity;
    int32_t *partition;
    int32_t *code;        /* in the partition */
    int32_t *first_day;   /* of kept sales; DAY_NONE without any */
    int32_t *last_day;    /* the same */
    int32_t *purchases;   /* days with a kept sale */
    int64_t *orders;      /* with a kept sale */
    int64_t *net;         /* minor units, over all lines */
    int64_t *kept_value;  /* minor units, of kept sales */
    int64_t *first_value; /* the part of kept_value on first_day */
} CustomerFacts;

uint32_t customer_facts_needs(void);
void customer_facts_free(CustomerFacts *facts);
/* Add one partition. Local. */
Status customer_facts_add(CustomerFacts *facts, const OrderLines *lines,
                          Error *error) VESPER_MUST_USE;
/* Add what another thread of this rank has; empties *from. Local. */
Status customer_facts_merge(CustomerFacts *into, CustomerFacts *from, Error *error) VESPER_MUST_USE;
/* By partition, then code, whichever thread read what. Local. */
Status customer_facts_sort(CustomerFacts *facts, Error *error) VESPER_MUST_USE;

#endif
