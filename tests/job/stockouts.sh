#!/bin/bash
# Days out of stock: forecasts, anomalies and plans take them for days of which nothing is known; a row
# that comes again replaces the one before; bad rows are rejected one by one.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

# Two products of 60 days from 2024-01-01: `steady` sells 4 pieces a day, `gone` 6 until day 50 and nothing
# then; on day 55 one piece of it is sold all the same.
awk 'BEGIN {
    print "order_id,ordered_at,product_id,quantity,unit_price,customer_id"
    for (t = 1; t <= 60; t++) {
        month = t <= 31 ? 1 : 2
        day = sprintf("2024-%02d-%02d 10:00:00", month, t - 31 * (month - 1))
        print "a" t "," day ",steady,4,1.00,c1"
        if (t <= 50) print "b" t "," day ",gone,6,1.00,c2"
        if (t == 55) print "b" t "," day ",gone,1,1.00,c2"
    }
}' >orders.csv
printf 'product_id,name,stock,lead_time_days\nsteady,Steady,100,7\ngone,Gone,0,7\n' >products.csv
header=product_id,from,to
printf "$header\ngone,2024-02-20,2024-02-23\n" >some.csv # days 51 to 54
printf "$header\ngone,2024-02-20,\n" >open.csv

# night STORE RANKS [OPTION...]: into STORE.db.
night() {
    local store=$1 ranks=$2
    shift 2
    run_vesper "$ranks" nightly --store "$store" --partitions 4 --pair-min-orders 2 --to "sqlite:$store.db" \
        --forecast yes --horizon 7 --learn-origins 2 --forecast-models ses,average "$@"
}

ask() { # WHAT STORE EXPECTED SQL
    local found
    found=$(sqlite3 "$2.db" "$4")
    checks=$((checks + 1))
    [ "$found" = "$3" ] || fail "$1: '$found' instead of '$3'"
}

night without 2 --input orders=orders.csv --input products=products.csv
expect_done "a night without stock-outs" || finish
ask "without" without "7|1" "SELECT count(*), max(mean) < 3 FROM forecast_daily WHERE product_id = 'gone'"
night with 2 --input orders=orders.csv --input products=products.csv --input stockouts=open.csv
expect_done "a night with stock-outs"
expect_text "a night with stock-outs" out '^ +out of stock: 9 values of the history are not known'
ask "what nobody could buy was wanted" with "7|1" "SELECT count(*), min(mean) > 3.5 FROM forecast_daily
    WHERE product_id = 'gone'"
ask "what was there is as before" with 7 "SELECT count(*) FROM forecast_daily WHERE product_id = 'steady' AND
    abs(mean - 4) < 0.01"
ask "no anomaly where nobody could buy" with 0 "SELECT count(*) FROM demand_anomaly
    WHERE product_id = 'gone' AND units = 0"
ask "one sale on such a day counts" with 1.0 "SELECT units FROM demand_anomaly
    WHERE product_id = 'gone' AND day = '2024-02-24'"
ask "more is ordered" with 1 "ATTACH 'without.db' AS blind; SELECT a.reorder_point > b.reorder_point FROM
    main.inventory_plan AS a JOIN blind.inventory_plan AS b USING (product_id) WHERE product_id = 'gone'"

# At other numbers of ranks; and a later row with another last day.
for ranks in 1 3; do
    night "with$ranks" $ranks --input orders=orders.csv --input products=products.csv --input stockouts=open.csv
    expect_same_store "on $ranks ranks" with "with$ranks"
done
night with 2 --input stockouts=some.csv
expect_done "the end becomes known"
expect_text "the end becomes known" out '^ +out of stock: 4 values of the history are not known'
run_vesper 2 verify --store with
expect_done "verify"
run_vesper 3 forecast --store with --evaluate --horizon 7 --learn-origins 2 --measure-origins 1 --forecast-models ses
expect_done "measured"
expect_text "measured" out '^ +out of stock: 4 values of the history are not known'

# By week: one without any stock is not known, one with some stock is as it sold.
grep -v '^b5[05]' orders.csv >unsold.csv # from Monday, 2024-02-19, on
printf "$header\nsteady,2024-02-12,2024-02-18\ngone,2024-02-20,2024-02-25\n" >weeks.csv
night weeks 2 --input orders=unsold.csv --input stockouts=weeks.csv --frequency weekly --horizon 2
expect_done "by week"
checks=$((checks + 1))
! grep 'out of stock' out || fail "weeks that were in stock in part, or sold all the same, are not known"
printf "$header\ngone,2024-02-19,2024-02-25\n" >week.csv
night week 2 --input orders=unsold.csv --input stockouts=week.csv --frequency weekly --horizon 2
expect_done "a whole week"
expect_text "a whole week" out '^ +out of stock: 1 values of the history are not known'

# Bad rows; a product that nothing else names is none of anything; a file without days is refused.
printf "$header\ngone,2024-02-20,2024-02-19\n,2024-02-20,\ngone,,\ngone,yesterday,\nnever,2024-02-20,\n" >bad.csv
night bad 2 --input orders=orders.csv --input stockouts=bad.csv --max-rejected 0.9
expect_done "bad rows"
for reason in 'bad\.csv,2,to,before the first day' 'bad\.csv,3,product_id,empty' 'bad\.csv,4,from,empty' \
    'bad\.csv,5,from,not a date like YYYY-MM-DD'; do
    expect_text "bad rows" bad/rejects/000001-stockouts.csv "$reason"
done
ask "an unknown product" bad 2 "SELECT count(DISTINCT product_id) FROM forecast_daily"
printf 'product_id,day\ngone,2024-02-20\n' >no_days.csv
night refused 2 --input orders=orders.csv --input stockouts=no_days.csv
expect_failure "a file without days" 3 'no_days\.csv' 'from'

# A realistic shop, whose demand is 0 on such days: more is forecast of what was out of stock, and the same of
# the rest, each by one model that looks at nothing but its series.
$datagen --lines 20000 --customers 800 --products 150 --days 200 --seed 5 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
models=(--forecast-models average --reconcile bottom_up)
night blind 2 --input orders=raw/orders.csv "${models[@]}"
expect_done "a shop without stock-outs"
night seeing 2 --input orders=raw/orders.csv --input stockouts=raw/stockouts.csv "${models[@]}"
expect_done "a shop with stock-outs"
expect_text "a shop with stock-outs" out '^ +out of stock: [0-9,]+ values of the history are not known'
sqlite3 seeing.db "ATTACH 'blind.db' AS blind" ".mode csv" ".import raw/stockouts.csv stockouts" \
    "CREATE TEMP TABLE of AS SELECT product_id, sum(s.mean) AS seeing, sum(b.mean) AS blind,
        product_id IN (SELECT product_id FROM stockouts WHERE \"to\" >= '2023-07-01') AS was_out
        FROM main.forecast_daily AS s JOIN blind.forecast_daily AS b USING (product_id, day) GROUP BY 1" \
    "SELECT sum(seeing) > 1.02 * sum(blind), count(*) > 10 FROM of WHERE was_out" \
    "SELECT count(*) > 10 FROM of WHERE NOT was_out" \
    "SELECT count(*) FROM demand_anomaly AS a JOIN stockouts AS s ON a.product_id = s.product_id
        AND day BETWEEN \"from\" AND \"to\"" >found
checks=$((checks + 1))
printf '1,1\n1\n0\n' | cmp -s - found || fail "a shop with stock-outs: $(tr '\n' ' ' <found)instead of 1,1 1 0"
finish
