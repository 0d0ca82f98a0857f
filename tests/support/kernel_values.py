#!/usr/bin/env python3
"""Writes tests/unit/kernel_values.h: values of the models in src/kernel by the formulas as they are
printed in the papers, in 100 digits (mpmath; Debian: python3-mpmath). Only for changing the cases:

    tests/support/kernel_values.py >tests/unit/kernel_values.h && clang-format -i tests/unit/kernel_values.h
"""

import mpmath as mp

mp.mp.dps = 100
CLOSE = mp.mpf(10) ** -40  # stands in for a pole of a formula whose limit is regular

CDNOW = ("0.243", "4.414", "0.793", "2.426")
# model, repeats, recency in days, age in days, horizon in days
BG_NBD = [
    (CDNOW, 0, 0, 0, 30),
    (CDNOW, 0, 0, 1, 1),
    (CDNOW, 0, 0, 273, 30),
    (CDNOW, 0, 0, 273, 365),
    (CDNOW, 1, 1, 200, 90),
    (CDNOW, 1, 200, 200, 90),
    (CDNOW, 2, 213, 272, 273),
    (CDNOW, 4, 250, 266, 365),
    (CDNOW, 29, 250, 266, 365),
    (CDNOW, 29, 100, 120, 7300),
    (CDNOW, 120, 700, 730, 30),
    (CDNOW, 1100, 1500, 1500, 365),
    (CDNOW, 1500, 3000, 3010, 90),
    (CDNOW, 3, 9000, 9500, 365),  # past the lookup of days
    (CDNOW, 5000, 9000, 9100, 30),  # past both
    (("0.9", "12", "1", "3"), 2, 100, 150, 90),  # a = 1
    (("0.9", "12", "1", "3"), 0, 0, 7, 365),
    (("0.9", "12", "1.0000000001", "3"), 5, 100, 150, 1),
    (("0.9", "12", "0.9999999999", "3"), 5, 100, 150, 365),
    (("0.6", "8", "0.4", "0.6"), 0, 0, 50, 90),  # a + b + x = 1
    (("0.6", "8", "0.1", "0.2"), 0, 0, 50, 90),  # a + b + x < 1
    (("0.6", "8", "0.1", "0.2"), 1, 10, 50, 90),
    (("0.5", "0.02", "0.8", "2.5"), 0, 0, 0, 365),  # z = 0.9996
    (("0.5", "0.0001", "0.8", "2.5"), 0, 0, 0, 365),
    (("2", "0.01", "1", "0.5"), 1, 0, 0, 3650),
    (("0.3", "0.5", "0.7", "0.001"), 0, 0, 0, 3650),  # nearly all leave
    (("0.3", "0.5", "0.001", "0.7"), 0, 0, 0, 3650),  # nearly all stay
    (("0.3", "0.5", "0.001", "0.001"), 0, 0, 7, 36500),
    (("40", "300", "50", "900"), 3, 300, 350, 365),  # nearly equal customers
    (("2000", "9000", "3000", "70000"), 7, 300, 350, 365),
    (("0.01", "0.7", "0.2", "9"), 3, 20, 2000, 365),  # surely gone
    (("0.243", "4.414", "30", "2"), 2, 30, 60, 90),
]

GAMMA_GAMMA_CDNOW = ("6.25", "3.74", "15.44")
# model, purchases, mean value
GAMMA_GAMMA = [
    (GAMMA_GAMMA_CDNOW, 1, "22.35"),
    (GAMMA_GAMMA_CDNOW, 1, "0.01"),
    (GAMMA_GAMMA_CDNOW, 2, "11.77"),
    (GAMMA_GAMMA_CDNOW, 29, "299.63"),
    (GAMMA_GAMMA_CDNOW, 1023, "35.5"),
    (GAMMA_GAMMA_CDNOW, 1024, "35.5"),  # past the counts that are gathered
    (GAMMA_GAMMA_CDNOW, 20000, "35.5"),
    (("0.4", "0.5", "2"), 1, "1000000"),  # no mean
    (("0.4", "0.5", "2"), 2, "7"),
    (("0.001", "0.002", "300"), 3, "12"),
    (("800", "900", "40"), 3, "36"),
    (("1", "1", "1"), 1, "1"),
]

SPECIAL = [("0.000001", "1"), ("0.243", "29"), ("2.5", "0.001"), ("9.999", "0.5"), ("10", "1"),
           ("123.456", "1000000"), ("1000000", "1"), ("1000000", "0.000001"), ("3", "0")]


def number(value):
    return mp.nstr(value, 20, strip_zeros=True)


def exactly(text):
    """What a C compiler makes of the number."""
    return mp.mpf(float(text))


def weeks(days):
    return mp.mpf(days) / 7


def bg_nbd_likelihood(r, alpha, a, b, x, recency, age):
    """Fader, Hardie, Lee 2005, eq. 6, logarithm."""
    left = mp.mpf(0)
    if x > 0:
        left = mp.beta(a + 1, b + x - 1) / mp.beta(a, b) / (alpha + recency) ** (r + x)
    stay = mp.beta(a, b + x) / mp.beta(a, b) / (alpha + age) ** (r + x)
    return mp.log((stay + left) * mp.gamma(r + x) / mp.gamma(r) * alpha**r)


def bg_nbd_forecast(r, alpha, a, b, x, recency, age, horizon):
    """P(alive), eq. 10's hypergeometric function, and eq. 10."""
    odds = a / (b + x - 1) * ((alpha + age) / (alpha + recency)) ** (r + x) if x > 0 else 0
    alive = 1 / (1 + odds)
    if a == 1:
        a += CLOSE
    if a + b + x == 1:
        b += CLOSE
    z = horizon / (alpha + age + horizon)
    c = a + b + x - 1
    gauss = mp.hyp2f1(r + x, b + x, c, z)
    orders = c / (a - 1) * (1 - ((alpha + age) / (alpha + age + horizon)) ** (r + x) * gauss) * alive
    return alive, gauss, orders


def gamma_gamma_likelihood(p, q, v, x, mean):
    """Fader, Hardie 2013, eq. 1a, logarithm."""
    return mp.log(mp.gamma(p * x + q) / (mp.gamma(p * x) * mp.gamma(q)) * v**q * mean ** (p * x - 1)
                  * x ** (p * x) / (v + x * mean) ** (p * x + q))


def slopes(function, model):
    """Derivatives by the logarithms of the parameters."""
    found = []
    for i in range(len(model)):
        along = lambda log, i=i: function(*model[:i], mp.exp(log), *model[i + 1:])
        found.append(mp.diff(along, mp.log(model[i]), h=mp.mpf(10) ** -30))
    return found


def joined(values):
    return ", ".join(number(value) for value in values)


def bg_nbd_row(model, x, recency, age, horizon):
    m = [exactly(text) for text in model]
    times = [weeks(recency), weeks(age)]
    function = lambda *args: bg_nbd_likelihood(*args, x, *times)
    alive, gauss, orders = bg_nbd_forecast(*m, x, *times, weeks(horizon))
    return (f"{{{{{', '.join(model)}}}, {x}, {recency}, {age}, {horizon}, {number(function(*m))}, "
            f"{{{joined(slopes(function, m))}}}, {number(alive)}, {number(gauss)}, {number(orders)}}}")


def gamma_gamma_row(model, x, mean):
    p, q, v = m = [exactly(text) for text in model]
    mean_value = exactly(mean)
    function = lambda *args: gamma_gamma_likelihood(*args, x, mean_value)
    rest = p * x + q - 1
    expected = number(p * (v + x * mean_value) / rest) if rest > 0 else "NAN"
    return (f"{{{{{', '.join(model)}}}, {x}, {mean}, {number(function(*m))}, "
            f"{{{joined(slopes(function, m))}}}, {expected}}}")


def special_row(z, n):
    low = exactly(z)
    high = low + exactly(n)
    return (f"{{{z}, {n}, {number(mp.loggamma(high) - mp.loggamma(low))}, "
            f"{number(mp.digamma(high) - mp.digamma(low))}, {number(mp.loggamma(low))}, "
            f"{number(mp.digamma(low))}}}")


def table(kind, name, rows):
    print(f"static const {kind} {name}[] = {{")
    for row in rows:
        print(f"{row},")
    print("};\n")


print("""/* Made by tests/support/kernel_values.py (mpmath, 100 digits). */
#ifndef VESPER_TESTS_UNIT_KERNEL_VALUES_H
#define VESPER_TESTS_UNIT_KERNEL_VALUES_H

#include "kernel/bgnbd.h"
#include "kernel/gamma_gamma.h"

#include <math.h>

typedef struct BgNbdValue {
    BgNbd model;
    int32_t repeats, recency_days, age_days, horizon_days;
    double log_likelihood;
    double slopes[BGNBD_PARAMETERS]; /* by the logarithms */
    double alive;
    double gauss; /* the 2F1 of eq. 10 */
    double orders;
} BgNbdValue;

typedef struct GammaGammaValue {
    GammaGamma model;
    int32_t purchases;
    double mean;
    double log_likelihood;
    double slopes[GAMMA_GAMMA_PARAMETERS];
    double expected;
} GammaGammaValue;

typedef struct SpecialValue {
    double z, n;
    double log_gamma_step, digamma_step, log_gamma, digamma;
} SpecialValue;
""")
table("BgNbdValue", "bg_nbd_values", [bg_nbd_row(*case) for case in BG_NBD])
table("GammaGammaValue", "gamma_gamma_values", [gamma_gamma_row(*case) for case in GAMMA_GAMMA])
table("SpecialValue", "special_values", [special_row(*case) for case in SPECIAL])
print("#endif")
