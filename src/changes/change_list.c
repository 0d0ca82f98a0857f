/* See change_list.h: up to twice the limit are kept, then the smaller half goes. */
#include "changes/change_list.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Without the overflow of |INT64_MIN|. */
static uint64_t size_of(int64_t amount)
{
    return amount < 0 ? 0 - (uint64_t)amount : (uint64_t)amount;
}

/* In one list of ups or downs all amounts have one sign, so their sizes rank all three orders. */
static int compare_changes(const void *left, const void *right)
{
    const Change *a = left, *b = right;
    if (size_of(a->amount) != size_of(b->amount))
        return size_of(a->amount) > size_of(b->amount) ? -1 : 1;
    int names = strcmp(a->name, b->name);
    return names != 0 ? names : (a->from > b->from) - (a->from < b->from);
}

static void keep_largest(ChangeList *list)
{
    if (list->n > 0)
        qsort(list->items, (size_t)list->n, sizeof *list->items, compare_changes);
    for (; list->n > list->limit; list->n--)
        mem_free(&list->items[list->n - 1].name);
}

static bool belongs(const ChangeList *list, int64_t amount)
{
    if (list->limit == 0)
        return false;
    if (list->order == CHANGES_LARGE)
        return amount != 0;
    return list->order == CHANGES_UP ? amount > 0 : amount < 0;
}

Status change_list_add(ChangeList *list, Bytes name, Change change, Error *error)
{
    Status status = STATUS_OK;
    if (!belongs(list, change.amount))
        return STATUS_OK;
    if (list->n == list->capacity && list->n >= 2 * list->limit)
        keep_largest(list);
    if (list->n == list->capacity) {
        int64_t capacity = list->capacity > 0 ? 2 * list->capacity : 16;
        TRY(mem_resize(&list->items, capacity, sizeof *list->items, "changes", error));
        list->capacity = capacity;
    }
    change.name = mem_new(name.size + 1, 1);
    if (name.size > 0)
        memcpy(change.name, name.data, (size_t)name.size);
    list->items[list->n++] = change;
out:
    return status;
}

void change_list_finish(ChangeList *list)
{
    keep_largest(list);
}

void change_list_free(ChangeList *list)
{
    for (int64_t i = 0; i < list->n; i++)
        mem_free(&list->items[i].name);
    mem_free(&list->items);
    list->n = list->capacity = 0;
}
