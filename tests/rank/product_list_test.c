/* Product lists: which lines are ids, and which products they mean. */
#include "recommend/product_list.h"

#include "suites.h"

#include <string.h>

enum { PRODUCTS = 4 };
static const char *const ids[PRODUCTS] = {"b", "a c", "#1", "\xC3\xA9"}; /* by code */

static void make_shop(Shop *shop)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Error error = {0};
    Table texts;
    memset(shop, 0, sizeof *shop);
    table_init(&texts, &column, 1);
    for (int i = 0; i < PRODUCTS; i++) {
        CU_ASSERT_EQUAL(table_add_row(&texts, &error), STATUS_OK);
        CU_ASSERT_EQUAL(table_set_last_text(&texts, &texts.columns[0], bytes_of(ids[i]), &error),
                        STATUS_OK);
    }
    CU_ASSERT_EQUAL(names_make(&shop->product, &texts, &error), STATUS_OK);
    table_free(&texts);
}

/* `marked`: a letter for each code, x if the list names it. */
static void check(const char *text, const char *marked, int64_t n, int64_t unknown,
                  const char *first_unknown)
{
    Shop shop;
    bool is_listed[PRODUCTS] = {false};
    make_shop(&shop);
    ProductListCounts counts = product_list_mark(bytes_of(text), &shop, is_listed);
    for (int code = 0; code < PRODUCTS; code++)
        CU_ASSERT_EQUAL(is_listed[shop.product.place[code]], marked[code] == 'x');
    CU_ASSERT_EQUAL(counts.ids, n);
    CU_ASSERT_EQUAL(counts.unknown, unknown);
    CU_ASSERT(bytes_equal(counts.first_unknown, bytes_of(first_unknown)));
    CU_ASSERT_EQUAL(product_list_is_empty(bytes_of(text)), n == 0);
    names_free(&shop.product);
}

static void test_lines(void)
{
    check("", "----", 0, 0, "");
    check("\n\r\n  \t\n# b\n#1\n", "----", 0, 0, "");
    check("b", "x---", 1, 0, "");
    check("b\na c\n", "xx--", 2, 0, "");
    check("\xEF\xBB\xBF"
          "b \r\n\t a c\r\n\xC3\xA9",
          "xx-x", 3, 0, "");
    check("b\nb\nB\na\nzz\n", "x---", 5, 3, "B");
    check("a  c\nb b", "----", 2, 2, "a  c");
}

/* What is listed already stays. */
static void test_union(void)
{
    Shop shop;
    bool is_listed[PRODUCTS] = {false};
    make_shop(&shop);
    (void)product_list_mark(bytes_of("b\n"), &shop, is_listed);
    (void)product_list_mark(bytes_of("a c\n"), &shop, is_listed);
    CU_ASSERT(is_listed[shop.product.place[0]] && is_listed[shop.product.place[1]]);
    CU_ASSERT_FALSE(is_listed[shop.product.place[2]]);
    names_free(&shop.product);
}

CU_TestInfo product_list_tests[] = {
    {"lines", test_lines}, {"two lists", test_union}, CU_TEST_INFO_NULL};
