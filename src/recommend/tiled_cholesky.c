/* The inverse of a positive definite matrix in one sweep over its rows of tiles.
 *
 * With A = L L', the factor L, its inverse and L^-T L^-1 are found together (the one-sweep
 * algorithm of Bientinesi, Gunter and van de Geijn 2008, "Families of Algorithms Related to the
 * Inversion of a Symmetric Positive Definite Matrix", section 5). Step k, by tiles:
 *   A_kk = L_kk L_kk'                                 one tile, sent to all
 *   V_i  = A_ik L_kk^-T, A_ik = A_ki' for i < k       the panel, sent to all
 *   V_k  = -L_kk^-T
 *   A_ij := A_ij - V_i V_j'                           every tile; A_ik and A_kj count as 0
 * V_i is the factor's L_ik below tile k and minus the transposed inverse's (L^-1)_ki above it. The
 * last step leaves -A^-1. Every step touches every tile once, so the ranks stay evenly loaded. */
#include "recommend/tiled_cholesky.h"

#include "base/fault.h"
#include "base/memory.h"
#include "kernel/dense.h"

#include <math.h>
#include <string.h>

struct TiledMatrix {
    int32_t n, tile, n_tiles;
    TilePrecision precision;
    int rank, size;
    int64_t tile_bytes;
    int64_t n_own;
    int32_t *own_rows, *own_columns; /* [n_own] of this rank's tiles, in the order of numbers */
    char *elements;                  /* [n_own x tile_bytes] */
};

/* Number of tile (i, j), j <= i. */
static int64_t number_of(int32_t i, int32_t j)
{
    return (int64_t)i * (i + 1) / 2 + j;
}

static int32_t tiles_of(int32_t n, int32_t tile)
{
    return n / tile + (n % tile > 0);
}

static int64_t bytes_of_tile(int32_t tile, TilePrecision precision)
{
    return (int64_t)tile * tile * (int64_t)tile_element_size(precision);
}

/* Tiles of a rank that the numbers 0, 1, ... are dealt out to in turn. */
static int64_t own_tiles(int32_t n_tiles, int rank, int size)
{
    return (number_of(n_tiles, 0) - rank + size - 1) / size;
}

int64_t tiled_matrix_bytes(int32_t n, int32_t tile, TilePrecision precision, int ranks)
{
    int32_t n_tiles = tiles_of(n, tile);
    return (own_tiles(n_tiles, 0, ranks) + n_tiles + 1) * bytes_of_tile(tile, precision);
}

/* Room for this rank's tiles, zero, and which they are. */
static Status allocate(TiledMatrix *matrix, Error *error)
{
    Status status;
    TRY(fault_point("tiled_matrix.new", error));
    TRY(mem_resize(&matrix->own_rows, matrix->n_own, sizeof(int32_t), "tiles", error));
    TRY(mem_resize(&matrix->own_columns, matrix->n_own, sizeof(int32_t), "tiles", error));
    TRY(mem_resize(&matrix->elements, matrix->n_own, (size_t)matrix->tile_bytes,
                   "tiles of a matrix of items", error));
    memset(matrix->elements, 0, (size_t)(matrix->n_own * matrix->tile_bytes));
    int64_t own = 0;
    for (int32_t i = 0; i < matrix->n_tiles; i++)
        for (int32_t j = 0; j <= i; j++)
            if (tiled_matrix_owner(matrix, i, j) == matrix->rank) {
                matrix->own_rows[own] = i;
                matrix->own_columns[own++] = j;
            }
out:
    return status;
}

Status tiled_matrix_new(Comm *comm, int32_t n, int32_t tile, TilePrecision precision,
                        TiledMatrix **matrix, Error *error)
{
    Status status = STATUS_OK;
    vesper_assert(n >= 0 && tile > 0);
    TiledMatrix *made = mem_new(1, sizeof *made);
    *made = (TiledMatrix){.n = n,
                          .tile = tile,
                          .n_tiles = tiles_of(n, tile),
                          .precision = precision,
                          .rank = comm_rank(comm),
                          .size = comm_size(comm),
                          .tile_bytes = bytes_of_tile(tile, precision)};
    made->n_own = own_tiles(made->n_tiles, made->rank, made->size);
    TRY_ALL(comm, allocate(made, error), error);
out:
    if (status != STATUS_OK)
        tiled_matrix_free(&made);
    *matrix = made;
    return status;
}

void tiled_matrix_free(TiledMatrix **matrix)
{
    if (*matrix == NULL)
        return;
    mem_free(&(*matrix)->own_rows);
    mem_free(&(*matrix)->own_columns);
    mem_free(&(*matrix)->elements);
    mem_free(matrix);
}

int32_t tiled_matrix_rows(const TiledMatrix *matrix)
{
    return matrix->n;
}

int32_t tiled_matrix_tile(const TiledMatrix *matrix)
{
    return matrix->tile;
}

int32_t tiled_matrix_tiles(const TiledMatrix *matrix)
{
    return matrix->n_tiles;
}

TilePrecision tiled_matrix_precision(const TiledMatrix *matrix)
{
    return matrix->precision;
}

int tiled_matrix_owner(const TiledMatrix *matrix, int32_t i, int32_t j)
{
    return (int)(number_of(i, j) % matrix->size);
}

void *tiled_matrix_elements(const TiledMatrix *matrix, int32_t i, int32_t j)
{
    if (tiled_matrix_owner(matrix, i, j) != matrix->rank)
        return NULL;
    return matrix->elements + number_of(i, j) / matrix->size * matrix->tile_bytes;
}

/* ---- the sweep ---- */

typedef struct Sweep {
    TiledMatrix *matrix;
    int threads;
    double *least;  /* [n] least pivots; those of this rank's tiles are set */
    char *factor;   /* [tile] L_kk */
    char *panel;    /* [n_tiles] V_i, ordered by the rank that makes it */
    int32_t *order; /* [n_tiles] which i stands at a place of the panel */
    int32_t *place; /* [n_tiles] where V_i stands */
    int64_t *bytes; /* [ranks] of the panel that each makes */
} Sweep;

static int32_t rows_of(const TiledMatrix *matrix, int32_t i)
{
    int32_t left = matrix->n - i * matrix->tile;
    return left < matrix->tile ? left : matrix->tile;
}

static int32_t greater(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t lesser(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void sweep_free(Sweep *sweep)
{
    mem_free(&sweep->least);
    mem_free(&sweep->factor);
    mem_free(&sweep->panel);
    mem_free(&sweep->order);
    mem_free(&sweep->place);
    mem_free(&sweep->bytes);
}

/* Below these what is left of a diagonal element is rounding error: of n operations in random
 * directions. */
static void set_least_pivots(Sweep *sweep)
{
    const TiledMatrix *matrix = sweep->matrix;
    double share = sqrt((double)matrix->n) * tile_epsilon(matrix->precision);
    for (int32_t i = 0; i < matrix->n_tiles; i++) {
        const char *tile = tiled_matrix_elements(matrix, i, i);
        for (int32_t r = 0; tile != NULL && r < rows_of(matrix, i); r++) {
            double diagonal = tile_get(matrix->precision, tile, matrix->tile, r, r);
            sweep->least[i * matrix->tile + r] = diagonal > 0 ? share * diagonal : 0;
        }
    }
}

static Status sweep_start(Sweep *sweep, Error *error)
{
    Status status;
    const TiledMatrix *matrix = sweep->matrix;
    size_t tile_bytes = (size_t)matrix->tile_bytes;
    TRY(fault_point("tiled_cholesky.invert", error));
    TRY(mem_resize(&sweep->least, matrix->n, sizeof *sweep->least, "pivots", error));
    TRY(mem_resize(&sweep->panel, matrix->n_tiles, tile_bytes, "tiles of a matrix of items",
                   error));
    sweep->order = mem_new(matrix->n_tiles, sizeof *sweep->order);
    sweep->place = mem_new(matrix->n_tiles, sizeof *sweep->place);
    sweep->bytes = mem_new(matrix->size, sizeof *sweep->bytes);
    set_least_pivots(sweep);
out:
    return status;
}

/* L_kk on every rank; false on every rank if there is none. Collective. */
static bool factor_pivot(Comm *comm, Sweep *sweep, int32_t k)
{
    const TiledMatrix *matrix = sweep->matrix;
    int owner = tiled_matrix_owner(matrix, k, k);
    char is_definite = 0;
    if (owner == matrix->rank) {
        memcpy(sweep->factor, tiled_matrix_elements(matrix, k, k), (size_t)matrix->tile_bytes);
        is_definite = tile_factor(matrix->precision, rows_of(matrix, k), matrix->tile,
                                  sweep->least + (int64_t)k * matrix->tile, sweep->factor);
    }
    comm_broadcast(comm, owner, &is_definite, 1);
    if (is_definite)
        comm_broadcast(comm, owner, sweep->factor, matrix->tile_bytes);
    return is_definite;
}

/* Which rank makes V_i of step k: the owner of A_ik. */
static int maker_of(const TiledMatrix *matrix, int32_t i, int32_t k)
{
    return tiled_matrix_owner(matrix, greater(i, k), lesser(i, k));
}

/* order, place and bytes of step k: V_i by maker, then i. */
static void plan_panel(Sweep *sweep, int32_t k)
{
    const TiledMatrix *matrix = sweep->matrix;
    int64_t *starts = mem_new((int64_t)matrix->size + 1, sizeof *starts);
    for (int32_t i = 0; i < matrix->n_tiles; i++)
        starts[maker_of(matrix, i, k) + 1]++;
    for (int r = 0; r < matrix->size; r++) {
        sweep->bytes[r] = starts[r + 1] * matrix->tile_bytes;
        starts[r + 1] += starts[r];
    }
    for (int32_t i = 0; i < matrix->n_tiles; i++) {
        sweep->place[i] = (int32_t)starts[maker_of(matrix, i, k)]++;
        sweep->order[sweep->place[i]] = i;
    }
    mem_free(&starts);
}

static char *panel_tile(const Sweep *sweep, int32_t i)
{
    return sweep->panel + sweep->place[i] * sweep->matrix->tile_bytes;
}

/* V_i of step k, from this rank's A_ik. */
static void make_panel_tile(const Sweep *sweep, int32_t i, int32_t k)
{
    const TiledMatrix *matrix = sweep->matrix;
    int32_t m = rows_of(matrix, i), n = rows_of(matrix, k);
    char *v = panel_tile(sweep, i);
    const char *tile = tiled_matrix_elements(matrix, greater(i, k), lesser(i, k));
    if (i > k)
        memcpy(v, tile, (size_t)matrix->tile_bytes);
    else if (i < k)
        tile_transpose(matrix->precision, m, n, matrix->tile, tile, v);
    else {
        memset(v, 0, (size_t)matrix->tile_bytes);
        for (int32_t r = 0; r < n; r++)
            tile_set(matrix->precision, v, matrix->tile, r, r, -1);
    }
    tile_solve(matrix->precision, m, n, matrix->tile, sweep->factor, v);
}

/* A_ij := A_ij - V_i V_j'; the last step turns the sign. */
static void update_tile(const Sweep *sweep, int64_t own, int32_t k)
{
    const TiledMatrix *matrix = sweep->matrix;
    int32_t i = matrix->own_rows[own], j = matrix->own_columns[own];
    int32_t m = rows_of(matrix, i), n = rows_of(matrix, j), depth = rows_of(matrix, k);
    double alpha = k == matrix->n_tiles - 1 ? 1 : -1;
    double beta = i == k || j == k ? 0 : -alpha;
    char *tile = matrix->elements + own * matrix->tile_bytes;
    if (i == j)
        tile_add_gram(matrix->precision, n, depth, matrix->tile, alpha, panel_tile(sweep, i), beta,
                      tile);
    else
        tile_add_product(matrix->precision, m, n, depth, matrix->tile, alpha, panel_tile(sweep, i),
                         panel_tile(sweep, j), beta, tile);
}

/* Step k; false on every rank if the matrix is not positive definite. Collective. */
static bool sweep_step(Comm *comm, Sweep *sweep, int32_t k)
{
    const TiledMatrix *matrix = sweep->matrix;
    if (!factor_pivot(comm, sweep, k))
        return false;
    plan_panel(sweep, k);
    int64_t first = 0;
    for (int r = 0; r < matrix->rank; r++)
        first += sweep->bytes[r] / matrix->tile_bytes;
    int64_t end = first + sweep->bytes[matrix->rank] / matrix->tile_bytes;
#pragma omp parallel for schedule(dynamic) num_threads(sweep->threads)
    for (int64_t p = first; p < end; p++)
        make_panel_tile(sweep, sweep->order[p], k);
    comm_gather_in_place(comm, sweep->panel, sweep->bytes);
#pragma omp parallel for schedule(dynamic) num_threads(sweep->threads)
    for (int64_t own = 0; own < matrix->n_own; own++)
        update_tile(sweep, own, k);
    return true;
}

Status tiled_cholesky_invert(Comm *comm, TiledMatrix *matrix, int threads, bool *singular,
                             Error *error)
{
    Status status = STATUS_OK;
    Sweep sweep = {
        .matrix = matrix, .threads = threads, .factor = mem_new(1, (size_t)matrix->tile_bytes)};
    *singular = false;
    TRY_ALL(comm, sweep_start(&sweep, error), error);
    dense_one_thread();
    for (int32_t k = 0; k < matrix->n_tiles && !*singular; k++)
        *singular = !sweep_step(comm, &sweep, k);
out:
    sweep_free(&sweep);
    return status;
}
