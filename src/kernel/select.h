/* Selection: the best N of scores that come in runs, exactly. Local, safe in threads.
 *
 * A greater score comes first; equal scores come by the smaller number. NaN and -INFINITY are not
 * scores and never enter a list. */
#ifndef VESPER_KERNEL_SELECT_H
#define VESPER_KERNEL_SELECT_H

#include <stdbool.h>
#include <stdint.h>

/* Best first; places from the first free one on hold number -1 and score -INFINITY. */
typedef struct SelectList {
    int n;
    int32_t *numbers; /* [n] */
    float *scores;    /* [n] */
} SelectList;

/* Of one group of numbers, while a run is merged. */
typedef struct SelectGroup {
    float least; /* the least score of its members in the list */
    int32_t members;
} SelectGroup;

/* What may enter a list. All zero: everything. */
typedef struct SelectRules {
    const bool *is_allowed; /* [numbers] NULL: all */
    const int32_t *group;   /* [numbers] -1: in no group; NULL: no limit on groups */
    int most_per_group;     /* above 0, with `group` */
} SelectRules;

void select_clear(const SelectList *list);

/* Merge scores [n] of the numbers [first, first + n) into the list. Every number must be above
 * those merged before.
 *
 * With groups the list is what going down the whole ranking would give, passing over numbers whose
 * group has most_per_group already: lists under such rules are the independent sets of a matroid
 * (a truncated partition matroid), and the best set of a part of the numbers holds all that the
 * best set of the whole takes from that part. So n places are memory enough.
 *
 * groups [number of groups]: all zero before and after; not used without rules->group. */
void select_merge(const SelectList *list, const SelectRules *rules, const float *scores,
                  int32_t first, int32_t n, SelectGroup *groups);

#endif
