/* Diff: two nights and what changed between them, and how that is printed. */
#ifndef VESPER_JOBS_DIFF_H
#define VESPER_JOBS_DIFF_H

#include "changes/changes.h"
#include "kept_nights.h"

typedef struct Diff {
    KeptNight before, after;
    Changes changes; /* on rank 0 */
} Diff;

void diff_print_text(const Diff *diff, const StoreSettings *settings); /* Local. */
void diff_print_json(const Diff *diff, const StoreSettings *settings); /* Local. */

#endif
