// From the measurements of bench/sales.sh to figures and tables.
//   node report.mjs MEASURED.csv FIGURES.csv
// FIGURES.csv: lines,engine,setup,question,seconds,gb_per_s,peak_mib, medians of the runs; `all` is
// Vesper's one run for all questions, and DuckDB's questions added up. Prints Markdown tables.
import { readFileSync, writeFileSync } from 'node:fs';
import { QUESTIONS } from './questions.mjs';

const [, , measuredPath, figuresPath] = process.argv;
const [head, ...body] = readFileSync(measuredPath, 'utf8').trim().split('\n').map((line) => line.split(','));
const runs = body.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));

const median = (values) => {
  const v = [...values].sort((a, b) => a - b);
  return v.length % 2 ? v[(v.length - 1) / 2] : (v[v.length / 2 - 1] + v[v.length / 2]) / 2;
};

const figures = new Map();
const key = (lines, engine, setup, question) => [lines, engine, setup, question].join();
for (const run of runs) {
  const k = key(run.lines, run.engine, run.setup, run.question);
  if (!figures.has(k))
    figures.set(k, { ...run, all: [] });
  figures.get(k).all.push(run);
}
for (const figure of figures.values()) {
  figure.seconds = median(figure.all.map((r) => Number(r.seconds)));
  const read = (r) => Number(r.read_seconds || r.seconds);
  figure.rate = figure.bytes ? median(figure.all.map((r) => Number(r.bytes) / 1e9 / read(r))) : undefined;
  figure.peak = figure.peak_mib ? Math.max(...figure.all.map((r) => Number(r.peak_mib))) : undefined;
}
const sizes = [...new Set(runs.map((r) => r.lines))].sort((a, b) => a - b);
for (const lines of sizes) {
  for (const setup of new Set(runs.filter((r) => r.engine === 'duckdb').map((r) => r.setup))) {
    const each = QUESTIONS.map((q) => figures.get(key(lines, 'duckdb', setup, q.table)));
    figures.set(key(lines, 'duckdb', setup, 'all'), { lines, engine: 'duckdb', setup, question: 'all',
      seconds: each.reduce((sum, f) => sum + f.seconds, 0), peak: Math.max(...each.map((f) => f.peak)) });
  }
}

const cell = (value, digits) => (value === undefined ? '' : value.toFixed(digits));
writeFileSync(figuresPath, ['lines,engine,setup,question,seconds,gb_per_s,peak_mib',
  ...[...figures.values()].map((f) => [f.lines, f.engine, f.setup, f.question,
    f.engine === 'memory' ? '' : cell(f.seconds, 6), cell(f.rate, 3), cell(f.peak, 0)].join(','))].join('\n') + '\n');

const seconds = (lines, engine, setup, question) => figures.get(key(lines, engine, setup, question)).seconds;
const best = (lines, setups, question) => Math.min(...setups.map((s) => seconds(lines, 'duckdb', s, question)));
const million = (lines) => Number(lines).toLocaleString('en-US');
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const rule = (n) => console.log(`|${'---|'.repeat(n)}`);

// How many times as long DuckDB takes.
for (const lines of sizes) {
  console.log(`\n### ${million(lines)} lines\n`);
  row('question', '2 ranks', '1 rank, 2 threads', '1 core', '2 ranks: own file', 'Parquet', 'answers into a file');
  rule(7);
  for (const { name, table } of [...QUESTIONS, { name: '**all ten**', table: 'all' }]) {
    const ratio = (setups, shape) => (best(lines, setups, table) / seconds(lines, 'vesper', shape, table)).toFixed(1);
    const two = ['own-2-temp', 'parquet-2-temp'];
    row(name, ratio(two, '2x1'), ratio(two, '1x2'), ratio(['own-1-temp', 'parquet-1-temp'], '1x1'),
      ratio(['own-2-temp'], '2x1'), ratio(['parquet-2-temp'], '2x1'), ratio(['own-2-file'], '2x1'));
  }
}

console.log('\n### Scan rate, memory, growth\n');
row('lines', 'columns, MB', '2 ranks, GB/s', '1 core, GB/s', 'reading memory, GB/s: 2 cores', '1 core',
  'share: 2 cores', '1 core', 'vesper MiB a rank', 'duckdb MiB', 'time a line, beside the row above');
rule(11);
sizes.forEach((lines, i) => {
  const rate = (engine, setup, question) => figures.get(key(lines, engine, setup, question)).rate;
  const peaks = (engine) => Math.max(...[...figures.values()].filter((f) => f.lines === lines && f.engine === engine)
    .map((f) => f.peak));
  const growth = i === 0 ? '' : (seconds(lines, 'vesper', '2x1', 'all') / seconds(sizes[i - 1], 'vesper', '2x1', 'all') /
    (lines / sizes[i - 1])).toFixed(2);
  const pairs = [['2x1', '2'], ['1x1', '1']].map(([shape, threads]) => [rate('vesper', shape, 'all'), rate('memory', threads, 'read')]);
  row(million(lines), (figures.get(key(lines, 'vesper', '2x1', 'all')).bytes / 1e6).toFixed(0),
    ...pairs.map(([own]) => own.toFixed(2)), ...pairs.map(([, memory]) => memory.toFixed(2)),
    ...pairs.map(([own, memory]) => (own / memory).toFixed(2)), peaks('vesper'), peaks('duckdb'), growth);
});
