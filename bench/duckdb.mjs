// The rival of bench/ingest.sh and bench/sales.sh: DuckDB, through its Node.js client.
//   node duckdb.mjs load CSV DB THREADS        CSV into a table of a new database file
//   node duckdb.mjs prepare DB                 the typed, narrow table that the questions read
//   node duckdb.mjs questions DB THREADS       answer the seven questions, a JSON line of seconds
//   node duckdb.mjs check DB                   figures to compare with Vesper's, as CSV
// Generous to DuckDB: `prepare` (days, integer money, returns marked) is not part of any time.
import { DuckDBInstance } from '@duckdb/node-api';

const QUESTIONS = {
  sales_daily: `
    SELECT day, sum(q * price) FILTER (q > 0) AS gross, sum(-q * price) FILTER (q < 0) AS returned,
           sum(q * price) AS net, sum(q) FILTER (q > 0) AS units,
           sum(-q) FILTER (q < 0) AS units_returned, count(DISTINCT order_id) FILTER (q > 0) AS orders,
           count(DISTINCT customer) FILTER (q > 0) AS customers, count(*) AS lines
    FROM l GROUP BY day ORDER BY day`,
  sales_monthly_country: `
    SELECT date_trunc('month', day) AS month, country, sum(q * price) FILTER (q > 0) AS gross,
           sum(-q * price) FILTER (q < 0) AS returned, sum(q) FILTER (q > 0) AS units,
           count(DISTINCT order_id) FILTER (q > 0) AS orders,
           count(DISTINCT customer) FILTER (q > 0) AS customers
    FROM l GROUP BY ALL ORDER BY ALL`,
  product_total: `
    SELECT product, sum(q * price) FILTER (q > 0) AS gross, sum(-q * price) FILTER (q < 0) AS returned,
           sum(q) FILTER (q > 0) AS units, count(DISTINCT order_id) FILTER (q > 0) AS orders,
           count(DISTINCT customer) FILTER (q > 0) AS customers
    FROM l GROUP BY product ORDER BY product`,
  customer_summary: `
    SELECT customer, min(day) FILTER (q > 0) AS first_day, max(day) FILTER (q > 0) AS last_day,
           count(DISTINCT order_id) FILTER (q > 0) AS orders, sum(q * price) AS net
    FROM l WHERE customer IS NOT NULL GROUP BY customer ORDER BY customer`,
  cohort_month: `
    WITH active AS (SELECT DISTINCT customer, date_trunc('month', day) AS month
                    FROM l WHERE customer IS NOT NULL AND q > 0),
         first AS (SELECT customer, min(month) AS cohort FROM active GROUP BY customer)
    SELECT cohort, datediff('month', cohort, month) AS months_since, count(*) AS customers
    FROM active JOIN first USING (customer) GROUP BY ALL ORDER BY ALL`,
  order_value_monthly: `
    WITH value AS (SELECT order_id, date_trunc('month', min(day)) AS month, sum(q * price) AS v
                   FROM l WHERE q > 0 GROUP BY order_id)
    SELECT month, count(*) AS orders, quantile_disc(v, 0.5) AS median_low,
           quantile_disc(v, 0.95) AS p95_low
    FROM value GROUP BY month ORDER BY month`,
  basket_pairs: `
    WITH line AS (SELECT DISTINCT order_id, product FROM l WHERE q > 0)
    SELECT a.product AS product_a, b.product AS product_b, count(*) AS orders
    FROM line a JOIN line b ON a.order_id = b.order_id AND a.product < b.product
    GROUP BY ALL HAVING count(*) >= 20 ORDER BY orders DESC, product_a, product_b`,
};

const [, , command, ...args] = process.argv;

async function open(path, threads) {
  const instance = await DuckDBInstance.create(path, { threads: String(threads) });
  return instance.connect();
}

async function timed(work) {
  const begin = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

async function load(csv, path, threads) {
  const db = await open(path, threads);
  const seconds = await timed(async () => {
    await db.run(`CREATE TABLE orders AS SELECT * FROM read_csv('${csv}', header = true, columns = {
      order_id: 'BIGINT', ordered_at: 'TIMESTAMP', product_id: 'INTEGER', quantity: 'INTEGER',
      unit_price: 'DECIMAL(18,2)', customer_id: 'BIGINT', line_no: 'INTEGER', country: 'VARCHAR',
      channel: 'VARCHAR', currency: 'VARCHAR', discount: 'DECIMAL(18,2)', status: 'VARCHAR'})`);
    await db.run('CHECKPOINT');
  });
  return { seconds };
}

async function prepare(path) {
  const db = await open(path, 2);
  await db.run(`CREATE OR REPLACE TABLE l AS
    SELECT order_id, ordered_at::DATE AS day, product_id AS product, customer_id AS customer, country,
           quantity AS q, (unit_price * 100)::BIGINT AS price
    FROM orders WHERE NOT (quantity > 0 AND status IN ('cancelled', 'refunded', 'returned'))`);
  await db.run('CHECKPOINT');
  return {};
}

async function questions(path, threads) {
  const db = await open(path, threads);
  const seconds = {};
  for (const [name, sql] of Object.entries(QUESTIONS))
    seconds[name] = await timed(() => db.run(`CREATE OR REPLACE TEMP TABLE answer AS ${sql}`));
  return seconds;
}

async function check(path) {
  const db = await open(path, 2);
  const reader = await db.runAndReadAll(
    `SELECT strftime(day, '%Y-%m-%d'), net::VARCHAR, orders::VARCHAR, customers::VARCHAR
     FROM (${QUESTIONS.sales_daily}) ORDER BY 1`);
  for (const row of reader.getRows())
    console.log(row.join('|'));
}

const commands = { load, prepare, questions, check };
if (!(command in commands)) {
  console.error('usage: duckdb.mjs load|prepare|questions|check ...');
  process.exit(2);
}
const result = await commands[command](...args);
if (result !== undefined) {
  result.peak_mib = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(JSON.stringify(result));
}
process.exit(0);
