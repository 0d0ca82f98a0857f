#!/bin/bash
# What is published, beside every model by itself: on the real orders, of the products that sold on 100 days
# or more, from three origins, 28 and 14 days ahead. What holds is asserted; what does not is said.
. "$(dirname "$0")/../support/vesper.sh"
time_limit=600
orders=$shared/data/online_retail.csv.xz
[ -f "$orders" ] || skip_test "no real orders at $orders"
cd "$work" || exit 1
shop=(-c "$repo/data/online_retail.ini" --store retail)
run_vesper 2 init "${shop[@]}"
run_vesper 2 ingest "${shop[@]}" --input orders="$orders"
expect_done "the real orders" || finish
expect_sum "the real orders"

# Columns of the table.
rmsse=4 bias=6 pinball=7 coverage=8
figure() { awk -v model="$1" -v at="$2" '$1 == model { print $at }' out; } # MODEL COLUMN
holds() { awk "BEGIN { exit !($1) }"; }                                    # ARITHMETIC
# Models by themselves that the table has figures of.
rivals() { awk '/^model / { on = 1; next } on && NF == 10 && $1 != "mix" && $1 != "published" { print $1 }' out; }

# below WHAT COLUMN MODEL...: published has less than each.
below() {
    local what=$1 at=$2 own model
    shift 2
    own=$(figure published "$at")
    for model in "$@"; do
        checks=$((checks + 1))
        holds "\"$own\" != \"\" && $own < $(figure "$model" "$at")" ||
            fail "$what: published has $own, $model $(figure "$model" "$at")"
    done
}

# measure WHAT OPTION...
measure() {
    local what=$1
    shift
    run_vesper 2 forecast "${shop[@]}" --evaluate --measure-origins 3 --least-periods 100 "$@"
    expect_done "$what" || return 1
    expect_text "$what" out '^series +1,067, daily'
    checks=$((checks + 1))
    [ "$(rivals | wc -l)" -ge 15 ] || fail "$what: figures of $(rivals | wc -l) models only"
    # The pooled regression is best by RMSSE, and what is published is as good: within 1 %.
    below "$what, RMSSE" $rmsse $(rivals | grep -v '^pooled$')
    checks=$((checks + 1))
    holds "$(figure published $rmsse) < 1.01 * $(figure pooled $rmsse)" ||
        fail "$what: RMSSE of pooled is $(figure pooled $rmsse), of what is published $(figure published $rmsse)"
    below "$what, pinball" $pinball $(rivals)
    # Nor does the mix lose by adding up.
    checks=$((checks + 1))
    holds "$(figure published $rmsse) < 1.005 * $(figure mix $rmsse)" || fail "$what: adding up costs too much"
    # The aims: below pooled too, a bias below 3 %, and 77 to 83 % within the intervals of 80 %.
    echo "$what: RMSSE of what is published $(figure published $rmsse), of pooled $(figure pooled $rmsse);" \
        "bias $(figure published $bias); $(figure published $coverage) % in the intervals of 80 %"
}
# The season before Christmas is higher than any before: all models are too low, and the fewer the further
# they look, so that neither bias nor, 28 days ahead, intervals are where they should be.
measure "28 days" --horizon 28
# Without those that take most of the time and are not among the best.
measure "14 days" --horizon 14 --forecast-models \
    naive,average,weekdays,ses,theta,dot,ets,croston,sba,tsb,adida,imapa,pooled
checks=$((checks + 1))
holds "$(figure published $coverage) > 77 && $(figure published $coverage) < 83" ||
    fail "14 days: $(figure published $coverage) % in the intervals of 80 %"
finish
