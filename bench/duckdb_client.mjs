// DuckDB through its Node.js client, for the benchmarks and for tests/oracle. The package lies where
// setup_duckdb (jobs/setup.sh) put it, in $VESPER_NPM.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const folder = process.env.VESPER_NPM;
if (!folder) {
  console.error('set VESPER_NPM to the folder with node_modules/@duckdb (jobs/setup.sh: setup_duckdb)');
  process.exit(2);
}
const { DuckDBInstance } = createRequire(resolve(folder, 'package.json'))('@duckdb/node-api');

export async function connect(path, threads) {
  const instance = await DuckDBInstance.create(path, { threads: String(threads) });
  return instance.connect();
}

const plain = (value) => (typeof value === 'bigint' ? Number(value) : value);

// Column names of a query and its rows as objects: whole numbers and doubles as numbers, texts as
// strings, NULL as null. Sums are to be cast to BIGINT; all figures here are below 2^53.
export async function answer(db, sql) {
  const reader = await db.runAndReadAll(sql);
  const names = reader.columnNames();
  const rows = reader.getRows().map((row) => Object.fromEntries(row.map((v, i) => [names[i], plain(v)])));
  return { names, rows };
}

export const rows = async (db, sql) => (await answer(db, sql)).rows;
