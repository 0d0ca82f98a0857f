/* Inverses by tiles over the ranks: against elimination in double precision, and bit by bit against
 * the sweep written out on one rank, which every number of ranks and threads must give. */
#include "recommend/tiled_rows.h"

#include "base/memory.h"
#include "base/random.h"
#include "suites.h"

#include <math.h>
#include <string.h>

/* M M' / n + diag / 10 of a random M: [n x n]. */
static double *random_definite(int32_t n, uint64_t seed)
{
    Random random = random_stream(seed, (uint64_t)n);
    double *m = mem_new((int64_t)n * n, sizeof *m), *a = mem_new((int64_t)n * n, sizeof *a);
    for (int32_t i = 0; i < n * n; i++)
        m[i] = random_normal(&random);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) {
            for (int32_t k = 0; k < n; k++)
                a[i * n + j] += m[i * n + k] * m[j * n + k] / n;
            a[i * n + j] += i == j ? .1 : 0;
        }
    mem_free(&m);
    return a;
}

/* By Gauss and Jordan, without pivoting. */
static double *plain_inverse(const double *definite, int32_t n)
{
    double *a = mem_new((int64_t)n * n, sizeof *a), *inverse = mem_new((int64_t)n * n, sizeof *a);
    for (int32_t i = 0; i < n * n; i++)
        a[i] = definite[i];
    for (int32_t i = 0; i < n; i++)
        inverse[i * n + i] = 1;
    for (int32_t k = 0; k < n; k++)
        for (int32_t i = 0; i < n; i++) {
            double factor = i == k ? 1 - 1 / a[k * n + k] : a[i * n + k] / a[k * n + k];
            for (int32_t j = 0; j < n; j++) {
                a[i * n + j] -= factor * a[k * n + j];
                inverse[i * n + j] -= factor * inverse[k * n + j];
            }
        }
    mem_free(&a);
    return inverse;
}

/* ---- the same sweep on one rank ---- */

typedef struct Serial {
    int32_t n, tile, n_tiles;
    TilePrecision precision;
    char *tiles, *panel, *factor; /* [n_tiles x n_tiles], [n_tiles], 1 */
} Serial;

static char *serial_tile(const Serial *serial, char *tiles, int32_t i)
{
    return tiles +
           (int64_t)i * serial->tile * serial->tile * (int64_t)tile_element_size(serial->precision);
}

static int32_t serial_rows(const Serial *serial, int32_t i)
{
    int32_t left = serial->n - i * serial->tile;
    return left < serial->tile ? left : serial->tile;
}

static void serial_step(const Serial *s, const double *least, int32_t k)
{
    int32_t depth = serial_rows(s, k);
    bool is_last = k == s->n_tiles - 1;
    memcpy(s->factor, serial_tile(s, s->tiles, k * s->n_tiles + k),
           (size_t)(s->tile * s->tile) * tile_element_size(s->precision));
    CU_ASSERT(tile_factor(s->precision, depth, s->tile, least, s->factor));
    for (int32_t i = 0; i < s->n_tiles; i++) {
        const char *from =
            serial_tile(s, s->tiles, i > k ? i * s->n_tiles + k : k * s->n_tiles + i);
        char *v = serial_tile(s, s->panel, i);
        for (int32_t r = 0; r < serial_rows(s, i); r++)
            for (int32_t c = 0; c < depth; c++)
                tile_set(s->precision, v, s->tile, r, c,
                         i == k  ? -(r == c)
                         : i > k ? tile_get(s->precision, from, s->tile, r, c)
                                 : tile_get(s->precision, from, s->tile, c, r));
        tile_solve(s->precision, serial_rows(s, i), depth, s->tile, s->factor, v);
    }
    for (int32_t i = 0; i < s->n_tiles; i++)
        for (int32_t j = 0; j <= i; j++) {
            double alpha = is_last ? 1 : -1, beta = i == k || j == k ? 0 : -alpha;
            char *tile = serial_tile(s, s->tiles, i * s->n_tiles + j);
            if (i == j)
                tile_add_gram(s->precision, serial_rows(s, i), depth, s->tile, alpha,
                              serial_tile(s, s->panel, i), beta, tile);
            else
                tile_add_product(s->precision, serial_rows(s, i), serial_rows(s, j), depth, s->tile,
                                 alpha, serial_tile(s, s->panel, i), serial_tile(s, s->panel, j),
                                 beta, tile);
        }
}

/* The inverse's lower triangle [n x n], upper 0. */
static double *serial_inverse(const double *definite, int32_t n, int32_t tile,
                              TilePrecision precision)
{
    int32_t t = (n + tile - 1) / tile;
    size_t bytes = (size_t)(tile * tile) * tile_element_size(precision);
    Serial serial = {.n = n, .tile = tile, .n_tiles = t, .precision = precision};
    serial.tiles = mem_new(t * t, bytes);
    serial.panel = mem_new(t, bytes);
    serial.factor = mem_new(1, bytes);
    double *least = mem_new(tile, sizeof *least);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++)
            tile_set(precision, serial_tile(&serial, serial.tiles, i / tile * t + j / tile), tile,
                     i % tile, j % tile, definite[i * n + j]);
    for (int32_t k = 0; k < t; k++)
        serial_step(&serial, least, k);
    double *inverse = mem_new((int64_t)n * n, sizeof *inverse);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++)
            inverse[i * n + j] =
                tile_get(precision, serial_tile(&serial, serial.tiles, i / tile * t + j / tile),
                         tile, i % tile, j % tile);
    mem_free(&serial.tiles);
    mem_free(&serial.panel);
    mem_free(&serial.factor);
    mem_free(&least);
    return inverse;
}

/* ---- over the ranks ---- */

/* Lower triangle into the matrix, or out of it on every rank. Collective. */
static void fill(TiledMatrix *matrix, const double *values)
{
    int32_t n = tiled_matrix_rows(matrix), tile = tiled_matrix_tile(matrix);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++) {
            void *elements = tiled_matrix_elements(matrix, i / tile, j / tile);
            if (elements != NULL)
                tile_set(tiled_matrix_precision(matrix), elements, tile, i % tile, j % tile,
                         values[i * n + j]);
        }
}

static double *collect(const TiledMatrix *matrix)
{
    int32_t n = tiled_matrix_rows(matrix), tile = tiled_matrix_tile(matrix);
    double *values = mem_new((int64_t)n * n, sizeof *values);
    int64_t *bits = mem_new((int64_t)n * n, sizeof *bits);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++) {
            const void *elements = tiled_matrix_elements(matrix, i / tile, j / tile);
            if (elements != NULL)
                values[i * n + j] =
                    tile_get(tiled_matrix_precision(matrix), elements, tile, i % tile, j % tile);
        }
    memcpy(bits, values, (size_t)n * (size_t)n * sizeof *bits);
    comm_sum_i64(rank_comm(), bits, (int64_t)n * n);
    memcpy(values, bits, (size_t)n * (size_t)n * sizeof *bits);
    mem_free(&bits);
    return values;
}

/* The inverse's lower triangle; NULL if singular. Collective. */
static double *invert(const double *definite, int32_t n, int32_t tile, TilePrecision precision,
                      int threads)
{
    Comm *comm = rank_comm();
    Error error = {0};
    TiledMatrix *matrix = NULL;
    bool singular = true;
    double *inverse = NULL;
    Status status = tiled_matrix_new(comm, n, tile, precision, &matrix, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        return NULL;
    fill(matrix, definite);
    status = tiled_cholesky_invert(comm, matrix, threads, &singular, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    int64_t ranks_singular = singular;
    comm_sum_i64(comm, &ranks_singular, 1);
    CU_ASSERT_EQUAL(ranks_singular, singular ? comm_size(comm) : 0);
    if (ranks_singular == 0)
        inverse = collect(matrix);
    tiled_matrix_free(&matrix);
    return inverse;
}

static void check_inverse(int32_t n, int32_t tile, TilePrecision precision)
{
    double *definite = random_definite(n, 17), *want = plain_inverse(definite, n);
    double *serial = serial_inverse(definite, n, tile, precision);
    for (int threads = 1; threads <= 2; threads++) {
        double *got = invert(definite, n, tile, precision, threads), worst = 0;
        CU_ASSERT_PTR_NOT_NULL(got);
        if (got == NULL)
            continue;
        CU_ASSERT_EQUAL(memcmp(got, serial, (size_t)n * (size_t)n * sizeof *got), 0);
        for (int32_t i = 0; i < n; i++)
            for (int32_t j = 0; j <= i; j++)
                worst = fmax(worst, fabs(got[i * n + j] - want[i * n + j]));
        CU_ASSERT(worst <= 2000 * tile_epsilon(precision)); /* condition up to 50, elements to 10 */
        mem_free(&got);
    }
    mem_free(&definite);
    mem_free(&want);
    mem_free(&serial);
}

static void test_inverse(void)
{
    static const int32_t sizes[] = {1, 15, 16, 17, 47, 81}; /* of tiles of 16 */
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++) {
        for (int s = 0; s < 6; s++)
            check_inverse(sizes[s], 16, (TilePrecision)precision);
        check_inverse(9, 1, (TilePrecision)precision);
        check_inverse(130, 23, (TilePrecision)precision);
    }
    comm_set_piece(rank_comm(), 100); /* panels in pieces */
    check_inverse(47, 16, TILE_DOUBLE);
    comm_set_piece(rank_comm(), 1 << 30);
}

static void test_nothing_to_invert(void)
{
    double *inverse = invert(NULL, 0, 16, TILE_SINGLE, 2);
    CU_ASSERT_PTR_NOT_NULL(inverse);
    mem_free(&inverse);
}

/* Wherever the row is that spoils it, the outcome is every rank's. */
static void test_singular(void)
{
    enum { N = 50, TILE = 8 };
    static const int32_t rows[] = {0, 7, 8, 29, N - 1};
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++)
        for (int r = 0; r < 5; r++) {
            double *a = random_definite(N, 4);
            int32_t row = rows[r];
            double diagonal = a[row * N + row];
            a[row * N + row] = -1;
            CU_ASSERT_PTR_NULL(invert(a, N, TILE, (TilePrecision)precision, 1));
            a[row * N + row] = (double)NAN;
            CU_ASSERT_PTR_NULL(invert(a, N, TILE, (TilePrecision)precision, 1));
            a[row * N + row] = diagonal;
            double *inverse = invert(a, N, TILE, (TilePrecision)precision, 1);
            CU_ASSERT_PTR_NOT_NULL(inverse);
            mem_free(&inverse);
            mem_free(&a);
        }
}

/* Two items that always come together: what is left of the second is rounding error of either
 * sign, and must not pass for a pivot. */
static void test_equal_rows(void)
{
    enum { N = 40, TILE = 8 };
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            double *a = random_definite(N, seed);
            int32_t of = (int32_t)seed, copy = N - 1 - 4 * (int32_t)seed;
            for (int32_t j = 0; j < N; j++)
                a[copy * N + j] = a[of * N + j];
            for (int32_t j = 0; j < N; j++)
                a[j * N + copy] = a[j * N + of];
            CU_ASSERT_PTR_NULL(invert(a, N, TILE, (TilePrecision)precision, 2));
            mem_free(&a);
        }
}

/* The fullest rank has one tile more than the emptiest, and takes what was said. */
static void test_even_shares(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    TiledMatrix *matrix = NULL;
    int64_t before = mem_live_bytes(), least, most;
    CU_ASSERT_EQUAL(tiled_matrix_new(comm, 300, 10, TILE_SINGLE, &matrix, &error), STATUS_OK);
    least = most = mem_live_bytes() - before;
    comm_min_i64(comm, &least, 1);
    comm_max_i64(comm, &most, 1);
    CU_ASSERT(most - least <= 400 + 2 * 4 + 3 * 64);
    CU_ASSERT(most <= tiled_matrix_bytes(300, 10, TILE_SINGLE, comm_size(comm)));
    CU_ASSERT(tiled_matrix_bytes(300, 10, TILE_DOUBLE, comm_size(comm)) ==
              2 * tiled_matrix_bytes(300, 10, TILE_SINGLE, comm_size(comm)));
    tiled_matrix_free(&matrix);
}

/* ---- rows ---- */

/* First of this rank's rows [0, n): uneven shares, the middle rank of three or more has none. */
static int32_t row_share(int32_t n, int rank, int size)
{
    int64_t weight = 0, before = 0;
    for (int r = 0; r < size; r++) {
        before += r < rank ? (size > 2 && r == size / 2 ? 0 : 1 + r % 3) : 0;
        weight += size > 2 && r == size / 2 ? 0 : 1 + r % 3;
    }
    return (int32_t)(n * before / weight);
}

static double symmetric(int32_t i, int32_t j)
{
    return i > j ? i * 1000 + j : j * 1000 + i;
}

/* The runs of one round: at most `most` rows a rank. */
static bool runs_of_round(int32_t n, int32_t most, int32_t round, RowRun *runs)
{
    int size = comm_size(rank_comm());
    bool any = false;
    for (int r = 0; r < size; r++) {
        int32_t end = row_share(n, r + 1, size), first = row_share(n, r, size) + round * most;
        first = first < end ? first : end;
        runs[r] = (RowRun){first, first + most < end ? first + most : end};
        any = any || first < end;
    }
    return any;
}

/* Everything put in rounds of `most` rows, then got again, mirrored. */
static void check_rows(int32_t n, int32_t tile, int32_t most, TilePrecision precision)
{
    Comm *comm = rank_comm();
    Error error = {0};
    TiledMatrix *matrix = NULL;
    RowRun *runs = mem_new(comm_size(comm), sizeof *runs);
    RowRun *own = &runs[comm_rank(comm)];
    void *rows = mem_new((int64_t)most * n, tile_element_size(precision));
    double *diagonal = mem_new(n, sizeof *diagonal);
    int64_t wrong = 0;
    CU_ASSERT_EQUAL(tiled_matrix_new(comm, n, tile, precision, &matrix, &error), STATUS_OK);
    for (int32_t round = 0; runs_of_round(n, most, round, runs); round++) {
        for (int32_t i = own->first; i < own->end; i++)
            for (int32_t j = 0; j < n; j++) /* what is right of the diagonal tile is not read */
                tile_set(precision, rows, n, j, i - own->first,
                         j / tile > i / tile ? -1 : symmetric(i, j));
        CU_ASSERT_EQUAL(tiled_rows_put(comm, matrix, runs, rows, &error), STATUS_OK);
    }
    for (int32_t i = 0; i < n; i++) /* the upper triangle of a diagonal tile does not count */
        for (int32_t j = i + 1; j < n && j / tile == i / tile; j++) {
            void *elements = tiled_matrix_elements(matrix, i / tile, i / tile);
            if (elements != NULL)
                tile_set(precision, elements, tile, i % tile, j % tile, -1);
        }
    for (int32_t round = 0; runs_of_round(n, most, round, runs); round++) {
        CU_ASSERT_EQUAL(tiled_rows_get(comm, matrix, runs, rows, &error), STATUS_OK);
        for (int32_t i = own->first; i < own->end; i++)
            for (int32_t j = 0; j < n; j++)
                wrong += tile_get(precision, rows, n, j, i - own->first) != symmetric(i, j);
    }
    tiled_rows_diagonal(comm, matrix, diagonal);
    for (int32_t i = 0; i < n; i++)
        wrong += diagonal[i] != symmetric(i, i);
    CU_ASSERT_EQUAL(wrong, 0);
    tiled_matrix_free(&matrix);
    mem_free(&runs);
    mem_free(&rows);
    mem_free(&diagonal);
}

static void test_rows(void)
{
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++) {
        check_rows(0, 4, 3, (TilePrecision)precision);
        check_rows(1, 4, 3, (TilePrecision)precision);
        check_rows(37, 4, 100, (TilePrecision)precision);
        check_rows(37, 5, 3, (TilePrecision)precision);
        check_rows(37, 64, 1, (TilePrecision)precision);
    }
}

CU_TestInfo tiled_cholesky_tests[] = {
    {"inverse", test_inverse},
    {"nothing to invert", test_nothing_to_invert},
    {"singular", test_singular},
    {"equal rows", test_equal_rows},
    {"even shares", test_even_shares},
    {"rows", test_rows},
    CU_TEST_INFO_NULL,
};
