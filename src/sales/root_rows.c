/* Rows to rank 0; see root_rows.h. */
#include "sales/root_rows.h"

#include "base/memory.h"

Status root_rows(Comm *comm, Table *table, Error *error)
{
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    counts[0] = table->rows;
    Status status = comm_exchange_table(comm, table, counts, NULL, error);
    mem_free(&counts);
    return status;
}
