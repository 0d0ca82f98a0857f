#!/bin/bash
# Ingest as a shop uses it: files and folders, compressed or not, orders that come again, rejects
# that are mended, dirty data whose spoiled lines are known.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

# night NAME [OPTION...]: on two ranks into store.NAME and NAME.db.
night() {
    local name=$1
    shift
    run_vesper 2 nightly --store "store.$name" --partitions 16 --pair-min-orders 2 \
        --to "sqlite:$name.db" "$@"
}

# What the shop sees, without the run's name.
figures() { # NAME
    sqlite3 "$1.db" ".dump ${figure_tables//$'\n'/ }"
}

expect_same_figures() { # WHAT NAME NAME
    figures "$2" >left
    figures "$3" >right
    grep -q 'INSERT INTO sales_daily ' left || fail "$1: no figures"
    expect_same "$1" left right
}

make_orders 1 400 0 >orders.csv
lines=$(($(wc -l <orders.csv) - 1))
night plain --input orders=orders.csv
expect_done "a plain file"
expect_rows "a plain file" "$lines" "$lines" 0 0
cp -a store.plain before

night plain --input orders=orders.csv
expect_done "the same file again"
expect_rows "the same file again" "$lines" 0 0 "$lines"
expect_text "the same file again" out 'nothing new'
expect_same_store "the same file again" before store.plain

cp orders.csv other_name.csv
night plain --input orders=other_name.csv
expect_rows "the same content under another name" "$lines" 0 0 "$lines"

# Other spellings of the same file.
gzip -k orders.csv && xz -k orders.csv && zstd -q orders.csv
sed 's/$/\r/' orders.csv >crlf.csv
{ printf '\xef\xbb\xbf'; cat orders.csv; } >bom.csv
head -c -1 orders.csv >unfinished.csv
sed 's/[^,]*/"&"/g' orders.csv >quoted.csv
for spelling in orders.csv.gz orders.csv.xz orders.csv.zst crlf.csv bom.csv unfinished.csv \
    quoted.csv; do
    night "$spelling" --input "orders=$spelling"
    expect_done "$spelling"
    expect_rows "$spelling" "$lines" "$lines" 0 0
    expect_same_figures "$spelling" plain "$spelling"
done

mkdir folder
head -201 orders.csv >folder/a.csv
{ head -1 orders.csv; tail -n +202 orders.csv; } | gzip >folder/b.csv.gz
night folder --input orders=folder
expect_done "a folder"
expect_rows "a folder" "$lines" "$lines" 0 0
expect_same_figures "a folder" plain folder

# An order that comes again replaces its earlier version whole.
make_orders 101 100 1 >changed.csv
changed=$(($(wc -l <changed.csv) - 1))
replaced=$(awk -F, '{ n = substr($1, 2) + 0 } n >= 101 && n <= 200' orders.csv | wc -l)
night plain --input orders=changed.csv
expect_done "orders that come again"
expect_rows "orders that come again" "$changed" "$changed" 0 0
expect_text "orders that come again" out "100 orders came again; $replaced earlier rows"
{ awk -F, '{ n = substr($1, 2) + 0 } !(n >= 101 && n <= 200)' orders.csv; tail -n +2 changed.csv; } >final.csv
night final --input orders=final.csv
expect_same_figures "orders that come again" plain final

# Several tables at once.
printf 'product_id,name,category,price\np1,One,a/b,1.50\np2,Two,a/c,2.50\n' >products.csv
printf 'customer_id,joined_at,country\nc1,2023-01-01,Chile\n' >customers.csv
printf 'customer_id,at,kind,product_id\nc1,2024-01-01 10:00:00,view,p1\n' >events.csv
printf 'product_id,rating,at\np1,5,2024-02-01\n' >reviews.csv
printf 'product_id,from,to,depth\np1,2024-02-01,2024-02-07,0.25\np1,2024-02-01,2024-02-07,0\n' >promotions.csv
printf 'product_id,from,to\np1,2024-01-01,2024-01-03\np9,2024-01-01,\np1,2024-01-01,2024-01-02\n' >stockouts.csv
printf 'day,country,name\n2024-12-25,Chile,Christmas Day\n2024-12-25,,Christmas Day\n' >holidays.csv
night tables --input orders=orders.csv --input products=products.csv \
    --input customers=customers.csv --input events=events.csv --input reviews=reviews.csv \
    --input promotions=promotions.csv --input stockouts=stockouts.csv --input holidays=holidays.csv
expect_done "several tables"
expect_rows "several tables" $((lines + 12)) $((lines + 12)) 0 0
expect_same_figures "several tables" quoted.csv tables

# Rejected rows, mended where they lie and given again, give what a clean file gives.
awk -F, -v OFS=, 'NR == 10 { $4 = "many" } NR == 200 { $2 = "2024-13-01" } { print }' orders.csv >spoiled.csv
night mended --input orders=spoiled.csv
expect_done "two bad rows"
expect_rows "two bad rows" "$lines" $((lines - 2)) 2 0
expect_text "two bad rows" out 'first at .*spoiled\.csv:10'
rejects=store.mended/rejects/000001-orders.csv
expect_text "the rejects" "$rejects" 'spoiled\.csv,10,quantity,'
expect_text "the rejects" "$rejects" 'spoiled\.csv,200,ordered_at,'
bad10=$(sed -n 10p spoiled.csv) good10=$(sed -n 10p orders.csv)
bad200=$(sed -n 200p spoiled.csv) good200=$(sed -n 200p orders.csv)
sed "s|$bad10|$good10|; s|$bad200|$good200|" "$rejects" >mended.csv
night mended --input orders=mended.csv
expect_done "the mended rejects"
expect_rows "the mended rejects" 2 2 0 0
night clean --input orders=orders.csv
expect_same_figures "the mended rejects" clean mended

# Dirty data whose spoiled lines are known.
if "$datagen" --lines 20000 --customers 500 --products 200 --days 60 --seed 7 --dirty 5 \
    --out dirty >datagen.out 2>&1; then
    night dirty --input orders=dirty/orders.csv
    expect_done "dirty data"
    expect_sum "dirty data"
    cut -d, -f2 dirty/dirty.csv | tail -n +2 | sort >expected_lines
    sed -n 's/^[^,]*orders\.csv,\([0-9]*\),.*/\1/p' store.dirty/rejects/000001-orders.csv |
        sort >rejected_lines
    [ -s expected_lines ] || fail "no spoiled lines"
    expect_same "the rejected lines of dirty data" expected_lines rejected_lines
    for ranks in 1 3; do
        run_vesper $ranks nightly --store "store.dirty$ranks" --partitions 16 \
            --pair-min-orders 2 --to "sqlite:dirty$ranks.db" --input orders=dirty/orders.csv
        expect_same_store "dirty data on $ranks ranks" store.dirty "store.dirty$ranks"
    done
else
    fail "vesper-datagen: $(tail -1 datagen.out)"
fi

# A dry run tells, and changes nothing.
run_vesper 2 nightly --dry-run --store store.none --input orders=orders.csv
expect_done "dry run without a store"
expect_text "dry run without a store" out 'would be made'
[ ! -e store.none ] || fail "a dry run made a store"
cp -a store.plain before_dry
run_vesper 2 nightly --dry-run --store store.plain --input orders=folder
expect_done "dry run"
expect_text "dry run" out 'folder: 2 files'
expect_same_store "dry run" before_dry store.plain
finish
