/* Selection; see select.h.
 *
 * Once a list is warm nearly no score is above its last one. So scores are compared in blocks, each
 * giving a word with one bit a score, and only numbers whose bit is set are looked at. */
#include "kernel/select.h"

#include <math.h>
#include <string.h>

/* Scores of a block: the bits of a word. */
enum { BLOCK = 32 };

/* Places that are looked through one by one, which is faster than halving and moving them. */
enum { SHORT = 32 };

/* One version for processors with AVX2, one for all. Only for static functions: clang 14 names the
 * others so that no other file finds them. */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

void select_clear(const SelectList *list)
{
    for (int k = 0; k < list->n; k++) {
        list->numbers[k] = -1;
        list->scores[k] = -INFINITY;
    }
}

/* ---- the list ---- */

/* Put a number where its score belongs: behind equal scores, which are of smaller numbers. The
 * score is above that at place `gap`, and what stands there is lost. */
static inline void insert(const SelectList *list, int32_t number, float score, int gap)
{
    float *scores = list->scores;
    int32_t *numbers = list->numbers;
    int low = 0, place = gap;
    while (place - low > SHORT) {
        int middle = low + (place - low) / 2;
        if (scores[middle] >= score)
            low = middle + 1;
        else
            place = middle;
    }
    if (place < gap) {
        size_t moved = (size_t)(gap - place);
        memmove(scores + place + 1, scores + place, moved * sizeof *scores);
        memmove(numbers + place + 1, numbers + place, moved * sizeof *numbers);
    }
    for (; place > low && scores[place - 1] < score; place--) {
        scores[place] = scores[place - 1];
        numbers[place] = numbers[place - 1];
    }
    scores[place] = score;
    numbers[place] = number;
}

/* ---- groups ---- */

static void count_members(const SelectList *list, const int32_t *group, SelectGroup *groups)
{
    for (int k = 0; k < list->n && list->numbers[k] >= 0; k++) {
        int32_t g = group[list->numbers[k]];
        if (g >= 0) {
            groups[g].members++;
            groups[g].least = list->scores[k];
        }
    }
}

static void forget_members(const SelectList *list, const int32_t *group, SelectGroup *groups)
{
    for (int k = 0; k < list->n && list->numbers[k] >= 0; k++) {
        int32_t g = group[list->numbers[k]];
        if (g >= 0)
            groups[g] = (SelectGroup){0};
    }
}

/* Last place of a member of group g; -1: none. */
static int last_member(const SelectList *list, const int32_t *group, int32_t g)
{
    int k = list->n - 1;
    while (k >= 0 && (list->numbers[k] < 0 || group[list->numbers[k]] != g))
        k--;
    return k;
}

/* After the list changed. Of a group without members all is zero. */
static void set_least(const SelectList *list, const int32_t *group, int32_t g, SelectGroup *groups)
{
    int k = last_member(list, group, g);
    groups[g].least = k >= 0 ? list->scores[k] : 0;
}

/* As insert, for a number in group g: its group's least member gives way if the group is full, the
 * list's last one otherwise. */
static void insert_grouped(const SelectList *list, const SelectRules *rules, int32_t number,
                           float score, SelectGroup *groups)
{
    const int32_t *group = rules->group;
    int32_t g = group[number];
    int gap = list->n - 1;
    if (g >= 0 && groups[g].members == rules->most_per_group) {
        if (!(score > groups[g].least))
            return;
        gap = last_member(list, group, g);
    }
    int32_t out = list->numbers[gap] < 0 ? -1 : group[list->numbers[gap]];
    insert(list, number, score, gap);
    if (g >= 0)
        groups[g].members++;
    if (out >= 0)
        groups[out].members--;
    if (out >= 0)
        set_least(list, group, out, groups);
    if (g >= 0 && g != out)
        set_least(list, group, g, groups);
}

/* ---- runs ---- */

/* Bit j of the result: scores[j] > least. */
static inline uint32_t bits_above(const float *scores, float least)
{
    uint32_t bits = 0;
    for (int j = 0; j < BLOCK; j++)
        bits |= scores[j] > least ? (uint32_t)1 << j : 0;
    return bits;
}

static inline void offer(const SelectList *list, const SelectRules *rules, int32_t number,
                         float score, SelectGroup *groups)
{
    if (!(score > list->scores[list->n - 1]))
        return; /* the block began with a lower one */
    if (rules->is_allowed && !rules->is_allowed[number])
        return;
    if (rules->group)
        insert_grouped(list, rules, number, score, groups);
    else
        insert(list, number, score, list->n - 1);
}

FOR_ALL_PROCESSORS
static void merge(const SelectList *list, const SelectRules *rules, const float *scores,
                  int32_t first, int32_t n, SelectGroup *groups)
{
    int32_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint32_t bits = bits_above(scores + i, list->scores[list->n - 1]);
        for (; bits != 0; bits &= bits - 1) {
            int32_t j = i + __builtin_ctz(bits);
            offer(list, rules, first + j, scores[j], groups);
        }
    }
    for (; i < n; i++)
        offer(list, rules, first + i, scores[i], groups);
}

void select_merge(const SelectList *list, const SelectRules *rules, const float *scores,
                  int32_t first, int32_t n, SelectGroup *groups)
{
    if (rules->group)
        count_members(list, rules->group, groups);
    merge(list, rules, scores, first, n, groups);
    if (rules->group)
        forget_members(list, rules->group, groups);
}
