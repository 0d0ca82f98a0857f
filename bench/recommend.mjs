// From the measurements of bench/recommend.sh to figures and tables.
//   node recommend.mjs MEASURED.csv FIGURES.csv USERS ITEMS PAIRS COUPLES
// PAIRS to learn from; COUPLES: the sum over users of the squares of their numbers of items. FIGURES.csv
// has medians: setup,model,factors,figure,value (seconds, MiB, or GFLOP/s). Prints Markdown tables.
import { readFileSync, writeFileSync } from 'node:fs';

const [, , measuredPath, figuresPath, ...sizes] = process.argv;
const [users, items, pairs, couples] = sizes.map(Number);
const figures = new Map();
for (const line of readFileSync(measuredPath, 'utf8').trim().split('\n').slice(1)) {
  const cells = line.split(',');
  const key = cells.slice(0, 4).join();
  if (cells[4] !== '')
    figures.set(key, [...(figures.get(key) ?? []), Number(cells[4])]);
}
for (const [key, values] of figures) {
  const v = values.sort((a, b) => a - b);
  figures.set(key, v.length % 2 ? v[(v.length - 1) / 2] : (v[v.length / 2 - 1] + v[v.length / 2]) / 2);
}
writeFileSync(figuresPath, ['setup,model,factors,figure,value', ...[...figures].map(([key, value]) => `${key},${value}`)]
  .join('\n') + '\n');

const get = (setup, model, factors, figure) => figures.get([setup, model, factors, figure].join());
const setups = ['1x1', '2x1'];
const names = { '1x1': '1 rank', '2x1': '2 ranks' };
const models = [...new Set([...figures.keys()].map((key) => key.split(',').slice(1, 3).join()))].map((m) => m.split(','));
const cell = (value, digits) => (value === undefined || !Number.isFinite(value) ? '' : value.toFixed(digits));
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const table = (...head) => {
  row(...head);
  console.log(`|${'---|'.repeat(head.length)}`);
};
const heading = (text) => console.log(`\n### ${text}\n`);
// GFLOP/s of `flops` in so many seconds, and their share of what the machine's own routine reaches.
const rates = (setup, flops, seconds, routine) => {
  const rate = flops / 1e9 / seconds;
  return [cell(rate, 1), cell(100 * rate / get(setup, 'machine', 0, routine), 0)];
};
const factorsOf = (model) => models.filter(([name]) => name === model).map(([, factors]) => Number(factors));

heading(`${users.toLocaleString('en-US')} users, ${items.toLocaleString('en-US')} items, ${pairs.toLocaleString('en-US')} pairs to learn from`);
table('this machine, GFLOP/s', 'SGEMM', 'SSYRK', 'SPOTRF');
for (const setup of setups)
  row(setup === '1x1' ? '1 core' : '2 cores', ...['sgemm', 'ssyrk', 'spotrf'].map((name) => cell(get(setup, 'machine', 0, name), 1)));

heading('ials: one iteration');
table('factors', 'on', 's', 'GFLOP/s by the textbook', '% of SGEMM', 'MiB a rank');
for (const d of factorsOf('ials')) {
  const flops = 2 * pairs * d * (d + 1) + (users + items) * d ** 3 / 3;
  for (const setup of setups) {
    const seconds = get(setup, 'ials', d, 'iteration');
    row(d, names[setup], cell(seconds, 2), ...rates(setup, flops, seconds, 'sgemm'), cell(get(setup, 'ials', d, 'peak_mib'), 0));
  }
}

heading('Top 20 of all items for all users, from ials');
table('factors', 'on', 's', 'GFLOP/s', '% of SGEMM');
for (const d of factorsOf('ials')) {
  for (const setup of setups) {
    const seconds = get(setup, 'ials', d, 'rank');
    row(d, names[setup], cell(seconds, 2), ...rates(setup, 2 * users * items * d, seconds, 'sgemm'));
  }
}

heading('ease');
console.log(`The Gram matrix is sparse: ${(couples / 1e9).toFixed(2)} * 10^9 multiply-adds; beside it, what SSYRK would take ` +
  'for the dense one at its rate.\n');
table('on', 'learn s', 'Gram s', 'dense, by SSYRK, s', 'inverse s', 'GFLOP/s', '% of SPOTRF', 'top 20 s', 'MiB a rank');
for (const setup of setups) {
  const ease = (figure) => get(setup, 'ease', 0, figure);
  const dense = users * items * (items + 1) / 1e9 / get(setup, 'machine', 0, 'ssyrk');
  row(names[setup], cell(ease('learn'), 2), cell(ease('gram'), 2), cell(dense, 2), cell(ease('inverse'), 2),
    ...rates(setup, items ** 3, ease('inverse'), 'spotrf'), cell(ease('rank'), 2), cell(ease('peak_mib'), 0));
}
if (get('1x1', 'ease', 0, 'gram') === undefined)
  console.log('\n(The log had no seconds of Gram matrix and inverse: no line `recommend.ease gram=... inverse=...`.)');

heading('itemknn: 20 neighbours by cosine');
table('on', 'learn s', 'top 20 s', 'MiB a rank');
for (const setup of setups)
  row(names[setup], ...['learn', 'rank'].map((figure) => cell(get(setup, 'itemknn', 0, figure), 2)), cell(get(setup, 'itemknn', 0, 'peak_mib'), 0));

if (models.some(([name]) => name.startsWith('implicit'))) {
  heading('Beside implicit: how many times as long it takes');
  table('figure', 'factors', 'on', 'implicit s', 'vesper s', 'ratio');
  const pairsOf = [['iteration, conjugate gradients', 'implicit-cg', 'ials', 'iteration'],
    ['iteration, Cholesky', 'implicit-cholesky', 'ials', 'iteration'], ['top 20', 'implicit-cholesky', 'ials', 'rank'],
    ['cosine neighbours', 'implicit-cosine', 'itemknn', 'learn']];
  for (const [name, rival, own, figure] of pairsOf) {
    for (const d of factorsOf(rival)) {
      for (const setup of setups) {
        const [theirs, ours] = [get(setup, rival, d, figure), get(setup, own, d, figure)];
        row(name, d || '', setup === '1x1' ? '1 core' : '2 cores', cell(theirs, 2), cell(ours, 2), cell(theirs / ours, 2));
      }
    }
  }
}
