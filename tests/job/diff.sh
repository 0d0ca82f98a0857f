#!/bin/bash
# vesper diff RUN RUN: what changed between two nights, beside SQL on what the nights published; nights
# by every name that they have; what cannot be compared is said.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 6000 --customers 300 --products 90 --days 75 --seed 9 --tables orders,products --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
split=2023-03-14
awk -F, -v day=$split 'NR == 1 || substr($2, 1, 10) <= day' raw/orders.csv >first.csv
# The second night also has a product whose name a terminal would take for a command.
awk -F, -v OFS=, -v day=$split 'NR == 1 { print; next } substr($2, 1, 10) > day { if (NR % 40 == 0) $3 = "\033[2Jcls"; print }' \
    raw/orders.csv >second.csv
options=(--recommend no --forecast yes --horizon 7 --learn-origins 2 --forecast-models ses,theta --pair-min-orders 2)
run_vesper 1 init --store store --partitions 8
expect_done "init"
run_vesper 2 nightly --store store --input orders=first.csv --input products=raw/products.csv --to sqlite:first.db "${options[@]}"
expect_done "the first night" || finish
run_vesper 2 nightly --store store --input orders=second.csv --to sqlite:second.db "${options[@]}"
expect_done "the second night" || finish

cat >expected.sql <<'EOS'
ATTACH 'first.db' AS a; ATTACH 'second.db' AS b;
CREATE TEMP VIEW products AS SELECT p.product_id AS id, p.net - coalesce(q.net, 0) AS net,
        p.units - p.units_returned - coalesce(q.units - q.units_returned, 0) AS units, q.product_id IS NULL AS is_new
    FROM b.product_total p LEFT JOIN a.product_total q USING (product_id);
CREATE TEMP VIEW moved AS SELECT customer, q.segment AS old, p.segment AS new, p.net AS net
    FROM b.customer_summary p JOIN a.customer_summary q USING (customer) WHERE p.segment <> q.segment;
CREATE TEMP VIEW days AS SELECT DISTINCT day FROM b.forecast_total JOIN (SELECT DISTINCT day FROM a.forecast_total) USING (day);
CREATE TEMP VIEW revised AS SELECT product_id AS id, sum(units) AS change, sum(max(units, 0)) AS after FROM
    (SELECT product_id, units FROM b.forecast_daily JOIN days USING (day) UNION ALL
     SELECT product_id, -units FROM a.forecast_daily JOIN days USING (day)) GROUP BY 1;
CREATE TEMP VIEW category AS SELECT name, sum(units) AS change FROM
    (SELECT level, name, units FROM b.forecast_total JOIN days USING (day) UNION ALL
     SELECT level, name, -units FROM a.forecast_total JOIN days USING (day)) WHERE level = 'category_1' GROUP BY 1;
SELECT 'sum', sum(net), sum(units), sum(net <> 0 OR units <> 0), sum(is_new) FROM products;
SELECT * FROM (SELECT 'up', id, net, units, is_new FROM products WHERE net > 0 ORDER BY net DESC, id LIMIT 6);
SELECT * FROM (SELECT 'down', id, net, units, is_new FROM products WHERE net < 0 ORDER BY net, id LIMIT 6);
SELECT 'customers', (SELECT count(*) FROM a.customer_summary), (SELECT count(*) FROM b.customer_summary),
    (SELECT count(*) FROM moved);
SELECT * FROM (SELECT 'move', old, new, count(*) FROM moved GROUP BY 2, 3 ORDER BY 4 DESC, old || ' ' || new LIMIT 6);
SELECT * FROM (SELECT 'customer', customer, old, new, net FROM moved WHERE net > 0 ORDER BY net DESC, customer LIMIT 6);
SELECT 'forecast', min(day), max(day), (SELECT sum(units) FROM a.forecast_total JOIN days USING (day) WHERE level = 'total'),
    (SELECT sum(units) FROM b.forecast_total JOIN days USING (day) WHERE level = 'total') FROM days;
SELECT * FROM (SELECT 'more', id, change FROM revised WHERE change > 0 ORDER BY change DESC, id LIMIT 6);
SELECT * FROM (SELECT 'less', id, change FROM revised WHERE change < 0 ORDER BY change, id LIMIT 6);
SELECT * FROM (SELECT 'category', name, change FROM category WHERE change <> 0 ORDER BY abs(change) DESC, name LIMIT 6);
SELECT 'tables', q.table_name, p.rows, q.rows FROM b.vesper_run_table q JOIN a.vesper_run_table p USING (table_name)
    WHERE p.run = (SELECT run FROM a.vesper_run WHERE current) AND q.run = (SELECT run FROM b.vesper_run WHERE current)
        AND p.rows <> q.rows ORDER BY 2;
EOS
cat >found.sql <<'EOS'
CREATE TEMP TABLE d AS SELECT json(readfile('out')) AS j;
SELECT 'sum', j ->> '$.products.net_minor', j ->> '$.products.units', j ->> '$.products.changed', j ->> '$.products.new' FROM d;
SELECT 'up', value ->> 'product_id', value ->> 'net_minor', value ->> 'units', value ->> 'is_new' FROM d, json_each(j, '$.products.up');
SELECT 'down', value ->> 'product_id', value ->> 'net_minor', value ->> 'units', value ->> 'is_new' FROM d, json_each(j, '$.products.down');
SELECT 'customers', j ->> '$.customers.before', j ->> '$.customers.after', j ->> '$.customers.moved' FROM d;
SELECT 'move', value ->> 'from', value ->> 'to', value ->> 'customers' FROM d, json_each(j, '$.customers.moves');
SELECT 'customer', value ->> 'customer', value ->> 'from', value ->> 'to', value ->> 'net_minor' FROM d, json_each(j, '$.customers.largest');
SELECT 'forecast', j ->> '$.forecast.first_day', j ->> '$.forecast.last_day', j ->> '$.forecast.units_before',
    j ->> '$.forecast.units_after' FROM d;
SELECT 'more', value ->> 'name', (value ->> 'units_after') - (value ->> 'units_before') FROM d, json_each(j, '$.forecast.up');
SELECT 'less', value ->> 'name', (value ->> 'units_after') - (value ->> 'units_before') FROM d, json_each(j, '$.forecast.down');
SELECT 'category', value ->> 'name', (value ->> 'units_after') - (value ->> 'units_before') FROM d, json_each(j, '$.forecast.categories');
SELECT 'tables', value ->> 'name', value ->> 'rows_before', value ->> 'rows_after' FROM d, json_each(j, '$.tables');
EOS
sqlite3 :memory: <expected.sql >expected
checks=$((checks + 1))
[ "$(wc -l <expected)" -gt 30 ] || fail "the nights hardly differ: $(cat expected)"
for ranks in 1 3; do
    run_vesper $ranks diff previous last --store store --limit 6 --json
    expect_done "diff on $ranks ranks" || finish
    sqlite3 :memory: <found.sql >found
    expect_same "diff and SQL, on $ranks ranks" expected found
done

# The nights by all their names.
cp out json
sales=$(sqlite3 second.db "SELECT run FROM vesper_run WHERE current")
forecast=$(cd store/results && ls -d 000001-forecast-*)
for names in "2023-03-14 2023-03-16" "previous $sales" "$forecast ${sales%-*}" "2023-03-14 last"; do
    run_vesper 2 diff $names --store store --limit 6 --json
    expect_done "diff $names" && expect_same "diff $names" json out
done
run_vesper 1 diff last last --store store
expect_done "a night beside itself" && expect_text "a night beside itself" out '^products +net 0\.00 EUR, 0 pieces, of 0 products, 0 of them new$'
run_vesper 2 diff previous last --store store
expect_done "text" && expect_text "text" out '^from +2023-03-14, generation 1$' && expect_text "text" out '^to +2023-03-16, generation 2$'
expect_text "text" out '^forecast +[0-9,]+ -> [0-9,]+ pieces \([-+0-9,]+\), 2023-03-17 to 2023-03-21, which both have$'
checks=$((checks + 2))
[ "$(wc -l <out)" -le 45 ] || fail "more than a screen: $(wc -l <out) lines"
run_vesper 2 diff previous last --store store --limit 100
expect_done "more lines" && expect_text "a name that is no command" out '\?\[2Jcls  \(new\)$'
! grep -q $'\033' out || fail "the terminal is sent a command"

# Nights of the past, months apart: no day of the forecasts in common; parts that a night has not.
run_vesper 2 backfill 2023-02-14 2023-02-14 --store store "${options[@]}"
expect_done "a night of the past"
run_vesper 2 diff 2023-02-14 last --store store
expect_done "a month apart" && expect_text "a month apart" out "pieces \([-+0-9,]+\), each night's own days$"
run_vesper 2 sales --store store --as-of 2023-02-20 --tables sales_daily
expect_done "some tables"
run_vesper 2 diff 2023-02-20 last --store store
expect_done "some tables" && expect_text "some tables" out '^products +not compared: product_total is not in both nights$'
expect_text "some tables" out '^forecast +not compared' && expect_text "some tables" out ' none -> [0-9,]+  abc_xyz$'

# refused WHAT REGEX RUN RUN
refused() {
    run_vesper 2 diff "$3" "$4" --store store
    expect_failure "$1" 2 "$2"
}
refused "a day without a night" "keeps no night '2023-02-15': it has 4, the last of 2023-03-16" 2023-02-15 last
refused "no name" "RUN 'yesterday' is no night: give last, previous, a day" yesterday last
refused "no such run" "keeps no night '000009-00000000'" last 000009-00000000
run_vesper 2 diff last --store store
expect_failure "one night" 2 "'diff' takes RUN RUN, not 1 argument"
run_vesper 2 sales --store store --as-of 2023-02-20 --tables sales_monthly
expect_done "other tables"
refused "two runs" 'has 2 sales runs, .*: name one of 000002-20230220-[0-9a-f]{8}, 000002-20230220-[0-9a-f]{8}$' 2023-02-20 last
run_vesper 2 diff "$(cd store/results && ls -d 000002-20230220-* | head -1)" last --store store
expect_done "one of two runs"
run_vesper 1 init --store empty
run_vesper 2 diff last previous --store empty
expect_failure "an empty store" 2 "has no results yet: run 'vesper nightly' first"
for site in store.results.list changes.block store.results.open; do
    VESPER_FAULT=$site:0:2 run_vesper 3 diff previous last --store store
    expect_failure "a fault at $site" 4 "injected fault at $site"
done
printf 'x' | dd of="store/results/${sales%-*}/product_total.h5" bs=1 seek=3000 conv=notrunc status=none
run_vesper 3 diff previous last --store store
expect_failure "a damaged table" 4 'product_total'
finish
