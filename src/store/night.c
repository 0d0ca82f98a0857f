/* Nights in memory: no I/O here; see nights.h. */
#include "store/nights.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const char *const decision_names[NIGHT_DECISIONS] = {[NIGHT_ACCEPTED] = "accepted",
                                                            [NIGHT_REFUSED] = "refused",
                                                            [NIGHT_FORCED] = "forced",
                                                            [NIGHT_ROLLED_BACK] = "rolled back"};

const char *night_decision_name(NightDecision decision)
{
    return decision_names[decision];
}

/* ---- a night ---- */

void night_free(Night *night)
{
    mem_free(&night->target);
    mem_free(&night->reason);
    mem_free(&night->tables);
    mem_free(&night->failed);
    *night = (Night){0};
}

void night_set_text(char **text, const char *value)
{
    mem_free(text);
    *text = value ? mem_copy_string(value) : NULL;
}

void night_add_table(Night *night, const char *name, int64_t rows, int part)
{
    mem_grow(&night->tables, night->n_tables + 1, sizeof *night->tables);
    NightTable *table = &night->tables[night->n_tables++];
    *table = (NightTable){.rows = rows, .part = part};
    (void)snprintf(table->name, sizeof table->name, "%s", name);
}

void night_add_failed(Night *night, const char *text)
{
    mem_grow(&night->failed, night->n_failed + 1, sizeof *night->failed);
    NightLine *line = &night->failed[night->n_failed++];
    *line = (NightLine){{0}};
    (void)snprintf(line->text, sizeof line->text, "%s", text);
}

const NightTable *night_table(const Night *night, const char *name)
{
    for (int i = 0; i < night->n_tables; i++) {
        if (strcmp(night->tables[i].name, name) == 0)
            return &night->tables[i];
    }
    return NULL;
}

const NightMeasure *night_measure(const Night *night, const char *name)
{
    for (int i = 0; i < night->n_measures; i++) {
        if (strcmp(night->measures[i].name, name) == 0)
            return &night->measures[i];
    }
    return NULL;
}

void nights_free(NightList *list)
{
    for (int i = 0; i < list->n; i++)
        night_free(&list->nights[i]);
    mem_free(&list->nights);
    *list = (NightList){0};
}

/* ---- finding ---- */

static bool has_run(const Night *night, const char *run)
{
    bool has = strcmp(night->run, run) == 0;
    for (int i = 0; i < night->n_parts; i++)
        has |= strcmp(night->parts[i].run, run) == 0;
    return has;
}

const Night *nights_find(const NightList *list, const char *run)
{
    for (int i = 0; i < list->n; i++) {
        if (run[0] != '\0' && has_run(&list->nights[i], run))
            return &list->nights[i];
    }
    return NULL;
}

static bool was_published(const Night *night)
{
    return night->decision == NIGHT_ACCEPTED || night->decision == NIGHT_FORCED;
}

/* Among the records from `first` on, of `run` if that is not NULL. */
static const Night *find_published(const NightList *list, int first, const char *target,
                                   const char *run)
{
    for (int i = first; i < list->n; i++) {
        const Night *night = &list->nights[i];
        if (was_published(night) && strcmp(night->target, target) == 0 &&
            (run == NULL || strcmp(night->run, run) == 0))
            return night;
    }
    return NULL;
}

const Night *nights_in_force(const NightList *list, const char *target)
{
    for (int i = 0; i < list->n; i++) {
        const Night *night = &list->nights[i];
        if (strcmp(night->target, target) != 0 || night->decision == NIGHT_REFUSED)
            continue;
        return was_published(night) ? night : find_published(list, i + 1, target, night->run);
    }
    return NULL;
}

const Night *nights_published_until(const NightList *list, const char *target, const char *as_of)
{
    for (int i = 0; i < list->n; i++) {
        const Night *night = &list->nights[i];
        if (was_published(night) && strcmp(night->target, target) == 0 &&
            strcmp(night->as_of, as_of) <= 0)
            return night;
    }
    return NULL;
}

int64_t nights_oldest_generation(const NightList *list, int n)
{
    int found = 0;
    int64_t *seen = mem_new(n, sizeof *seen);
    for (int i = 0; i < list->n && found < n; i++) {
        int64_t generation = list->nights[i].generation;
        bool is_new = was_published(&list->nights[i]);
        for (int k = 0; k < found; k++)
            is_new &= seen[k] != generation;
        if (is_new)
            seen[found++] = generation;
    }
    int64_t oldest = found == n && n > 0 ? seen[0] : -1;
    for (int k = 0; k < found; k++)
        oldest = oldest >= 0 && seen[k] < oldest ? seen[k] : oldest;
    mem_free(&seen);
    return oldest;
}
