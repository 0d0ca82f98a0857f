/* Where: which order lines count. A condition as people write it in the ini.
 *
 *   condition  := term { 'or' term }
 *   term       := factor { 'and' factor }
 *   factor     := 'not' factor | '(' condition ')' | field comparison
 *   comparison := ( = | != | < | <= | > | >= ) value | [ 'not' ] 'in' '(' value { , value } ')'
 *   field      := day week month quarter year weekday hour product category category_K brand
 *                 country channel segment currency new_or_returning quantity unit_price discount
 *                 cancelled
 *   value      := a number, a date (2024-05-01; week: its Monday; month 2024-05; quarter 2024-Q2),
 *                 or a text in single quotes ('' in it stands for one), bare if it is one word
 *
 * Texts are compared bytewise; an unknown one is ''. Money is written in the store's currency, as
 * in 12.50. Words of the language are not case-sensitive. new_or_returning and cancelled have no
 * order. */
#ifndef VESPER_SALES_WHERE_H
#define VESPER_SALES_WHERE_H

#include "sales/order_lines.h"

typedef struct Where Where;

/* `place` ("[aggregate.top] where") begins the message of an error, which says at which character,
 * and lists what is possible there. Local. */
Status where_parse(const char *text, const char *place, Where **where,
                   Error *error) VESPER_MUST_USE;
void where_free(Where **where);

/* LINES_... bits of the columns that it looks at. */
uint32_t where_needs(const Where *where);

/* The condition made ready for one shop: texts are looked up once, in tables by code. */
typedef struct LineFilter LineFilter;
/* STATUS_USAGE where a value is none for its field in this shop (too many money decimals). `where`
 * and the shop may go before the filter. Local. */
Status line_filter_new(const Where *where, const Shop *shop, LineFilter **filter,
                       Error *error) VESPER_MUST_USE;
void line_filter_free(LineFilter **filter);
/* keep [n] := 1 for lines [begin, begin + n) that count, else 0. A column that is NULL reads as
 * unknown, or 0. Local; a filter is used by one thread at a time (it has scratch memory). */
void line_filter_mark(LineFilter *filter, const OrderLines *lines, int64_t begin, int64_t n,
                      uint8_t *keep);

#endif
