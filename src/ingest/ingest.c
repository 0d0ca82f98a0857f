/* Ingest: what happened since last night becomes a new generation of the store.
 *
 *   parse          every rank reads its share of each input into columns with local codes
 *   dictionaries   products, countries, ... get the store's codes
 *   directory      each order learns its customer and which earlier version it replaces
 *   route          rows travel to the owner of their partition, are sorted and written
 *   commit         all of it is in force at once */
#include "ingest/ingest.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/csv.h"
#include "ingest/route.h"

#include <stdio.h>
#include <string.h>

/* One log line a step: seconds since *began, which is set anew. */
static void log_step(const char *step, double *began)
{
    double now = clock_seconds();
    log_line(LOG_INFO, LOG_ROOT, step, "seconds=%.3f", now - *began);
    *began = now;
}

/* ---- counting ---- */

static void add_counts(RowCounts *to, const RowCounts *more)
{
    to->read += more->read;
    to->stored += more->stored;
    to->rejected += more->rejected;
    to->unchanged += more->unchanged;
}

/* Rows that were rejected after parsing move from stored to rejected in the counts of their file.
 */
static void settle_late_rejects(Comm *comm, ParsedBatch *parsed)
{
    for (int i = 0; i < parsed->n_tables; i++) {
        ParsedTable *table = &parsed->tables[i];
        comm_sum_i64(comm, table->late_rejects, table->n_inputs);
        for (int k = 0; k < table->n_inputs; k++) {
            table->inputs[k].counts.stored -= table->late_rejects[k];
            table->inputs[k].counts.rejected += table->late_rejects[k];
        }
    }
}

/* Counts by table, the same on every rank. */
static void sum_counts(const ParsedBatch *parsed, IngestSummary *summary)
{
    memset(summary->counts, 0, sizeof summary->counts);
    for (int i = 0; i < parsed->n_tables; i++) {
        const ParsedTable *table = &parsed->tables[i];
        RowCounts *counts = &summary->counts[table->table];
        summary->given[table->table] = true;
        for (int k = 0; k < table->n_inputs; k++)
            add_counts(counts, &table->inputs[k].counts);
        vesper_assert(counts->read == counts->stored + counts->rejected + counts->unchanged);
    }
}

/* The first rejected row of the batch, in words: reason and place. */
static void describe_first_reject(Comm *comm, const ParsedBatch *parsed, IngestSummary *summary)
{
    Buffer example = {0};
    int64_t first = comm_size(comm);
    for (int i = 0; i < parsed->n_tables && first == comm_size(comm); i++) {
        first = parsed->tables[i].rejects.size > 0 ? comm_rank(comm) : comm_size(comm);
        comm_min_i64(comm, &first, 1);
        if (first == comm_rank(comm))
            parse_describe_reject(&parsed->tables[i], &example);
    }
    if (first < comm_size(comm)) {
        comm_broadcast_buffer(comm, (int)first, &example);
        snprintf(summary->example, sizeof summary->example, "%s", buffer_string(&example));
    }
    buffer_free(&example);
}

static Status check_rejected_share(const IngestSummary *summary, double max_share, int64_t batch,
                                   Error *error)
{
    for (int t = 0; t < INPUT_COUNT; t++) {
        const RowCounts *counts = &summary->counts[t];
        if ((double)counts->rejected > max_share * (double)counts->read)
            return error_set(
                error, STATUS_INPUT, __FILE__, __LINE__,
                "%lld of %lld rows of %s rejected, more than the %g %% allowed, so nothing was "
                "stored: %s; see rejects/%06lld-%s.csv in the store, mend the input, or raise "
                "--max-rejected",
                (long long)counts->rejected, (long long)counts->read,
                input_schema((InputTable)t)->name, 100 * max_share, summary->example,
                (long long)batch, input_schema((InputTable)t)->name);
    }
    return STATUS_OK;
}

/* ---- stages ---- */

static Status parse_all(Comm *comm, const Store *store, const Config *config, ParsedBatch *parsed,
                        Error *error)
{
    Status status = STATUS_OK;
    double began = clock_seconds();
    TRY_ALL(comm, fault_point("ingest.parse", error), error);
    for (int i = 0; i < config_list_count(config, "input"); i++)
        TRY(parse_input(comm, store, config, config_list_item(config, "input", i), parsed, error));
    log_step("ingest.parse", &began);
out:
    return status;
}

static bool brings_anything_new(const ParsedBatch *parsed)
{
    for (int i = 0; i < parsed->n_tables; i++)
        for (int k = 0; k < parsed->tables[i].n_inputs; k++)
            if (!parsed->tables[i].is_known[k])
                return true;
    return false;
}

static Status write_rejects(Comm *comm, StoreBatch *batch, const ParsedBatch *parsed, Error *error)
{
    Status status = STATUS_OK;
    int of_kind[INPUT_COUNT] = {0};
    for (int i = 0; i < parsed->n_tables; i++) {
        const ParsedTable *table = &parsed->tables[i];
        char name[STORE_NAME_SIZE];
        int nth = ++of_kind[table->table];
        snprintf(name, sizeof name, nth == 1 ? "%s" : "%s-%d", input_schema(table->table)->name,
                 nth);
        TRY(store_batch_write_rejects(comm, batch, name, buffer_view(&table->reject_header),
                                      buffer_view(&table->rejects), error));
    }
out:
    return status;
}

/* Weights of the partitions after this batch, the same on every rank. */
static void weigh_partitions(Comm *comm, const Store *store, const ParsedBatch *parsed,
                             const Customers *customers, const OrderTicket *tickets,
                             int64_t *weights)
{
    int32_t partitions = store_settings(store)->partitions;
    for (int i = 0; i < parsed->n_tables; i++) {
        const ParsedTable *table = &parsed->tables[i];
        if (table->table != INPUT_ORDERS)
            continue;
        const int32_t *order = table_column_const(&table->rows, "order")->data;
        int32_t last = -1, partition = 0;
        for (int64_t row = 0; row < table->rows.rows; row++) {
            if (order[row] != last) {
                last = order[row];
                partition = order_partition(&tickets[last],
                                            string_map_text(&parsed->maps[DICTIONARY_ORDER], last),
                                            partitions);
            }
            weights[partition]++;
        }
    }
    route_add_weights(parsed, customers, weights, partitions);
    comm_sum_i64(comm, weights, partitions);
}

static void add_inputs(StoreBatch *batch, const ParsedBatch *parsed)
{
    for (int i = 0; i < parsed->n_tables; i++)
        for (int k = 0; k < parsed->tables[i].n_inputs; k++)
            if (!parsed->tables[i].is_known[k])
                store_batch_add_input(batch, &parsed->tables[i].inputs[k]);
}

/* From parsed columns to the files of the batch. */
static Status route_all(Comm *comm, Store *store, const Config *config, StoreBatch *batch,
                        ParsedBatch *parsed, IngestSummary *summary, Error *error)
{
    Status status = STATUS_OK;
    int32_t partitions = store_settings(store)->partitions;
    Customers customers = {0};
    Placement placement = {0};
    OrderDirectory *directory = NULL;
    OrderTicket *tickets = NULL;
    int64_t *weights = mem_new(partitions, sizeof *weights);
    double began = clock_seconds();

    TRY(dictionaries_resolve(comm, store, batch, parsed, error));
    TRY_ALL(comm, customers_init(&customers, &parsed->maps[DICTIONARY_CUSTOMER], partitions, error),
            error);
    log_step("ingest.dictionaries", &began);
    if (summary->given[INPUT_ORDERS]) {
        TRY(comm_safe_point(comm, "before orders were looked up", error));
        TRY(directory_new(comm, store, parsed, &customers, &directory, &tickets, error));
        TRY(orders_reject_contradictions(comm, parsed, &customers, tickets, error));
        log_step("ingest.directory", &began);
    }
    settle_late_rejects(comm, parsed);
    sum_counts(parsed, summary);
    describe_first_reject(comm, parsed, summary);
    TRY(write_rejects(comm, batch, parsed, error));
    TRY(check_rejected_share(summary, config_real(config, "max-rejected"),
                             store_batch_number(batch), error));

    TRY(comm_safe_point(comm, "before rows went to their partitions", error));
    weigh_partitions(comm, store, parsed, &customers, tickets, weights);
    placement_init(&placement, weights, partitions, comm_rank(comm), comm_size(comm));
    TRY(customers_register(comm, store, batch, &parsed->maps[DICTIONARY_CUSTOMER], &placement,
                           &customers, error));
    log_step("ingest.customers", &began);
    if (directory != NULL)
        TRY(orders_store(comm, store, batch, parsed, &customers, tickets, directory, &placement,
                         &summary->counts[INPUT_ORDERS], error));
    TRY(route_store_rows(comm, store, batch, parsed, &customers, &placement, error));
    log_step("ingest.store", &began);
out:
    customers_free(&customers);
    placement_free(&placement);
    directory_free(&directory);
    mem_free(&tickets);
    mem_free(&weights);
    return status;
}

Status ingest_run(Comm *comm, Store *store, const Config *config, IngestSummary *summary,
                  Error *error)
{
    Status status = STATUS_OK;
    ParsedBatch parsed = {0};
    StoreBatch *batch = NULL;
    memset(summary, 0, sizeof *summary);
    summary->generation = store_generation(store);

    TRY(parse_all(comm, store, config, &parsed, error));
    sum_counts(&parsed, summary);
    if (!brings_anything_new(&parsed))
        goto out;
    TRY(comm_safe_point(comm, "after the input was read", error));
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(route_all(comm, store, config, batch, &parsed, summary, error));
    add_inputs(batch, &parsed);
    double began = clock_seconds();
    TRY(store_batch_commit(comm, store, &batch, error));
    log_step("ingest.commit", &began);
    summary->changed = true;
    summary->generation = store_generation(store);
out:
    store_batch_discard(comm, &batch);
    parsed_batch_free(&parsed);
    return status;
}
