#!/bin/bash
# A shop so small that its forecasts' figures are known: what was counted is told, the same at every number of
# ranks; what to order, by the catalogue's terms; products that never sold; what else is known of series of
# files; and why a model has no figures.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

# 75 days from Monday 2024-01-01 to Friday 2024-03-15: axe, bow, cup and dye sell 4 to 10 a day, fig once,
# elk never. One axe in ten comes back.
awk 'BEGIN {
    print "order_id,ordered_at,product_id,quantity,unit_price,country"
    split("axe bow cup dye", names, " ")
    for (t = 0; t < 75; t++) {
        day = sprintf("2024-%02d-%02d", t < 31 ? 1 : t < 60 ? 2 : 3, t < 31 ? t + 1 : t < 60 ? t - 30 : t - 59)
        for (p = 1; p <= 4; p++)
            printf "o%d-%d,%s 10:00,%s,%d,1.00,%s\n", t, p, day, names[p], 3 + p + (t * p) % 3 + (t % 7 == 5) * 2,
                t % 2 ? "Peru" : "Chad"
        if (t % 10 == 9) printf "r%d,%s 11:00,axe,-2,1.00,Peru\n", t, day
        if (t == 40) printf "f,%s 10:00,fig,3,1.00,Peru\n", day
    }
}' >orders.csv
cat >products.csv <<'END'
product_id,stock,lead_time_days,on_order,pack_size,least_order,cost,order_cost
axe,0,7,,12,200,,
bow,0,7,100000,,,,
cup,0,7,,,,2.00,50
dye,,,,,,,
elk,5,7,,,,,
END
sold=$(awk -F, 'NR > 1 && $4 > 0 { n += $4 } END { print n }' orders.csv)
options=(--horizon 7 --learn-origins 1 --forecast-models naive,average,tsb)

# told FILE: what of the summary does not differ from run to run.
told() { grep -v '^done' out | sed '/^store /,$!d' >"$1"; }
# numbers REGEX: those of the line of the summary that matches.
numbers() { grep -E -- "$1" out | grep -oE '[0-9][0-9,]*' | tr -d ,; }
ask() { # WHAT EXPECTED SQL
    local found
    found=$(sqlite3 shop.db "$3")
    checks=$((checks + 1))
    [ "$found" = "$2" ] || fail "$1: '$found' instead of '$2'"
}

run_vesper 2 nightly --store store --input orders=orders.csv --input products=products.csv --to sqlite:shop.db \
    --recommend no --forecast yes "${options[@]}" --least-periods 2
expect_done "a night" || finish
ask "who has forecasts" "axe bow cup dye" "SELECT group_concat(product_id, ' ') FROM
    (SELECT DISTINCT product_id FROM forecast_daily ORDER BY 1)"
ask "packs, at least what the supplier takes" "204.0" "SELECT order_quantity FROM inventory_plan WHERE product_id = 'axe'"
ask "what is on order is not ordered" 0.0 "SELECT order_quantity FROM inventory_plan WHERE product_id = 'bow'"
ask "without a stock" 1 "SELECT order_quantity IS NULL AND reorder_point > 0 FROM inventory_plan WHERE product_id = 'dye'"
ask "just what is missing" 1 "SELECT order_quantity = reorder_point FROM inventory_plan WHERE product_id = 'cup'"
checks=$((checks + 3))
set -- $(numbers 'pieces sold = ')
[ "$1" = "$sold" ] && [ "$1" = $(($2 + $3 + $4)) ] && [ "$3 $4 $5 $6" = "0 3 1 14" ] ||
    fail "pieces: $* of $sold sold, 3 left out of 1 series, 14 back"
expect_text "what is ordered" out '^ +2 to order now, of 3 whose stock is known$'
expect_text "who has no series" out "^ +1 of the catalogue's 5 products have no series"
expect_text "adding up" out '^ +added up by (mint|bottom_up)'
grep -qE ' forecast.*=-?nan' err && fail "the log has a number that is none: $(grep -E ' forecast.*=-?nan' err | head -1)"
python3 - store/run.json "$sold" <<'END' || fail "run.json"
import json, sys
f = json.load(open(sys.argv[1]))["forecast"]
p = f["pieces"]
assert p["sold"] == int(sys.argv[2]) == p["in_series"] + p["unfinished"] + p["left_out"], p
assert (p["unfinished"], p["left_out"], p["returned"], f["short_series"]) == (0, 3, 14, 1), f
assert (f["series"], f["without_series"], f["planned"], f["stock_known"], f["to_order"]) == (4, 1, 4, 3, 2), f
assert f["reconciled"]["by"] in ("mint", "bottom_up") and f["anomalies"] >= 0 and f["outliers"] == 0, f
END

# The same lines at every number of ranks, more than there are series too; with outliers and a week that goes on.
for ranks in 1 2 3 7; do
    rm -rf store/results/*forecast*
    run_vesper $ranks forecast --store store --frequency weekly --horizon 2 --learn-origins 1 --outlier-limit 2 \
        --forecast-models naive,average --holding-rate .2 --reconcile bottom_up --log-level debug
    expect_done "weeks on $ranks ranks"
    told told.$ranks
    [ $ranks != 1 ] || expect_text "progress" err 'forecast\.models .*done=[0-9]+ of=[0-9]+ seconds='
    expect_same "what is told on 1 and $ranks ranks" told.1 told.$ranks
done
set -- $(numbers 'pieces sold = ')
checks=$((checks + 1))
[ "$1" = "$sold" ] && [ "$1" = $(($2 + $3 + $4)) ] && [ "$3" -gt 0 ] || fail "pieces of weeks: $*"
expect_text "from the bottom up" out '^ +added up by bottom_up; [0-9]+ forecasts below 0'

# The economic quantity: sqrt(2 x demand a year x 50 / (.2 x 2)).
run_vesper 2 nightly --store store --to sqlite:shop.db --recommend no --forecast yes "${options[@]}" \
    --holding-rate .2 --gate-rows-down off --gate-rows-up off
expect_done "with a holding rate"
ask "the economic quantity" 1 "SELECT abs(order_quantity - sqrt(2 * 365 * d * 50 / .4)) <= 1 FROM inventory_plan,
    (SELECT sum(mean) / 7 AS d FROM forecast_daily WHERE product_id = 'cup') WHERE product_id = 'cup'"

# No catalogue: nobody knows what to order.
run_vesper 1 init --store bare
run_vesper 2 ingest --store bare --input orders=orders.csv
run_vesper 2 forecast --store bare "${options[@]}"
expect_done "without a catalogue"
expect_text "without a catalogue" out 'what to order is not known.*stock of --input products=FILE'
checks=$((checks + 1))
grep -q 'to order now' out && fail "orders of unknown stocks"

# A column that changes is known ahead too: sales double on days with a sign at the door, at random. Without it
# nobody can know; what does not change makes groups.
awk 'BEGIN {
    srand(5)
    print "id,date,value,sign,town"
    for (t = 1; t <= 230; t++) sign[t] = rand() < .3
    for (s = 1; s <= 12; s++) for (t = 1; t <= 200; t++)
        printf "s%d,%d,%d,%d,%s\n", s, t, (10 + s) * (1 + sign[t]), sign[t], s % 2 ? "Lima" : "Cusco"
}' >signs.csv
cut -d, -f1-3,5 signs.csv >blind.csv
measured=(--frequency daily --horizon 14 --learn-origins 1 --measure-origins 1 --forecast-models average,pooled)
rmsse() { awk '$1 == "pooled" { print $4 }' out; }
run_vesper 2 forecast --evaluate --series signs.csv "${measured[@]}" --levels town --run-record signs.json
expect_done "a column that changes"
expect_text "groups by what does not change" out '^model .* WRMSSE'
expect_text "lines" out '^ +2,400 lines = 2,400 used \+ 0 left out$'
seeing=$(rmsse)
run_vesper 3 forecast --evaluate --series blind.csv "${measured[@]}"
expect_done "without that column"
checks=$((checks + 2))
awk "BEGIN { exit !($seeing < .5 * $(rmsse)) }" || fail "what is known ahead is not used: $seeing, without $(rmsse)"
python3 -c 'import json; f = json.load(open("signs.json"))["forecast"]
assert f["lines"] == {"read": 2400, "used": 2400, "left_out": 0} and f["series"] == 12, f' || fail "run.json of files"

# Why a model has no figures.
awk 'BEGIN { print "id,date,value"; for (s = 1; s <= 4; s++) for (t = 1; t <= 60 - s; t++)
    printf "s%d,%d,%d\n", s, t, 10 + (t * s) % 5 }' >weeks.csv
run_vesper 2 forecast --evaluate --series weeks.csv --frequency weekly --horizon 4 --learn-origins 1 \
    --measure-origins 1 --forecast-models ses,weekdays,pooled
expect_done "weeks of files"
expect_text "no season" out '^weekdays +no figures: the series have no season'
expect_text "ends apart" out '^pooled +no figures: it learns across series, which do not end together'
# The year of weeks, which is too long for a season: models of their own kind see the series without it.
awk 'BEGIN { srand(7); print "id,date,value"; for (s = 1; s <= 6; s++) for (t = 1; t <= 240; t++)
    printf "s%d,%d,%.3f\n", s, t, 100 + 30 * cos(6.2832 * (t + 5 * s) / 52) + 6 * rand() }' >years.csv
run_vesper 2 forecast --evaluate --series years.csv --frequency weekly --horizon 13 --learn-origins 1 \
    --measure-origins 1 --forecast-models theta,dot,ets,ces,mstl
expect_done "years of weeks"
missed() { awk -v model="$1" '$1 == model { print $4 }' out; }
for model in dot ets ces mstl; do
    checks=$((checks + 1))
    awk "BEGIN { exit !($(missed $model) < .5 * $(missed theta)) }" ||
        fail "years of weeks: RMSSE of $model is $(missed $model), of theta $(missed theta)"
done
awk 'BEGIN { print "id,date,value"; for (t = 1; t <= 8; t++) printf "s,%d,%d\n", t, t % 3 + 1 }' >short.csv
run_vesper 1 forecast --evaluate --series short.csv --frequency daily --horizon 2 --learn-origins 1 \
    --measure-origins 1 --forecast-models naive,weekdays,ets
expect_done "a short series"
expect_text "a short series" out '^weekdays +no figures: the series are too short'

# A shop that sells the same every day: errors have no scale, and none is printed.
awk 'BEGIN { print "order_id,ordered_at,product_id,quantity,unit_price"
    for (t = 1; t <= 60; t++)
        printf "o%d,2024-%02d-%02d 10:00,axe,4,1.00\n", t, (t > 31) + 1, (t > 31) ? t - 31 : t }' >even.csv
run_vesper 2 nightly --store even --input orders=even.csv --to sqlite:even.db --forecast yes --horizon 7 \
    --learn-origins 2 --forecast-models naive,average
expect_done "an even shop"
expect_text "an even shop" out 'from the last origin: no RMSSE, since no series had varied; 100.0 % came within'
finish
