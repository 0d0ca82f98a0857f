#!/usr/bin/env bash
# vesper-datagen: the same bytes on any number of ranks, and the promises of data/README.md.
source "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

# generate RANKS DIR ARGUMENT...: sets rc; output in $work/out and $work/err.
generate() {
    local ranks=$1 folder=$2
    shift 2
    rc=0
    timeout -k 5 "$time_limit" $launcher "$ranks" "$datagen" --out "$folder" "$@" \
        >"$work/out" 2>"$work/err" </dev/null || rc=$?
}

size=(--lines 30001 --customers 900 --products 300 --days 50 --seed 5)
files="orders products customers events reviews promotions holidays stockouts dirty"

for ranks in 1 2 3; do
    generate $ranks shop$ranks "${size[@]}" --dirty 7
    expect_done "$ranks ranks"
    for file in $files; do
        expect_same "$file at 1 and $ranks ranks" shop1/$file.csv shop$ranks/$file.csv
    done
done
generate 2 part "${size[@]}" --dirty 7 --tables orders,customers
expect_done "two tables"
expect_same "orders made without the rest" shop1/orders.csv part/orders.csv
[ "$(ls part)" = "$(printf 'customers.csv\norders.csv')" ] || fail "--tables: $(ls part)"
generate 2 other "${size[@]}" --seed 6
expect_done "another seed"
cmp -s shop1/orders.csv other/orders.csv && fail "another seed gives the same orders"

# rows WHAT FILE COUNT
rows() {
    checks=$((checks + 1))
    local n
    n=$(($(wc -l <"$2") - 1))
    [ "$n" = "$3" ] || fail "$1: $n rows instead of $3"
}
rows orders shop1/orders.csv 30001
rows customers shop1/customers.csv 900
rows products shop1/products.csv 300
rows dirty shop1/dirty.csv $((30001 * 7 / 1000))

# check WHAT FILE AWK-PROGRAM: the program prints what is wrong.
check() {
    checks=$((checks + 1))
    local found
    found=$(awk -F, "$3" "$2" | head -3)
    [ -z "$found" ] || fail "$1: $found"
}

# Dirt touches the lines that dirty.csv names, and no other.
generate 2 clean "${size[@]}"
expect_done "a clean shop"
for folder in shop1 clean; do
    awk -F, 'NR == FNR { dirty[$2]; next } !(FNR in dirty)' shop1/dirty.csv \
        $folder/orders.csv >$folder.good
done
rows "rows that are not dirty" shop1.good $((30001 - 30001 * 7 / 1000))
expect_same "rows that are not dirty" shop1.good clean.good
checks=$((checks + 1))
[ "$(diff shop1/orders.csv clean/orders.csv | grep -c '^<')" = $((30001 * 7 / 1000)) ] ||
    fail "some dirty rows are clean"

check "every row is well formed" clean/orders.csv 'NR > 1 && (NF != 12 ||
    $1 !~ /^[1-9][0-9]*$/ || $3 !~ /^[1-9][0-9]*$/ || $4 !~ /^-?[1-9][0-9]*$/ ||
    $2 !~ /^2023-0[12]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]$/ ||
    $5 !~ /^[0-9]+[.][0-9][0-9]$/ || $6 !~ /^[0-9]*$/ || $7 !~ /^[1-9][0-9]*$/ ||
    $11 !~ /^-?[0-9]+[.][0-9][0-9]$/ || $12 !~ /^(completed|returned|cancelled)$/)'
check "orders are sorted by time and id" clean/orders.csv 'NR > 1 {
    if ($2 < time || $1 + 0 < id) print
    time = $2; id = $1 + 0 }'
check "returns alone are negative" clean/orders.csv 'NR > 1 && ($4 < 0) != ($12 == "returned")'
check "an order has one customer, moment and status" clean/orders.csv 'NR > 1 {
    head = $2 " " $6 " " $8 " " $9 " " $12
    if ($1 == id && head != last) print
    id = $1; last = head }'
# A return sends back a purchase of the same customer, product, quantity and price, made before.
check "a return follows its purchase" clean/orders.csv 'NR > 1 && $6 != "" {
    if ($4 > 0) bought[$6, $3, $4, $5]++
    else if ($4 < 0 && bought[$6, $3, -$4, $5]-- < 1 && !shown++) print }'
check "shares of returns, cancelled orders and strangers" clean/orders.csv 'NR > 1 {
    returned += $12 == "returned"; cancelled += $12 == "cancelled"; stranger += $6 == ""; n++ }
    END { if (returned / n < .01 || returned / n > .05 || cancelled / n < .005 ||
        cancelled / n > .03 || stranger / n < .1 || stranger / n > .2)
        print returned / n, cancelled / n, stranger / n }'
check "popularity has a head" clean/orders.csv 'NR > 1 { sold[$3]++ }
    END { for (p in sold) if (sold[p] > most) most = sold[p]
        if (most < 5 * NR / 300) print most }'
check "events are well formed" clean/events.csv 'NR > 1 && (NF != 5 ||
    $3 !~ /^(view|cart_add|cart_remove|checkout)$/ || ($4 == "") != ($3 == "checkout"))'
check "a session has one customer and goes forward in time" clean/events.csv 'NR > 1 {
    if ($5 == session && ($1 != customer || $2 < time)) print
    session = $5; customer = $1; time = $2 }'
check "ratings go from 1 to 5" clean/reviews.csv 'NR > 1 && $2 !~ /^[1-5]$/'
awk -F, 'NR == FNR { if (FNR > 1) out[$1] = out[$1] " " $2 " " $3; next }
    FNR > 1 && $4 > 0 && ($3 in out) {
        day = substr($2, 1, 10); n = split(out[$3], span, " ")
        for (i = 1; i < n; i += 2) if (day >= span[i] && day <= span[i + 1]) print
    }' clean/stockouts.csv clean/orders.csv >sold_out.txt
[ ! -s sold_out.txt ] || fail "sold while out of stock: $(head -1 sold_out.txt)"

# Tiny and odd shapes: no lines; fewer lines than ranks; one of everything.
for lines in 0 1 2 77; do
    for ranks in 1 3; do
        generate $ranks tiny$ranks --lines $lines --customers 1 --products 1 --days 3 --dirty 1000
        expect_done "$lines lines on $ranks ranks"
        rows "$lines lines" tiny$ranks/orders.csv $lines
        rows "$lines lines, all dirty" tiny$ranks/dirty.csv $lines
    done
    expect_same "$lines lines" tiny1/orders.csv tiny3/orders.csv
done

# Failures: one line that says what to do, and nothing under a final name.
generate 2 none --tables orders,foo
expect_failure "unknown table" 2 'no table "foo"' 'reviews'
generate 2 none --lines many
expect_failure "bad number" 2 '--lines' 'many'
generate 2 none --start 2023-02-29
expect_failure "bad day" 2 '--start' '2023-02-29'
touch file
generate 2 file/none
expect_failure "a file where the folder should be" 4 'file/none|file'
for site in open make write close; do
    for rank in 0 1; do
        export VESPER_FAULT=datagen.$site:$rank:1
        generate 2 fault "${size[@]}"
        unset VESPER_FAULT
        expect_failure "fault at $site on rank $rank" 4 "datagen.$site"
        [ -z "$(ls fault 2>/dev/null)" ] || fail "$site on rank $rank leaves $(ls fault)"
    done
done
finish
