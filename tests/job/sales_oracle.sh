#!/bin/bash
# Every published sales table beside DuckDB, on the real orders and on a generated shop with all that
# can happen: several batches, orders that come again, returns, cancelled orders, unknown products
# and customers, several currencies, times that cross the clock changes of the store's time zone.
# What a rank or a thread did must not show: the same bytes at any number of them.
. "$(dirname "$0")/../support/vesper.sh"
root=$repo
. "$repo/jobs/setup.sh"
setup_duckdb || skip_test "DuckDB for Node.js cannot be installed here"
cd "$work" || exit 1

expect_answers() { # WHAT KIND DATABASE FOLDER
    checks=$((checks + 1))
    node "$repo/tests/oracle/sales.mjs" check "$2" "$3" "$4" >oracle.out 2>oracle.err ||
        fail "$1 and DuckDB differ: $(head -c 3000 oracle.err oracle.out)"
    cat oracle.out
}

# The generated shop: its clock is in UTC, the store's in London; a tenth of what the catalogue and
# the customers' table could say is not known; orders of two batches, some of which come again.
make_shop() { # LINES
    "$datagen" --lines "$1" --customers $(($1 / 16)) --products 2500 --days 730 --seed 11 --out raw >/dev/null || return
    mkdir shop
    awk -F, -v OFS=, 'NR == 1 { print; next } {
        $2 = $2 "Z"
        if ($1 % 401 == 0 && $7 > 1) $2 = "2023-10-29 0" $7 % 3 ":15:00Z" # one order, several days
        if ($1 % 7 == 0) $10 = "USD"
        if ($1 % 31 == 0) $8 = ""
        if ($1 % 37 == 0) $9 = ""
        print }' raw/orders.csv >all.csv
    awk -F, 'NR == 1 || $1 <= half' half=$(($1 / 2)) all.csv >shop/orders.csv
    awk -F, -v OFS=, 'NR == 1 || $1 > half { print }
        NR > 1 && $1 <= half && $1 % 97 == 0 { $4 = -$4; $11 = "0.50"; print }' half=$(($1 / 2)) \
        all.csv >shop/orders2.csv
    awk -F, -v OFS=, 'NR == 1 { print; next } NR % 10 == 0 { next } {
        if (NR % 9 == 1) $(NF - 3) = ""
        if (NR % 13 == 1) $(NF - 4) = ""
        if (NR % 17 == 1) $(NF - 5) = ""
        if (NR % 19 == 1) $(NF - 6) = ""
        if (NR % 23 == 1) sub(/\/[^\/]*$/, "", $(NF - 6))
        if (NR % 29 == 1) $(NF - 2) = ""
        print }' raw/products.csv >shop/products.csv
    awk -F, 'NR == 1 || NR % 11 > 0' raw/customers.csv >shop/customers.csv
    awk -F, -v OFS=, 'NR > 1 { $2 = $2 "Z" } NR % 2 || NR == 2 { print }' raw/events.csv >shop/events.csv
    awk -F, -v OFS=, 'NR > 1 { $2 = $2 "Z" } NR % 2 == 0 || NR == 1 { print }' raw/events.csv >shop/events2.csv
    awk -F, -v OFS=, 'NR == 1 { print; next } {
        $3 = $3 "Z"
        if (NR % 5 == 0) $4 = ""
        if (NR % 7 == 0) $2 = "3.5"
        print }' raw/reviews.csv >shop/reviews.csv
}

# The inputs of a folder's batch, in `inputs`; ENDING is empty for the first.
inputs_of() { # FOLDER ENDING
    local table
    inputs=()
    for table in orders products customers events reviews; do
        [ -e "$1/$table$2.csv" ] && inputs+=(--input "$table=$1/$table$2.csv")
    done
}

# ---- the real orders ----
if [ -f "$shared/data/online_retail.csv.xz" ]; then
    mkdir retail
    xz -dc "$shared/data/online_retail.csv.xz" >retail/orders.csv
    { sed '/^; Tables of our own/,$d' "$repo/data/online_retail.ini"; echo; node "$repo/tests/oracle/sales.mjs" ini real; } >real.ini
    run_vesper 2 nightly -c real.ini --store real --input orders=retail/orders.csv --to sqlite:real.db
    expect_done "the real orders" && expect_answers "the real orders" real real.db retail
    rm -rf real retail
else
    skip_check "the real orders: no $shared/data/online_retail.csv.xz"
fi

# ---- a generated shop ----
make_shop "${VESPER_ORACLE_LINES:-200000}" || fail "vesper-datagen"
{ printf '[store]\ntime_zone = Europe/London\n'; node "$repo/tests/oracle/sales.mjs" ini generated; } >shop.ini
run_vesper 1 init -c shop.ini --store store
inputs_of shop ""
run_vesper 2 ingest -c shop.ini --store store "${inputs[@]}"
expect_done "a generated shop, first batch" || finish
inputs_of shop 2
run_vesper 2 nightly -c shop.ini --store store "${inputs[@]}" --to sqlite:shop.db
expect_done "a generated shop" || finish
expect_answers "a generated shop" generated shop.db shop
expect_same_at_any_shape "a generated shop" sales store "1x1 3x1 4x1 7x1 1x2 2x2 3x2 4x2 7x2" -c shop.ini
finish
