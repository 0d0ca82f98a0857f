// Every table of docs/tables.md in DuckDB SQL, over the tables of shop.mjs. `key` identifies a row;
// what is not listed here are the columns that the models fill (models.mjs).
import { groupBySql } from './group_by.mjs';

const DAILY = ['gross', 'returned', 'net', 'discount', 'units', 'units_returned', 'orders', 'customers',
  'lines', 'average_order_value'];
const SALES = DAILY.slice(0, 8);
const AS_OF = '(SELECT as_of FROM night)';
const FIRST_DAY = '(SELECT first_day FROM night)';
const text = (day) => `strftime(${day}, '%Y-%m-%d')`;
const sum = (expression, lines = 'true') => `coalesce(sum(${expression}) FILTER (${lines}), 0)::BIGINT`;

// Recent days, counted back: `from` to `to` days before the night's day.
const days = (from, to) => `day BETWEEN ${AS_OF} - ${to} AND ${AS_OF} - ${from}`;

// ---- sales_compare ----
const SCOPES = ['day', 'week', 'month', 'quarter', 'year'];

function compareSql() {
  const scopes = SCOPES.map((scope) => `
    SELECT '${scope}' AS scope, date_trunc('${scope}', day)::DATE AS start,
           (date_trunc('${scope}', day) + ${scope === 'quarter' ? `INTERVAL 3 MONTH` : `INTERVAL 1 ${scope}`})::DATE AS stop,
           (date_trunc('${scope}', day) - ${scope === 'quarter' ? `INTERVAL 3 MONTH` : `INTERVAL 1 ${scope}`})::DATE AS before,
           (date_trunc('${scope}', day) - ${{ day: 'INTERVAL 364 DAY', week: 'INTERVAL 364 DAY' }[scope] ?? 'INTERVAL 1 YEAR'})::DATE AS year_before,
           ${sum('net')} AS net, ${sum('units')} AS units,
           count(DISTINCT order_id) FILTER (kept) AS orders, count(DISTINCT customer) FILTER (kept) AS customers
    FROM l GROUP BY 1, 2, 3, 4, 5`);
  const figure = (x) => {
    const type = x === 'net' ? 'BIGINT' : 'DOUBLE';
    const change = (other) => `CASE WHEN ${other} > 0 THEN p.${x} / (${other})::DOUBLE - 1 END`;
    // Missing if that period ended before the first day; its length is that of this one's kind.
    const value = (side, starts) => `CASE WHEN (p.${starts} + (CASE p.scope WHEN 'day' THEN INTERVAL 1 DAY
      WHEN 'week' THEN INTERVAL 7 DAY WHEN 'month' THEN INTERVAL 1 MONTH WHEN 'quarter' THEN INTERVAL 3 MONTH
      ELSE INTERVAL 1 YEAR END))::DATE > ${FIRST_DAY} THEN coalesce(${side}.${x}, 0) END`;
    return `p.${x}, (${value('b', 'before')})::${type} AS ${x}_previous, ${change(value('b', 'before'))} AS ${x}_change,
      (${value('y', 'year_before')})::${type} AS ${x}_year_before, ${change(value('y', 'year_before'))} AS ${x}_year_change`;
  };
  return `
    WITH p AS (${scopes.join(' UNION ALL ')})
    SELECT p.scope, ${text('p.start')} AS start,
           date_diff('day', greatest(p.start, ${FIRST_DAY}), least(p.stop, ${AS_OF} + 1)) AS days,
           ${['net', 'units', 'orders', 'customers'].map(figure).join(', ')}
    FROM p LEFT JOIN p b ON b.scope = p.scope AND b.start = p.before
           LEFT JOIN p y ON y.scope = p.scope AND y.start = p.year_before`;
}

// ---- sales_movers ----
function moversSql({ movers = 50 }) {
  const scopes = Object.entries({ day: 1, week: 7, four_weeks: 28, year: 364 }).map(([scope, n]) => `
    SELECT '${scope}' AS scope, product, ${sum('net', days(0, n - 1))} AS net, ${sum('net', days(n, 2 * n - 1))} AS net_previous,
           ${sum('net_units', days(0, n - 1))} AS units, ${sum('net_units', days(n, 2 * n - 1))} AS units_previous
    FROM l GROUP BY product`);
  return `
    WITH p AS (${scopes.join(' UNION ALL ')}),
    moved AS (SELECT *, net - net_previous AS net_change FROM p WHERE net <> net_previous),
    placed AS (SELECT *, CASE WHEN net_change > 0 THEN 'up' ELSE 'down' END AS direction,
      row_number() OVER (PARTITION BY scope, sign(net_change) ORDER BY abs(net_change) DESC, product) AS place FROM moved)
    SELECT scope, direction, place, product AS product_id, net, net_previous, net_change,
           CASE WHEN net_previous > 0 THEN net / net_previous - 1 END AS change, units, units_previous
    FROM placed WHERE place <= ${movers}`;
}

// ---- customer_summary ----
// docs/methods/rfm.md: rows by recency score, columns by the mean of the other two, halves rounded up.
const SEGMENTS = `[
  ['lost', 'hibernating', 'at_risk', 'at_risk', 'cannot_lose'],
  ['hibernating', 'hibernating', 'at_risk', 'at_risk', 'cannot_lose'],
  ['about_to_sleep', 'about_to_sleep', 'need_attention', 'loyal', 'loyal'],
  ['promising', 'potential_loyalists', 'potential_loyalists', 'loyal', 'loyal'],
  ['new', 'potential_loyalists', 'potential_loyalists', 'champions', 'champions']]`;
const score = (x) => `1 + (${x} > ${x}s[(len(${x}s) + 4) // 5])::INTEGER + (${x} > ${x}s[(2 * len(${x}s) + 4) // 5])::INTEGER
  + (${x} > ${x}s[(3 * len(${x}s) + 4) // 5])::INTEGER + (${x} > ${x}s[(4 * len(${x}s) + 4) // 5])::INTEGER`;

const SUMMARY = `
  WITH c AS (
    SELECT customer, min(day) FILTER (kept) AS first, max(day) FILTER (kept) AS last,
           count(DISTINCT order_id) FILTER (kept) AS orders, ${sum('net')} AS net,
           count(DISTINCT day) FILTER (kept) AS purchases, ${sum('gross', 'kept')} AS kept_value
    FROM l WHERE customer IS NOT NULL GROUP BY customer),
  s AS (SELECT list_sort(list(last)) AS lasts, list_sort(list(orders)) AS orderss, list_sort(list(net)) AS nets
        FROM c WHERE purchases > 0),
  scored AS (
    SELECT c.*, CASE WHEN purchases > 0 THEN ${score('last')} ELSE 0 END AS r,
           CASE WHEN purchases > 0 THEN ${score('orders')} ELSE 0 END AS f,
           CASE WHEN purchases > 0 THEN ${score('net')} ELSE 0 END AS m
    FROM c, s)
  SELECT customer, ${text('first')} AS first_day, ${text('last')} AS last_day, orders, net, purchases,
         date_diff('day', last, ${AS_OF})::DOUBLE AS recency_days,
         date_diff('day', first, last) / nullif(greatest(purchases - 1, 0), 0) AS gap_days,
         kept_value / nullif(orders, 0) AS average_order_value,
         r AS recency_score, f AS frequency_score, m AS monetary_score,
         CASE WHEN r = 0 THEN 'no_purchase' ELSE ${SEGMENTS}[r][ceil((f + m) / 2)::INTEGER] END AS segment
  FROM scored`;

// ---- cohort_month ----
const COHORTS = `
  WITH by_month AS (
    SELECT cohort, date_diff('month', cohort, date_trunc('month', day)::DATE) AS months_since,
           count(DISTINCT customer) FILTER (kept) AS customers, count(DISTINCT order_id) FILTER (kept) AS orders,
           ${sum('net')} AS net
    FROM l WHERE cohort IS NOT NULL GROUP BY 1, 2),
  running AS (
    SELECT *, (sum(net) OVER (PARTITION BY cohort ORDER BY months_since))::BIGINT AS net_cumulative,
           max(customers) FILTER (months_since = 0) OVER (PARTITION BY cohort) AS size
    FROM by_month)
  SELECT strftime(cohort, '%Y-%m') AS cohort, months_since, customers, orders, net, net_cumulative,
         customers / size AS retention, net_cumulative / size AS value_per_customer
  FROM running WHERE customers > 0`;

// ---- abc_xyz ----
// Products that sold anything in 13 blocks of 28 days. Classes by whole numbers: with S the sum of 13
// blocks' units u, the squared coefficient of variation is (13 sum(u^2) - S^2) / S^2.
const classesSql = (blocks) => `
    SELECT product, net / total AS net_share, running / total AS net_cumulative_share,
           CASE WHEN 100 * (running - net) < 80 * total THEN 'A' WHEN 100 * (running - net) < 95 * total THEN 'B'
                ELSE 'C' END AS abc,
           s / 13 AS mean, CASE WHEN s > 0 THEN cv END AS cv,
           CASE WHEN s <= 0 THEN 'Z' WHEN 4 * (13 * squares - s * s) <= s * s THEN 'X'
                WHEN 13 * squares - s * s <= s * s THEN 'Y' ELSE 'Z' END AS xyz
    FROM (SELECT *, sum(net) OVER ()::BIGINT AS total,
                 sum(net) OVER (ORDER BY net DESC, product ROWS UNBOUNDED PRECEDING)::BIGINT AS running
          FROM (SELECT product, sum(net)::BIGINT AS net FROM ${blocks} GROUP BY product)
          WHERE net > 0)
    JOIN (SELECT product, sum(units)::BIGINT AS s, sum(units * units)::BIGINT AS squares,
                 stddev_pop(units) / nullif(avg(units), 0) AS cv
          FROM (SELECT p.product, coalesce(u.units, 0)::BIGINT AS units
                FROM (SELECT DISTINCT product FROM ${blocks}) p CROSS JOIN range(13) r(b)
                LEFT JOIN (SELECT product, block, sum(units) AS units FROM ${blocks} GROUP BY ALL) u
                  ON u.product = p.product AND u.block = r.b)
          GROUP BY product) USING (product)`;

const ABC_XYZ = `
  WITH line AS (SELECT product, net, net_units AS units, date_diff('day', day, ${AS_OF}) // 28 AS block FROM l),
  block0 AS (SELECT * FROM line WHERE block < 13),
  block13 AS (SELECT product, net, units, block - 13 AS block FROM line WHERE block BETWEEN 13 AND 25),
  now AS (${classesSql('block0')}), earlier AS (${classesSql('block13')}),
  recent AS (SELECT product, ${sum('net')} AS net, ${sum('units')} AS units FROM block0 GROUP BY product)
  SELECT coalesce(now.product, earlier.product) AS product_id, coalesce(recent.net, 0) AS net,
         coalesce(recent.units, 0) AS units, now.net_share, now.net_cumulative_share, coalesce(now.abc, '') AS abc,
         now.mean AS mean_units, now.cv AS units_cv, coalesce(now.xyz, '') AS xyz,
         coalesce(earlier.abc, '') AS abc_before, coalesce(earlier.xyz, '') AS xyz_before
  FROM now FULL JOIN earlier ON now.product = earlier.product
  LEFT JOIN recent ON recent.product = coalesce(now.product, earlier.product)`;

// ---- order_value_monthly ----
const ORDER_VALUE = `
  WITH each_order AS (SELECT order_id, date_trunc('month', min(day)) AS month, sum(gross)::BIGINT AS value
                      FROM l WHERE kept GROUP BY order_id),
  g AS (SELECT month, list_sort(list(value)) AS v FROM each_order GROUP BY month)
  SELECT strftime(month, '%Y-%m') AS month, len(v) AS orders, v[(len(v) + 1) // 2] AS median_low,
         v[(95 * len(v) + 99) // 100] AS p95_low
  FROM g`;

// ---- basket_pairs ----
const pairsSql = ({ pairMinOrders = 20, pairDays, pairLimit }) => `
  WITH item AS (SELECT DISTINCT order_id, product FROM l
                WHERE kept ${pairDays ? `AND ${days(0, pairDays - 1)}` : ''}),
  bought AS (SELECT product, count(*) AS orders FROM item GROUP BY product),
  everything AS (SELECT count(DISTINCT order_id) AS orders FROM item),
  pair AS (SELECT a.product AS product_a, b.product AS product_b, count(*) AS orders
           FROM item a JOIN item b ON a.order_id = b.order_id AND a.product < b.product
           GROUP BY ALL HAVING count(*) >= ${pairMinOrders}
           ${pairLimit ? `ORDER BY orders DESC, product_a, product_b LIMIT ${pairLimit}` : ''})
  SELECT product_a, product_b, pair.orders, pair.orders / e.orders AS support,
         pair.orders / a.orders AS confidence_ab, pair.orders / b.orders AS confidence_ba,
         pair.orders / a.orders / b.orders * e.orders AS lift
  FROM pair, everything e, bought a, bought b WHERE a.product = product_a AND b.product = product_b`;

// ---- funnel_daily, cart_abandoned ----
const FUNNEL = `
  WITH visit AS (
    SELECT day, customer, count(*) FILTER (kind = 'view') AS views, count(*) FILTER (kind = 'cart_add') AS adds,
           count(*) FILTER (kind = 'cart_remove') AS removes, count(*) FILTER (kind = 'checkout') AS checkouts
    FROM events GROUP BY ALL),
  bought AS (SELECT day, customer, count(DISTINCT order_id) AS orders FROM l
             WHERE kept AND customer IS NOT NULL GROUP BY ALL),
  both_sides AS (
    SELECT day, customer, coalesce(views, 0) AS v, coalesce(adds, 0) AS a, coalesce(removes, 0) AS r,
           coalesce(checkouts, 0) AS c, coalesce(orders, 0) AS o
    FROM visit FULL JOIN bought USING (day, customer)),
  counted AS (
    SELECT day, sum(v)::BIGINT AS views, sum(a)::BIGINT AS cart_adds, sum(r)::BIGINT AS cart_removes,
           sum(c)::BIGINT AS checkouts, count(*) FILTER (v > 0) AS viewing_customers,
           count(*) FILTER (a > 0) AS adding_customers, count(*) FILTER (c > 0) AS checkout_customers,
           count(*) FILTER (o > 0) AS buying_customers, sum(o)::BIGINT AS orders,
           count(*) FILTER (v > 0 AND a > 0) AS va, count(*) FILTER (a > 0 AND c > 0) AS ac,
           count(*) FILTER (v > 0 AND o > 0) AS vo
    FROM both_sides GROUP BY day HAVING sum(v + a + r + c) > 0)
  SELECT ${text('day')} AS day, * EXCLUDE (day, va, ac, vo),
         va / nullif(viewing_customers, 0) AS view_to_cart, ac / nullif(adding_customers, 0) AS cart_to_checkout,
         vo / nullif(viewing_customers, 0) AS view_to_order
  FROM counted`;

const cartsSql = ({ cartDays = 30 }) => `
  WITH added AS (
    SELECT customer, product, max((ts, row)) AS place, arg_max(day, (ts, row)) AS day
    FROM events WHERE kind = 'cart_add' AND product IS NOT NULL GROUP BY ALL),
  left_over AS (
    SELECT * FROM added
    WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.customer = added.customer AND e.product = added.product
                      AND e.kind = 'cart_remove' AND (e.ts, e.row) > added.place)
      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.customer = added.customer AND e.kind = 'checkout'
                      AND (e.ts, e.row) > added.place)
      AND NOT EXISTS (SELECT 1 FROM l WHERE l.customer = added.customer AND l.product = added.product
                      AND kept AND l.day >= added.day)),
  last_event AS (SELECT customer, max(day) AS last FROM events WHERE kind <> 'view' GROUP BY customer),
  cart AS (
    SELECT customer, last, count(*) AS products, sum(price)::BIGINT AS value,
           list_sort(list(product)) AS ids
    FROM left_over JOIN last_event USING (customer) LEFT JOIN products USING (product)
    GROUP BY customer, last)
  SELECT customer, ${text('last')} AS last_event_day, date_diff('day', last, ${AS_OF}) AS age_days, products, value,
         array_to_string(ids[1:20], ' ') || CASE WHEN len(ids) > 20 THEN ' ...' ELSE '' END AS product_ids
  FROM cart WHERE last > ${AS_OF} - ${cartDays}`;

// ---- product_rating ----
const RATINGS = `
  WITH judged AS (
    SELECT product, rating, day, EXISTS (SELECT 1 FROM l WHERE l.customer = reviews.customer
             AND l.product = reviews.product AND kept AND l.day <= reviews.day) AS verified
    FROM reviews),
  everything AS (SELECT avg(rating / 100) AS m FROM reviews),
  each_product AS (
    SELECT product, count(*) AS n, sum(rating) / 100 AS stars, count(*) FILTER (verified) / count(*) AS verified_share,
           max(day) AS last, count(*) FILTER (rating >= 400) / count(*) AS p, 1.959963984540054 AS z
    FROM judged GROUP BY product)
  SELECT product AS product_id, n AS reviews, stars / n AS mean, (10 * m + stars) / (10 + n) AS bayesian_mean,
         (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n))) / (1 + z * z / n) AS wilson_low,
         verified_share, ${text('last')} AS last_day
  FROM each_product, everything`;

// ---- stock_risk ----
const STOCK = `
  WITH sold AS (
    SELECT product, min(day) FILTER (kept) AS first, max(day) FILTER (kept) AS last,
           ${[28, 84, 364].map((n) => `${sum('net_units', days(0, n - 1))} AS u${n}`).join(', ')}
    FROM l GROUP BY product),
  both_sides AS (SELECT p.*, first, last, coalesce(u28, 0) AS u28, coalesce(u84, 0) AS u84, coalesce(u364, 0) AS u364,
                        date_diff('day', last, ${AS_OF}) AS since
                 FROM products p LEFT JOIN sold USING (product) WHERE stock > 0)
  SELECT product AS product_id, stock, stock * cost AS stock_value, ${text('first')} AS first_day,
         ${text('last')} AS last_day, since::DOUBLE AS days_since_sale, u28 AS units_28, u84 AS units_84,
         u364 AS units_364, CASE WHEN u84 > 0 THEN stock / (u84 / 84) END AS days_of_cover,
         CASE WHEN since < 28 THEN 'selling' WHEN since < 84 THEN 'slow' WHEN since < 364 THEN 'stale' ELSE 'dead' END AS risk
  FROM both_sides`;

export function tables(options) {
  return {
    sales_daily: { key: ['day'], sql: groupBySql({ by: ['day'], measures: DAILY }) },
    sales_monthly: { key: ['month'], sql: groupBySql({ by: ['month'], measures: DAILY }) },
    sales_monthly_country: { key: ['month', 'country'], sql: groupBySql({ by: ['month', 'country'], measures: SALES }) },
    product_total: { key: ['product_id'], sql: groupBySql({ by: ['product'], measures: [...SALES, 'first_day', 'last_day'] }) },
    sales_compare: { key: ['scope', 'start'], sql: compareSql() },
    sales_movers: { key: ['scope', 'direction', 'place'], sql: moversSql(options) },
    customer_summary: { key: ['customer'], sql: SUMMARY },
    cohort_month: { key: ['cohort', 'months_since'], sql: COHORTS },
    order_value_monthly: { key: ['month'], sql: ORDER_VALUE },
    abc_xyz: { key: ['product_id'], sql: ABC_XYZ },
    basket_pairs: { key: ['product_a', 'product_b'], sql: pairsSql(options) },
    funnel_daily: { key: ['day'], sql: FUNNEL },
    cart_abandoned: { key: ['customer'], sql: cartsSql(options) },
    product_rating: { key: ['product_id'], sql: RATINGS },
    stock_risk: { key: ['product_id'], sql: STOCK },
  };
}
