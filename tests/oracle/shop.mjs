// The shop as DuckDB sees it: tables made from the CSV files by the rules of docs/configuration.md and
// docs/tables.md, for the queries of tables.mjs and group_by.mjs.
//
//   l         order lines in force: order_id, customer (NULL: anonymous), ts, day, hour, product, q,
//             price, discount (minor units), cancelled, names, and derived columns
//   night     one row: first_day, as_of
//   products, customers, events, reviews
import { rows } from '../../bench/duckdb_client.mjs';

// Rows of CSV files as text, with `batch` (place of the file, from 1) and `row` inside all of them.
function csv(paths) {
  const parts = paths.map((path, i) => `
    SELECT ${i + 1} AS batch, row_number() OVER () AS line, *
    FROM read_csv('${path}', header = true, all_varchar = true, parallel = false)`);
  return `SELECT row_number() OVER (ORDER BY batch, line) AS row, * FROM (${parts.join(' UNION ALL BY NAME ')})`;
}

const money = (text, decimals) =>
  `((${text})::DECIMAL(18, ${decimals}) * ${10 ** decimals})::BIGINT`;

// A written time is UTC if it ends in Z, else local. Local times here do not fall into a clock change.
const local = (text, zone) => `CASE WHEN ${text} LIKE '%Z'
    THEN timezone('${zone}', rtrim(${text}, 'Z')::TIMESTAMP AT TIME ZONE 'UTC')
    ELSE (${text})::TIMESTAMP END`;

// `columns` maps canonical names to expressions over the file's text columns.
async function load(db, table, files, columns) {
  const select = Object.entries(columns).map(([name, sql]) => `${sql} AS ${name}`).join(', ');
  if (files.length > 0)
    await db.run(`CREATE TABLE ${table} AS SELECT batch, row, ${select} FROM (${csv(files)})`);
  return files.length > 0;
}

export async function openShop(db, shop) {
  const { zone, decimals, files } = shop;
  const name = (column) => (column ? `coalesce(${column}, '')` : `''`);
  await db.run(`SET TimeZone = 'UTC'`);

  const o = shop.orders;
  await load(db, 'received', files.orders, {
    order_id: o.order_id,
    customer: o.customer,
    ts: o.ordered_at,
    moment: local(o.ordered_at, zone),
    product: o.product_id,
    q: `(${o.quantity})::BIGINT`,
    price: money(o.unit_price, decimals),
    discount: o.discount ? `coalesce(${money(o.discount, decimals)}, 0)` : '0::BIGINT',
    cancelled: o.cancelled,
    country: name(o.country),
    channel: name(o.channel),
    currency: name(o.currency),
  });
  await db.run('DELETE FROM received WHERE price < 0 OR q = 0');
  await db.run(`CREATE TABLE night AS
    SELECT min(moment::DATE) AS first_day, max(moment::DATE) AS as_of FROM received`);

  if (!await load(db, 'products', files.products, {
    product: 'product_id', category: name('category'), brand: name('brand'),
    price: money('price', decimals), cost: money('cost', decimals), stock: 'stock::BIGINT' }))
    await db.run(`CREATE TABLE products (product VARCHAR, category VARCHAR, brand VARCHAR,
      price BIGINT, cost BIGINT, stock BIGINT)`);
  if (!await load(db, 'customers', files.customers, {
    customer: 'customer_id', segment: name('segment') }))
    await db.run('CREATE TABLE customers (customer VARCHAR, segment VARCHAR)');
  if (!await load(db, 'events', files.events, {
    customer: 'customer_id', ts: `rtrim("at", 'Z')::TIMESTAMP`, day: `(${local('"at"', zone)})::DATE`,
    kind: 'kind', product: 'product_id' }))
    await db.run(`CREATE TABLE events (row BIGINT, customer VARCHAR, ts TIMESTAMP, day DATE,
      kind VARCHAR, product VARCHAR)`);
  if (!await load(db, 'reviews', files.reviews, {
    product: 'product_id', rating: '(rating::DECIMAL(9, 2) * 100)::BIGINT',
    day: `(${local('"at"', zone)})::DATE`, customer: 'customer_id' }))
    await db.run('CREATE TABLE reviews (product VARCHAR, rating BIGINT, day DATE, customer VARCHAR)');

  // An order that comes again replaces its earlier version; its customer is its first line's that
  // has one. new or returning: orders of a customer by their first moment, then id.
  await db.run(`
    CREATE TABLE l AS
    WITH newest AS (SELECT *, max(batch) OVER (PARTITION BY order_id) AS last_batch FROM received),
    plain AS (
      SELECT order_id,
             arg_min(customer, row) FILTER (customer IS NOT NULL) OVER (PARTITION BY order_id) AS customer,
             rtrim(ts, 'Z')::TIMESTAMP AS ts, moment::DATE AS day, hour(moment)::INTEGER AS hour,
             product, q, price, discount, cancelled, country, channel, currency,
             q > 0 AND NOT cancelled AS kept,
             CASE WHEN q > 0 THEN q * price ELSE 0 END AS gross,
             CASE WHEN q < 0 OR cancelled THEN abs(q) * price ELSE 0 END AS returned,
             CASE WHEN q > 0 THEN q ELSE 0 END AS units,
             CASE WHEN q < 0 OR cancelled THEN abs(q) ELSE 0 END AS units_returned
      FROM newest WHERE batch = last_batch),
    orders AS (
      SELECT customer, order_id, bool_or(kept) AS kept,
             row_number() OVER (PARTITION BY customer ORDER BY min(ts), order_id) AS place,
             min(day) FILTER (kept) AS order_day
      FROM plain GROUP BY customer, order_id),
    firsts AS (
      SELECT customer, min(place) FILTER (kept) AS first_place, min(order_day) AS first_sale
      FROM orders WHERE customer IS NOT NULL GROUP BY customer)
    SELECT plain.*, gross - returned AS net, units - units_returned AS net_units,
           CASE WHEN cancelled THEN 0 ELSE discount END AS given,
           coalesce(p.category, '') AS category, coalesce(p.brand, '') AS brand, p.cost,
           coalesce(c.segment, '') AS segment, order_day,
           CASE WHEN plain.customer IS NULL THEN '' WHEN place > first_place THEN 'returning'
                ELSE 'new' END AS new_or_returning,
           date_trunc('month', first_sale)::DATE AS cohort
    FROM plain
    LEFT JOIN orders ON orders.order_id = plain.order_id
    LEFT JOIN firsts ON firsts.customer = plain.customer
    LEFT JOIN products p ON p.product = plain.product
    LEFT JOIN customers c ON c.customer = plain.customer`);
  const [{ n }] = await rows(db, `SELECT count(*) AS n FROM l`);
  return n;
}
