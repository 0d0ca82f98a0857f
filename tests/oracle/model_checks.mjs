// customer_model and the columns of customer_summary that come from it, checked with models.mjs.
import { rows } from '../../bench/duckdb_client.mjs';
import { readTable } from './compare.mjs';
import { expectedOrders, expectedValue, logLikelihood, pAlive, valueLogLikelihood } from './models.mjs';

const HORIZONS = [30, 90, 365];
export const MODEL_COLUMNS = ['p_alive', ...HORIZONS.map((h) => `expected_orders_${h}`),
  ...HORIZONS.map((h) => `expected_value_${h}`)];
const SAMPLE = 300;

// x: repeat purchases (days with a kept sale after the first); mean: their value, on average, in major
// units of money.
const historiesSql = (decimals) => `
  WITH purchase AS (SELECT customer, day, sum(gross)::BIGINT AS value FROM l
                    WHERE kept AND customer IS NOT NULL GROUP BY ALL)
  SELECT customer, count(*) - 1 AS x, date_diff('day', min(day), max(day)) AS tx,
         date_diff('day', min(day), (SELECT as_of FROM night)) AS age,
         (sum(value) - arg_min(value, day)) / nullif(count(*) - 1, 0) / ${10 ** decimals} AS mean
  FROM purchase GROUP BY customer ORDER BY customer`;

const differs = (found, expected, tolerance) =>
  found === null || !(Math.abs(found - expected) <= tolerance * Math.max(Math.abs(expected), 1e-3));

// A model's rows as {parameters, customers, logLikelihood, converged}.
function modelOf(table, name) {
  const own = table.rows.filter((row) => row.model === name);
  return { parameters: Object.fromEntries(own.map((row) => [row.parameter, row.value])), ...own[0] };
}

// The likelihood is the sum over customers, and no small step leads higher.
function fitDifference(name, model, n, total) {
  if (model.customers !== n)
    return `${name}: fitted to ${model.customers} customers instead of ${n}`;
  const best = total(model.parameters);
  if (differs(model.log_likelihood, best, 1e-9))
    return `${name}: log-likelihood ${model.log_likelihood} instead of ${best}`;
  for (const parameter of Object.keys(model.parameters)) {
    for (const factor of [0.99, 1.01]) {
      const moved = { ...model.parameters, [parameter]: model.parameters[parameter] * factor };
      if (model.converged && total(moved) > best)
        return `${name}: ${parameter} times ${factor} is more likely`;
    }
  }
}

function customerDifference(row, history, orders, value, minorUnits) {
  if (!history)
    return MODEL_COLUMNS.map((c) => row[c] !== null && `${c} without a purchase`).find(Boolean);
  const { x, tx, age, mean } = history;
  const weeks = [x, tx / 7, age / 7];
  const expected = { p_alive: pAlive(orders, ...weeks) };
  for (const h of HORIZONS) {
    expected[`expected_orders_${h}`] = expectedOrders(orders, ...weeks, h / 7);
    expected[`expected_value_${h}`] = expected[`expected_orders_${h}`] * expectedValue(value, x, mean ?? 0) * minorUnits;
  }
  return MODEL_COLUMNS.map((c) => differs(row[c], expected[c], 1e-6) && `${c}: ${row[c]} instead of ${expected[c]}`)
    .find(Boolean);
}

export async function checkModels(db, database, decimals) {
  const table = readTable(database, 'customer_model');
  const summary = readTable(database, 'customer_summary');
  if (!table || !summary)
    return 'is not there';
  const histories = await rows(db, historiesSql(decimals));
  const orders = modelOf(table, 'bg_nbd'), value = modelOf(table, 'gamma_gamma');
  const repeaters = histories.filter((h) => h.x > 0 && h.mean > 0);
  const difference =
    fitDifference('bg_nbd', orders, histories.length, (model) =>
      histories.reduce((sum, h) => sum + logLikelihood(model, h.x, h.tx / 7, h.age / 7), 0)) ??
    fitDifference('gamma_gamma', value, repeaters.length, (model) =>
      repeaters.reduce((sum, h) => sum + valueLogLikelihood(model, h.x, h.mean), 0));
  if (difference)
    return difference;
  const byCustomer = new Map(histories.map((h) => [h.customer, h]));
  const every = Math.max(1, Math.floor(summary.rows.length / SAMPLE));
  for (let i = 0; i < summary.rows.length; i += every) {
    const row = summary.rows[i];
    const wrong = customerDifference(row, byCustomer.get(row.customer), orders.parameters, value.parameters,
      10 ** decimals);
    if (wrong)
      return `customer ${row.customer}, ${wrong}`;
  }
}
