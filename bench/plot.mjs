// Time against lines, both axes logarithmic, from the figures of bench/sales.sh, as an SVG file.
//   node plot.mjs FIGURES.csv SVG
// All ten questions: Vesper on two ranks and on one core, DuckDB with two threads and with one.
import { readFileSync, writeFileSync } from 'node:fs';

const SERIES = [
  { name: 'DuckDB, 1 thread', engine: 'duckdb', setups: ['own-1-temp', 'parquet-1-temp'], colour: '#e69f00', dash: '6 4' },
  { name: 'DuckDB, 2 threads', engine: 'duckdb', setups: ['own-2-temp', 'parquet-2-temp'], colour: '#d55e00', dash: '' },
  { name: 'Vesper, 1 core', engine: 'vesper', setups: ['1x1'], colour: '#56b4e9', dash: '6 4' },
  { name: 'Vesper, 2 ranks', engine: 'vesper', setups: ['2x1'], colour: '#0072b2', dash: '' },
];
const WIDTH = 760, HEIGHT = 440, LEFT = 92, RIGHT = 184, TOP = 46, BOTTOM = 58;

const [, , figuresPath, svgPath] = process.argv;
const [head, ...body] = readFileSync(figuresPath, 'utf8').trim().split('\n').map((line) => line.split(','));
const figures = body.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])))
  .filter((f) => f.question === 'all');

// The faster of the set-ups at each size.
const lines = SERIES.map((series) => {
  const best = new Map();
  for (const f of figures.filter((g) => g.engine === series.engine && series.setups.includes(g.setup)))
    best.set(Number(f.lines), Math.min(best.get(Number(f.lines)) ?? Infinity, Number(f.seconds)));
  return { ...series, points: [...best].sort((a, b) => a[0] - b[0]) };
}).filter((series) => series.points.length > 0);
if (lines.length === 0) {
  console.error(`${figuresPath} has no figures for all questions`);
  process.exit(3);
}

// Whole decades around the values.
function decades(values) {
  const low = Math.floor(Math.log10(Math.min(...values))), high = Math.ceil(Math.log10(Math.max(...values)));
  return [low, Math.max(high, low + 1)];
}
const every = lines.flatMap((series) => series.points);
const [x0, x1] = decades(every.map((p) => p[0])), [y0, y1] = decades(every.map((p) => p[1]));
const x = (value) => LEFT + (Math.log10(value) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
const y = (value) => HEIGHT - BOTTOM - (Math.log10(value) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
const ticks = (low, high) => Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
const fixed = (number) => number.toFixed(1);

const count = (n) => (n >= 1e6 ? `${n / 1e6} M` : n >= 1e3 ? `${n / 1e3} k` : `${n}`);
const time = (s) => (s >= 1 ? `${s} s` : `${Math.round(s * 1e6) / 1e3} ms`);
const parts = [];
const line = (xa, ya, xb, yb, style) =>
  parts.push(`<line x1="${fixed(xa)}" y1="${fixed(ya)}" x2="${fixed(xb)}" y2="${fixed(yb)}" ${style}/>`);
const text = (at, level, anchor, content, style = '') =>
  parts.push(`<text x="${fixed(at)}" y="${fixed(level)}" text-anchor="${anchor}" ${style}>${content}</text>`);

for (const value of ticks(x0, x1)) {
  line(x(value), TOP, x(value), HEIGHT - BOTTOM, 'stroke="#ccc"');
  text(x(value), HEIGHT - BOTTOM + 20, 'middle', count(value));
  for (let k = 2; k < 10 && value < 10 ** x1; k++)
    line(x(k * value), HEIGHT - BOTTOM, x(k * value), HEIGHT - BOTTOM - 5, 'stroke="#888"');
}
for (const value of ticks(y0, y1)) {
  line(LEFT, y(value), WIDTH - RIGHT, y(value), 'stroke="#ccc"');
  text(LEFT - 8, y(value) + 4, 'end', time(value));
  for (let k = 2; k < 10 && value < 10 ** y1; k++)
    line(LEFT, y(k * value), LEFT + 5, y(k * value), 'stroke="#888"');
}
line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 'stroke="#333"');
line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, 'stroke="#333"');
text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, 'middle', 'order lines');
text(0, 0, 'middle', 'time of all ten questions',
  `transform="translate(20 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"`);
text(LEFT, 24, 'start', 'Ten questions about sales: time against order lines', 'font-size="15" font-weight="bold"');

// The legend stands beside the last points, from the slowest to the fastest.
lines.forEach(({ name, colour, dash, points }, i) => {
  const stroke = `stroke="${colour}" stroke-width="2.5" ${dash && `stroke-dasharray="${dash}"`}`;
  parts.push(`<polyline fill="none" ${stroke} points="${points.map(([n, s]) => `${fixed(x(n))},${fixed(y(s))}`).join(' ')}"/>`);
  for (const [n, s] of points)
    parts.push(`<circle cx="${fixed(x(n))}" cy="${fixed(y(s))}" r="4" fill="${colour}"><title>${name}: ${count(n)} lines, ${time(s)}</title></circle>`);
  line(WIDTH - RIGHT + 14, TOP + 12 + 22 * i, WIDTH - RIGHT + 40, TOP + 12 + 22 * i, stroke);
  text(WIDTH - RIGHT + 46, TOP + 16 + 22 * i, 'start', name);
});

writeFileSync(svgPath, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="13" fill="#222" role="img" aria-label="Time of ten questions against order lines, Vesper and DuckDB">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`);
