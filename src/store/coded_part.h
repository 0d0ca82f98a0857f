/* CodedPart: a coded text column of one rank as it goes to a segment: the different texts of each
 * partition, in the order in which they come first, and for each row which of them it has. Local.
 */
#ifndef VESPER_STORE_CODED_PART_H
#define VESPER_STORE_CODED_PART_H

#include "table/table.h"

/* All zero is empty. */
typedef struct CodedPart {
    int32_t *codes;       /* [rows] from 0 in each partition */
    int64_t *text_starts; /* [partitions + 1] first text of each partition */
    int64_t *byte_starts; /* [partitions + 1] its first byte */
    int64_t *ends;        /* of the texts, from the first byte of the partition */
    char *bytes;
} CodedPart;

/* Rows stand by partition, partition_rows [n] of them in each. */
Status coded_part_make(const Column *column, int64_t n_partitions, const int64_t *partition_rows,
                       CodedPart *part, Error *error) VESPER_MUST_USE;
void coded_part_free(CodedPart *part);

#endif
