// The ten questions of bench/sales.sh, as Vesper and as DuckDB are asked them.
//   node questions.mjs ini      what Vesper's ini has beside the defaults
//   node questions.mjs list     a line a question: TABLE COLUMN,COLUMN of the store that it needs
//   node questions.mjs sums     SQL that adds up the answers of Vesper, as `sums` of duckdb.mjs does
//
// DuckDB reads `l`, made for the purpose and not timed: whole numbers as ids and minor units, countries
// and channels as ENUM, cancelled orders left out, so that a sale is q > 0. What DuckDB is asked for is
// never more than what Vesper's table has. `sums` adds an answer up, so that both can be compared;
// groups without money may be those of cancelled orders alone, which DuckDB does not see.

const SALE = 'FILTER (q > 0)';
const FIGURES = `sum(q * price) AS net, sum(q) AS net_units, count(DISTINCT order_id) ${SALE} AS orders,
  count(DISTINCT customer) ${SALE} AS customers`;
const MEASURES = 'net, units, units_returned, orders, customers';
const WORTH = ['day', 'product', 'quantity', 'unit_price', 'cancelled'];

export const QUESTIONS = [
  {
    name: 'by day', table: 'by_day', ini: `by = day\nmeasures = ${MEASURES}`,
    columns: ['day', 'order', 'customer', 'quantity', 'unit_price', 'cancelled'],
    sql: `SELECT day, ${FIGURES} FROM l GROUP BY day`,
    sums: 'count(*) FILTER (WHERE net <> 0), sum(net), sum(net_units), sum(orders), sum(customers)',
  },
  {
    name: 'month x country x channel', table: 'by_country', ini: `by = month, country, channel\nmeasures = ${MEASURES}`,
    columns: ['day', 'country', 'channel', 'order', 'customer', 'quantity', 'unit_price', 'cancelled'],
    sql: `SELECT date_trunc('month', day) AS month, country, channel, ${FIGURES} FROM l GROUP BY ALL`,
    sums: 'count(*) FILTER (WHERE net <> 0), sum(net), sum(net_units), sum(orders), sum(customers)',
  },
  {
    name: 'top 100 products', table: 'top_products',
    ini: 'by = product\nmeasures = net, units, units_returned\norder = net desc\nlimit = 100',
    columns: WORTH.slice(1),
    sql: `SELECT product, sum(q * price) AS net, sum(q) AS net_units FROM l
          GROUP BY product ORDER BY net DESC LIMIT 100`,
    sums: 'count(*), sum(net)',
  },
  {
    name: 'product x day', table: 'product_day', ini: 'by = product, day\nmeasures = net, units, units_returned', columns: WORTH,
    sql: `SELECT product, day, sum(q * price) AS net, sum(q) AS net_units FROM l GROUP BY ALL`,
    sums: 'count(*) FILTER (WHERE net <> 0), sum(net), sum(net_units)',
  },
  {
    name: 'customers a month', table: 'customers_month', ini: 'by = month\nmeasures = customers',
    columns: ['day', 'customer', 'quantity', 'cancelled'],
    sql: `SELECT date_trunc('month', day) AS month, count(DISTINCT customer) AS customers FROM l
          WHERE q > 0 GROUP BY month`,
    sums: 'count(*), sum(customers)',
  },
  {
    name: 'RFM', table: 'customer_summary',
    columns: ['day', 'order', 'customer', 'quantity', 'unit_price', 'cancelled'],
    sql: `WITH c AS (SELECT customer, max(day) ${SALE} AS last, count(DISTINCT order_id) ${SALE} AS orders,
                            sum(q * price) AS net FROM l WHERE customer IS NOT NULL GROUP BY customer),
          s AS (SELECT quantile_disc(last, [0.2, 0.4, 0.6, 0.8]) AS r, quantile_disc(orders, [0.2, 0.4, 0.6, 0.8]) AS f,
                       quantile_disc(net, [0.2, 0.4, 0.6, 0.8]) AS m FROM c WHERE orders > 0)
          SELECT c.*, ${[['last', 'r', 'recency'], ['orders', 'f', 'frequency'], ['net', 'm', 'monetary']].map(([x, s, name]) =>
      `1 + (${x} > ${s}[1])::TINYINT + (${x} > ${s}[2])::TINYINT + (${x} > ${s}[3])::TINYINT + (${x} > ${s}[4])::TINYINT AS ${name}_score`).join(', ')}
          FROM c, s`,
    sums: ['count(*)', 'sum(orders)', 'sum(net)', 'sum(recency_score)', 'sum(frequency_score)', 'sum(monetary_score)']
      .map((sum) => `${sum} FILTER (WHERE orders > 0)`).join(', '),
  },
  {
    name: 'cohorts', table: 'cohort_month', columns: ['day', 'order', 'customer', 'quantity', 'unit_price', 'cancelled'],
    sql: `WITH active AS (SELECT customer, date_trunc('month', day) AS month, count(DISTINCT order_id) AS orders
                          FROM l WHERE customer IS NOT NULL AND q > 0 GROUP BY ALL),
               first AS (SELECT customer, min(month) AS cohort FROM active GROUP BY customer)
          SELECT cohort, datediff('month', cohort, month) AS months_since, count(*) AS customers, sum(orders) AS orders
          FROM active JOIN first USING (customer) GROUP BY ALL`,
    sums: 'count(*), sum(customers), sum(orders)',
  },
  {
    name: 'median and p95 order value', table: 'order_value',
    ini: 'by = month\nmeasures = median_order_value, p95_order_value',
    columns: ['day', 'order', 'quantity', 'unit_price', 'cancelled'],
    sql: `WITH value AS (SELECT order_id, date_trunc('month', min(day)) AS month, sum(q * price)::BIGINT AS v
                         FROM l WHERE q > 0 GROUP BY order_id)
          SELECT month, quantile_disc(v, 0.5) AS median_order_value, quantile_disc(v, 0.95) AS p95_order_value
          FROM value GROUP BY month`,
    sums: 'count(*), sum(median_order_value), sum(p95_order_value)',
  },
  {
    name: 'top 10 products a country', table: 'top_country',
    ini: 'by = country, product\nmeasures = net\norder = net desc\nlimit = 10 per country',
    columns: ['product', 'country', 'quantity', 'unit_price', 'cancelled'],
    sql: `SELECT * FROM (SELECT country, product, sum(q * price) AS net FROM l GROUP BY ALL)
          QUALIFY row_number() OVER (PARTITION BY country ORDER BY net DESC) <= 10`,
    sums: 'count(*), sum(net)',
  },
  {
    name: 'top 1000 pairs on a tenth', table: 'basket_pairs',
    columns: ['day', 'order', 'product', 'quantity', 'cancelled'],
    sql: `WITH item AS (SELECT DISTINCT order_id, product FROM l
                        WHERE q > 0 AND day > (SELECT max(day) FROM l) - 73)
          SELECT a.product AS product_a, b.product AS product_b, count(*) AS orders
          FROM item a JOIN item b ON a.order_id = b.order_id AND a.product < b.product
          GROUP BY ALL ORDER BY orders DESC LIMIT 1000`,
    sums: 'count(*), sum(orders)',
  },
];

if (process.argv[1]?.endsWith('/questions.mjs')) {
  const commands = {
    ini: () => ['[sales]', 'customer_value = no', 'pair_days = 73', 'pair_limit = 1000', 'pair_min_orders = 1',
      ...QUESTIONS.filter((q) => q.ini).map((q) => `\n[aggregate.${q.table}]\n${q.ini}`)].join('\n'),
    list: () => QUESTIONS.map((q) => `${q.table} ${q.columns.join(',')}`).join('\n'),
    sums: () => QUESTIONS.map((q) => `SELECT '${q.table}', ${q.sums.replace('net_units', 'units - units_returned')} FROM ${q.table};`).join('\n'),
  };
  if (!(process.argv[2] in commands)) {
    console.error('usage: questions.mjs ini|list|sums');
    process.exit(2);
  }
  console.log(commands[process.argv[2]]());
}
