// The rival of bench/ingest.sh and bench/sales.sh: DuckDB, through its Node.js client.
//   node duckdb.mjs load CSV DB THREADS      CSV into a table of a new database file
//   node duckdb.mjs prepare DB PARQUET       the narrow table that the questions read, there and as Parquet
//   node duckdb.mjs questions SOURCE ANSWERS THREADS    answer the ten questions (questions.mjs)
//       SOURCE: the database, or the Parquet file; ANSWERS: `temp`, into temporary tables, or a file
//   node duckdb.mjs sums DB                  the answers added up, to compare with Vesper's
// A JSON line of seconds and of the peak memory.
import { rmSync } from 'node:fs';
import { connect, rows } from './duckdb_client.mjs';
import { QUESTIONS } from './questions.mjs';

async function timed(work) {
  const begin = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

async function load(csv, path, threads) {
  const db = await connect(path, threads);
  const seconds = await timed(async () => {
    await db.run(`CREATE TABLE orders AS SELECT * FROM read_csv('${csv}', header = true, columns = {
      order_id: 'BIGINT', ordered_at: 'TIMESTAMP', product_id: 'INTEGER', quantity: 'INTEGER',
      unit_price: 'DECIMAL(18,2)', customer_id: 'BIGINT', line_no: 'INTEGER', country: 'VARCHAR',
      channel: 'VARCHAR', currency: 'VARCHAR', discount: 'DECIMAL(18,2)', status: 'VARCHAR'})`);
    await db.run('CHECKPOINT');
  });
  return { seconds };
}

async function prepare(path, parquet) {
  const db = await connect(path, 2);
  for (const name of ['country', 'channel'])
    await db.run(`CREATE TYPE ${name} AS ENUM (SELECT DISTINCT ${name} FROM orders WHERE ${name} IS NOT NULL ORDER BY 1)`);
  await db.run(`CREATE TABLE l AS
    SELECT order_id::INTEGER AS order_id, ordered_at::DATE AS day, product_id AS product,
           customer_id::INTEGER AS customer, country::country AS country, channel::channel AS channel,
           quantity AS q, (unit_price * 100)::BIGINT AS price
    FROM orders WHERE NOT (quantity > 0 AND status IN ('cancelled', 'refunded', 'returned'))`);
  await db.run('DROP TABLE orders');
  await db.run('CHECKPOINT');
  await db.run(`COPY l TO '${parquet}' (FORMAT parquet)`);
  return {};
}

const isParquet = (path) => path.endsWith('.parquet');

async function open(source, threads) {
  const db = await connect(isParquet(source) ? ':memory:' : source, threads);
  if (isParquet(source))
    await db.run(`CREATE VIEW l AS SELECT * FROM '${source}'`);
  return db;
}

// The columns are read once before, so that the first question does not pay for the file's blocks.
async function questions(source, answers, threads) {
  const db = await open(source, threads);
  await db.run(`SELECT max(order_id), max(day), max(product), max(customer), max(country), max(channel),
    max(q), max(price) FROM l`);
  const isFile = answers !== 'temp';
  if (isFile) {
    for (const path of [answers, `${answers}.wal`])
      rmSync(path, { force: true });
    await db.run(`ATTACH '${answers}' AS answers`);
  }
  const seconds = {};
  for (const { table, sql } of QUESTIONS) {
    seconds[table] = await timed(async () => {
      await db.run(`CREATE OR REPLACE ${isFile ? 'TABLE answers.' : 'TEMP TABLE '}${table} AS ${sql}`);
      if (isFile)
        await db.run('CHECKPOINT answers');
    });
    if (!isFile)
      await db.run(`DROP TABLE ${table}`);
  }
  return seconds;
}

async function sums(path) {
  const db = await connect(path, 2);
  for (const { table, sums: sql, sql: question } of QUESTIONS) {
    const [row] = await rows(db, `SELECT COLUMNS(*)::BIGINT FROM (SELECT ${sql} FROM (${question}))`);
    console.log([table, ...Object.values(row)].join('|'));
  }
}

const [, , command, ...args] = process.argv;
const commands = { load, prepare, questions, sums };
if (!(command in commands)) {
  console.error('usage: duckdb.mjs load|prepare|questions|sums ...');
  process.exit(2);
}
const result = await commands[command](...args);
if (result !== undefined) {
  result.peak_mib = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(JSON.stringify(result));
}
process.exit(0);
