#!/bin/bash
# Plain pairs: what is taken in and what is rejected, why; pairs of value 1 teach what views of the same
# weight teach; a store may have nothing else.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 6000 --customers 300 --products 120 --days 90 --seed 3 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
awk -F, 'NR > 1 && $6 != "" && $4 > 0 { print $6 "," $3 "," $2 }' raw/orders.csv | sort -u | awk 'NR % 2' >rows
{ echo customer_id,at,kind,product_id; awk -F, '{ print $1 "," $3 ",view," $2 }' rows; } >views.csv
{ echo user,item,at; cat rows; } >pairs.csv
{ echo user,item,value; awk -F, '{ print $1 "," $2 "," (NR % 3 ? "1.00" : "") }' rows; } >untimed.csv
printf '[pairs.columns]\ncustomer_id = user\nproduct_id = item\n' >shop.ini
options=(--factors 8 --iterations 3 --split-days 20 --list-length 10 --half-life 30)

store_of() { # STORE INPUT...
    local store=$1 inputs=()
    shift
    for input; do inputs+=(--input "$input"); done
    run_vesper 1 init --store "$store"
    run_vesper 2 ingest -c shop.ini --store "$store" "${inputs[@]}"
    expect_done "$store"
}
tables() { # STORE: checksums of the results
    local file
    for file in "$1"/results/*-recommend-*/rec_*.h5; do
        echo "$(basename "$file") $(cksum <"$file" | cut -d' ' -f1)"
    done
}
store_of viewed orders=raw/orders.csv events=views.csv
store_of given orders=raw/orders.csv pairs=pairs.csv
run_vesper 2 recommend --store viewed "${options[@]}" --weight-view .25
expect_done "views"
run_vesper 3 recommend --store given "${options[@]}" --weight-pair .25 --weight-view .25
expect_done "pairs"
tables viewed >tables_viewed
tables given >tables_given
expect_same "pairs like views" tables_viewed tables_given
rm -rf given/results
run_vesper 2 recommend --store given "${options[@]}" --weight-pair 0 --weight-view .25
tables given >tables_ignored
checks=$((checks + 1))
cmp -s tables_given tables_ignored && fail "a weight of 0 changes nothing"

# Nothing but pairs, with and without times.
for kind in pairs untimed; do
    store_of "only_$kind" pairs=$kind.csv
    for ranks in 1 3; do
        run_vesper $ranks nightly --recommend yes -c shop.ini --store "only_$kind" --to "sqlite:$kind.db" \
            "${options[@]}"
        expect_done "nothing but $kind, on $ranks ranks" || continue
        expect_text "nothing but $kind" out '^recommend +lists for [0-9]+ customers from [0-9,]+ pairs'
        tables "only_$kind" >"$kind$ranks"
        rm -rf "only_$kind/results"
    done
    expect_same "nothing but $kind, at any number of ranks" ${kind}1 ${kind}3
    checks=$((checks + 1))
    [ "$(sqlite3 $kind.db "SELECT count(*) > 1000 FROM rec_user WHERE model = 'blend'")" = 1 ] ||
        fail "nothing but $kind: hardly any lists"
done

# What is no pair.
cat >bad.csv <<'END'
user,item,value,at
c1,p1,1,2024-01-01
,p1,1,2024-01-01
c1,,1,2024-01-01
c1,p1,-1,2024-01-01
c1,p1,much,2024-01-01
c1,p1,0.125,2024-01-01
c1,p1,1,yesterday
c1,p1,,
c1,p2,0,2024-01-01 10:00
END
run_vesper 1 init --store rejecting
run_vesper 2 ingest -c shop.ini --store rejecting --input pairs=bad.csv --max-rejected 1
expect_done "bad pairs"
expect_rows "bad pairs" 9 3 6 0
cut -d, -f2-4 rejecting/rejects/000001-pairs.csv | tail -n +2 >reasons
cat >expected <<'END'
3,customer_id,empty
4,product_id,empty
5,value,negative
6,value,not a number
7,value,more than 2 decimals
8,at,not a date and time like YYYY-MM-DD HH:MM:SS
END
expect_same "reasons" reasons expected
run_vesper 1 ingest --store rejecting --input pairs=bad.csv
expect_failure "without the mapping" 3 'customer_id'
run_vesper 1 recommend --store rejecting --weight-pair=-1
expect_failure "a negative weight" 2 'weight-pair'
finish
