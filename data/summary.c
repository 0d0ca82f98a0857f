#include "summary.h"

#include "base/civil.h"

#include <inttypes.h>
#include <stdio.h>

static void print_files(const Outputs *outputs)
{
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        const Output *file = &outputs->files[id];
        if (file->wanted)
            (void)printf("  %-10s %12" PRId64 " rows %10.1f MB\n", output_name((OutputId)id),
                         file->rows, (double)file->bytes / 1e6);
    }
}

void summary_print(Comm *comm, const Options *options, const Outputs *outputs, OrderCounts counts,
                   double seconds)
{
    int64_t totals[] = {counts.orders, counts.returned, counts.cancelled, counts.anonymous};
    comm_sum_i64(comm, totals, 4);
    if (comm_rank(comm) != 0)
        return;
    char first[CIVIL_TEXT_SIZE], last[CIVIL_TEXT_SIZE];
    civil_format_day(options->start, first);
    civil_format_day(options->start + options->days - 1, last);
    (void)printf("%s: a shop from %s to %s, seed %" PRIu64 "\n", options->folder, first, last,
                 options->seed);
    print_files(outputs);
    if (totals[0] > 0)
        (void)printf("%" PRId64 " orders, of them %" PRId64 " returns, %" PRId64
                     " cancelled, %" PRId64 " without a customer\n",
                     totals[0], totals[1], totals[2], totals[3]);
    (void)printf("%.1f s on %d rank%s\n", seconds, comm_size(comm),
                 comm_size(comm) == 1 ? "" : "s");
}
