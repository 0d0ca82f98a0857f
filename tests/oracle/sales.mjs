// The published sales tables beside an independent implementation: DuckDB on the input files.
//   node sales.mjs ini real|generated                     [aggregate.NAME] sections for the run
//   node sales.mjs check real|generated DATABASE FOLDER   compare every table of the run in force
// FOLDER has the input: orders.csv, orders2.csv, ..., and products.csv and so on where there are any.
// Ends with the number of tables compared; exit code 1 if one differs.
import { existsSync } from 'node:fs';
import { answer, connect } from '../../bench/duckdb_client.mjs';
import { firstDifference, readTable, tableNames } from './compare.mjs';
import { groupBySql, iniSection, column, SPECS } from './group_by.mjs';
import { checkModels, MODEL_COLUMNS } from './model_checks.mjs';
import { openShop } from './shop.mjs';
import { tables } from './tables.mjs';

// As data/online_retail.ini and the canonical columns have it.
const SHOPS = {
  real: {
    zone: 'Europe/London', decimals: 3,
    orders: { order_id: 'InvoiceNo', customer: 'CustomerID', ordered_at: 'InvoiceDate', product_id: 'StockCode',
      quantity: 'Quantity', unit_price: 'UnitPrice', cancelled: `starts_with(InvoiceNo, 'C')`, country: 'Country' },
  },
  generated: {
    zone: 'Europe/London', decimals: 2,
    orders: { order_id: 'order_id', customer: 'customer_id', ordered_at: 'ordered_at', product_id: 'product_id',
      quantity: 'quantity', unit_price: 'unit_price', discount: 'discount',
      cancelled: `status IN ('cancelled', 'returned')`, country: 'country', channel: 'channel', currency: 'currency' },
  },
};
const INPUTS = ['orders', 'products', 'customers', 'events', 'reviews'];

function filesIn(folder) {
  const numbered = (name) => ['', 2, 3].map((n) => `${folder}/${name}${n}.csv`).filter(existsSync);
  return Object.fromEntries(INPUTS.map((name) => [name, numbered(name)]));
}

async function check(kind, database, folder) {
  const db = await connect(':memory:', 2);
  await openShop(db, { ...SHOPS[kind], files: filesIn(folder) });
  const expected = tables({});
  for (const spec of SPECS[kind])
    expected[spec.name] = { key: (spec.by ?? []).map(column), sql: groupBySql(spec) };
  let wrong = 0;
  const report = (table, difference) => {
    if (difference !== undefined) {
      console.error(`${table}: ${difference}`);
      wrong++;
    }
  };
  for (const [table, { key, sql }] of Object.entries(expected)) {
    const published = readTable(database, table);
    report(table, published === undefined ? 'is not there'
      : firstDifference(published, await answer(db, sql), key, table === 'customer_summary' ? MODEL_COLUMNS : []));
  }
  report('customer_model', await checkModels(db, database, SHOPS[kind].decimals));
  for (const table of tableNames(database).filter((t) => t !== 'customer_model' && !(t in expected)))
    report(table, 'nothing here checks it');
  console.log(`${Object.keys(expected).length + 1} tables compared, ${wrong} differ`);
  process.exit(wrong === 0 ? 0 : 1);
}

const [, , command, kind, ...args] = process.argv;
if (command === 'ini' && kind in SPECS)
  console.log(SPECS[kind].map(iniSection).join('\n\n'));
else if (command === 'check' && kind in SHOPS && args.length === 2)
  await check(kind, ...args);
else {
  console.error('usage: sales.mjs ini KIND | sales.mjs check KIND DATABASE FOLDER; KIND: real or generated');
  process.exit(2);
}
