#!/bin/bash
# Models measured on a store: on plain orders the figures that files of the same pairs give, the same
# table at every number of ranks and threads, each way to hold something out, and what is refused.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 12000 --customers 500 --products 200 --days 120 --seed 3 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
inputs=()
for table in orders products customers events reviews; do
    inputs+=(--input "$table=raw/$table.csv")
done
run_vesper 1 init --store store
run_vesper 2 ingest --store store "${inputs[@]}"
expect_done "the shop" || finish

measure() { # RANKSxTHREADS OPTION...
    local shape=$1
    shift
    run_vesper "${shape%x*}" recommend --evaluate --threads "${shape#*x}" --factors 8 --iterations 3 "$@"
}

# The inputs of the shop to files of pairs: who has what, and what is new of what they took later. To
# learn from: what comes before day `cut`; without one, what comes before the customer's last order.
cat >pairs.awk <<'END'
FNR == 1 { next }
FILENAME ~ /events/ { if ($3 ~ /^(view|cart_add)$/ && $1 != "" && substr($2, 1, 10) < cut) learn($1, $4); next }
FILENAME ~ /reviews/ { if ($2 >= 3 && $4 != "" && substr($3, 1, 10) < cut) learn($4, $1); next }
$12 == "cancelled" || $4 <= 0 || $6 == "" { next }
cut != "" { if (substr($2, 1, 10) < cut) learn($6, $3); else took[$6, $3]; next }
NR == FNR { if ($2 >= at[$6]) { at[$6] = $2; last[$6] = $1 } next }
$1 == last[$6] { took[$6, $3]; next }
{ learn($6, $3) }
function learn(user, item) { has[user, item]; known[item] }
END {
    for (pair in has) { split(pair, p, SUBSEP); train[p[1]] = train[p[1]] " " p[2] }
    for (pair in took) {
        split(pair, p, SUBSEP)
        if (!(pair in has) && p[2] in known) test[p[1]] = test[p[1]] " " p[2]
    }
    for (user in train) print user train[user] >"train.txt"
    for (user in test) print user test[user] >"test.txt"
}
END

# What the last run says of the pairs, and its figures less coverage: a store has products that
# nobody bought.
discovered() {
    sed -E '/^$/q' out | grep -E '^train|to discover$'
    sed -E -n '/^discover/,/^$/ { s/ +[0-9.]+( +[0-9.]+) +[0-9.]+ +[0-9.]+$/\1/; p }' out
}

# expect_files WHAT MODELS FILES OPTION...: the store with these options and files of its pairs agree.
expect_files() {
    local what=$1 models=$2 files=$3
    shift 3
    rm -f train.txt test.txt
    awk -F, -v cut="$cut" -f pairs.awk $files || fail "$what: awk"
    measure 2x1 --train train.txt --test test.txt --models "$models"
    expect_done "$what, as files" || return
    discovered >as_files
    measure 2x1 --store store --models "$models" --keep-returned "$@"
    expect_done "$what" || return
    discovered >as_store
    expect_same "$what" as_files as_store
}
plain=(--weight-cart 0 --weight-view 0 --weight-review 0)
cut=2023-03-20
expect_files "orders before a day" popular,itemknn,ease raw/orders.csv --split-date $cut "${plain[@]}"
expect_text "orders before a day" out '^ +[0-9,]+ users, [0-9,]+ pairs to buy again$'
expect_files "orders, carts, views, reviews" popular "raw/orders.csv raw/events.csv raw/reviews.csv" \
    --split-date $cut
cut=
expect_files "each last order" popular,itemknn,ease "raw/orders.csv raw/orders.csv" --leave-last-basket

# The same table at every shape; all models but the one that needs a day.
same_table() { # WHAT OPTION...
    local what=$1 shape first=
    shift
    for shape in 1x1 2x1 3x1 1x2 2x2 3x2; do
        measure $shape --store store "$@"
        expect_done "$what at $shape" || continue
        accuracy_table >table$shape
        first=${first:-table$shape}
        expect_same "$what at $shape" "$first" table$shape
    done
}
same_table "all models"
for model in popular itemknn ease ials blend repeat; do
    expect_text "row of $model" table1x1 "^$model +[01]\.[0-9]{4} "
done
cp table1x1 last_days
same_table "the last orders" --leave-last-basket
grep -Eq '^(repeat|buy again)' table1x1 && fail "the last orders: a table of what is bought again"

# 28 days by default, and the day they begin on.
expect_text "the last days" last_days 'held out: 2023-04-03 and later$'
measure 2x2 --store store --split-date 2023-04-03
accuracy_table >on_day
expect_same "the last days, by date" last_days on_day
measure 2x1 --store store --models popular --split-days 10
expect_text "ten days" out 'held out: 2023-04-21 and later$'
# Returns take pairs away.
measure 2x1 --store store --models popular
expect_text "returns" out '^train +411 users, 191 items, 6,692 pairs$'
measure 2x1 --store store --models popular --keep-returned
expect_text "returns are kept" out '^train +411 users, 191 items, 6,765 pairs$'
# Nothing is written to the store.
cp -a store before
measure 2x1 --store store --models popular --run-record record.json
expect_done "a record of the run"
expect_text "a record of the run" record.json '"peak_bytes_per_rank"'
expect_same "the store's own record" before/run.json store/run.json
expect_same_store "after measuring" before store

refused() { # WHAT CODE OPTION... -- REGEX...
    local what=$1 code=$2 options=()
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    measure 3x1 --store store "${options[@]}"
    expect_failure "$what" "$code" "$@"
}
VESPER_FAULT=recommend.last_basket:1:1 measure 2x1 --store store --models popular --leave-last-basket
expect_failure "last orders that cannot be read" 4 'injected fault at recommend.last_basket'
refused "a day of two ways" 2 --split-date 2023-04-01 --leave-last-basket -- '--leave-last-basket' 'give one'
refused "repeat without a day" 2 --leave-last-basket --models repeat -- 'repeat' '--leave-last-basket'
refused "no such day" 2 --split-date 2023-04-31 -- '--split-date' '2023-04-31'
refused "no days" 2 --split-days 0 -- '--split-days' "'0'"
refused "a day before the shop" 3 --split-date 2001-01-01 -- '2001-01-01' '2023-01-01 to 2023-04-30'
refused "a day after it" 3 --split-date 2031-01-01 -- '2031-01-01' '2023-01-01 to 2023-04-30'
refused "more days than there are" 3 --split-days 9999 -- 'first day held out'
refused "a model that there is not" 2 --models popular,knn -- "'knn'" 'itemknn'
refused "no weight" 2 --weight-view=-1 -- '--weight-view'
run_vesper 1 init --store empty
measure 3x1 --store empty
expect_failure "a store without orders" 3 'no orders'
measure 3x1 --store absent
expect_failure "no store" 2 'no store in absent'
finish
