/* Conditions (where.h): what is a condition and what is refused with which words, and random ones
 * on random lines against an evaluation of their trees line by line. Local: no communication. */
#include "sales/where.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINES = 5000, DECIMALS = 2, FIRST_DAY = -400, LAST_DAY = 20000 };

/* ---- a shop written down ---- */

static const char *const products[] = {"85123A", "22423", "it's", "a b", "POST", "é"};
static const char *const categories[] = {"garden/tools/spades", "garden/tools", "garden", "kitchen",
                                         "garden/seeds"};
static const char *const brands[] = {"Acme", "acme", "Zed"};
static const char *const countries[] = {"United Kingdom", "France", "Côte d'Ivoire", "EIRE"};
static const char *const words[] = {"web", "shop"};
static const int32_t category_of[] = {0, 1, -1, 4, 3, 2}; /* of each product */
static const int32_t brand_of[] = {2, -1, 0, 1, 0, -1};
enum { N_PRODUCTS = 6, N_CATEGORIES = 5, N_BRANDS = 3, N_COUNTRIES = 4, N_WORDS = 2 };

static void name(Names *names, const char *const *texts, int n)
{
    Error error;
    Table table = {0};
    table_init(&table, &(ColumnSpec){"text", COLUMN_TEXT, UNIT_NONE}, 1);
    for (int i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(table_add_row(&table, &error), STATUS_OK);
        CU_ASSERT_EQUAL(table_set_last_text(&table, &table.columns[0], bytes_of(texts[i]), &error),
                        STATUS_OK);
    }
    CU_ASSERT_EQUAL(names_make(names, &table, &error), STATUS_OK);
    table_free(&table);
}

/* The first `level` parts of a path, 0 for all. */
static const char *cut(const char *path, int level, char text[64])
{
    snprintf(text, 64, "%s", path);
    for (char *slash = strchr(text, '/'); slash && level > 0; slash = strchr(slash + 1, '/')) {
        if (--level == 0) {
            *slash = '\0';
            break;
        }
    }
    return text;
}

static void name_level(CategoryLevel *level, int k)
{
    static char texts[N_CATEGORIES][64];
    const char *known[N_CATEGORIES];
    int n = 0;
    level->of_category = mem_new(N_CATEGORIES, sizeof *level->of_category);
    for (int c = 0; c < N_CATEGORIES; c++) {
        int code = 0;
        cut(categories[c], k, texts[n]);
        while (code < n && strcmp(known[code], texts[n]) != 0)
            code++;
        if (code == n) {
            known[n] = texts[n];
            n++;
        }
        level->of_category[c] = code;
    }
    name(&level->names, known, n);
}

static void open_shop(Shop *shop)
{
    *shop = (Shop){.money_decimals = DECIMALS, .first_day = FIRST_DAY, .last_day = LAST_DAY};
    name(&shop->product, products, N_PRODUCTS);
    name(&shop->category, categories, N_CATEGORIES);
    name(&shop->brand, brands, N_BRANDS);
    name(&shop->country, countries, N_COUNTRIES);
    name(&shop->channel, words, N_WORDS);
    name(&shop->currency, words, 1);
    name(&shop->segment, words, N_WORDS);
    for (int k = 0; k <= CATEGORY_LEVELS_MAX; k++)
        name_level(&shop->levels[k], k);
    shop->catalogue.category = mem_new(N_PRODUCTS, sizeof(int32_t));
    shop->catalogue.brand = mem_new(N_PRODUCTS, sizeof(int32_t));
    memcpy(shop->catalogue.category, category_of, sizeof category_of);
    memcpy(shop->catalogue.brand, brand_of, sizeof brand_of);
}

static struct {
    int32_t day[LINES], product[LINES], quantity[LINES], country[LINES], channel[LINES],
        currency[LINES], segment[LINES];
    int64_t price[LINES], discount[LINES];
    int8_t cancelled[LINES], hour[LINES], returning[LINES];
} columns;

static void draw_codes(Random *random, int32_t *codes, int n)
{
    for (int i = 0; i < LINES; i++)
        codes[i] = (int32_t)random_below(random, n + 1) - 1;
}

static OrderLines draw_lines(Random *random)
{
    draw_codes(random, columns.country, N_COUNTRIES);
    draw_codes(random, columns.channel, N_WORDS);
    draw_codes(random, columns.currency, 1);
    draw_codes(random, columns.segment, N_WORDS);
    for (int i = 0; i < LINES; i++) {
        bool is_old = random_below(random, 4) == 0;
        columns.day[i] = is_old ? FIRST_DAY + (int32_t)random_below(random, 400 + 40)
                                : LAST_DAY - (int32_t)random_below(random, 800);
        columns.product[i] = (int32_t)random_below(random, N_PRODUCTS);
        columns.quantity[i] = (int32_t)random_below(random, 13) - 6;
        columns.price[i] = random_below(random, 13) * 50 - 300;
        columns.discount[i] = random_below(random, 3) * 5;
        columns.cancelled[i] = (int8_t)random_below(random, 2);
        columns.hour[i] = (int8_t)random_below(random, 24);
        columns.returning[i] = (int8_t)(random_below(random, 3) - 1);
    }
    return (OrderLines){.n = LINES,
                        .day = columns.day,
                        .product = columns.product,
                        .quantity = columns.quantity,
                        .price = columns.price,
                        .discount = columns.discount,
                        .cancelled = columns.cancelled,
                        .country = columns.country,
                        .channel = columns.channel,
                        .currency = columns.currency,
                        .hour = columns.hour,
                        .segment = columns.segment,
                        .returning = columns.returning};
}

/* ---- the naive evaluation ---- */

static const char *const fields[] = {
    "day",     "week",     "month",      "quarter",          "year",       "weekday",
    "hour",    "quantity", "cancelled",  "new_or_returning", "unit_price", "discount",
    "product", "category", "category_1", "category_2",       "category_8", "brand",
    "country", "channel",  "segment",    "currency"};
enum { N_FIELDS = 22, FIRST_MONEY = 10, FIRST_TEXT = 12, UNORDERED = 8 };

/* A field's value of a line: a number, or a text. */
typedef struct Value {
    int64_t number;
    char text[64];
} Value;

static const char *text_at(const char *const *texts, const int32_t *codes, int64_t i)
{
    return codes && codes[i] >= 0 ? texts[codes[i]] : "";
}

static Value text_of(const OrderLines *lines, int64_t i, const char *field)
{
    Value value = {0};
    int32_t product = lines->product[i];
    int32_t category = category_of[product];
    if (strncmp(field, "category", 8) == 0) {
        if (category >= 0)
            cut(categories[category], field[8] ? field[9] - '0' : 0, value.text);
        return value;
    }
    const char *text = strcmp(field, "product") == 0   ? products[product]
                       : strcmp(field, "brand") == 0   ? text_at(brands, brand_of, product)
                       : strcmp(field, "country") == 0 ? text_at(countries, lines->country, i)
                       : strcmp(field, "channel") == 0 ? text_at(words, lines->channel, i)
                       : strcmp(field, "segment") == 0 ? text_at(words, lines->segment, i)
                                                       : text_at(words, lines->currency, i);
    snprintf(value.text, sizeof value.text, "%s", text);
    return value;
}

/* By the C library's calendar. */
static int64_t number_of_day(int64_t day, int field)
{
    time_t seconds = (time_t)(day * 86400);
    struct tm date;
    gmtime_r(&seconds, &date);
    switch (field) {
    case 0:
        return day;
    case 1:
        return day - (date.tm_wday + 6) % 7;
    case 2:
        return (date.tm_year - 70) * 12 + date.tm_mon;
    case 3:
        return (date.tm_year - 70) * 4 + date.tm_mon / 3;
    case 4:
        return date.tm_year + 1900;
    default:
        return date.tm_wday == 0 ? 7 : date.tm_wday;
    }
}

static Value value_of(const OrderLines *lines, int64_t i, int field)
{
    Value value = {0};
    if (field >= FIRST_TEXT)
        return text_of(lines, i, fields[field]);
    switch (field) {
    case 6:
        value.number = lines->hour ? lines->hour[i] : 0;
        break;
    case 7:
        value.number = lines->quantity[i];
        break;
    case 8:
        value.number = lines->cancelled ? lines->cancelled[i] : 0;
        break;
    case 9:
        value.number = lines->returning ? lines->returning[i] : -1;
        break;
    case 10:
        value.number = lines->price[i];
        break;
    case 11:
        value.number = lines->discount ? lines->discount[i] : 0;
        break;
    default:
        value.number = number_of_day(lines->day[i], field);
    }
    return value;
}

/* ---- random conditions ---- */

enum { NODES_MOST = 64, VALUES_MOST = 4 };
static const char *const signs[] = {"=", "!=", "in", "not in", "<", "<=", ">", ">="};

typedef struct Node {
    char kind;       /* '|', '&', '!', or 'c' */
    int left, right; /* the operands' places */
    int field, sign, n_values;
    Value values[VALUES_MOST];
} Node;

typedef struct Tree {
    Node nodes[NODES_MOST];
    int n;
} Tree;

static int order_of(const Value *a, const Value *b, int field)
{
    if (field >= FIRST_TEXT)
        return strcmp(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

static bool tree_holds(const Tree *tree, int at, const OrderLines *lines, int64_t i)
{
    const Node *node = &tree->nodes[at];
    if (node->kind == '|')
        return tree_holds(tree, node->left, lines, i) || tree_holds(tree, node->right, lines, i);
    if (node->kind == '&')
        return tree_holds(tree, node->left, lines, i) && tree_holds(tree, node->right, lines, i);
    if (node->kind == '!')
        return !tree_holds(tree, node->left, lines, i);
    Value value = value_of(lines, i, node->field);
    bool is_one = false;
    for (int k = 0; k < node->n_values; k++)
        is_one |= order_of(&value, &node->values[k], node->field) == 0;
    int order = order_of(&value, &node->values[0], node->field);
    bool answers[] = {is_one, !is_one, is_one, !is_one, order<0, order <= 0, order> 0, order >= 0};
    return answers[node->sign];
}

/* A value like those of the lines, or one that none has. */
static Value draw_value(Random *random, const OrderLines *lines, int field)
{
    Value value = value_of(lines, random_below(random, LINES), field);
    if (random_below(random, 8) > 0)
        return value;
    if (field >= FIRST_TEXT)
        snprintf(value.text, sizeof value.text, "%s", random_below(random, 2) ? "" : "no 'one'");
    else if (field == 7)
        value.number = random_below(random, 2) ? INT32_MIN : INT32_MAX;
    else if (field >= FIRST_MONEY)
        value.number = random_below(random, 2) ? INT64_MIN + 1 : INT64_MAX;
    else if (field == 0)
        value.number = random_below(random, 2) ? -500000 : 100000;
    return value;
}

static int draw_tree(Random *random, const OrderLines *lines, Tree *tree, int depth)
{
    Node node = {.kind = "cccc&&&||!"[random_below(random, 10)]};
    if (depth == 0)
        node.kind = 'c';
    if (node.kind != 'c')
        node.left = draw_tree(random, lines, tree, depth - 1);
    if (node.kind == '&' || node.kind == '|')
        node.right = draw_tree(random, lines, tree, depth - 1);
    if (node.kind == 'c') {
        node.field = (int)random_below(random, N_FIELDS);
        bool has_order = node.field != UNORDERED && node.field != UNORDERED + 1;
        node.sign = (int)random_below(random, has_order ? 8 : 4);
        bool is_list = node.sign == 2 || node.sign == 3;
        node.n_values = is_list ? 1 + (int)random_below(random, VALUES_MOST) : 1;
        for (int k = 0; k < node.n_values; k++)
            node.values[k] = draw_value(random, lines, node.field);
    }
    tree->nodes[tree->n] = node;
    return tree->n++;
}

static void print_text(Buffer *text, const char *value, Random *random)
{
    bool is_word = *value && !strpbrk(value, " '") && random_below(random, 2);
    buffer_append_string(text, is_word ? "" : "'");
    for (const char *c = value; *c; c++)
        buffer_printf(text, *c == '\'' ? "''" : "%c", *c);
    buffer_append_string(text, is_word ? "" : "'");
}

static void print_value(Buffer *text, const Value *value, int field, Random *random)
{
    static const char *const days[] = {"Monday", "TUESDAY",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    char written[64];
    int64_t number = value->number;
    if (field >= FIRST_TEXT)
        print_text(text, value->text, random);
    else if (field >= FIRST_MONEY) {
        decimal_format(number, DECIMALS, written);
        buffer_append_string(text, written);
    } else if (field <= 1) {
        civil_format_day((int32_t)number, written);
        buffer_append_string(text, written);
    } else if (field == 2) {
        civil_format_month((int32_t)number, written);
        buffer_append_string(text, written);
    } else if (field == 3) { /* of years from 1 on */
        number += 1970 * 4;
        buffer_printf(text, "%04" PRId64 "-%c%" PRId64, number / 4, "qQ"[number % 2],
                      number % 4 + 1);
    } else if (field == 5 && random_below(random, 2))
        buffer_append_string(text, days[number - 1]);
    else if (field == 8)
        buffer_append_string(text, number ? "Yes" : "no");
    else if (field == 9)
        buffer_append_string(text, number < 0 ? "''" : number ? "returning" : "'new'");
    else
        buffer_printf(text, "%" PRId64, number);
}

/* With the parentheses that precedence asks for, and a few more. */
static void print_tree(Buffer *text, const Tree *tree, int at, char parent, Random *random)
{
    const Node *node = &tree->nodes[at];
    bool has_parentheses = (node->kind == '|' && (parent == '&' || parent == '!')) ||
                           (node->kind == '&' && parent == '!') || random_below(random, 8) == 0;
    buffer_append_string(text, has_parentheses ? "( " : "");
    if (node->kind == '!') {
        buffer_append_string(text, "NOT ");
        print_tree(text, tree, node->left, '!', random);
    } else if (node->kind != 'c') {
        print_tree(text, tree, node->left, node->kind, random);
        buffer_append_string(text, node->kind == '|' ? " or " : "\tAnd ");
        print_tree(text, tree, node->right, node->kind, random);
    } else {
        bool is_list = node->sign == 2 || node->sign == 3;
        buffer_printf(text, "%s %s %s", fields[node->field], signs[node->sign], is_list ? "(" : "");
        for (int k = 0; k < node->n_values; k++) {
            buffer_append_string(text, k > 0 ? "," : "");
            print_value(text, &node->values[k], node->field, random);
        }
        buffer_append_string(text, is_list ? ")" : "");
    }
    buffer_append_string(text, has_parentheses ? ")" : "");
}

/* Lines [begin, begin + n) are marked as they should, and no byte beside them is written. */
static bool marks_well(LineFilter *filter, const OrderLines *lines, const uint8_t *expected,
                       int64_t begin, int64_t n)
{
    static uint8_t keep[LINES + 2];
    memset(keep, 7, sizeof keep);
    line_filter_mark(filter, lines, begin, n, keep + 1);
    return keep[0] == 7 && keep[n + 1] == 7 && memcmp(keep + 1, expected + begin, (size_t)n) == 0;
}

static bool check_text(const char *text, const Shop *shop, const OrderLines *lines,
                       const uint8_t *expected, Random *random)
{
    Error error = {0};
    Where *where = NULL;
    LineFilter *filter = NULL;
    bool is_well = where_parse(text, "where", &where, &error) == STATUS_OK &&
                   line_filter_new(where, shop, &filter, &error) == STATUS_OK;
    where_free(&where); /* the filter needs it no longer */
    is_well = is_well && marks_well(filter, lines, expected, 0, LINES);
    for (int k = 0; k < 4 && is_well; k++) {
        static const int64_t sizes[] = {0, 1, 2047, 2048, 2049, 4096, 4097};
        int64_t n = sizes[random_below(random, 7)];
        is_well = marks_well(filter, lines, expected, random_below(random, LINES - n + 1), n);
    }
    if (!is_well)
        fprintf(stderr, "%s: %s: ", text, error.message);
    line_filter_free(&filter);
    return is_well;
}

static void test_random(void)
{
    static Tree tree;
    static uint8_t expected[LINES];
    Shop shop;
    open_shop(&shop);
    Random random = random_stream(1, 1);
    OrderLines all = draw_lines(&random);
    for (int round = 0; round < 250; round++) {
        OrderLines lines = all;
        if (round % 4 == 3) { /* of a store without these columns */
            lines.country = lines.channel = lines.segment = lines.currency = NULL;
            lines.discount = NULL;
            lines.cancelled = lines.hour = lines.returning = NULL;
        }
        Buffer text = {0};
        tree.n = 0;
        int root = draw_tree(&random, &all, &tree, round % 6);
        print_tree(&text, &tree, root, ' ', &random);
        for (int64_t i = 0; i < LINES; i++)
            expected[i] = tree_holds(&tree, root, &lines, i);
        CU_ASSERT(check_text(buffer_string(&text), &shop, &lines, expected, &random));
        buffer_free(&text);
    }
    shop_free(&shop);
}

/* ---- single conditions ---- */

/* Marks of the first lines, as "0110". */
static const char *marks(const char *text, const Shop *shop, const OrderLines *lines)
{
    static char shown[LINES + 1];
    static uint8_t keep[LINES];
    Error error = {0};
    Where *where = NULL;
    LineFilter *filter = NULL;
    snprintf(shown, sizeof shown, "refused");
    if (where_parse(text, "where", &where, &error) == STATUS_OK &&
        line_filter_new(where, shop, &filter, &error) == STATUS_OK) {
        line_filter_mark(filter, lines, 0, lines->n, keep);
        for (int64_t i = 0; i < lines->n; i++)
            shown[i] = (char)('0' + keep[i]);
        shown[lines->n] = '\0';
    } else {
        fprintf(stderr, "%s: ", error.message);
    }
    where_free(&where);
    line_filter_free(&filter);
    return shown;
}

static void test_meaning(void)
{
    Shop shop;
    open_shop(&shop);
    int32_t day[] = {civil_day(2024, 2, 29), civil_day(1969, 12, 31), civil_day(2024, 5, 5)};
    const int32_t product[] = {0, 2, 5}, country[] = {0, 2, -1}, quantity[] = {1, -2, 3};
    const int64_t price[] = {1250, 0, 99};
    const int8_t returning[] = {1, -1, 0};
    OrderLines lines = {.n = 3,
                        .day = day,
                        .product = product,
                        .country = country,
                        .quantity = quantity,
                        .price = price,
                        .returning = returning};
    static const struct {
        const char *text, *marks;
    } cases[] = {
        {"quantity>0", "101"},
        {"quantity = -2 or quantity = 3 and quantity = 1", "010"}, /* and binds closer */
        {"(quantity = -2 or quantity = 3) and quantity = 3", "001"},
        {"not quantity = 1 and quantity = 3", "001"}, /* not binds closest */
        {"not (quantity = 1 and quantity = 3)", "111"},
        {"NOT not quantity IN (1,3)", "101"},
        {"quantity not in (1)", "011"},
        {"quantity < -2147483648 or quantity > 2147483647", "000"},
        {"unit_price = 12.5", "100"},
        {"unit_price in (0, .99, 5)", "011"},
        {"unit_price >= 12.50", "100"},
        {"day = 2024-02-29", "100"},
        {"day < 1970-01-01", "010"},
        {"month = 2024-02", "100"},
        {"quarter = 2024-q2", "001"},
        {"year = 1969", "010"},
        {"weekday = sunday", "001"},
        {"weekday in (3, Thursday)", "110"},
        {"week = 2024-04-29", "001"},
        {"week < 1970-01-05", "010"},
        {"product = 'it''s'", "010"},
        {"product = 85123A or product = \xc3\xa9", "101"},
        {"product = unheard", "000"},
        {"category_1 = garden", "101"},
        {"category_2 = 'garden/tools'", "100"},
        {"category = 'garden/tools/spades'", "100"},
        {"category = garden", "001"},
        {"category = ''", "010"},
        {"brand != ''", "110"},
        {"country = ''", "001"},
        {"country in ('', 'C\xc3\xb4te d''Ivoire')", "011"},
        {"country < 'D'", "011"},
        {"country = 'united kingdom'", "000"}, /* bytewise */
        {"new_or_returning = new", "001"},
        {"new_or_returning != returning", "011"},
        {"new_or_returning = ''", "010"},
        {"cancelled = no", "111"}, /* no such column */
        {"channel = ''", "111"},
        {"discount > 0", "000"},
        {"hour = 0", "111"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *shown = marks(cases[i].text, &shop, &lines);
        if (strcmp(shown, cases[i].marks) != 0)
            fprintf(stderr, "%s gives %s: ", cases[i].text, shown);
        CU_ASSERT_STRING_EQUAL(shown, cases[i].marks);
    }
    lines.n = 0;
    CU_ASSERT_STRING_EQUAL(marks("quantity > 0 or day > 2024-01-01", &shop, &lines), "");
    shop.first_day = shop.last_day = DAY_NONE; /* a shop without a line */
    CU_ASSERT_STRING_EQUAL(marks("day > 2024-01-01 and product = 'x'", &shop, &lines), "");
    shop_free(&shop);
}

static void test_needs(void)
{
    static const struct {
        const char *text;
        uint32_t needs;
    } cases[] = {
        {"week > 2024-04-29 or hour = 3", LINES_DAY | LINES_HOUR},
        {"brand = x and not (category_3 = y or product in (a, b))", LINES_PRODUCT},
        {"country = a or channel = a or segment = a or currency = a",
         LINES_COUNTRY | LINES_CHANNEL | LINES_SEGMENT | LINES_CURRENCY},
        {"quantity = 1 or unit_price = 1 or discount = 1 or cancelled = yes",
         LINES_QUANTITY | LINES_PRICE | LINES_DISCOUNT | LINES_CANCELLED},
        {"new_or_returning = new", LINES_RETURNING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Error error;
        Where *where = NULL;
        CU_ASSERT_EQUAL(where_parse(cases[i].text, "where", &where, &error), STATUS_OK);
        CU_ASSERT_EQUAL(where ? where_needs(where) : 0, cases[i].needs);
        where_free(&where);
    }
}

/* ---- what only a shop can refuse ---- */

static void test_money(void)
{
    Shop shop;
    Error error = {0};
    Where *where = NULL;
    LineFilter *filter = NULL;
    open_shop(&shop);
    CU_ASSERT_EQUAL(where_parse("unit_price in (1, 12.505)", "here", &where, &error), STATUS_OK);
    CU_ASSERT_EQUAL(line_filter_new(where, &shop, &filter, &error), STATUS_USAGE);
    CU_ASSERT_STRING_EQUAL(error.message, "here: unit_price: '12.505' is no amount with at most 2 "
                                          "decimals, which is what this store's money has");
    CU_ASSERT_PTR_NULL(filter);
    shop.money_decimals = 3;
    CU_ASSERT_EQUAL(line_filter_new(where, &shop, &filter, &error), STATUS_OK);
    line_filter_free(&filter);
    line_filter_free(&filter);
    where_free(&where);
    shop_free(&shop);
}

CU_TestInfo where_tests[] = {
    {"meaning", test_meaning}, {"random", test_random}, {"needs", test_needs},
    {"money", test_money},     CU_TEST_INFO_NULL,
};
