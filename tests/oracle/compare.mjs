// A published table (rows from the storefront's database) beside the expected rows: whole numbers,
// texts and NULL must be equal, reals to a relative 1e-9.
import { execFileSync } from 'node:child_process';

const sqlite = (database, sql) => {
  const output = execFileSync('sqlite3', ['-json', database, sql], { maxBuffer: 1 << 30, encoding: 'utf8' });
  return output.trim() === '' ? [] : JSON.parse(output);
};

// {columns: [{name, type}], rows: [object]}; undefined if there is no such table.
export function readTable(database, table) {
  const columns = sqlite(database, `SELECT name, type FROM pragma_table_info('${table}')`);
  return columns.length === 0 ? undefined : { columns, rows: sqlite(database, `SELECT * FROM "${table}"`) };
}

export const tableNames = (database) =>
  sqlite(database, `SELECT table_name FROM vesper_run_table JOIN vesper_run USING (run)
    WHERE current = 1 ORDER BY 1`).map((row) => row.table_name);

const near = (a, b, tolerance) => Math.abs(a - b) <= Math.max(tolerance * Math.max(Math.abs(a), Math.abs(b)), 1e-12);

function same(found, expected, type) {
  if (found === null || expected === null)
    return found === expected;
  if (type === 'REAL')
    return typeof found === 'number' && near(found, expected, 1e-9);
  return typeof found === typeof expected && found === expected;
}

const show = (value) => (value === null ? 'NULL' : JSON.stringify(value));

// The first difference as a line of text, or undefined. `extra`: columns that are checked elsewhere.
export function firstDifference({ columns, rows }, { names, rows: expected }, key, extra = []) {
  const id = (row) => JSON.stringify(key.map((k) => row[k]));
  const wanted = new Map(expected.map((row) => [id(row), row]));
  if (wanted.size !== expected.length)
    return `the expected rows have a key (${key.join(', ')}) twice`;
  const there = columns.map((c) => c.name).filter((c) => !extra.includes(c)).join(', ');
  if (there !== names.join(', '))
    return `columns are ${there} instead of ${names.join(', ')}`;
  for (const row of rows) {
    const other = wanted.get(id(row));
    const place = key.map((k) => `${k} ${show(row[k])}`).join(', ') || 'the only row';
    if (!other)
      return `row ${place} should not be there`;
    wanted.delete(id(row));
    for (const { name, type } of columns) {
      if (!extra.includes(name) && !same(row[name], other[name], type))
        return `row ${place}, column ${name}: ${show(row[name])} instead of ${show(other[name])}`;
    }
  }
  const [missing] = wanted.values();
  return missing && `row ${key.map((k) => `${k} ${show(missing[k])}`).join(', ')} is missing`;
}
