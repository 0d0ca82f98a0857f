// Group-bys in DuckDB SQL: what an [aggregate.NAME] section asks for, and the same section as the ini
// has it. A spec: {name, by, measures, where: {ini, sql}, order, limit, per}.

const DIMENSIONS = {
  day: `strftime(day, '%Y-%m-%d')`,
  week: `strftime(date_trunc('week', day), '%Y-%m-%d')`,
  month: `strftime(day, '%Y-%m')`,
  quarter: `year(day) || '-Q' || quarter(day)`,
  year: 'year(day)',
  weekday: 'isodow(day)',
  hour: 'hour',
  product: 'product',
  category: 'category',
  brand: 'brand',
  country: 'country',
  channel: 'channel',
  segment: 'segment',
  currency: 'currency',
  new_or_returning: 'new_or_returning',
  cohort: `coalesce(strftime(cohort, '%Y-%m'), '')`,
};

const dimension = (name) => DIMENSIONS[name] ??
  `array_to_string(string_split(category, '/')[1:${name.replace('category_', '')}], '/')`;
export const column = (name) => (name === 'product' ? 'product_id' : name);

const total = (expression, lines = 'true') =>
  `coalesce(sum(${expression}) FILTER (${lines}), 0)::BIGINT`;

const MEASURES = {
  gross: total('gross'),
  returned: total('returned'),
  net: total('net'),
  discount: total('given'),
  units: total('units'),
  units_returned: total('units_returned'),
  orders: 'count(DISTINCT order_id) FILTER (kept)',
  customers: 'count(DISTINCT customer) FILTER (kept)',
  lines: 'count(*)',
  average_order_value: `${total('gross', 'kept')} / nullif(count(DISTINCT order_id) FILTER (kept), 0)`,
  items_per_order: `${total('q', 'kept')} / nullif(count(DISTINCT order_id) FILTER (kept), 0)`,
  margin: total('net - given - net_units * cost', 'cost IS NOT NULL'),
  first_day: `strftime(min(day) FILTER (kept), '%Y-%m-%d')`,
  last_day: `strftime(max(day) FILTER (kept), '%Y-%m-%d')`,
};

// Of the ascending values of orders in a group.
const ORDER_VALUES = {
  min_order_value: 'v[1]',
  median_order_value: 'v[greatest(1, (len(v) * 50 + 99) // 100)]',
  p95_order_value: 'v[greatest(1, (len(v) * 95 + 99) // 100)]',
  max_order_value: 'v[len(v)]',
};

const ALL_MEASURES = [...Object.keys(MEASURES), ...Object.keys(ORDER_VALUES)];

export function groupBySql({ by = [], measures, where, order = [], limit, per = [] }) {
  const dims = by.map((d) => `${dimension(d)} AS ${column(d)}`);
  const names = by.map(column);
  const grouping = by.length ? `GROUP BY ${by.map((_, i) => i + 1).join(', ')}` : '';
  const same = names.map((n) => ` AND g.${n} IS NOT DISTINCT FROM o.${n}`).join('');
  const chosen = measures.map((m) => `${ORDER_VALUES[m] ?? `g.${m}`} AS ${m}`);
  const plain = measures.filter((m) => MEASURES[m]).map((m) => `${MEASURES[m]} AS ${m}`);
  const keys = names.map((n) => `${n} NULLS FIRST`);
  const sorted = [...order.map((o) => column(o.split(' ')[0]) + (o.endsWith(' desc') ? ' DESC' : '')), ...keys];
  const over = `${per.length ? `PARTITION BY ${per.map(column).join(', ')} ` : ''}` +
    `${sorted.length ? `ORDER BY ${sorted.join(', ')}` : ''}`;
  return `
    WITH f AS (SELECT * FROM l WHERE ${where?.sql ?? 'true'}),
    g AS (SELECT ${[...dims, ...plain].join(', ')} FROM f ${grouping}),
    each_order AS (SELECT ${[...dims, 'order_id', 'sum(gross)::BIGINT AS value'].join(', ')}
                   FROM f WHERE kept GROUP BY ${[...by, 'o'].map((_, i) => i + 1).join(', ')}),
    o AS (SELECT ${[...names, 'list_sort(list(value)) AS v'].join(', ')} FROM each_order ${grouping})
    SELECT * FROM (SELECT ${[...names.map((n) => `g.${n}`), ...chosen].join(', ')} FROM g LEFT JOIN o ON true${same})
    ${limit ? `QUALIFY row_number() OVER (${over}) <= ${limit}` : ''}`;
}

// A line of the ini holds 197 bytes; a backslash at its end goes on in the next.
function folded(line) {
  const lines = [''];
  for (const word of line.split(' ')) {
    if (lines.at(-1).length + word.length > 100)
      lines.push('');
    lines[lines.length - 1] += `${lines.at(-1) && ' '}${word}`;
  }
  return lines.join(' \\\n    ');
}

export function iniSection({ name, by = [], measures, where, order = [], limit, per = [] }) {
  const lines = [`[aggregate.${name}]`];
  if (by.length) lines.push(`by = ${by.join(', ')}`);
  lines.push(`measures = ${measures.join(', ')}`);
  if (where) lines.push(`where = ${where.ini}`);
  if (order.length) lines.push(`order = ${order.join(', ')}`);
  if (limit) lines.push(`limit = ${limit}${per.length ? ` per ${per.join(', ')}` : ''}`);
  return lines.map(folded).join('\n');
}

// Every dimension, every measure, and each form of a condition, on generated data.
const GENERATED = [
  { name: 'by_day_hour', by: ['day', 'hour'], measures: ['net', 'orders', 'customers', 'lines'] },
  { name: 'by_week_brand', by: ['week', 'brand'],
    measures: ['gross', 'returned', 'units', 'units_returned'],
    where: { ini: `channel in ('web', app) and not (country = DE or country = '')`,
      sql: `channel IN ('web', 'app') AND NOT (country = 'DE' OR country = '')` } },
  { name: 'month_country_channel', by: ['month', 'country', 'channel'], measures: ALL_MEASURES },
  { name: 'category_quarter', by: ['category', 'quarter'],
    measures: ['min_order_value', 'median_order_value', 'p95_order_value', 'max_order_value', 'items_per_order'],
    where: { ini: `category not in ('', 'garden/tools') and quarter != 2023-Q2`,
      sql: `category NOT IN ('', 'garden/tools') AND NOT (year(day) = 2023 AND quarter(day) = 2)` } },
  { name: 'year_weekday', by: ['year', 'category_1', 'weekday'],
    measures: ['customers', 'average_order_value', 'margin', 'discount'],
    where: { ini: 'quantity >= 2 or unit_price < 12.50 or discount > 1', sql: 'q >= 2 OR price < 1250 OR discount > 100' } },
  { name: 'who', by: ['segment', 'currency', 'new_or_returning'], measures: ALL_MEASURES },
  { name: 'cohorts', by: ['cohort', 'quarter'], measures: ['customers', 'orders', 'net', 'first_day', 'last_day'],
    where: { ini: `new_or_returning in (new, returning) and not segment = wholesale and cancelled = no`,
      sql: `customer IS NOT NULL AND segment <> 'wholesale' AND NOT cancelled` } },
  { name: 'product_day', by: ['product', 'day'], measures: ['net', 'units'] },
  { name: 'top_products', by: ['product'], measures: ['net', 'units', 'orders'], order: ['net desc'], limit: 100 },
  { name: 'top_country', by: ['country', 'product'], measures: ['orders', 'net'],
    order: ['orders desc'], limit: 10, per: ['country'] },
  { name: 'first_two', by: ['year', 'channel', 'brand', 'category_2'], measures: ['lines', 'units'],
    order: ['units', 'brand desc'], limit: 2, per: ['year', 'channel'] },
  { name: 'winter_nights', measures: ALL_MEASURES,
    where: { ini: 'day >= 2023-11-01 and day < 2024-02-01 and (hour < 6 or hour > 20 or weekday in (6, 7))',
      sql: `day >= DATE '2023-11-01' AND day < DATE '2024-02-01' AND (hour < 6 OR hour > 20 OR isodow(day) IN (6, 7))` } },
  { name: 'spring', by: ['month', 'category_3'], measures: ['lines', 'gross'],
    where: { ini: `month >= 2024-03 and month <= 2024-05 and year = 2024 and week != 2024-04-01 and brand > 'K' and currency != USD`,
      sql: `day BETWEEN DATE '2024-03-01' AND DATE '2024-05-31' AND date_trunc('week', day) <> DATE '2024-04-01'
            AND brand > 'K' AND currency <> 'USD'` } },
  { name: 'a_few_products', by: ['product', 'week'], measures: ['orders', 'average_order_value'],
    where: { ini: `product in ('1', '2', '3', '4x') and category_1 != food`,
      sql: `product IN ('1', '2', '3', '4x') AND string_split(category, '/')[1] <> 'food'` } },
  { name: 'before_all', by: ['month'], measures: ['net', 'orders'],
    where: { ini: 'year < 1999', sql: 'year(day) < 1999' } },
  { name: 'no_line', measures: ['average_order_value', 'lines', 'orders', 'net', 'first_day', 'p95_order_value'],
    where: { ini: 'year < 1999', sql: 'year(day) < 1999' } },
];

const REAL = [
  { name: 'hours', by: ['weekday', 'hour'], measures: ['net', 'orders', 'customers', 'lines', 'items_per_order'] },
  { name: 'month_country', by: ['month', 'country'],
    measures: ['net', 'orders', 'median_order_value', 'p95_order_value', 'max_order_value'] },
  { name: 'best_abroad', by: ['country', 'product'], measures: ['net', 'units'], order: ['net desc'],
    limit: 10, per: ['country'],
    where: { ini: `country != 'United Kingdom' and quantity > 0 and unit_price >= 0.850`,
      sql: `country <> 'United Kingdom' AND q > 0 AND price >= 850` } },
  { name: 'faithful', by: ['quarter', 'new_or_returning'],
    measures: ['net', 'returned', 'orders', 'customers', 'average_order_value'] },
  { name: 'cohort_weeks', by: ['cohort', 'week'], measures: ['customers', 'units'] },
];

export const SPECS = { generated: GENERATED, real: REAL };
