/* vesper JOB [options]: the command table.
 *
 * Every rank ends with the same exit code, a value of Status; a failed run prints one line. */
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"
#include "base/suggest.h"
#include "job.h"
#include "options.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Job jobs[] = {
    {"nightly", "one consistent night: ingest, sales, recommend, forecast, publish; resumable",
     "Takes in the night's input, computes sales tables, recommendations and forecasts from one "
     "consistent cut of the data and, if the gate finds them no worse than those in force "
     "(docs/gate.md), publishes them. Makes the store if it is not there. Without --input it "
     "computes and publishes what the store has; without recommendations or forecasts by "
     "--recommend no, --forecast no. A night that was stopped, killed or failed goes on after its "
     "last finished stage when the same command is run again, on any number of ranks.",
     "  mpirun -n 2 vesper nightly -c shop.ini --store /data/shop \\\n"
     "      --input orders=orders-2024-05-01.csv.gz --to sqlite:shop.db\n"
     "  vesper nightly -c shop.ini --input orders=new/ --dry-run\n",
     job_nightly},
    {"init", "make a store for a shop",
     "Makes an empty store and fixes what cannot change later: the time zone that decides which "
     "day an order belongs to, the currency and its decimals, and the number of partitions.",
     "  vesper init --store /data/shop --time-zone Europe/London --currency GBP\n", job_init},
    {"ingest", "take in what happened since last night",
     "Reads CSV files (plain, .gz, .xz, .zst, or folders of them), or rows of a PostgreSQL or "
     "SQLite database, into a new generation of the store. Bad rows go to "
     "STORE/rejects/NNNNNN-TABLE.csv with file, line, field and reason; "
     "mend them there and give that file to --input. Input that the store has already changes "
     "nothing; an order that comes again replaces its earlier version. The ini file maps foreign "
     "columns: below [orders.columns], order_id = InvoiceNo and so on.",
     "  mpirun -n 4 vesper ingest -c shop.ini --input orders=new/ --input products=products.csv\n"
     "  vesper ingest -c shop.ini --input orders=postgresql://reader@db.example/shop\n"
     "  vesper ingest -c shop.ini --input orders=/data/shop/rejects/000007-orders.csv\n",
     job_ingest},
    {"sales", "what sold, to whom, where, when",
     "Computes the sales tables of the store's generation and keeps them in STORE/results: what "
     "sold by day, month, country and product, and beside the periods before; customers with RFM "
     "scores and what is expected of them; cohorts; ABC/XYZ classes; pairs bought together; from "
     "view to order; abandoned carts; ratings; stock at risk; and each [aggregate.NAME] of the "
     "ini. "
     "docs/tables.md describes them, docs/configuration.md the group-bys.",
     "  mpirun -n 4 vesper sales -c shop.ini --store /data/shop\n"
     "  mpirun -n 1 --bind-to none vesper sales --store /data/shop --threads 8 \\\n"
     "      --tables customer_summary,cohort_month\n",
     job_sales},
    {"recommend", "what to show to whom",
     "Measures models of taste on the store's last days, lets the mix that did best learn from the "
     "whole history, and keeps its lists in STORE/results: what to show to each customer and why, "
     "what goes with each product, what is due again, what sells. With --evaluate it makes no "
     "lists: it lets each model learn from one part of the data, ranks all products for each "
     "customer, and prints how good the lists are, by what the customer took afterwards. The data "
     "are the store's history, whose last days are held out, or two files of pairs: a line has the "
     "id of a user and then the ids of items, with blanks or tabs between (plain, .gz, .xz, .zst).",
     "  mpirun -n 4 vesper recommend -c shop.ini --store /data/shop\n"
     "  mpirun -n 4 vesper recommend --store /data/shop --evaluate --split-days 28\n"
     "  mpirun -n 2 --bind-to none vesper recommend --evaluate --train train.txt --test test.txt "
     "\\\n"
     "      --models ials,ease --factors 128 --threads 4\n",
     job_recommend},
    {"forecast", "how much of each product will be asked for, and when to reorder",
     "Tries every model on each product's history from several origins in the past, mixes them by "
     "how they did, and forecasts each day ahead with the interval around it; makes the forecasts "
     "add up from product to category to shop; says what to order now; and keeps all that in "
     "STORE/results. With --evaluate it "
     "prints how well each model and the mix forecast the store's past, or a file of series: CSV "
     "with the columns id, date and value, or the wide layout of the M4 competition.",
     "  mpirun -n 4 vesper forecast --store /data/shop --horizon 28\n"
     "  vesper forecast --evaluate --series train.csv --test test.csv --frequency weekly \\\n"
     "      --horizon 13\n",
     job_forecast},
    {"publish", "put the night's tables into the storefront's database",
     "Loads the tables beside those in force, reads them back, compares, and switches at one "
     "stroke, if the gate lets them (docs/gate.md); the table vesper_run says which night is in "
     "force. Publishing twice changes "
     "nothing. What is published was computed with the same options, by 'vesper nightly' or by "
     "'vesper sales', 'recommend' and 'forecast'; parts that were not are left out and named.",
     "  vesper publish -c shop.ini --to sqlite:shop.db\n"
     "  vesper publish -c shop.ini --to postgresql://vesper@db.example/shop?sslmode=verify-full\n"
     "  vesper publish -c shop.ini --to redis://cache.example/0\n",
     job_publish},
    {"rollback", "put the tables of the night before back into the storefront's database",
     "Takes the night in force out of the target and puts the one before, which is kept there, in "
     "force again at one stroke; vesper_run says so. It goes back one night at most. The store "
     "keeps its data, and if --store names it, records the way back: the gate "
     "compares the next night with the one in force again. The next night, or 'vesper publish', "
     "goes on from there.",
     "  vesper rollback --store /data/shop --to sqlite:shop.db\n"
     "  vesper rollback -c shop.ini\n",
     job_rollback},
    {"status", "how the store and its last nights are",
     "Tells the store's generation, rows, size and last input, who holds its lock, what is left "
     "unfinished, and the last nights: accepted, refused, forced or rolled back, and why. Reads "
     "without the "
     "lock, so it can be asked while a night is at work.",
     "  vesper status --store /data/shop\n"
     "  vesper status --store /data/shop --nights 30 --json\n",
     job_status},
    {"backfill", "compute the nights of the past that nobody computed",
     "Computes the night of each day from FROM to TO, both included, as if that day had been the "
     "last of the data, and keeps its results in the store. Nights that are there already stay; "
     "nothing is published. A backfill "
     "that was stopped, killed or failed goes on where it was when the same command is run again.",
     "  mpirun -n 4 vesper backfill 2024-05-01 2024-05-31 -c shop.ini --store /data/shop\n"
     "  vesper backfill 2023-01-31 2024-05-31 --every month --store /data/shop --recommend no\n",
     job_backfill},
    {"diff", "what changed between two nights",
     "Compares the results that the store keeps of two nights: what sold in between and what came "
     "back, customers who moved to another segment, forecasts that were revised, tables that grew "
     "or shrank. RUN is 'last', 'previous', a day, or the name of a run in STORE/results.",
     "  vesper diff previous last --store /data/shop\n"
     "  vesper diff 2024-05-01 2024-05-31 --store /data/shop --limit 20 --json\n",
     job_diff},
    {"plan", "what a night would take: memory, traffic, disk and time",
     "Says for each stage of a night how much memory it takes of a rank, how many bytes travel and "
     "go through files, and how long it takes, from the rows of a shop or from a store and its "
     "input, for any number of ranks; and which solvers fit. docs/plan.md has the formulae and "
     "the machine that they were measured on.",
     "  vesper plan --rows orders=50000000,customers=4000000,products=50000 --ranks 16\n"
     "  vesper plan -c shop.ini --store /data/shop --input orders=new/ --ranks 8 --threads 2\n"
     "  sbatch $(vesper plan --slurm -c shop.ini --ranks 8) slurm/nightly.sbatch\n",
     job_plan},
    {"verify", "check every checksum of the store",
     "Reads all segments of the generation in force. A damaged block is named by file, column and "
     "partition.",
     "  mpirun -n 4 vesper verify --store /data/shop\n", job_verify},
};

enum { N_JOBS = sizeof jobs / sizeof jobs[0] };

static const Job *find_job(const char *name)
{
    for (int i = 0; i < N_JOBS; i++) {
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    }
    return NULL;
}

static Status refuse_job(const char *name, Error *error)
{
    const char *names[N_JOBS];
    Buffer text = {0};
    for (int i = 0; i < N_JOBS; i++) {
        names[i] = jobs[i].name;
    }
    buffer_printf(&text, "there is no job '%.60s'", name);
    suggest_words(&text, name, names, N_JOBS, "");
    buffer_append_string(&text, " (see 'vesper --help')");
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    return status;
}

static void print_overview(void)
{
    (void)printf("vesper %s: the nightly analytics engine of an online store\n\n"
                 "usage: vesper JOB [options]\n"
                 "       mpirun -n RANKS vesper JOB [options]\n\njobs:\n",
                 VESPER_VERSION);
    for (int i = 0; i < N_JOBS; i++) {
        (void)printf("  %-9s %s\n", jobs[i].name, jobs[i].purpose);
    }
    (void)printf("\n'vesper JOB --help' tells more of a job and lists its options.\n"
                 "\nThe first night of a shop:\n"
                 "  mpirun -n 2 vesper nightly -c shop.ini --store /data/shop \\\n"
                 "      --input orders=orders.csv --to sqlite:shop.db\n"
                 "\nexit codes:\n"
                 "  0 done          1 a bug          2 usage\n"
                 "  3 input refused 4 i/o or damage  5 out of memory\n"
                 "  6 gate refused  7 stopped at a safe point: run again to go on\n"
                 "  8 another run holds the store's lock\n");
}

static void print_job_help(const Job *job)
{
    Buffer purpose = {0};
    Buffer text = {0};
    buffer_printf(&purpose, "%s: %s. %s", job->name, job->purpose, job->story);
    options_help(job->name, buffer_string(&purpose), &text);
    buffer_printf(&text, "\nExamples:\n%s", job->examples);
    (void)fputs(buffer_string(&text), stdout);
    buffer_free(&purpose);
    buffer_free(&text);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

/* Rank 0 parses; the others get what it understood. */
static Status read_config(Comm *comm, const char *job, int argc, char **argv, Config **config,
                          Error *error)
{
    Status status = STATUS_OK;
    bool is_root = comm_rank(comm) == 0;
    TRY_ALL(comm, is_root ? options_parse(job, argc, argv, config, error) : STATUS_OK, error);
    TRY(comm_broadcast_config(comm, 0, config, error));
out:
    return status;
}

static Status run_job(Comm *comm, const Job *job, int argc, char **argv, Error *error)
{
    Status status;
    Config *config = NULL;
    Run run = {.comm = comm, .job = job->name};
    run_record_begin(&run.record);
    TRY_ALL(comm, fault_init(comm_rank(comm), error), error);
    TRY(read_config(comm, job->name, argc, argv, &config, error));
    run.config = config;
    TRY(watch_begin(&run, error));
    TRY(job->main(&run, error));
out:
    status = watch_end(&run, status, error);
    gate_run_free(&run.gate);
    sales_options_free(&run.sales_options);
    recommend_options_free(&run.recommend_options);
    held_out_free(&run.held_out);
    mem_free(&run.evaluations);
    series_set_free(&run.series);
    mem_free(&run.series_after);
    shop_free(&run.shop);
    store_close(comm, &run.store);
    config_free(&config);
    return status;
}

static Status run_command(Comm *comm, int argc, char **argv, Error *error)
{
    Status status = STATUS_OK;
    bool is_root = comm_rank(comm) == 0;
    if (argc < 2)
        FAIL(error, STATUS_USAGE, "which job? 'vesper --help' lists them");
    bool asks = strcmp(argv[1], "help") == 0;
    const char *name = asks && argc > 2 ? argv[2] : argv[1];
    const Job *job = find_job(name);
    if (job != NULL && !asks && !asks_for_help(argc - 1, argv + 1)) {
        TRY(run_job(comm, job, argc - 1, argv + 1, error));
    } else if (job != NULL) {
        if (is_root)
            print_job_help(job);
    } else if ((asks && argc == 2) || asks_for_help(2, argv)) {
        if (is_root)
            print_overview();
    } else if (strcmp(argv[1], "--version") == 0) {
        if (is_root)
            (void)printf("vesper %s\n", VESPER_VERSION);
    } else {
        TRY(refuse_job(name, error));
    }
out:
    return status;
}

/* For scripts whose launcher may lose the exit code: srun does when it kills a rank that ends a
 * moment after the first. */
static void note_exit_code(const Comm *comm, Status status)
{
    const char *path = getenv("VESPER_EXIT_FILE");
    if (comm_rank(comm) != 0 || path == NULL || path[0] == '\0')
        return;
    FILE *file = fopen(path, "we");
    bool is_written = file != NULL && fprintf(file, "%d\n", (int)status) > 0;
    is_written = file != NULL && fclose(file) == 0 && is_written;
    if (!is_written)
        log_line(LOG_WARN, LOG_ROOT, "exit", "note=\"cannot write VESPER_EXIT_FILE=%s\"", path);
}

int main(int argc, char **argv)
{
    Error error = {0};
    stop_catch_signals();
    Comm *comm = comm_start(&argc, &argv);
    if (comm == NULL)
        return STATUS_BUG;
    log_init(comm_rank(comm), LOG_INFO);
    Status status = run_command(comm, argc, argv, &error);
    if (status != STATUS_OK)
        log_failure(&error);
    note_exit_code(comm, status);
    comm_finish(&comm);
    return (int)status;
}
