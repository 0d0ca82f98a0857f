// BG/NBD and Gamma-Gamma once more, by other ways than Vesper's: expectations by numerical integration
// over what is unknown of a customer, instead of closed forms with 2F1. Times in weeks.

// ln Gamma: Stirling's series (DLMF 5.11.1) after shifting upwards.
export function logGamma(x) {
  let shift = 0;
  for (; x < 15; x++) shift += Math.log(x);
  const t = 1 / (x * x);
  const series = (1 / 12 - t * (1 / 360 - t * (1 / 1260 - t * (1 / 1680 - t / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series - shift;
}
const logBeta = (a, b) => logGamma(a) + logGamma(b) - logGamma(a + b);

// Integral over (0, 1) of f(p, 1 - p), ends may be singular: tanh-sinh rule (Takahasi, Mori 1974).
function integrate(f) {
  const step = 1 / 64;
  let sum = 0;
  for (let k = -6 / step; k <= 6 / step; k++) {
    const t = k * step, s = Math.PI / 2 * Math.sinh(t);
    const p = 1 / (1 + Math.exp(-2 * s)), q = 1 / (1 + Math.exp(2 * s));
    if (p > 0 && q > 0)
      sum += f(p, q) * 2 * p * q * Math.PI / 2 * Math.cosh(t);
  }
  return sum * step;
}

// Both ways in which a history of x repeat purchases, the last at tx, can go on until T: the customer
// is alive, or left after the last purchase. Logarithms of their likelihoods.
function histories({ r, alpha, a, b }, x, tx, T) {
  const rate = logGamma(r + x) - logGamma(r) + r * Math.log(alpha);
  return {
    alive: rate + logBeta(a, b + x) - logBeta(a, b) - (r + x) * Math.log(alpha + T),
    gone: x === 0 ? -Infinity
      : rate + logBeta(a + 1, b + x - 1) - logBeta(a, b) - (r + x) * Math.log(alpha + tx),
  };
}

export function logLikelihood(model, x, tx, T) {
  const { alive, gone } = histories(model, x, tx, T);
  return alive + Math.log1p(Math.exp(gone - alive));
}

export function pAlive(model, x, tx, T) {
  const { alive, gone } = histories(model, x, tx, T);
  return 1 / (1 + Math.exp(gone - alive));
}

// Alive at T, the rate is Gamma(r + x, alpha + T) and the drop-out p Beta(a, b + x), independent of
// each other; with both known, (1 - exp(-lambda p t)) / p purchases are to come in t. Integrated over
// u = p^a, which takes the peak at p = 0 away.
export function expectedOrders(model, x, tx, T, t) {
  const { r, alpha, a, b } = model;
  const norm = logBeta(a, b + x) + Math.log(a);
  const coming = (p) => (p < 1e-200 ? (r + x) * t / (alpha + T)
    : -Math.expm1(-(r + x) * Math.log1p(p * t / (alpha + T))) / p);
  const alive = integrate((u, rest) => {
    const logP = (u < 0.5 ? Math.log(u) : Math.log1p(-rest)) / a;
    const logQ = logP < -1 ? Math.log1p(-Math.exp(logP)) : Math.log(-Math.expm1(logP));
    return Math.exp((b + x - 1) * logQ - norm) * coming(Math.exp(logP));
  });
  return pAlive(model, x, tx, T) * alive;
}

// Value z of x purchases on average: a customer's nu is Gamma(q + p x, v + x z), and the mean p / nu.
export const expectedValue = ({ p, q, v }, x, z) => p * (v + x * z) / (p * x + q - 1);

export const valueLogLikelihood = ({ p, q, v }, x, z) =>
  logGamma(p * x + q) - logGamma(p * x) - logGamma(q) + q * Math.log(v) + (p * x - 1) * Math.log(z) +
  p * x * Math.log(x) - (p * x + q) * Math.log(v + x * z);
