#include "as_of.h"

#include "base/civil.h"
#include "options.h"
#include "stage.h"

static Status read_day(const Config *config, bool has_store, int32_t *day, Error *error)
{
    Status status = STATUS_OK;
    const char *text = config_text(config, "as-of");
    *day = DAY_NONE;
    if (text == NULL)
        return STATUS_OK;
    if (!has_store)
        FAIL(error, STATUS_USAGE, "--as-of looks back in a store; these data are files");
    TRY(options_day("--as-of", text, day, error));
out:
    return status;
}

Status as_of_read(Run *run, bool has_store, Error *error)
{
    return comm_agree(run->comm, read_day(run->config, has_store, &run->as_of, error), error);
}

static Status look_back(Run *run, Error *error)
{
    Status status;
    char day[CIVIL_TEXT_SIZE];
    TRY(store_see_until(run->comm, run->store, run->as_of, error));
    civil_format_day(run->as_of, day);
    stage_note(run, "day=%s lines=%lld", day, (long long)store_rows(run->store, "orders"));
out:
    return status;
}

Status as_of_look_back(Run *run, Error *error)
{
    return run->as_of == DAY_NONE ? STATUS_OK : stage_run(run, "as-of", look_back, error);
}
