/* Rows of rec_accuracy: how every model would have done on the held-out days. */
#ifndef VESPER_RECOMMEND_ACCURACY_ROWS_H
#define VESPER_RECOMMEND_ACCURACY_ROWS_H

#include "recommend/evaluate.h"

/* The rows, by list and model, on rank 0: list ("discover", "buy again"), model, users, then
 * recall, ndcg, map, hit_rate, coverage and novelty at 10 and 20 (docs/methods/accuracy.md), weight
 * (in the published mix). Local. */
Status accuracy_rows_make(const Evaluation *evaluations, int n, const BlendMix *mix, Table *rows,
                          Error *error) VESPER_MUST_USE;

#endif
