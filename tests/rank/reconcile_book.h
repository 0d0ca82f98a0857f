/* Least squares by the textbook's matrices, written out: S, W and G = (S' W^-1 S)^-1 S' W^-1 of all
 * series and nodes. Local. */
#ifndef VESPER_TESTS_RANK_RECONCILE_BOOK_H
#define VESPER_TESTS_RANK_RECONCILE_BOOK_H

#include "rank/hierarchy_model.h"

/* All series of a hierarchy and all its nodes. */
typedef struct BookInput {
    const HierarchyModel *model;
    const Hierarchy *hierarchy;
    int horizon;
    int64_t periods;
    const double *bottom, *nodes;                    /* [n x horizon], [n_nodes x horizon] */
    const double *bottom_residuals, *node_residuals; /* [... x periods] NaN: not known */
} BookInput;

/* The series' forecasts that fit best, [n x horizon]; mem_free. W has the variances alone, or, if
 * it `shrinks`, *lambda of them and the rest of the covariances. *n_nodes := nodes that take part.
 */
double *reconcile_book(const BookInput *input, bool shrinks, double *lambda, int *n_nodes);

#endif
