#!/bin/bash
# The night's forecasts: the same bytes at every number of ranks and threads; what must hold of them, by
# SQL on the published tables; measured on a store and on files; bad options get one line.
. "$(dirname "$0")/../support/vesper.sh"
time_limit=300
cd "$work" || exit 1

$datagen --lines 20000 --customers 800 --products 150 --days 200 --seed 5 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
options=(--forecast yes --horizon 14 --learn-origins 3)
inputs=(--input orders=raw/orders.csv --input products=raw/products.csv --input promotions=raw/promotions.csv
    --input stockouts=raw/stockouts.csv --input holidays=raw/holidays.csv)
run_vesper 2 nightly --store store "${inputs[@]}" --to sqlite:shop.db "${options[@]}"
expect_done "a night" || finish
expect_text "a night" out '^forecast +[0-9,]+ pieces in the next 14 periods, of [0-9,]+ series'
expect_text "a night" out 'from the last origin: RMSSE [0-9.]+, seasonal naive [0-9.]+; [0-9.]+ % came'

# ask WHAT EXPECTED SQL: of shop.db.
ask() {
    local found
    found=$(sqlite3 shop.db "$3")
    checks=$((checks + 1))
    [ "$found" = "$2" ] || fail "$1: '$found' instead of '$2'"
}
ask "tables" 5 "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN
    ('forecast_daily', 'forecast_total', 'forecast_accuracy', 'demand_anomaly', 'inventory_plan')"
ask "every product that sold has every day" 0 "SELECT count(*) FROM (SELECT product_id FROM product_total
    WHERE units > 0 EXCEPT SELECT product_id FROM forecast_daily GROUP BY 1 HAVING count(*) = 14)"
ask "the first day is the day after the last" 1 "SELECT (SELECT min(day) FROM forecast_daily) =
    date((SELECT max(day) FROM sales_daily), '+1 day')"
ask "products add up to the shop, day by day" 0 "SELECT count(*) FROM (SELECT day, sum(units) AS u
    FROM forecast_daily GROUP BY 1) JOIN forecast_total USING (day) WHERE level = 'total' AND u <> units"
ask "categories add up to the shop, on each level" 0 "SELECT count(*) FROM (SELECT level, day, sum(units) AS u
    FROM forecast_total WHERE level LIKE 'category%' GROUP BY 1, 2) AS c JOIN forecast_total AS t
    ON t.level = 'total' AND t.day = c.day WHERE c.u <> t.units"
ask "there are categories" 1 "SELECT count(DISTINCT name) > 1 FROM forecast_total WHERE level = 'category_1'"
ask "means add up" 0 "SELECT count(*) FROM (SELECT day, sum(mean) AS m FROM forecast_daily GROUP BY 1)
    JOIN forecast_total USING (day) WHERE level = 'total' AND abs(m - mean) > 1e-6 * (1 + mean)"
ask "pieces are near the mean" 0 "SELECT count(*) FROM forecast_daily WHERE abs(units - mean) > 1 OR mean < 0"
ask "quantiles rise" 0 "SELECT count(*) FROM forecast_daily
    WHERE NOT (p10 <= p50 AND p50 <= p90 AND low_80 <= high_80 AND low_80 >= 0)"
ask "quantiles of categories and the shop rise" 0 "SELECT count(*) FROM forecast_total
    WHERE NOT (p10 >= 0 AND p10 <= p50 AND p50 <= p90)"
ask "the shop's mean lies within its quantiles" 1 "SELECT sum(p10 <= mean AND mean <= p90) >= 0.9 * count(*)
    FROM forecast_total WHERE level = 'total'"
ask "the shop is surer than its products" 1 "SELECT (SELECT sum(p90 - p10) FROM forecast_total
    WHERE level = 'total') BETWEEN 1 AND 0.8 * (SELECT sum(p90 - p10) FROM forecast_daily)"
ask "what is published, the mix and its rivals are measured" 4 "SELECT count(*) FROM forecast_accuracy
    WHERE model IN ('published', 'mix', 'seasonal', 'naive2') AND rmsse > 0 AND coverage_80 BETWEEN 0 AND 1"
ask "weights of each class add up to one" "1.0|1.0|1.0|1.0" "SELECT round(sum(weight_smooth), 6),
    round(sum(weight_erratic), 6), round(sum(weight_intermittent), 6), round(sum(weight_lumpy), 6)
    FROM forecast_accuracy"
ask "Naive2 is measured by itself" 1.0 "SELECT round(owa, 9) FROM forecast_accuracy WHERE model = 'naive2'"
ask "a plan for each product" 0 "SELECT count(*) FROM (SELECT DISTINCT product_id FROM forecast_daily
    EXCEPT SELECT product_id FROM inventory_plan WHERE safety_stock >= 0 AND reorder_point >= 0)"
ask "what is out of stock and asked for is ordered" 0 "SELECT count(*) FROM inventory_plan
    WHERE stock = 0 AND lead_demand > 1 AND order_quantity = 0"
ask "lead times are the catalogue's" 1 "SELECT count(DISTINCT lead_time_days) > 1 FROM inventory_plan"

# At other numbers of ranks and threads.
run=$(basename "$(ls -d store/results/*forecast*)")
cp -r "store/results/$run" expected
for shape in "1 2" "1 1" "3 1" "4 2" "7 1"; do
    read -r ranks threads <<<"$shape"
    rm -rf "store/results/$run"
    run_vesper "$ranks" forecast --store store --threads "$threads" --horizon 14 --learn-origins 3
    expect_done "$ranks ranks, $threads threads"
    checks=$((checks + 1))
    diff -r expected "store/results/$run" >/dev/null ||
        fail "forecasts on $ranks ranks with $threads threads have other bytes"
done
run_vesper 1 forecast --store store --horizon 14 --learn-origins 3
expect_text "computed before" out "^forecast +run $run was computed before; its tables are kept"

# By country, by week; and a night without.
run_vesper 2 nightly --store store --to sqlite:country.db --forecast yes --horizon 4 --frequency weekly \
    --forecast-by country --forecast-models naive,average,ses,theta --learn-origins 2 --reconcile wls
expect_done "weeks by country"
expect_text "weeks by country" out 'from the last origin: RMSSE [0-9.]+, last value [0-9.]+;'
checks=$((checks + 1))
[ "$(sqlite3 country.db "SELECT count(*) FROM (SELECT country, day, sum(units) AS u FROM forecast_daily GROUP BY 1, 2)
    AS d JOIN forecast_total AS t ON t.level = 'country' AND t.name = d.country AND t.day = d.day
    WHERE u <> units OR strftime('%w', d.day) <> '1'")" = 0 ] || fail "countries do not add up, or weeks begin late"

# By channel: a series for each product and channel that sold, as the orders say, adding up to the channels.
run_vesper 3 nightly --store store --to sqlite:channel.db --forecast yes --horizon 3 --frequency weekly \
    --forecast-by channel --forecast-models naive,average --learn-origins 1
expect_done "weeks by channel"
checks=$((checks + 2))
sqlite3 -csv orders.db ".import raw/orders.csv orders" "ATTACH 'channel.db' AS f" \
    "CREATE TEMP TABLE sold AS SELECT DISTINCT product_id, channel FROM orders
        WHERE CAST(quantity AS INTEGER) > 0 AND status <> 'cancelled'" \
    "CREATE TEMP TABLE found AS SELECT DISTINCT product_id, channel FROM f.forecast_daily" \
    "SELECT count(*) FROM (SELECT * FROM sold EXCEPT SELECT * FROM found)" \
    "SELECT count(*) FROM (SELECT * FROM found EXCEPT SELECT * FROM sold)" \
    "SELECT count(DISTINCT channel) > 1 FROM found" \
    "SELECT count(*) FROM (SELECT channel, day, sum(units) AS u FROM f.forecast_daily GROUP BY 1, 2) AS d
        JOIN f.forecast_total AS t ON t.level = 'channel' AND t.name = d.channel AND t.day = d.day WHERE u <> units" \
    "SELECT count(*) = 3 * (SELECT count(DISTINCT channel) FROM found) FROM f.forecast_total
        WHERE level = 'channel'" >channels
printf '0\n0\n1\n0\n1\n' | cmp -s - channels || fail "channels: $(tr '\n' ' ' <channels)instead of 0 0 1 0 1"
cp -r "$(ls -dt store/results/*forecast* | head -1)" by_channel
rm -r "$(ls -dt store/results/*forecast* | head -1)"
run_vesper 1 nightly --store store --to sqlite:channel.db --forecast yes --horizon 3 --frequency weekly \
    --forecast-by channel --forecast-models naive,average --learn-origins 1
expect_done "weeks by channel on one rank"
diff -r by_channel "$(ls -dt store/results/*forecast* | head -1)" >/dev/null ||
    fail "by channel: other bytes on one rank"

run_vesper 1 nightly --store store --to sqlite:none.db --forecast no
expect_done "a night without"
checks=$((checks + 1))
[ "$(sqlite3 none.db "SELECT count(*) FROM sqlite_master WHERE name LIKE 'forecast%'")" = 0 ] ||
    fail "--forecast no publishes forecasts"

# Measured on the store; and on files, where the answer is known: a season that comes again is foretold.
run_vesper 2 forecast --store store --evaluate --horizon 14 --learn-origins 2 --measure-origins 2 \
    --forecast-models average,ses,tsb,pooled
expect_done "measured on the store"
expect_text "measured on the store" out '^model +sMAPE +MASE +RMSSE +OWA +bias +pinball'
expect_text "measured on the store" out '^mix +[0-9.]+ +[0-9.]+ +[0-9.]+ '
figures() { awk -v model="$1" '$1 == model { $1 = ""; print }' out; }
checks=$((checks + 1))
[ -n "$(figures published)" ] && [ "$(figures published)" != "$(figures mix)" ] ||
    fail "adding up changes nothing: $(figures published)"
run_vesper 3 forecast --store store --evaluate --horizon 14 --learn-origins 2 --measure-origins 2 \
    --forecast-models average,ses,tsb,pooled --reconcile bottom_up
expect_done "measured from the bottom up"
checks=$((checks + 1))
[ -n "$(figures published)" ] && [ "$(figures published)" = "$(figures mix)" ] ||
    fail "from the bottom up the mix is published: $(figures published) instead of $(figures mix)"
awk 'BEGIN { print "id,date,value"; for (s = 1; s <= 5; s++) for (t = 1; t <= 70; t++)
    printf "s%d,%d,%d\n", s, t, 10 * s + 3 * (t % 7) * (t % 7) }' >all.csv
awk -F, 'NR == 1 || $2 <= 56' all.csv >train.csv
awk -F, 'NR == 1 || $2 > 56' all.csv >test.csv
for ranks in 1 3; do
    run_vesper $ranks forecast --evaluate --series train.csv --test test.csv --frequency daily --horizon 14 \
        --learn-origins 1 --forecast-models naive,seasonal,ses,ets
    expect_done "measured on files"
    expect_text "the season comes again" out '^seasonal +0\.000 +- +0\.0000 +- '
    grep -E '^[a-z0-9]+ +[0-9.-]+ ' out | sed 's/ *[^ ]* *[^ ]*$//' >table.$ranks
done
expect_same "the table on 1 and 3 ranks" table.1 table.3

# Levels: a series by itself, pairs of them, and all. The naive forecast of a step that all make at once.
awk 'BEGIN { print "id,date,value,kind,weight"; for (s = 1; s <= 4; s++) for (t = 1; t <= 40; t++)
    printf "s%d,%d,%d,%s,%d\n", s, t, t * s, s < 3 ? "low" : "high", s }' >steps.csv
run_vesper 2 forecast --evaluate --series steps.csv --frequency daily --horizon 4 --learn-origins 1 \
    --measure-origins 1 --forecast-models naive --levels total,kind
expect_done "levels"
# Each series and sum grows by its own step a period: errors of 1, 2, 3 and 4 steps, RMSSE sqrt(30 / 4).
expect_text "levels" out '^model .* OWA +WRMSSE'
expect_text "levels" out '^naive .* 2\.7386 +[0-9.]+ +2\.7386 '

# Odd series, each tried by every model: short, constant, all zero, one sale, below zero, huge, with gaps,
# zeros and then a jump; and two that end early.
awk 'BEGIN {
    print "id,date,value"
    for (t = 1; t <= 730; t++) {
        if (t == 730) print "one_point," t ",5"
        if (t > 725) print "below_a_season," t "," t
        print "constant," t ",7"
        print "zero," t ",0"
        print "one_sale," t "," (t == 400)
        print "negative," t "," (t % 7 - 20)
        print "huge," t "," 1e12 + 1e10 * (t % 7)
        if (t % 5) print "gaps," t "," 10 + t % 7
        print "jump," t "," (t > 700 ? 40 : 0)
        if (t < 300) print "ends_early," t "," t % 3
        print "usual," t "," int(20 + 10 * sin(t / 3) + t % 7)
    }
}' >odd.csv
for ranks in 1 3; do
    run_vesper $ranks forecast --evaluate --series odd.csv --frequency daily --horizon 14 --learn-origins 2 \
        --measure-origins 1
    expect_done "odd series"
    expect_text "odd series" out '^series +11, daily'
    grep -E '^[a-z0-9]+ +[0-9.-]+ ' out | sed 's/ *[^ ]* *[^ ]*$//' >odd.$ranks
done
expect_same "odd series on 1 and 3 ranks" odd.1 odd.3
for model in naive seasonal average ses holt damped comb theta dot ets ces mstl median croston sba tsb adida imapa mix; do
    expect_text "odd series, $model" out "^$model +[0-9.]+ +[0-9.]+ +[0-9.]+ "
done
: >nothing.csv
run_vesper 2 forecast --evaluate --series nothing.csv --frequency daily
expect_failure "an empty file" 3 'nothing.csv'

refused() { # WHAT REGEX ARGUMENT...
    local what=$1 regex=$2
    shift 2
    run_vesper 2 "$@"
    expect_failure "$what" 2 "$regex"
}
refused "a model" "there is no model 'arimax'.*theta" forecast --store store --forecast-models arimax
refused "a frequency" "there is no frequency 'dayly'.*daily" forecast --store store --frequency dayly
refused "a grouping" "there is no grouping 'shop'.*country" forecast --store store --forecast-by shop
refused "a method" "there is no method 'ols'.*mint" forecast --store store --reconcile ols
refused "a level" "no column 'sort'.*kind" forecast --evaluate --series steps.csv --frequency daily --levels total,sort
refused "hours of a store" "hourly is for files" forecast --store store --frequency hourly
refused "a test without series" "--test needs --series" forecast --store store --evaluate --test test.csv
refused "files without --evaluate" "--series is for measuring.*give --evaluate" forecast --series train.csv
refused "levels without --evaluate" "--levels is for measuring.*give --evaluate" forecast --store store --levels total
refused "origins without --evaluate" "--measure-origins is for measuring" forecast --store store --measure-origins 2
refused "two sources" "--series and --store .*give one" forecast --evaluate --store store --series train.csv
refused "groups of a file" "--forecast-by is for series of a store" forecast --evaluate --series train.csv --forecast-by country
refused "a sum of a file" "--reconcile is for series of a store" forecast --evaluate --series train.csv --reconcile wls
refused "orders of a measurement" "--lead-time changes no forecast" forecast --evaluate --store store --lead-time 3
refused "origins and a test" "--measure-origins .*--test" forecast --evaluate --series train.csv --test test.csv \
    --measure-origins 2
printf '[store]\npath = store\n[forecast]\nleast_periods = 3\nlead_time = 3\n' >shop.ini
run_vesper 1 forecast -c shop.ini --evaluate --series train.csv --frequency daily --horizon 7 \
    --learn-origins 1 --measure-origins 1 --forecast-models naive
expect_done "series beside a shop's ini"
expect_text "series beside a shop's ini" out '^series +5, daily'
printf 'id,date,value\na,1,x\n' >bad.csv
run_vesper 2 forecast --evaluate --series bad.csv --frequency daily
expect_failure "a value that is no number" 3 'bad.csv' 'line 2|:2'
run_vesper 1 init --store empty
run_vesper 2 nightly --store empty --to sqlite:empty.db --forecast yes
expect_done "no orders at all"
finish
