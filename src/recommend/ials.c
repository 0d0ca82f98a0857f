/* See ials.h. A half-step: rotate the fixed side so that its Gram matrix is diagonal, fetch its
 * rows block by block, solve the rows that need them (kernel/als.h). Nothing leaves the rotated
 * basis: scores are products of both sides, which a rotation of both does not change. */
#include "recommend/ials.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"
#include "kernel/als.h"
#include "kernel/dense.h"
#include "recommend/factors.h"
#include "recommend/fetch_plan.h"
#include "recommend/ials_checkpoint.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* One side as a half-step sees it. */
typedef struct AlsSide {
    const SparseSide *side;
    float *factors;  /* [own rows x d] */
    int64_t active;  /* rows with an entry, of all ranks */
    FetchPlan plan;  /* what its rows need of the other side */
    double *lambdas; /* [own rows] */
} AlsSide;

typedef struct Fit {
    Comm *comm;
    const IalsOptions *options;
    int64_t d, block;
    AlsSide users, items;
    float *workspaces; /* [threads x workspace] */
    int64_t workspace;
    double *row_losses; /* [rows of the larger side] */
    float *gram; /* [d] of the fixed side, once it is diagonal, times the unobserved weight */
    int64_t unsolved;
    uint64_t key;   /* of this learning's checkpoints */
    double kept_at; /* when the last one was made, or the learning began */
} Fit;

static void side_free(AlsSide *side)
{
    fetch_plan_free(&side->plan);
    mem_free(&side->lambdas);
}

/* Collective. */
static int64_t count_active(Comm *comm, const SparseSide *side)
{
    int64_t n = 0;
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++)
            n += rows->starts[r + 1] > rows->starts[r];
    }
    comm_sum_i64(comm, &n, 1);
    return n;
}

/* Frequency-scaled regularisation (Rendle et al. 2021, eq. 9) of each own row. */
static Status set_lambdas(const IalsOptions *options, const AlsSide *other, AlsSide *side,
                          Error *error)
{
    Status status;
    int32_t n = sparse_own_rows(side->side);
    TRY(mem_resize(&side->lambdas, n, sizeof *side->lambdas, "regularisation", error));
    for (int32_t r = 0; r < n; r++)
        side->lambdas[r] = options->lambda * pow((double)side->plan.rows[r].n +
                                                     options->unobserved * (double)other->active,
                                                 options->nu);
out:
    return status;
}

/* Memory of the fit beside the factors. Local. */
static Status make_room(Fit *fit, Error *error)
{
    Status status;
    int32_t n_users = sparse_own_rows(fit->users.side), n_items = sparse_own_rows(fit->items.side);
    TRY(fault_point("recommend.ials", error));
    TRY(set_lambdas(fit->options, &fit->items, &fit->users, error));
    TRY(set_lambdas(fit->options, &fit->users, &fit->items, error));
    fit->workspace = (als_workspace(fit->d) + 15) / 16 * 16;
    TRY(mem_resize(&fit->workspaces, fit->options->threads * fit->workspace,
                   sizeof *fit->workspaces, "workspace of ials", error));
    TRY(mem_resize(&fit->row_losses, n_users > n_items ? n_users : n_items, sizeof *fit->row_losses,
                   "losses of ials", error));
out:
    return status;
}

/* Solve the rows of one block; others [n x d] are what it named. Local. */
static void solve_block(Fit *fit, AlsSide *solved, const FetchBlock *block, const float *others)
{
    int64_t unsolved = 0;
#pragma omp parallel for schedule(dynamic, 16) num_threads(fit->options->threads)                  \
    reduction(+ : unsolved)
    for (int32_t r = block->first; r < block->end; r++) {
        AlsProblem problem = {.d = fit->d,
                              .others = others,
                              .gram = fit->gram,
                              .lambda = solved->lambdas[r],
                              .block = fit->block};
        unsolved += !als_solve_row(&problem, &solved->plan.rows[r], solved->factors + r * fit->d,
                                   fit->workspaces + omp_get_thread_num() * fit->workspace,
                                   &fit->row_losses[r]);
    }
    fit->unsolved += unsolved;
}

/* *loss := the rows' losses, summed by partition and in partition order. Collective. */
static Status sum_losses(Fit *fit, const AlsSide *solved, double *loss, Error *error)
{
    Status status;
    const SparseSide *side = solved->side;
    double *sums = NULL;
    TRY_ALL(fit->comm,
            mem_resize(&sums, side->end - side->first, sizeof *sums, "losses of ials", error),
            error);
    const double *row_loss = fit->row_losses;
    for (int32_t p = 0; p < side->end - side->first; p++) {
        sums[p] = 0;
        for (int32_t r = 0; r < side->own[p].n_rows; r++)
            sums[p] += *row_loss++;
    }
    comm_sum_in_order_f64(fit->comm, sums, side->end - side->first, 1, loss);
out:
    mem_free(&sums);
    return status;
}

/* *sum := the other side's regularisation, lambda |x|^2 over its rows. Collective. */
static Status sum_penalties(Fit *fit, const AlsSide *fixed, double *sum, Error *error)
{
    for (int32_t r = 0; r < sparse_own_rows(fixed->side); r++) {
        const float *x = fixed->factors + r * fit->d;
        double square = 0;
        for (int64_t j = 0; j < fit->d; j++)
            square += (double)x[j] * x[j];
        fit->row_losses[r] = fixed->lambdas[r] * square;
    }
    return sum_losses(fit, fixed, sum, error);
}

/* Put the fixed side into the basis in which its Gram matrix is diagonal, fit->gram, and the solved
 * one with it if its rows are looked at. Collective. */
static Status diagonalise(Fit *fit, AlsSide *fixed, AlsSide *solved, Error *error)
{
    Status status;
    int threads = fit->options->threads;
    double *matrix = NULL;
    Rotation rotation = {0};
    TRY_ALL(fit->comm, mem_resize(&matrix, fit->d * fit->d, sizeof *matrix, "a Gram matrix", error),
            error);
    TRY(factors_gram(fit->comm, fixed->side, fixed->factors, fit->d, threads, matrix, error));
    TRY(rotation_make(fit->comm, matrix, fit->d, &rotation, error));
    TRY_ALL(fit->comm,
            factors_rotate(fixed->side, &rotation, fit->d, threads, fixed->factors, error), error);
    if (fit->block < fit->d)
        TRY_ALL(fit->comm,
                factors_rotate(solved->side, &rotation, fit->d, threads, solved->factors, error),
                error);
    for (int64_t j = 0; j < fit->d; j++)
        fit->gram[j] = (float)(fit->options->unobserved * rotation.values[j]);
out:
    rotation_free(&rotation);
    mem_free(&matrix);
    return status;
}

/* Solve one side with the other fixed; *loss is that after it. Collective. */
static Status half_step(Fit *fit, AlsSide *solved, AlsSide *fixed, double *loss, Error *error)
{
    Status status;
    double penalties = 0;
    float *others = NULL;
    TRY(diagonalise(fit, fixed, solved, error));
    TRY(sum_penalties(fit, fixed, &penalties, error));
    for (int64_t b = 0; b < solved->plan.n_blocks; b++) {
        const FetchBlock *block = &solved->plan.blocks[b];
        TRY(sparse_fetch_dense(fit->comm, fixed->side, fixed->factors, fit->d, block->numbers,
                               block->n, &others, error));
        solve_block(fit, solved, block, others);
    }
    TRY(sum_losses(fit, solved, loss, error));
    *loss += penalties;
out:
    mem_free(&others);
    return status;
}

/* Items that have factors to begin with get them; others, and those without users, are as drawn. */
static void take_start(const float *start, const SparseSide *items, int64_t d, float *own)
{
    for (int32_t p = 0; p < items->end - items->first; p++) {
        const SparseRows *rows = &items->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++, start += d, own += d) {
            bool is_known = false;
            for (int64_t j = 0; j < d; j++)
                is_known |= start[j] != 0;
            if (is_known && rows->starts[r + 1] > rows->starts[r])
                memcpy(own, start, (size_t)d * sizeof *own);
        }
    }
}

static void draw_factors(const Fit *fit, const Ials *model)
{
    const IalsOptions *options = fit->options;
    memset(model->user_factors, 0,
           (size_t)(sparse_own_rows(model->users) * fit->d) * sizeof *model->user_factors);
    factors_draw(model->items, fit->d, options->deviation / sqrt((double)fit->d), options->seed,
                 model->item_factors);
    if (options->start != NULL)
        take_start(options->start, model->items, fit->d, model->item_factors);
}

static Status make_factors(Fit *fit, Ials *model, Error *error)
{
    Status status;
    TRY(mem_resize(&model->user_factors, sparse_own_rows(model->users) * fit->d,
                   sizeof *model->user_factors, "user factors", error));
    TRY(mem_resize(&model->item_factors, sparse_own_rows(model->items) * fit->d,
                   sizeof *model->item_factors, "item factors", error));
    fit->users.factors = model->user_factors;
    fit->items.factors = model->item_factors;
out:
    return status;
}

/* Go on from what was kept of this learning, if anything was. Collective. */
static Status take_up(Fit *fit, Ials *model, Error *error)
{
    Status status = STATUS_OK;
    int64_t unsolved = 0;
    fit->kept_at = clock_seconds();
    if (fit->options->checkpoints == NULL)
        return STATUS_OK;
    fit->key = ials_checkpoint_key(fit->comm, model->users, fit->options);
    TRY(ials_checkpoint_read(fit->comm, fit->key, fit->options, model, &unsolved, error));
    fit->unsolved = comm_rank(fit->comm) == 0 ? unsolved : 0;
out:
    return status;
}

/* The safe point after an iteration. What there is is kept when the run ends here, and when it is
 * time: by rank 0's clock, which decides nothing else. Collective. */
static Status keep(Fit *fit, const Ials *model, Error *error)
{
    Status status = STATUS_OK;
    const IalsOptions *options = fit->options;
    const Checkpoints *checkpoints = options->checkpoints;
    bool is_root = comm_rank(fit->comm) == 0;
    enum { STOP, DUE, WISHES };
    int64_t wishes[WISHES] = {[STOP] = stop_asked(),
                              [DUE] = is_root && checkpoints &&
                                      clock_seconds() - fit->kept_at >= checkpoints->seconds};
    comm_max_i64(fit->comm, wishes, WISHES);
    if (checkpoints && (wishes[STOP] || wishes[DUE])) {
        TRY(ials_checkpoint_write(fit->comm, fit->key, options, model, fit->unsolved, error));
        fit->kept_at = clock_seconds();
    }
    if (wishes[STOP])
        TRY(stop_here(error, "after iteration %d of %d of ials", model->iterations,
                      options->iterations));
out:
    return status;
}

static Status iterate(Fit *fit, Ials *model, Error *error)
{
    Status status = STATUS_OK;
    double loss;
    for (int i = model->iterations; i < fit->options->iterations; i++) {
        double began = clock_seconds();
        TRY_ALL(fit->comm, fault_point("recommend.ials.iteration", error), error);
        TRY(half_step(fit, &fit->users, &fit->items, &loss, error));
        TRY(half_step(fit, &fit->items, &fit->users, &loss, error));
        model->losses[i] = loss;
        model->iterations = i + 1;
        log_line(LOG_INFO, LOG_ROOT, "recommend.ials", "iteration=%d loss=%.9g seconds=%.3f", i + 1,
                 loss, clock_seconds() - began);
        TRY(keep(fit, model, error));
    }
    TRY(half_step(fit, &fit->users, &fit->items, &loss, error));
    model->lambdas = fit->users.lambdas;
    fit->users.lambdas = NULL;
    model->gram = fit->gram;
    fit->gram = NULL;
    model->unsolved = fit->unsolved;
    comm_sum_i64(fit->comm, &model->unsolved, 1);
out:
    return status;
}

enum { EXACT_FACTORS = 128, BLOCK_FACTORS = 64 };

static int64_t block_of(const IalsOptions *options)
{
    if (options->block > 0)
        return options->block;
    return options->factors <= EXACT_FACTORS ? options->factors : BLOCK_FACTORS;
}

Status ials_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                  const IalsOptions *options, Ials *model, Error *error)
{
    Status status;
    int64_t row_bytes = (int64_t)options->factors * (int64_t)sizeof(float);
    Fit fit = {.comm = comm,
               .options = options,
               .d = options->factors,
               .block = block_of(options),
               .users = {.side = users},
               .items = {.side = items}};
    ials_free(model);
    *model = (Ials){.d = options->factors, .users = users, .items = items};
    model->losses = mem_new(options->iterations, sizeof *model->losses);
    dense_one_thread();
    fit.gram = mem_new(fit.d, sizeof *fit.gram);
    fit.users.active = count_active(comm, users);
    fit.items.active = count_active(comm, items);
    TRY(fetch_plan_make(comm, users, row_bytes, options->memory, &fit.users.plan, error));
    TRY(fetch_plan_make(comm, items, row_bytes, options->memory, &fit.items.plan, error));
    TRY_ALL(comm, make_room(&fit, error), error);
    TRY_ALL(comm, make_factors(&fit, model, error), error);
    TRY(take_up(&fit, model, error));
    if (model->iterations == 0)
        draw_factors(&fit, model);
    TRY(iterate(&fit, model, error));
out:
    side_free(&fit.users);
    side_free(&fit.items);
    mem_free(&fit.workspaces);
    mem_free(&fit.row_losses);
    mem_free(&fit.gram);
    if (status != STATUS_OK)
        ials_free(model);
    return status;
}

void ials_free(Ials *model)
{
    mem_free(&model->user_factors);
    mem_free(&model->item_factors);
    mem_free(&model->losses);
    mem_free(&model->tile);
    mem_free(&model->gram);
    mem_free(&model->lambdas);
    mem_free(&model->reasons);
    *model = (Ials){0};
}

/* *factors [n x d] := those of items [first, first + n). Collective. */
static Status fetch_items(Comm *comm, const Ials *model, int32_t first, int32_t n, float **factors,
                          Error *error)
{
    Status status;
    int32_t *numbers = NULL;
    TRY_ALL(comm, mem_resize(&numbers, n, sizeof *numbers, "numbers of items", error), error);
    for (int32_t i = 0; i < n; i++)
        numbers[i] = first + i;
    TRY(sparse_fetch_dense(comm, model->items, model->item_factors, model->d, numbers, n, factors,
                           error));
out:
    mem_free(&numbers);
    return status;
}

static Status prepare(Comm *comm, void *of, int32_t first_item, int32_t n_items, Error *error)
{
    Ials *model = of;
    return fetch_items(comm, model, first_item, n_items, &model->tile, error);
}

/* Number of a user among this rank's own. */
static int64_t own_row(const Ials *model, const SparseRows *users, int32_t row)
{
    return (int64_t)users->first_row + row - sparse_own_first(model->users);
}

static void score(const void *of, const ScoreTile *tile, float *scores)
{
    const Ials *model = of;
    const float *users =
        model->user_factors + own_row(model, tile->users, tile->first_user) * model->d;
    dense_product_transposed(users, model->tile, tile->n_users, model->d, tile->n_items, scores);
}

static Status prepare_reasons(Comm *comm, void *of, const int32_t *numbers, int64_t n, Error *error)
{
    Ials *model = of;
    if (numbers == NULL)
        return fetch_items(comm, model, 0, model->items->n_rows, &model->reasons, error);
    return sparse_fetch_dense(comm, model->items, model->item_factors, model->d, numbers, n,
                              &model->reasons, error);
}

/* The spare memory holds what als_explain_row works in, then the listed items' factors. A row that
 * could not be solved has no reasons. */
static void add_reasons(const void *of, const ReasonQuery *query, float weight, float *spare,
                        float *reasons)
{
    const Ials *model = of;
    const SparseRows *users = query->users;
    int64_t begin = users->starts[query->row], d = model->d;
    AlsRow row = {.n = users->starts[query->row + 1] - begin,
                  .places = query->places != NULL ? query->places : users->columns + begin,
                  .values = users->values + begin};
    AlsProblem problem = {.d = d,
                          .others = model->reasons,
                          .gram = model->gram,
                          .lambda = model->lambdas[own_row(model, users, query->row)]};
    const int32_t *items = query->item_places != NULL ? query->item_places : query->items;
    float *listed = spare + als_workspace(d);
    for (int k = 0; k < query->n_items; k++)
        memcpy(listed + k * d, model->reasons + items[k] * d, (size_t)d * sizeof *listed);
    (void)als_explain_row(&problem, &row, listed, query->n_items, weight, reasons, spare);
}

Scorer ials_scorer(Ials *model)
{
    return (Scorer){.name = "ials",
                    .model = model,
                    .tiled = true,
                    .prepare = prepare,
                    .score = score,
                    .prepare_reasons = prepare_reasons,
                    .add_reasons = add_reasons,
                    .reason_floats = als_workspace(model->d) + 2 * REASON_ITEMS_MAX * model->d,
                    .reason_item_bytes = model->d * (int64_t)sizeof(float)};
}
