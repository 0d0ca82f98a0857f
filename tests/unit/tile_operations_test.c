/* Operations on tiles against sums written out, in both precisions, inside larger tiles. */
#include "kernel/tile_operations.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>
#include <string.h>

enum { MOST = 70 }; /* rows and columns of a tile; the stride */

typedef struct Tiles {
    TilePrecision precision;
    double tolerance;
    void *a, *b, *c; /* random */
    void *was;       /* a copy of one of them */
} Tiles;

static size_t bytes_of(const Tiles *tiles)
{
    return MOST * MOST * tile_element_size(tiles->precision);
}

static void *random_tile(TilePrecision precision, uint64_t entity)
{
    Random random = random_stream(3, entity);
    void *tile = mem_new(MOST * MOST, tile_element_size(precision));
    for (int i = 0; i < MOST * MOST; i++)
        tile_set(precision, tile, MOST, i % MOST, i / MOST, random_normal(&random));
    return tile;
}

static Tiles tiles_make(TilePrecision precision)
{
    Tiles tiles = {.precision = precision, .tolerance = 500 * tile_epsilon(precision)};
    tiles.a = random_tile(precision, 1);
    tiles.b = random_tile(precision, 2);
    tiles.c = random_tile(precision, 3);
    tiles.was = mem_new(1, bytes_of(&tiles));
    return tiles;
}

static void tiles_free(Tiles *tiles)
{
    mem_free(&tiles->a);
    mem_free(&tiles->b);
    mem_free(&tiles->c);
    mem_free(&tiles->was);
}

static double at(const Tiles *tiles, const void *tile, int64_t row, int64_t column)
{
    return tile_get(tiles->precision, tile, MOST, row, column);
}

static void keep(const Tiles *tiles, const void *tile)
{
    memcpy(tiles->was, tile, bytes_of(tiles));
}

/* sum over k of a_ik b_jk */
static double product_of(const Tiles *tiles, const void *a, const void *b, int64_t i, int64_t j,
                         int64_t depth)
{
    double sum = 0;
    for (int64_t k = 0; k < depth; k++)
        sum += at(tiles, a, i, k) * at(tiles, b, j, k);
    return sum;
}

/* Nothing outside [m x n] of `tile` is another than it was. */
static bool rest_is_untouched(const Tiles *tiles, const void *tile, int64_t m, int64_t n)
{
    for (int64_t j = 0; j < MOST; j++)
        for (int64_t i = 0; i < MOST; i++)
            if ((i >= m || j >= n) && at(tiles, tile, i, j) != at(tiles, tiles->was, i, j))
                return false;
    return true;
}

static void check_products(Tiles *tiles, int64_t m, int64_t n, int64_t depth, double alpha,
                           double beta)
{
    keep(tiles, tiles->c);
    tile_add_product(tiles->precision, m, n, depth, MOST, alpha, tiles->a, tiles->b, beta,
                     tiles->c);
    double worst = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double want = beta * at(tiles, tiles->was, i, j) +
                          alpha * product_of(tiles, tiles->a, tiles->b, i, j, depth);
            worst = fmax(worst, fabs(at(tiles, tiles->c, i, j) - want));
        }
    CU_ASSERT(worst <= tiles->tolerance);
    CU_ASSERT(rest_is_untouched(tiles, tiles->c, m, n));
    keep(tiles, tiles->c);
    tile_add_gram(tiles->precision, n, depth, MOST, alpha, tiles->a, beta, tiles->c);
    worst = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double want = at(tiles, tiles->was, i, j);
            if (j <= i)
                want = beta * want + alpha * product_of(tiles, tiles->a, tiles->a, i, j, depth);
            worst = fmax(worst, fabs(at(tiles, tiles->c, i, j) - want));
        }
    CU_ASSERT(worst <= tiles->tolerance);
    CU_ASSERT(rest_is_untouched(tiles, tiles->c, n, n));
}

static void test_products(void)
{
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++) {
        Tiles tiles = tiles_make((TilePrecision)precision);
        check_products(&tiles, 1, 1, 1, -1, 1);
        check_products(&tiles, 5, 3, 7, -1, 1);
        check_products(&tiles, MOST, MOST, MOST, 1, -1);
        tile_set(tiles.precision, tiles.c, MOST, 2, 1, (double)NAN); /* not read with beta 0 */
        check_products(&tiles, 33, 64, 9, -1, 0);
        tiles_free(&tiles);
    }
}

static void check_solve(Tiles *tiles, int64_t m, int64_t n)
{
    for (int64_t i = 0; i < MOST; i++)
        tile_set(tiles->precision, tiles->b, MOST, i, i, 30 + (double)i);
    keep(tiles, tiles->a);
    tile_solve(tiles->precision, m, n, MOST, tiles->b, tiles->a);
    double worst = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double got = 0; /* a L' */
            for (int64_t k = 0; k <= j; k++)
                got += at(tiles, tiles->a, i, k) * at(tiles, tiles->b, j, k);
            worst = fmax(worst, fabs(got - at(tiles, tiles->was, i, j)));
        }
    CU_ASSERT(worst <= tiles->tolerance);
    CU_ASSERT(rest_is_untouched(tiles, tiles->a, m, n));
}

static void check_transpose(Tiles *tiles, int64_t m, int64_t n)
{
    keep(tiles, tiles->c);
    tile_transpose(tiles->precision, m, n, MOST, tiles->a, tiles->c);
    bool is_same = true;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            is_same = is_same && at(tiles, tiles->c, i, j) == at(tiles, tiles->a, j, i);
    CU_ASSERT(is_same);
    CU_ASSERT(rest_is_untouched(tiles, tiles->c, m, n));
}

static void test_solve_and_transpose(void)
{
    static const int64_t shapes[][2] = {{1, 1}, {1, 20}, {20, 1}, {17, 31}, {MOST, MOST}};
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++) {
        Tiles tiles = tiles_make((TilePrecision)precision);
        for (int s = 0; s < 5; s++) {
            check_solve(&tiles, shapes[s][0], shapes[s][1]);
            check_transpose(&tiles, shapes[s][0], shapes[s][1]);
        }
        tiles_free(&tiles);
    }
}

static void check_factor(Tiles *tiles, int64_t n)
{
    double least[MOST] = {0};
    tile_add_gram(tiles->precision, n, MOST, MOST, 1, tiles->a, 0, tiles->c);
    keep(tiles, tiles->c);
    CU_ASSERT(tile_factor(tiles->precision, n, MOST, least, tiles->c));
    double worst = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            worst = fmax(worst, fabs(product_of(tiles, tiles->c, tiles->c, i, j, j + 1) -
                                     at(tiles, tiles->was, i, j)));
    CU_ASSERT(worst <= tiles->tolerance);
    CU_ASSERT(rest_is_untouched(tiles, tiles->c, n, n));
    /* A pivot must be above the least that is allowed. */
    double pivot = at(tiles, tiles->c, n - 1, n - 1);
    for (int side = 0; side < 2; side++) {
        memcpy(tiles->c, tiles->was, bytes_of(tiles));
        least[n - 1] = pivot * pivot * (side == 0 ? .999 : 1.001);
        CU_ASSERT_EQUAL(tile_factor(tiles->precision, n, MOST, least, tiles->c), side == 0);
    }
}

static void test_factor(void)
{
    static const int64_t sizes[] = {1, 2, 17, 33};
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++) {
        Tiles tiles = tiles_make((TilePrecision)precision);
        for (int s = 0; s < 4; s++)
            check_factor(&tiles, sizes[s]);
        tiles_free(&tiles);
    }
}

static void test_not_definite(void)
{
    static const double bad[] = {0, -1, -1e-3, (double)NAN, (double)INFINITY};
    const double least[3] = {0};
    for (int precision = TILE_SINGLE; precision <= TILE_DOUBLE; precision++)
        for (int b = 0; b < 5; b++) { /* rows 4; 2, 1 + bad; 0, 0, 4: the second pivot is `bad` */
            Tiles tiles = tiles_make((TilePrecision)precision);
            TilePrecision as = tiles.precision;
            for (int i = 0; i < 9; i++)
                tile_set(as, tiles.c, MOST, i % 3, i / 3, i % 4 == 0 ? 4 : 0);
            CU_ASSERT(tile_factor(as, 3, MOST, least, tiles.c));
            for (int i = 0; i < 9; i++)
                tile_set(as, tiles.c, MOST, i % 3, i / 3, i % 4 == 0 ? 4 : 0);
            tile_set(as, tiles.c, MOST, 1, 0, 2);
            tile_set(as, tiles.c, MOST, 1, 1, 1 + bad[b]);
            CU_ASSERT_FALSE(tile_factor(as, 3, MOST, least, tiles.c));
            tiles_free(&tiles);
        }
}

CU_TestInfo tile_operations_tests[] = {
    {"products", test_products}, {"solve and transpose", test_solve_and_transpose},
    {"factor", test_factor},     {"not positive definite", test_not_definite},
    CU_TEST_INFO_NULL,
};
