/* Stages: safe point, fault point, work, times, log line. */
#include "stage.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/log_fields.h"
#include "predict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Behind what the note has, a blank between; what does not fit is cut. */
static void append_note(Run *run, const char *fields)
{
    size_t used = strlen(run->note);
    (void)snprintf(run->note + used, sizeof run->note - used, "%s%s", used > 0 ? " " : "", fields);
}

void stage_note(Run *run, const char *format, ...)
{
    char fields[sizeof run->note];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fields, sizeof fields, format, args);
    va_end(args);
    append_note(run, fields);
}

void stage_note_text(Run *run, const char *key, const char *text)
{
    Buffer fields = {0};
    log_fields_add_text(key, text, &fields);
    append_note(run, buffer_string(&fields));
    buffer_free(&fields);
}

bool stage_root_says(Comm *comm, bool answer)
{
    int64_t value = comm_rank(comm) == 0 && answer;
    comm_max_i64(comm, &value, 1);
    return value != 0;
}

Status stage_run(Run *run, const char *name, StageWork work, Error *error)
{
    Status status;
    char site[64], before[64];
    (void)snprintf(site, sizeof site, "stage.%s", name);
    PlanNeed predicted;
    (void)snprintf(before, sizeof before, "before stage '%s'", name);
    TRY(comm_safe_point(run->comm, before, error));
    bool is_predicted = predict_stage(run, name, &predicted);
    StageStart start = run_record_begin_stage(run->comm);
    run->note[0] = '\0';
    run->is_idle = false;
    log_begin_stage(name);
    TRY_ALL(run->comm, fault_point(site, error), error);
    TRY(work(run, error));
    StageTime time = run_record_end_stage(&run->record, run->comm, name, &start,
                                          is_predicted && !run->is_idle ? &predicted : NULL);
    log_end_stage(name, time.min_s, time.mean_s, time.max_s, run->note);
out:
    return status;
}
