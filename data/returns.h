/* Returns: which earlier orders come back in a block.
 *
 * The order at position k of a block may come back only after 2 + k mod 20 days, in the block of
 * that day with the same slot number. So two blocks never send back the same order, and a block
 * finds its candidates by making the basket sizes of 20 earlier blocks again. */
#ifndef VESPER_DATA_RETURNS_H
#define VESPER_DATA_RETURNS_H

#include "baskets.h"

typedef struct Return {
    int64_t ordinal; /* of the order that comes back */
    int32_t day;     /* it was bought on */
    int n_lines;     /* it had */
    uint64_t kept;   /* bit a line: 1 if it comes back */
} Return;

/* Lines of the block that should be returns. The others, in front of all that a lack of candidates
 * adds, are its core: purchases that may come back. */
int32_t returns_wanted(const Shop *shop, const Block *block);

/* Choose returns [BLOCK_LINES_MAX] with at most `wanted` lines together; *n_lines is what they
 * have. Returns their number. */
int32_t returns_choose(const Shop *shop, const Block *block, int32_t wanted, Return *returns,
                       int32_t *n_lines);

/* The order as it comes back. */
void return_fill(const Shop *shop, const Return *back, Order *order);

#endif
