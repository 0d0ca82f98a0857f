#!/bin/bash
# A PostgreSQL database as input, as a shop uses it: the same bytes as from files on any number of
# ranks, nights that take in what is new, whatever is killed, and all that can be wrong with it.
. "$(dirname "$0")/../support/vesper.sh"
. "$repo/tests/support/postgres.sh"
cd "$work" || exit 1
pg_find || skip_test "no PostgreSQL server can be started here"
pg_start || { fail "PostgreSQL does not start"; finish; }
pg_role shop
pg_database shop shop
url=$(pg_url shop shop)

sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg_dir/socket" -p "$pg_port" -U shop -d shop -c "$1" ||
        fail "psql: $1"
}

# night RANKS NAME [OPTION...]: into store.NAME and NAME.db.
night() {
    local ranks=$1 name=$2
    shift 2
    run_vesper "$ranks" nightly --store "store.$name" --partitions 16 --time-zone Europe/Oslo \
        --tables sales_daily,product_total --to "sqlite:$name.db" "$@"
}

expect_same_segments() { # WHAT NAME NAME
    checks=$((checks + 1))
    diff -rq "store.$2/segments" "store.$3/segments" >differences ||
        fail "$1: $(head -3 differences)"
}

# ---- the same from a file and from a database ----

make_orders 1 400 0 >orders.csv
lines=$(($(wc -l <orders.csv) - 1))
columns=order_id,ordered_at,product_id,quantity,unit_price,customer_id,country
sql "CREATE TABLE orders (id bigserial PRIMARY KEY, order_id text, ordered_at timestamp,
    product_id varchar(20), quantity smallint, unit_price numeric(10, 2), customer_id text,
    country char(12), internal_note text, updated_at timestamptz NOT NULL DEFAULT '2024-12-30')"
sql "\\copy orders ($columns) FROM orders.csv CSV HEADER"
cat >shop.ini <<END
[orders]
range_key = id
watermark = updated_at
END
night 2 file --input orders=orders.csv
expect_done "a file"
for ranks in 1 3; do
    night $ranks "db$ranks" -c shop.ini --input "orders=$url"
    expect_done "a database on $ranks ranks"
    expect_rows "a database on $ranks ranks" "$lines" "$lines" 0 0
    expect_same_segments "a database on $ranks ranks" file "db$ranks"
done
expect_same_store "the store at 1 and 3 ranks" store.db1 store.db3
dump_db file.db >left
dump_db db3.db >right
expect_same "the published tables" left right
expect_text "the log" err 'ingest.database table=orders .*watermark="2024-12-30 00:00:00\+00"'

# Without a range key one rank reads; where the table keeps its rows does not matter.
sql "CREATE TABLE shuffled AS SELECT * FROM orders ORDER BY md5(id::text)"
for table in orders shuffled; do
    printf '[orders]\ntable = public.%s\n' $table >plain.ini
    night 2 $table -c plain.ini --input "orders=${url/postgresql:/postgres:}"
    expect_done "no range key, $table"
done
expect_same_store "where rows lie" store.orders store.shuffled
night 2 orders -c plain.ini --input "orders=${url/postgresql:/postgres:}"
expect_text "the whole table once more" out 'nothing new'

# ---- every type ----

sql "CREATE DOMAIN price AS numeric; CREATE TYPE state AS ENUM ('paid', 'cancelled');
    CREATE TABLE typed (k integer, order_no bigint, at timestamptz, product uuid, n real, price price,
        paid money, state state)"
sql "INSERT INTO typed VALUES
    (1, 9007199254740993, '2024-03-31 12:30:00.25+02', '00000000-0000-0000-0000-00000000000a', 2,
     12.50, 0, 'paid'),
    (2, 2, '2024-03-31 23:30:00+00', '00000000-0000-0000-0000-00000000000b', -1, 0.07, 1.25,
     'cancelled'),
    (NULL, 3, '2024-04-01 10:00', '00000000-0000-0000-0000-00000000000a', 1, 'NaN', NULL, NULL),
    (4, NULL, '2024-04-01 10:00', '00000000-0000-0000-0000-00000000000a', 1, 1, NULL, NULL)"
sql "CREATE TABLE goods (product_id text, name text, active boolean, price money)"
sql "INSERT INTO goods VALUES ('p1', E'two\nlines, \"quoted\"', true, 1234.5), ('p2', NULL, false, 1)"
cat >typed.ini <<END
[orders]
query = SELECT k, order_no, at, product, n, price, paid, state AS "the state" FROM typed \
 -- until the end;
range_key = k
[orders.columns]
order_id = order_no
ordered_at = at
product_id = product
quantity = n
unit_price = price
discount = paid
status = the state
[products]
table = goods
END
night 3 typed -c typed.ini --max-rejected 1 --lineage events.json --input "orders=$url" \
    --input "products=$url"
expect_done "types"
expect_rows "types" 6 4 2 0
for table in orders:4 products:2; do
    expect_text "types: lineage of $table" events.json "\"namespace\":\"postgres://127.0.0.1:$pg_port\",\
\"name\":\"shop.${table%:*}\".{0,600}\"rowCount\":${table#*:}"
done
expect_text "types: rejects" store.typed/rejects/000001-orders.csv \
    'postgresql://.*,3,order_id,empty.*|,unit_price,.*NaN'
night 1 typed1 -c typed.ini --max-rejected 1 --input "orders=$url" --input "products=$url"
expect_same_store "types at 1 and 3 ranks" store.typed store.typed1
rows=$(sqlite3 typed.db "SELECT day, gross, units, returned FROM sales_daily ORDER BY 1")
[ "$rows" = $'2024-03-31|2500|2|0\n2024-04-01|0|0|7' ] || fail "types: $rows"

# ---- nights ----

# What an undisturbed history of files gives.
make_orders 101 100 1 >changed.csv
make_orders 401 50 2 >new.csv
night 2 files --input orders=orders.csv
{ cat changed.csv; tail -n +2 new.csv; } >second.csv
night 2 files --input orders=second.csv
dump_db files.db >undisturbed

cp -a store.db3 store.killed
cp db3.db killed.db
# An order changes whole; of one only one line gets a new time, and all its lines must come.
sql "DELETE FROM orders WHERE substr(order_id, 2)::int BETWEEN 101 AND 200"
sql "\\copy orders ($columns) FROM second.csv CSV HEADER"
sql "UPDATE orders SET updated_at = '2024-12-31 03:00' WHERE id IN
    (SELECT max(id) FROM orders WHERE id > $lines GROUP BY order_id)"
sql "INSERT INTO orders (order_id, ordered_at, product_id, quantity, unit_price, updated_at)
    VALUES ('late', '2024-12-31', 'p1', 1, 1, now() + interval '1 hour')" # not settled yet
second=$(($(wc -l <second.csv) - 1))
night 3 db3 -c shop.ini --input "orders=$url"
expect_done "the second night"
expect_rows "the second night" "$second" "$second" 0 0
expect_text "the second night" out '100 orders came again'
dump_db db3.db >right
expect_same "the second night" undisturbed right
for ranks in 1 2; do
    night $ranks db3 -c shop.ini --input "orders=$url"
    expect_rows "nothing new on $ranks ranks" 0 0 0 0
    expect_text "nothing new on $ranks ranks" out 'nothing new'
done
dump_db db3.db >right
expect_same "nothing new" undisturbed right

# Killed while it reads, while it stores, and when all is done.
for site in ingest.query_file:1 ingest.orders:2 run_record.write:0; do
    expect_kill=yes VESPER_FAULT=$site:1:kill night 3 killed -c shop.ini --input "orders=$url"
    [ "$rc" != 0 ] || fail "$site: not killed"
done
night 2 killed -c shop.ini --input "orders=$url"
expect_done "after the kills"
dump_db killed.db >right
expect_same "after the kills" undisturbed right
checks=$((checks + 1))
[ -z "$(ls -A store.killed/tmp)" ] || fail "after the kills: $(ls store.killed/tmp)"

# Events add up: they need a watermark, and none comes twice.
sql "CREATE TABLE events (serial serial, customer_id text, at timestamptz, kind text, product_id text)"
sql "INSERT INTO events (customer_id, at, kind, product_id)
    SELECT 'c' || i % 7, '2024-12-01 00:00+00'::timestamptz + i * interval '1 h', 'view', 'p1'
    FROM generate_series(1, 50) i"
night 1 events --input "events=$url"
expect_failure "events without a watermark" 2 'watermark = COLUMN under \[events\]'
printf '[events]\nwatermark = serial\nrange_key = serial\n' >events.ini
night 2 events -c events.ini --input "events=$url"
expect_rows "events" 50 50 0 0
sql "INSERT INTO events (customer_id, at, kind) VALUES ('c1', '2024-12-31', 'checkout')"
night 3 events -c events.ini --input "events=$url"
expect_rows "one more event" 1 1 0 0

# ---- what is refused ----

sql "CREATE TABLE bad AS SELECT * FROM orders LIMIT 200"
sql "UPDATE bad SET quantity = NULL WHERE id = 7"
sql "UPDATE bad SET order_id = repeat('x', 1000000) WHERE id = 9"
sql "UPDATE bad SET internal_note = repeat('y', 5000000)"
sql "UPDATE bad SET order_id = '=cmd|'' /C calc''!A0', product_id = '''; DROP TABLE x;--'
    WHERE id = 11"
printf '[orders]\ntable = bad\nrange_key = id\n' >bad.ini
night 2 bad -c bad.ini --max-rejected 0.05 --input "orders=$url"
expect_done "bad rows"
expect_rows "bad rows" 200 198 2 0
expect_text "bad rows" out 'first at postgresql://shop@127.0.0.1:[0-9]*/shop:7$'
rejects=store.bad/rejects/000001-orders.csv
expect_text "bad rows" $rejects '^postgresql://shop@127.0.0.1:[0-9]*/shop,7,quantity,'
[ "$(sqlite3 bad.db "SELECT units FROM product_total WHERE product_id = '''; DROP TABLE x;--'")" != "" ] ||
    fail "a product's name is not what it was"
sed -n -E '1p; /,7,quantity,/s/,(p[0-9]+),,/,\1,3,/p' $rejects >mended.csv
night 2 bad -c bad.ini --input orders=mended.csv
expect_rows "a mended row" 1 1 0 0
night 2 refused -c bad.ini --max-rejected 0.001 --input "orders=$url"
expect_failure "too many bad rows" 3 '2 of 200 rows of orders rejected'

refuse() { # WHAT CODE INI REGEX...
    local what=$1 code=$2
    printf "$3" >refused.ini
    shift 3
    night 2 refused -c refused.ini --input "orders=$url"
    expect_failure "$what" "$code" "$@"
}
refuse "an unknown table" 3 '[orders]\ntable = nothing\n' 'relation "nothing" does not exist'
refuse "an unknown column" 3 '[orders]\nquery = SELECT nope FROM orders\n' 'column "nope" does not exist'
refuse "an unmapped column" 3 '[orders.columns]\norder_id = nr\n' 'the query for orders has no column "nr"'
refuse "no such watermark" 2 '[orders]\nwatermark = moment\n' 'watermark = moment' 'it has "id", '
refuse "a range key that is none" 2 '[orders]\nrange_key = country\n' 'no smallint, integer or bigint'
refuse "query and table" 2 '[orders]\nquery = SELECT 1\ntable = orders\n' 'both query and table'
refuse "two statements" 3 '[orders]\nquery = SELECT 1) AS q; DROP TABLE orders; --\n' 'syntax error|multiple commands'
refuse "a query that writes" 3 '[orders]\nquery = DELETE FROM orders RETURNING *\n' 'syntax error'
refuse "a settle time that is none" 2 '[orders]\nwatermark_settle = soon\n' 'watermark_settle'
sql "ALTER TABLE shuffled ALTER updated_at DROP NOT NULL; UPDATE shuffled SET updated_at = NULL WHERE id = 5"
refuse "rows without a watermark" 3 '[orders]\ntable = shuffled\nwatermark = updated_at\n' 'have no updated_at'
pg_sql shop "CREATE TABLE secret AS SELECT * FROM orders LIMIT 1"
refuse "no right to read" 3 '[orders]\ntable = secret\n' 'permission denied for table secret'
printf '[ingest]\nquery_timeout = 1\n[orders]\nquery = SELECT orders.*, pg_sleep(0.02) FROM orders\n' >slow.ini
night 2 refused -c slow.ini --input "orders=$url"
expect_failure "a query that takes too long" 4 'statement timeout'
sed -i 's/_timeout = 1/_timeout = 0/' slow.ini
(
    for ((tries = 0; tries < 300; tries++)); do
        [ -n "$(pg_sql shop "SELECT 1 FROM pg_stat_activity WHERE application_name = 'vesper' AND
            state = 'active' AND query LIKE 'COPY%'")" ] && break
        sleep 0.1
    done
    pg_kill
) &
night 2 refused -c slow.ini --input "orders=$url"
expect_failure "a server that is killed" 4 'the connection was cut: run again'
wait $!
pg_again
night 3 db3 -c shop.ini --input "orders=$url"
expect_text "after the server was killed" out 'nothing new'
for site in ingest.database:0 ingest.query_file:2; do
    VESPER_FAULT=$site:1 night 3 refused -c shop.ini --input "orders=$url"
    expect_failure "a fault at $site" 4 "injected fault at ${site%:*}"
done
checks=$((checks + 1))
[ ! -d store.refused/segments/000001 ] || fail "what was refused left rows"

# ---- passwords ----

hidden() { # WHAT URL: refused, and the password nowhere.
    night 1 hidden --input "$2"
    expect_failure "$1" 2 "${3:-password}"
    checks=$((checks + 1))
    ! grep -rq 'sesame' out err store.hidden 2>/dev/null || fail "$1: the password is shown"
}
hidden "a password in the URL" "orders=postgresql://shop:sesame@127.0.0.1:$pg_port/shop"
hidden "a password behind the URL" "orders=postgresql://shop@127.0.0.1/shop?password=sesame"
hidden "a bad URL" "orders=postgresql://shop:sesame@[::1/shop" 'no URL'
hidden "a password without a table" "postgresql://shop:sesame@127.0.0.1/shop" 'TABLE=PATH'
hidden "a password and no table" "postgresql://shop:sesame@h/shop?sslmode=require" 'no table'
night 1 hidden --dry-run --input "orders=postgresql://shop:sesame@127.0.0.1/shop"
expect_failure "a password in a dry run" 2 password
! grep -q sesame out err || fail "a password in a dry run is shown"
PGPASSFILE=/dev/null night 1 hidden --input "orders=$url"
expect_failure "no password" 4 'cannot connect' 'no password supplied' 'password file'
chmod 644 "$PGPASSFILE"
night 1 hidden --input "orders=$url"
expect_failure "a password file for all to read" 2 'may be read by others' 'chmod 600'
chmod 600 "$PGPASSFILE"
night 1 hidden --input "orders=postgresql://shop@127.0.0.1:1/shop"
expect_failure "no server" 4 'cannot connect' 'Connection refused; is the server running, and are' \
    '^[^?]*\?$'

# ---- a dry run ----

run_vesper 2 nightly --dry-run -c shop.ini --store store.db3 --input "orders=$url"
expect_done "dry run"
expect_text "dry run" out 'about [0-9,]* rows'
run_vesper 2 nightly --dry-run --store store.db3 --input "orders=$url/nothing"
expect_failure "dry run of no database" 4 'cannot connect'
finish
