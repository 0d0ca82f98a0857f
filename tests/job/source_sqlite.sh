#!/bin/bash
# An SQLite file as input: the same bytes as from CSV on any number of ranks, nights that take in what
# is new, values of every type, and what is refused.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

night() { # RANKS NAME [OPTION...]
    local ranks=$1 name=$2
    shift 2
    run_vesper "$ranks" nightly --store "store.$name" --partitions 16 \
        --tables sales_daily,product_total --to "sqlite:$name.db" "$@"
}

make_orders 1 400 0 >orders.csv
lines=$(($(wc -l <orders.csv) - 1))
sqlite3 shop.sqlite <<END
CREATE TABLE "order lines" (id INTEGER PRIMARY KEY, order_id TEXT, ordered_at TEXT, product_id TEXT,
    quantity INTEGER, unit_price NUMERIC, customer_id TEXT, country TEXT, changed INTEGER DEFAULT 1);
CREATE TABLE imported (order_id, ordered_at, product_id, quantity, unit_price, customer_id, country);
.mode csv
.import --skip 1 orders.csv imported
INSERT INTO "order lines" (order_id, ordered_at, product_id, quantity, unit_price, customer_id, country)
    SELECT * FROM imported ORDER BY rowid;
END
printf '[orders]\ntable = order lines\nwatermark = changed\nrange_key = id\n' >shop.ini
night 2 file --input orders=orders.csv
expect_done "a file"
for ranks in 1 3; do
    night $ranks "db$ranks" -c shop.ini --input orders=sqlite:shop.sqlite
    expect_done "a database on $ranks ranks"
    expect_rows "a database on $ranks ranks" "$lines" "$lines" 0 0
    checks=$((checks + 1))
    diff -rq store.file/segments "store.db$ranks/segments" >differences ||
        fail "a database on $ranks ranks: $(head -3 differences)"
done
expect_same_store "the store at 1 and 3 ranks" store.db1 store.db3
dump_db file.db >left
dump_db db3.db >right
expect_same "the published tables" left right

# ---- nights ----

make_orders 101 100 1 >changed.csv
make_orders 401 50 2 >new.csv
{ cat changed.csv; tail -n +2 new.csv; } >second.csv
night 2 file --input orders=second.csv
dump_db file.db >undisturbed
sqlite3 shop.sqlite >mode <<END
PRAGMA journal_mode = WAL;
DELETE FROM imported;
.mode csv
.import --skip 1 second.csv imported
DELETE FROM "order lines" WHERE order_id IN (SELECT order_id FROM imported);
INSERT INTO "order lines" (order_id, ordered_at, product_id, quantity, unit_price, customer_id, country)
    SELECT * FROM imported ORDER BY rowid;
UPDATE "order lines" SET changed = 10 WHERE id IN
    (SELECT max(id) FROM "order lines" WHERE id > $lines GROUP BY order_id);
END
expect_kill=yes VESPER_FAULT=ingest.query_file:0:1:kill night 2 db1 -c shop.ini --input orders=sqlite:shop.sqlite
[ "$rc" != 0 ] || fail "not killed"
second=$(($(wc -l <second.csv) - 1))
night 3 db1 -c shop.ini --input orders=sqlite:shop.sqlite
expect_done "the second night"
expect_rows "the second night" "$second" "$second" 0 0
night 1 db1 -c shop.ini --input orders=sqlite:shop.sqlite
expect_text "nothing new" out 'nothing new'
dump_db db1.db >right
expect_same "the second night" undisturbed right

# ---- values ----

sqlite3 values.sqlite <<END
CREATE TABLE orders (nr, at, product, n, price, seen);
INSERT INTO orders VALUES (1, '2024-05-01T12:00:00Z', 'it''s "a", b', 2, 12.5, '2024-05-01');
INSERT INTO orders VALUES ('1', '2024-05-01T12:00:00Z', 'two' || char(10) || 'lines', 1, '3', '2024-05-02');
INSERT INTO orders VALUES ('=1+1', '2024-05-01', x'FF00', 1, 1, '2024-05-02');
INSERT INTO orders VALUES (NULL, '2024-05-01', 'p', 1, 1, '2024-05-03');
END
cat >values.ini <<END
[orders]
query = SELECT * FROM orders WHERE price > 0; 
watermark = seen
[orders.columns]
order_id = nr
ordered_at = at
product_id = product
quantity = n
unit_price = price
END
night 3 values -c values.ini --max-rejected 1 --input orders=sqlite:values.sqlite
expect_done "values"
expect_rows "values" 4 2 2 0
expect_text "values" store.values/rejects/000001-orders.csv '^sqlite:values.sqlite,[0-9],product_id,'
expect_text "values" store.values/rejects/000001-orders.csv '^sqlite:values.sqlite,[0-9],order_id,'
night 1 values1 -c values.ini --max-rejected 1 --input orders=sqlite:values.sqlite
expect_same_store "values at 1 and 3 ranks" store.values store.values1
sqlite3 values.sqlite "INSERT INTO orders VALUES (7, '2024-05-09', 'p', 1, 1, '2024-05-04')"
night 2 values -c values.ini --input orders=sqlite:values.sqlite
expect_rows "a text as watermark" 1 1 0 0

# ---- what is refused ----

refuse() { # WHAT CODE FILE INI REGEX...
    local what=$1 code=$2 file=$3
    printf "$4" >refused.ini
    shift 4
    night 2 refused -c refused.ini --input "orders=sqlite:$file"
    expect_failure "$what" "$code" "$@"
}
refuse "no file" 3 none.sqlite '' 'cannot find none.sqlite'
refuse "no name" 2 '' '' 'names no file'
refuse "no database" 3 orders.csv '' 'not a database'
refuse "an unknown table" 3 values.sqlite '[orders]\ntable = nothing\n' 'no such table: nothing'
refuse "an unknown column" 3 values.sqlite '[orders]\nquery = SELECT nope FROM orders\n' 'no such column: nope'
refuse "an unmapped column" 3 values.sqlite '' 'has no column "order_id"' 'it has "nr", "at"'
refuse "no such watermark" 2 values.sqlite '[orders]\nwatermark = moment\n' 'watermark = moment' 'it has "nr"'
sqlite3 values.sqlite "UPDATE orders SET seen = 5 WHERE nr = '=1+1'"
night 2 refused -c values.ini --input orders=sqlite:values.sqlite
expect_failure "a mixed watermark" 3 'numbers in some rows'
sqlite3 values.sqlite "UPDATE orders SET seen = NULL WHERE nr = '=1+1'"
night 2 refused -c values.ini --input orders=sqlite:values.sqlite
expect_failure "rows without a watermark" 3 'have no seen'
run_vesper 2 nightly --dry-run -c shop.ini --store store.db1 --input orders=sqlite:shop.sqlite
expect_done "dry run"
expect_text "dry run" out 'sqlite:shop.sqlite: about [0-9,]* rows'
finish
