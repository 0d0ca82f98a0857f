#include "kept_nights.h"

#include "base/civil.h"
#include "base/memory.h"
#include "part.h"
#include "run_name.h"

#include <stdlib.h>
#include <string.h>

/* What was asked for, taken to pieces. */
typedef struct Wanted {
    const char *text;
    int place;        /* 0: last, 1: previous; -1: something else */
    int32_t day;      /* DAY_NONE: no day */
    bool is_name;     /* of a run: */
    RunName name;     /* its beginning, up to the first hash */
    const char *tail; /* and the hashes after that */
} Wanted;

/* The runs of the store, and the nights that they are of, newest first. */
typedef struct Kept {
    RunName *runs; /* [n_runs] */
    KeptNight *nights;
    int n_runs, n_nights;
} Kept;

/* ---- what there is ---- */

static bool is_of(const RunName *name, const KeptNight *night)
{
    return name->generation == night->generation && name->as_of == night->as_of;
}

static int compare_nights(const void *left, const void *right)
{
    const KeptNight *a = left, *b = right;
    if (a->day != b->day)
        return a->day > b->day ? -1 : 1;
    if (a->generation != b->generation)
        return a->generation > b->generation ? -1 : 1;
    return (a->as_of > b->as_of) - (a->as_of < b->as_of); /* the plain one first */
}

static void add_run(const Store *store, const RunName *name, Kept *kept)
{
    kept->runs[kept->n_runs++] = *name;
    for (int i = 0; i < kept->n_nights; i++) {
        if (is_of(name, &kept->nights[i]))
            return;
    }
    kept->nights[kept->n_nights++] = (KeptNight){
        .generation = name->generation,
        .as_of = name->as_of,
        .day = name->as_of != DAY_NONE ? name->as_of : store_last_day(store, name->generation)};
}

static Status list_kept(const Store *store, Kept *kept, Error *error)
{
    Status status;
    char(*names)[STORE_NAME_SIZE] = NULL;
    int n = 0;
    TRY(results_list(store, &names, &n, error));
    kept->runs = mem_new(n, sizeof *kept->runs);
    kept->nights = mem_new(n, sizeof *kept->nights);
    for (int i = 0; i < n; i++) {
        RunName name;
        if (run_name_parse(names[i], &name))
            add_run(store, &name, kept);
    }
    if (kept->n_nights > 0)
        qsort(kept->nights, (size_t)kept->n_nights, sizeof *kept->nights, compare_nights);
out:
    mem_free(&names);
    return status;
}

/* ---- what is wanted ---- */

/* The longest beginning of `text` that is the name of a run. */
static bool read_name(const char *text, Wanted *wanted)
{
    char name[STORE_NAME_SIZE];
    size_t length = strlen(text);
    if (length >= sizeof name)
        return false;
    memcpy(name, text, length + 1);
    while (!run_name_parse(name, &wanted->name)) {
        char *last = strrchr(name, '-');
        if (last == NULL)
            return false;
        *last = '\0';
    }
    wanted->tail = text + strlen(name);
    return true;
}

static Status read_wanted(const char *text, Wanted *wanted, Error *error)
{
    Status status = STATUS_OK;
    Error no_day;
    *wanted = (Wanted){.text = text, .place = -1, .day = DAY_NONE};
    if (strcmp(text, "last") == 0 || strcmp(text, "previous") == 0)
        wanted->place = text[0] == 'p';
    else if (options_day("RUN", text, &wanted->day, &no_day) == STATUS_OK)
        return STATUS_OK;
    else if (read_name(text, wanted))
        wanted->is_name = true;
    else
        FAIL(error, STATUS_USAGE,
             "RUN '%.80s' is no night: give last, previous, a day as in 2024-05-01, or the name of "
             "a "
             "run in STORE/results",
             text);
out:
    return status;
}

static bool is_wanted(const Wanted *wanted, const KeptNight *night, int place)
{
    if (wanted->is_name)
        return is_of(&wanted->name, night);
    return wanted->place >= 0 ? place == wanted->place : night->day == wanted->day;
}

static Status find_night(const Run *run, const Kept *kept, const Wanted *wanted, KeptNight *night,
                         Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < kept->n_nights; i++) {
        if (is_wanted(wanted, &kept->nights[i], i)) {
            *night = kept->nights[i];
            return STATUS_OK;
        }
    }
    if (kept->n_nights == 0)
        FAIL(error, STATUS_USAGE, "store %s has no results yet: run 'vesper nightly' first",
             store_path(run->store));
    char newest[CIVIL_TEXT_SIZE] = "no day";
    if (kept->nights[0].day != DAY_NONE)
        civil_format_day(kept->nights[0].day, newest);
    FAIL(error, STATUS_USAGE,
         "store %s keeps no night '%.80s': it has %d, the last of %s; 'vesper backfill' computes "
         "nights of the past",
         store_path(run->store), wanted->text, kept->n_nights, newest);
out:
    return status;
}

/* ---- its runs ---- */

/* Whether the wanted name says that hash for this kind of results. */
static bool is_said(const Wanted *wanted, const RunName *name)
{
    if (!wanted->is_name)
        return false;
    return name->part == wanted->name.part ? strcmp(name->hash, wanted->name.hash) == 0
                                           : strstr(wanted->tail, name->hash) != NULL;
}

static Status refuse_several(const Kept *kept, const KeptNight *night, ResultPart part, int n,
                             Error *error)
{
    Buffer names = {0};
    char text[STORE_NAME_SIZE];
    for (int i = 0; i < kept->n_runs; i++) {
        if (!is_of(&kept->runs[i], night) || kept->runs[i].part != part)
            continue;
        run_name_print(&kept->runs[i], text);
        buffer_printf(&names, "%s%s", names.size > 0 ? ", " : "", text);
    }
    Status status =
        error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                  "that night has %d %s runs, and none is of the options given: name one "
                  "of %.600s",
                  n, run_part_name(part), buffer_string(&names));
    buffer_free(&names);
    return status;
}

static Status choose_run(const Run *run, const Kept *kept, const Wanted *wanted, ResultPart part,
                         KeptNight *night, Error *error)
{
    char expected[STORE_NAME_SIZE], name[STORE_NAME_SIZE];
    int n = 0, best = 0; /* 1: there is one, 2: it is that of the options, 3: it is named */
    part_name(run, part, night->generation, night->as_of, expected);
    for (int i = 0; i < kept->n_runs; i++) {
        if (!is_of(&kept->runs[i], night) || kept->runs[i].part != part)
            continue;
        n++;
        run_name_print(&kept->runs[i], name);
        int fit = is_said(wanted, &kept->runs[i]) ? 3 : strcmp(name, expected) == 0 ? 2 : 1;
        if (fit <= best)
            continue;
        best = fit;
        memcpy(night->runs[part], name, sizeof name);
    }
    return n > 1 && best == 1 ? refuse_several(kept, night, part, n, error) : STATUS_OK;
}

Status kept_night_find(const Run *run, const char *wanted, KeptNight *night, Error *error)
{
    Status status;
    Kept kept = {.n_runs = 0};
    Wanted asked;
    TRY(read_wanted(wanted, &asked, error));
    TRY(list_kept(run->store, &kept, error));
    TRY(find_night(run, &kept, &asked, night, error));
    for (int part = PART_SALES; part < PART_COUNT; part++)
        TRY(choose_run(run, &kept, &asked, (ResultPart)part, night, error));
out:
    mem_free(&kept.runs);
    mem_free(&kept.nights);
    return status;
}

Status kept_night_open(const Run *run, const KeptNight *night, ResultReader **reader, Error *error)
{
    Status status = STATUS_OK;
    for (int part = PART_SALES; part < PART_COUNT; part++) {
        const char *name = night->runs[part];
        if (name[0] == '\0')
            continue;
        if (*reader == NULL)
            TRY(results_open(run->store, name, reader, error));
        else
            TRY(results_open_also(run->store, name, *reader, error));
    }
out:
    return status;
}
