/* The language of conditions: from text to nodes in postfix order, by recursive descent of bounded
 * depth; see where.h. */
#include "sales/where_internal.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    DEPTH_MAX = 64,
    WORD_SIZE = 1024 + 1, /* ids and names have at most 1,024 bytes */
    SHOWN_MAX = 60        /* bytes of a word in a message */
};

typedef struct FieldRule {
    const char *name;
    uint32_t needs;
    const char *values; /* what is possible */
} FieldRule;

static const FieldRule fields[FIELD_KINDS] = {
    [FIELD_DAY] = {"day", LINES_DAY, "a day, as in 2024-05-01"},
    [FIELD_WEEK] = {"week", LINES_DAY, "the Monday of a week, as in 2024-04-29"},
    [FIELD_MONTH] = {"month", LINES_DAY, "a month, as in 2024-05"},
    [FIELD_QUARTER] = {"quarter", LINES_DAY, "a quarter, as in 2024-Q2"},
    [FIELD_YEAR] = {"year", LINES_DAY, "a year, as in 2024"},
    [FIELD_WEEKDAY] = {"weekday", LINES_DAY, "monday to sunday, or 1 (Monday) to 7"},
    [FIELD_HOUR] = {"hour", LINES_HOUR, "an hour, 0 to 23"},
    [FIELD_NEW_OR_RETURNING] = {"new_or_returning", LINES_RETURNING,
                                "new, returning, or '' for anonymous"},
    [FIELD_CANCELLED] = {"cancelled", LINES_CANCELLED, "yes or no"},
    [FIELD_QUANTITY] = {"quantity", LINES_QUANTITY, "a whole number"},
    [FIELD_UNIT_PRICE] = {"unit_price", LINES_PRICE, "an amount, as in 12.50"},
    [FIELD_DISCOUNT] = {"discount", LINES_DISCOUNT, "an amount, as in 12.50"},
    [FIELD_PRODUCT] = {"product", LINES_PRODUCT, "a product id in single quotes"},
    [FIELD_CATEGORY] = {"category", LINES_PRODUCT, "a category path in single quotes"},
    [FIELD_BRAND] = {"brand", LINES_PRODUCT, "a brand in single quotes"},
    [FIELD_COUNTRY] = {"country", LINES_COUNTRY, "a country in single quotes"},
    [FIELD_CHANNEL] = {"channel", LINES_CHANNEL, "a channel in single quotes"},
    [FIELD_SEGMENT] = {"segment", LINES_SEGMENT, "a segment in single quotes"},
    [FIELD_CURRENCY] = {"currency", LINES_CURRENCY, "a currency in single quotes"},
};

const char *where_field_name(FieldKind field)
{
    return fields[field].name;
}

/* ---- words ---- */

typedef enum TokenKind { TOKEN_END, TOKEN_WORD, TOKEN_TEXT, TOKEN_SIGN } TokenKind;

typedef struct Token {
    TokenKind kind;
    int at;               /* where it begins in the condition */
    char text[WORD_SIZE]; /* without quotes */
} Token;

typedef struct Parser {
    const char *text;
    int at;
    Token token; /* the next one */
    int depth;
    Where *where;
    Error *error;
} Parser;

/* Characters, not bytes, from 1. */
static int character_at(const Parser *parser, int at)
{
    int n = 1;
    for (int i = 0; i < at; i++)
        n += ((unsigned char)parser->text[i] & 0xC0) != 0x80;
    return n;
}

/* A word as a message shows it: a long one is cut between two characters. */
static int shown_size(const char *text)
{
    int size = (int)strnlen(text, SHOWN_MAX + 1);
    if (size <= SHOWN_MAX)
        return size;
    while (((unsigned char)text[--size] & 0xC0) == 0x80)
        continue;
    return size;
}

static Status expected(const Parser *parser, const char *what)
{
    const Token *token = &parser->token;
    if (token->kind == TOKEN_END)
        return error_set(parser->error, STATUS_USAGE, __FILE__, __LINE__,
                         "%s: at character %d, where it ends: expected %s", parser->where->place,
                         character_at(parser, token->at), what);
    return error_set(parser->error, STATUS_USAGE, __FILE__, __LINE__,
                     "%s: at character %d, near '%.*s': expected %s", parser->where->place,
                     character_at(parser, token->at), shown_size(token->text), token->text, what);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("_-./:+", c)) || (unsigned char)c >= 0x80;
}

static Status too_long(Parser *parser, int at)
{
    return error_set(parser->error, STATUS_USAGE, __FILE__, __LINE__,
                     "%s: at character %d: a value has more than %d bytes", parser->where->place,
                     character_at(parser, at), WORD_SIZE - 1);
}

/* A text in single quotes; two of them inside stand for one. */
static Status read_quoted(Parser *parser)
{
    Token *token = &parser->token;
    int begin = parser->at, n = 0;
    token->kind = TOKEN_TEXT;
    for (parser->at++; parser->text[parser->at] != '\0'; parser->at++) {
        char c = parser->text[parser->at];
        if (c == '\'' && parser->text[parser->at + 1] != '\'') {
            parser->at++;
            token->text[n] = '\0';
            return STATUS_OK;
        }
        parser->at += c == '\'';
        if (n == WORD_SIZE - 1)
            return too_long(parser, begin);
        token->text[n++] = c;
    }
    return error_set(parser->error, STATUS_USAGE, __FILE__, __LINE__,
                     "%s: the quote at character %d is never closed", parser->where->place,
                     character_at(parser, begin));
}

static Status next_token(Parser *parser)
{
    Token *token = &parser->token;
    while (parser->text[parser->at] == ' ' || parser->text[parser->at] == '\t')
        parser->at++;
    char c = parser->text[parser->at];
    *token = (Token){.kind = TOKEN_END, .at = parser->at};
    if (c == '\0')
        return STATUS_OK;
    if (c == '\'')
        return read_quoted(parser);
    int n = 0;
    if (is_word(c)) {
        int begin = parser->at;
        token->kind = TOKEN_WORD;
        while (is_word(parser->text[parser->at])) {
            if (n == WORD_SIZE - 1)
                return too_long(parser, begin);
            token->text[n++] = parser->text[parser->at++];
        }
        return STATUS_OK;
    }
    token->kind = TOKEN_SIGN;
    token->text[n++] = c;
    parser->at++;
    if (strchr("<>!", c) && parser->text[parser->at] == '=')
        token->text[n++] = parser->text[parser->at++];
    return STATUS_OK;
}

static bool is_keyword(const Parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_WORD && strcasecmp(parser->token.text, word) == 0;
}

static bool is_sign(const Parser *parser, const char *sign)
{
    return parser->token.kind == TOKEN_SIGN && strcmp(parser->token.text, sign) == 0;
}

/* ---- values ---- */

static bool parse_number(const char *text, int64_t min, int64_t max, int64_t *number)
{
    return decimal_parse(bytes_of(text), 0, (DecimalStyle){.point = '.'}, min, max, number) ==
           DECIMAL_OK;
}

/* `size` digits at the beginning of a text. */
static bool parse_digits(const char *text, int size, int *number)
{
    *number = 0;
    for (int i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = 10 * *number + (text[i] - '0');
    }
    return true;
}

static bool parse_day(const char *text, int64_t *number)
{
    int year, month, day;
    if (strlen(text) != strlen("2024-05-01") || !parse_digits(text, 4, &year) || text[4] != '-' ||
        !parse_digits(text + 5, 2, &month) || text[7] != '-' || !parse_digits(text + 8, 2, &day) ||
        !civil_is_valid(year, month, day))
        return false;
    *number = civil_day(year, month, day);
    return true;
}

/* 2024-05 or 2024-Q2: a year of `parts` parts, a part of `size` digits after `mark`. */
static bool parse_part_of_year(const char *text, const char *mark, int size, int parts,
                               int64_t *number)
{
    int year, part;
    size_t length = strlen(mark);
    if (strlen(text) != 4 + length + (size_t)size || !parse_digits(text, 4, &year) || year < 1 ||
        strncasecmp(text + 4, mark, length) != 0 || !parse_digits(text + 4 + length, size, &part) ||
        part < 1 || part > parts)
        return false;
    *number = (int64_t)(year - 1970) * parts + part - 1;
    return true;
}

static bool parse_weekday(const char *text, int64_t *number)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    for (int i = 0; i < 7; i++) {
        if (strcasecmp(text, names[i]) == 0) {
            *number = i + 1;
            return true;
        }
    }
    return parse_number(text, 1, 7, number);
}

/* One of two words, as numbers 0 and 1. */
static bool parse_choice(const char *text, const char *zero, const char *one, int64_t *number)
{
    *number = strcasecmp(text, one) == 0;
    return *number == 1 || strcasecmp(text, zero) == 0;
}

/* Any number: how many decimals it may have is known with the shop. */
static bool is_amount(const char *text)
{
    int64_t whole;
    DecimalResult result = decimal_parse(bytes_of(text), 0, (DecimalStyle){.point = '.'}, INT64_MIN,
                                         INT64_MAX, &whole);
    return result == DECIMAL_OK || result == DECIMAL_TOO_PRECISE || result == DECIMAL_TOO_LARGE;
}

static bool parse_value(FieldKind field, const char *text, int64_t *number)
{
    switch (field) {
    case FIELD_DAY:
        return parse_day(text, number);
    case FIELD_WEEK:
        return parse_day(text, number) && (*number - 4) % 7 == 0; /* day 4 was a Monday */
    case FIELD_MONTH:
        return parse_part_of_year(text, "-", 2, 12, number);
    case FIELD_QUARTER:
        return parse_part_of_year(text, "-Q", 1, 4, number);
    case FIELD_YEAR:
        return parse_number(text, 1, 9999, number);
    case FIELD_WEEKDAY:
        return parse_weekday(text, number);
    case FIELD_HOUR:
        return parse_number(text, 0, 23, number);
    case FIELD_NEW_OR_RETURNING:
        *number = -1;
        return *text == '\0' || parse_choice(text, "new", "returning", number);
    case FIELD_CANCELLED:
        return parse_choice(text, "no", "yes", number);
    case FIELD_QUANTITY:
        return parse_number(text, INT32_MIN, INT32_MAX, number);
    case FIELD_UNIT_PRICE:
    case FIELD_DISCOUNT:
        return is_amount(text);
    default:
        return true;
    }
}

/* Words of the language itself, which are values only in quotes. */
static bool is_reserved(const Parser *parser)
{
    return is_keyword(parser, "and") || is_keyword(parser, "or") || is_keyword(parser, "not") ||
           is_keyword(parser, "in");
}

/* Room for one more element in an array of n: its capacity doubles. */
static void make_room(void *array, int n, size_t size)
{
    if ((n & (n - 1)) == 0)
        mem_grow(array, n == 0 ? 1 : 2 * (int64_t)n, size);
}

static Status read_value(Parser *parser, FieldKind field)
{
    Where *where = parser->where;
    const Token *token = &parser->token;
    int64_t number = 0;
    char what[128];
    bool is_value =
        (token->kind == TOKEN_WORD && !is_reserved(parser)) || token->kind == TOKEN_TEXT;
    (void)snprintf(what, sizeof what, "%s, for %s", fields[field].values, fields[field].name);
    if (!is_value || !parse_value(field, token->text, &number))
        return expected(parser, what);
    make_room(&where->values, where->n_values, sizeof *where->values);
    where->values[where->n_values++] =
        (WhereValue){.text = mem_copy_string(token->text), .number = number};
    return next_token(parser);
}

/* ---- the grammar ---- */

static void add_node(Where *where, WhereNode node)
{
    make_room(&where->nodes, where->n_nodes, sizeof *where->nodes);
    where->nodes[where->n_nodes++] = node;
}

/* category_K: K of the levels there are. */
static bool parse_level(const char *text, int *level)
{
    static const char prefix[] = "category_";
    int64_t number;
    if (strncasecmp(text, prefix, sizeof prefix - 1) != 0 ||
        !parse_number(text + sizeof prefix - 1, 1, CATEGORY_LEVELS_MAX, &number))
        return false;
    *level = (int)number;
    return true;
}

static Status read_field(Parser *parser, WhereNode *node)
{
    const char *names[FIELD_KINDS + 1] = {[FIELD_KINDS] = "category_1"};
    for (int f = 0; f < FIELD_KINDS; f++) {
        names[f] = fields[f].name;
        if (!is_keyword(parser, names[f]))
            continue;
        node->field = (FieldKind)f;
        return next_token(parser);
    }
    if (parser->token.kind == TOKEN_WORD && parse_level(parser->token.text, &node->level)) {
        node->field = FIELD_CATEGORY;
        return next_token(parser);
    }
    if (parser->token.kind != TOKEN_WORD)
        return expected(parser, "a field, 'not' or '('");
    Buffer text = {0};
    buffer_printf(&text, "%s: at character %d: there is no field '%.*s'", parser->where->place,
                  character_at(parser, parser->token.at), shown_size(parser->token.text),
                  parser->token.text);
    suggest_words(&text, parser->token.text, names, FIELD_KINDS + 1, "");
    Status status =
        error_set(parser->error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    return status;
}

/* '(' value { ',' value } ')' */
static Status read_values(Parser *parser, FieldKind field)
{
    Status status = STATUS_OK;
    if (!is_sign(parser, "("))
        return expected(parser, "'(' and the values");
    do {
        TRY(next_token(parser));
        TRY(read_value(parser, field));
    } while (is_sign(parser, ","));
    if (!is_sign(parser, ")"))
        return expected(parser, "',' or ')'");
    TRY(next_token(parser));
out:
    return status;
}

static bool read_comparison_sign(const Parser *parser, Comparison *comparison)
{
    static const char *const signs[] = {
        [COMPARE_EQUAL] = "=",       [COMPARE_NOT_EQUAL] = "!=", [COMPARE_LESS] = "<",
        [COMPARE_LESS_EQUAL] = "<=", [COMPARE_GREATER] = ">",    [COMPARE_GREATER_EQUAL] = ">="};
    for (int c = COMPARE_EQUAL; c <= COMPARE_GREATER_EQUAL; c++) {
        if (is_sign(parser, signs[c])) {
            *comparison = (Comparison)c;
            return true;
        }
    }
    return false;
}

static Status read_comparison(Parser *parser)
{
    Status status = STATUS_OK;
    WhereNode node = {.kind = NODE_COMPARE, .first_value = parser->where->n_values};
    TRY(read_field(parser, &node));
    if (read_comparison_sign(parser, &node.comparison)) {
        bool is_order = node.comparison >= COMPARE_LESS;
        if (is_order && (node.field == FIELD_CANCELLED || node.field == FIELD_NEW_OR_RETURNING))
            return expected(parser, "=, !=, in or not in: the values have no order");
        TRY(next_token(parser));
        TRY(read_value(parser, node.field));
    } else {
        node.comparison = COMPARE_EQUAL;
        if (is_keyword(parser, "not")) {
            node.comparison = COMPARE_NOT_EQUAL;
            TRY(next_token(parser));
        }
        if (!is_keyword(parser, "in"))
            return expected(parser, "=, !=, <, <=, >, >=, in or not in");
        TRY(next_token(parser));
        TRY(read_values(parser, node.field));
    }
    node.n_values = parser->where->n_values - node.first_value;
    add_node(parser->where, node);
out:
    return status;
}

static Status read_condition(Parser *parser);

static Status read_factor(Parser *parser)
{
    Status status = STATUS_OK;
    if (++parser->depth > DEPTH_MAX)
        FAIL(parser->error, STATUS_USAGE, "%s: at character %d: it is nested more than %d deep",
             parser->where->place, character_at(parser, parser->token.at), DEPTH_MAX);
    if (is_keyword(parser, "not")) {
        TRY(next_token(parser));
        TRY(read_factor(parser));
        add_node(parser->where, (WhereNode){.kind = NODE_NOT});
    } else if (is_sign(parser, "(")) {
        TRY(next_token(parser));
        TRY(read_condition(parser));
        if (!is_sign(parser, ")"))
            return expected(parser, "'and', 'or' or ')' (several words are one value in quotes)");
        TRY(next_token(parser));
    } else {
        TRY(read_comparison(parser));
    }
    parser->depth--;
out:
    return status;
}

/* Operands joined by one word, from left to right. */
static Status read_chain(Parser *parser, const char *word, NodeKind kind,
                         Status (*read_operand)(Parser *))
{
    Status status = STATUS_OK;
    TRY(read_operand(parser));
    while (is_keyword(parser, word)) {
        TRY(next_token(parser));
        TRY(read_operand(parser));
        add_node(parser->where, (WhereNode){.kind = kind});
    }
out:
    return status;
}

static Status read_term(Parser *parser)
{
    return read_chain(parser, "and", NODE_AND, read_factor);
}

static Status read_condition(Parser *parser)
{
    return read_chain(parser, "or", NODE_OR, read_term);
}

Status where_parse(const char *text, const char *place, Where **where, Error *error)
{
    Status status = STATUS_OK;
    Where *made = mem_new(1, sizeof *made);
    Parser parser = {.text = text, .where = made, .error = error};
    made->place = mem_copy_string(place);
    TRY(next_token(&parser));
    TRY(read_condition(&parser));
    if (parser.token.kind != TOKEN_END)
        TRY(expected(&parser, "'and', 'or' or the end (several words are one value in quotes)"));
    *where = made;
    made = NULL;
out:
    where_free(&made);
    return status;
}

void where_free(Where **where)
{
    Where *freed = *where;
    if (!freed)
        return;
    for (int i = 0; i < freed->n_values; i++)
        mem_free(&freed->values[i].text);
    mem_free(&freed->values);
    mem_free(&freed->nodes);
    mem_free(&freed->place);
    mem_free(where);
}

uint32_t where_needs(const Where *where)
{
    uint32_t needs = 0;
    for (int i = 0; i < where->n_nodes; i++) {
        if (where->nodes[i].kind == NODE_COMPARE)
            needs |= fields[where->nodes[i].field].needs;
    }
    return needs;
}
