/* vesper-datagen: data of a realistic shop.
 *
 * Every rank makes the whole model (catalogue, calendar, customers' habits), which is small; then
 * the ranks write the tables together, block by block. README.md describes model and files. */
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "options.h"
#include "orders.h"
#include "summary.h"

static Status write_tables(Comm *comm, Shop *shop, OrderWork *work, Outputs *outputs, Error *error)
{
    Status status = STATUS_OK;
    const Output *files = outputs->files;
    for (int id = 0; id < OUTPUT_COUNT; id++)
        work->wants[id] = files[id].wanted;
    work->shop = shop;
    const struct {
        bool wanted;
        Stage stage;
    } plan[] = {
        {files[OUTPUT_PRODUCTS].wanted, catalogue_products_stage(&shop->catalogue)},
        {files[OUTPUT_PROMOTIONS].wanted, catalogue_promotions_stage(&shop->catalogue)},
        {files[OUTPUT_STOCKOUTS].wanted, catalogue_stock_outs_stage(&shop->catalogue)},
        {files[OUTPUT_HOLIDAYS].wanted, calendar_stage(&shop->calendar)},
        {files[OUTPUT_CUSTOMERS].wanted, customers_stage(&shop->customers)},
        {files[OUTPUT_ORDERS].wanted || files[OUTPUT_EVENTS].wanted ||
             files[OUTPUT_REVIEWS].wanted || files[OUTPUT_DIRTY].wanted,
         orders_stage(work)},
    };
    for (size_t i = 0; i < sizeof plan / sizeof plan[0]; i++)
        if (plan[i].wanted)
            TRY(outputs_write(comm, outputs, &plan[i].stage, error));
out:
    return status;
}

static Status generate(Comm *comm, const Options *options, Error *error)
{
    Status status = STATUS_OK;
    double started = clock_seconds();
    Outputs outputs = {.folder = options->folder};
    Shop *shop = mem_new(1, sizeof *shop);
    OrderWork *work = mem_new(1, sizeof *work);
    TRY_ALL(comm, outputs_choose(&outputs, options->tables, error), error);
    TRY_ALL(comm, shop_init(shop, options, error), error);
    TRY(outputs_open(comm, &outputs, error));
    TRY(write_tables(comm, shop, work, &outputs, error));
    TRY(outputs_finish(comm, &outputs, error));
    summary_print(comm, options, &outputs, work->counts, clock_seconds() - started);
out:
    if (status != STATUS_OK)
        outputs_abandon(comm, &outputs);
    shop_free(shop);
    mem_free(&shop);
    mem_free(&work);
    return status;
}

static Status run(Comm *comm, int argc, char **argv, Error *error)
{
    Status status = STATUS_OK;
    Options options = {0};
    if (options_ask_for_help(argc, argv)) {
        if (comm_rank(comm) == 0)
            options_print_help();
        return STATUS_OK;
    }
    TRY_ALL(comm, fault_init(comm_rank(comm), error), error);
    TRY(options_read(comm, argc, argv, &options, error));
    TRY(generate(comm, &options, error));
out:
    options_free(&options);
    return status;
}

int main(int argc, char **argv)
{
    Error error = {0};
    Comm *comm = comm_start(&argc, &argv);
    if (comm == NULL)
        return STATUS_BUG;
    log_init(comm_rank(comm), LOG_INFO);
    Status status = run(comm, argc, argv, &error);
    if (status != STATUS_OK)
        log_failure(&error);
    comm_finish(&comm);
    return (int)status;
}
