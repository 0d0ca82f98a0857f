/* ChangeList: the largest of many changes, without keeping the others. Local. */
#ifndef VESPER_CHANGES_CHANGE_LIST_H
#define VESPER_CHANGES_CHANGE_LIST_H

#include "base/bytes.h"

typedef enum ChangeOrder {
    CHANGES_UP,   /* above 0, the greatest first */
    CHANGES_DOWN, /* below 0, the least first */
    CHANGES_LARGE /* other than 0, the farthest from it first */
} ChangeOrder;

/* What the numbers mean stands where lists are filled (changes.h). */
typedef struct Change {
    char *name;            /* of a product, customer or category; ties break by it */
    int64_t amount;        /* that it is ranked by */
    int64_t before, after; /* or two other numbers */
    int from, to;          /* segments of a customer */
    bool is_new;           /* the night before did not have it */
} Change;

/* All zero keeps nothing: limit 0. */
typedef struct ChangeList {
    ChangeOrder order;
    int64_t limit;
    Change *items; /* [n] */
    int64_t n, capacity;
} ChangeList;

/* Take `change` under `name` if it is large enough; the name is copied. */
Status change_list_add(ChangeList *list, Bytes name, Change change, Error *error) VESPER_MUST_USE;
/* Sort, and leave `limit` of them. */
void change_list_finish(ChangeList *list);
void change_list_free(ChangeList *list);

#endif
