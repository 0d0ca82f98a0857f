#!/bin/bash
# Forecasts of the real orders beside the answers of another implementation
# (shared/reference/forecast.md): 907 daily series, 28 days ahead.
. "$(dirname "$0")/../support/vesper.sh"
time_limit=600
orders=$shared/data/online_retail.csv.xz
[ -f "$orders" ] || skip_test "no real orders at $orders"
cd "$work" || exit 1
/usr/bin/python3 "$repo/tests/job/forecast_real.py" "$orders" || fail "the series could not be made"
run_vesper 2 forecast --evaluate --series train.csv --test test.csv --frequency daily --horizon 28 \
    --learn-origins 1
expect_done "measured on the real orders" || finish
expect_text "all series" out '^series +907, daily'

# near MODEL COLUMN EXPECTED TOLERANCE: columns as printed, sMAPE is 2.
near() {
    local found
    found=$(awk -v model="$1" -v at="$2" '$1 == model { print $at }' out)
    checks=$((checks + 1))
    awk -v found="$found" -v expected="$3" -v most="$4" \
        'BEGIN { exit !(found != "" && found - expected <= most && expected - found <= most) }' ||
        fail "$1, column $2: $found instead of $3"
}
# model RMSSE MASE bias, and how far each may be off: models that are optimised end elsewhere.
while read -r model rmsse mase bias off; do
    near "$model" 4 "$rmsse" "$off"
    near "$model" 3 "$mase" "$off"
    near "$model" 6 "$bias" "$off"
done <<'END'
seasonal .9921 1.3793 .107 .0006
average .7626 1.1278 -.094 .0006
weekdays .7913 1.0972 -.113 .0006
croston .7718 1.1761 .011 .0006
sba .7697 1.1564 -.040 .0006
tsb .7657 1.1814 .045 .0006
adida .7664 1.1665 .038 .0006
imapa .7707 1.1951 .067 .0006
dot .7694 1.1909 .059 .001
ets .7648 1.1338 -.033 .03
END
finish
