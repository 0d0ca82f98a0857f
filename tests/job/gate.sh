#!/bin/bash
# The publish gate: tables that leave their band, models that lose to their rival or fall behind the
# last accepted night, and rejected rows are refused with code 6 and what the target shows stays;
# --force publishes all the same and is recorded; a rerun, a crash and another number of ranks give
# the same answer; results of older nights go.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
make_orders 1 300 0 >night1.csv
make_orders 301 12 0 >night2.csv
run_vesper 1 init --store store --partitions 8
plain=(--store store --pair-min-orders 2 --to sqlite:shop.db)

# expect_nights WHAT DECISION...: of the records, oldest first.
expect_nights() {
    local what=$1 found
    shift
    checks=$((checks + 1))
    found=$(sed -n 's/^ "decision": "\(.*\)",$/\1/p' store/nights/*.json 2>/dev/null | xargs)
    [ "$found" = "$*" ] || fail "$what: recorded are '$found' instead of '$*'"
}

# expect_refusal WHAT REGEX...: code 6, the reasons, and the target as it was (`before`).
expect_refusal() {
    local what=$1
    expect_failure "$what" 6 'the publish gate refused run [0-9]{6}-' '--force "REASON"' "${@:2}"
    expect_text "$what" "$work/out" '^gate +refused: [0-9]+ of [0-9]+ rules hold'
    checks=$((checks + 1))
    ! grep -q '^published' "$work/out" || fail "$what: the summary says that it was published"
    dump_db shop.db >dump
    expect_same "$what: what the target shows" before dump
    expect_text "$what" store/run.json '"decision": "refused"'
}

# json EXPRESSION: of run.json as `r`.
json() {
    python3 -c "import json; r = json.load(open('store/run.json')); print($1)"
}

expect_equal() { # WHAT EXPECTED FOUND
    checks=$((checks + 1))
    [ "$2" = "$3" ] || fail "$1: '$3' instead of '$2'"
}

# ---- two nights, as they should be
run_vesper 2 nightly "${plain[@]}" --input orders=night1.csv
expect_done "the first night" || finish
expect_text "the first night" "$work/out" '^gate +accepted: [0-9]+ of [0-9]+ rules hold; there is no earlier night'
run_vesper 3 nightly "${plain[@]}" --input orders=night2.csv
expect_done "the second night" || finish
expect_text "the second night" "$work/out" '^gate +accepted: .* beside run 000001-'
expect_nights "two nights" accepted accepted
expect_equal "rules in run.json" True "$(json "len(r['gate']['rules']) > 10 and all(k['holds'] for k in r['gate']['rules'])")"
dump_db shop.db >before

# ---- a table that shrinks
run_vesper 1 nightly "${plain[@]}" --pair-min-orders 14 --gate-rows-least 10
expect_refusal "fewer pairs" 'table basket_pairs has [0-9]+ rows instead of [0-9]+; from [0-9]+ to [0-9]+ may be'
expect_text "fewer pairs" "$work/err" 'warn gate rule=rows note="table basket_pairs'
expect_nights "fewer pairs" accepted accepted refused
error_line=$(grep '^vesper:' "$work/err")
for ranks in 2 3; do
    run_vesper $ranks nightly "${plain[@]}" --pair-min-orders 14 --gate-rows-least 10
    expect_refusal "fewer pairs again"
    expect_equal "the same answer on $ranks ranks" "$error_line" "$(grep '^vesper:' "$work/err")"
done
run_vesper 2 publish "${plain[@]}" --pair-min-orders 14 --gate-rows-least 10
expect_refusal "publish" 'basket_pairs'
expect_nights "a rerun adds no record" accepted accepted refused

# ---- forced
run_vesper 1 publish "${plain[@]}" --force ''
expect_failure "an empty reason" 2 '--?force' 'empty'
run_vesper 1 publish "${plain[@]}" --force '   '
expect_failure "a blank reason" 2 '--force needs a reason'
run_vesper 2 publish "${plain[@]}" --pair-min-orders 14 --gate-rows-least 10 --force $'two\nlines'
expect_failure "two lines" 2 'one line'
run_vesper 2 nightly "${plain[@]}" --pair-min-orders 14 --gate-rows-least 10 --force 'rare pairs "are not" wanted'
expect_done "forced"
expect_text "forced" "$work/out" '^ +published because: rare pairs "are not" wanted$'
expect_text "forced" "$work/out" '^published +[0-9]+ tables'
expect_nights "forced" accepted accepted refused forced
expect_equal "the reason is recorded" 'rare pairs "are not" wanted' "$(json "r['gate']['reason']")"
run_vesper 2 nightly "${plain[@]}" --pair-min-orders 14 --gate-rows-least 10
expect_done "forced, again"
expect_text "forced, again" "$work/out" '^gate +run 000002-[0-9a-f]+ was forced before'
expect_text "forced, again" "$work/out" '^published +nothing to do'
# A reason that was not needed: the night is accepted.
run_vesper 2 nightly "${plain[@]}" --force "just in case"
expect_done "a reason that was not needed"
expect_nights "a reason that was not needed" accepted accepted refused forced accepted
dump_db shop.db >before

# ---- a table that goes, another target, rules that are off
run_vesper 1 nightly "${plain[@]}" --tables sales_daily
expect_refusal "tables that are gone" 'table [a-z_]+ is gone; it had [0-9]+ rows \(the first of [0-9]+ reasons\)'
run_vesper 1 publish "${plain[@]}" --tables sales_daily --to sqlite:other.db
expect_done "the first night of another target"
run_vesper 1 nightly "${plain[@]}" --tables sales_daily --gate-rows-down off
expect_done "a limit that is off"
run_vesper 1 nightly "${plain[@]}"
expect_done "all tables again"

# ---- rejected rows: of the night, also when a rerun finds the input taken in
{
    make_orders 321 20 0
    for i in $(seq 12); do echo "x$i,2024-05-01 10:00:00,p1,many,1.00,c1,Chile"; done
} >night3.csv
dump_db shop.db >before
run_vesper 2 nightly "${plain[@]}" --input orders=night3.csv --max-rejected 0.5
expect_refusal "rejected rows" '[0-9.]+ % of the rows taken in were rejected \(12 of [0-9]+\), more than 5 %'
run_vesper 3 nightly "${plain[@]}" --input orders=night3.csv --max-rejected 0.5
expect_refusal "rejected rows, again" '\(12 of [0-9]+\), more than 5 %'
run_vesper 1 nightly "${plain[@]}" --gate-rejected 0.3
expect_done "a wider limit"
dump_db shop.db >before

# ---- a crash between publishing and the record
make_orders 341 12 0 >night4.csv
VESPER_FAULT=nights.record:0:1:kill expect_kill=yes run_vesper 2 nightly "${plain[@]}" --input orders=night4.csv
records=$(ls store/nights | wc -l)
run_vesper 2 nightly "${plain[@]}" --input orders=night4.csv
expect_done "after a crash"
expect_text "after a crash" "$work/out" '^published +nothing to do'
expect_equal "the record is repaired" $((records + 1)) "$(ls store/nights | wc -l)"
expect_equal "the record is repaired" accepted "$(sed -n 's/^ "decision": "\(.*\)",$/\1/p' "store/nights/$(ls store/nights | tail -1)")"

# ---- results of older nights
for ((i = 0; i < 3; i++)); do
    make_orders $((361 + 12 * i)) 12 0 >more.csv
    run_vesper 2 nightly "${plain[@]}" --input orders=more.csv --keep-nights 2
    expect_done "night $((5 + i))"
done
expect_equal "generations with results" "000006 000007" "$(ls store/results | cut -d- -f1 | sort -u | xargs)"
expect_equal "nothing is left half removed" "" "$(ls store/tmp)"
make_orders 397 12 0 >more.csv
VESPER_FAULT=store.results.retire:0:1 run_vesper 2 nightly "${plain[@]}" --input orders=more.csv --keep-nights 2
expect_failure "results that cannot be removed" 4 'injected fault at store.results.retire$'
VESPER_FAULT=store.results.retired:0:1:kill expect_kill=yes run_vesper 1 nightly "${plain[@]}" --input orders=more.csv --keep-nights 2
run_vesper 2 nightly "${plain[@]}" --input orders=more.csv --keep-nights 2
expect_done "a crash while results are removed"
expect_equal "generations with results" "000007 000008" "$(ls store/results | cut -d- -f1 | sort -u | xargs)"
expect_equal "nothing is left half removed" "" "$(ls store/tmp)"

# ---- a damaged record
cp store/nights/000002.json sound.json
echo '{' >store/nights/000002.json
run_vesper 2 nightly "${plain[@]}"
expect_failure "a damaged record" 4 'nights/000002.json is damaged'
cp sound.json store/nights/000002.json

# ---- the way back: the next night is compared with the one in force again
restored=$(sqlite3 shop.db 'SELECT run FROM vesper_run WHERE current = 0')
withdrawn=$(sqlite3 shop.db 'SELECT run FROM vesper_run WHERE current = 1')
run_vesper 2 rollback --store store --to sqlite:shop.db
expect_done "rollback"
run_vesper 1 status --store store --nights 1
expect_text "rollback" "$work/out" "rolled back .*$restored +sqlite:shop.db"
expect_text "rollback" "$work/out" "run $withdrawn was withdrawn"
make_orders 409 12 0 >more.csv
run_vesper 2 nightly "${plain[@]}" --input orders=more.csv
expect_done "the night after"
expect_text "the night after" "$work/out" "^gate +accepted: .* beside run $restored$"
run_vesper 1 rollback --store nowhere --to sqlite:shop.db
expect_done "rollback without a store"

# ---- options
run_vesper 1 nightly "${plain[@]}" --gate-rows-down 1.5
expect_failure "a share above 1" 2 "--gate-rows-down '1.5' must be a number from 0 to 1, or off"
run_vesper 1 nightly "${plain[@]}" --gate-rejected never
expect_failure "no number" 2 "--gate-rejected 'never'"
printf '[gate]\nrows_downs = 0.2\n' >bad.ini
run_vesper 1 nightly -c bad.ini "${plain[@]}"
expect_failure "a key that nothing reads" 2 'rows_downs' 'rows_down'

# ---- models: measured by an earlier run, too
$datagen --lines 9000 --customers 400 --products 120 --days 120 --seed 5 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
rm -rf store shop.db
models=(--recommend yes --factors 4 --iterations 2 --split-days 30 --forecast yes --horizon 7 --learn-origins 2
    --forecast-models average,seasonal,ses --gate-users-least 20 --gate-series-least 10)
night=(nightly --store store --partitions 8 --to sqlite:shop.db "${models[@]}")
run_vesper 2 "${night[@]}" --input orders=raw/orders.csv
expect_done "a night with models" || finish
for rule in 'rival:discover_ndcg_20' 'rival:buy_again_recall_10' 'rival:forecast_rmsse'; do
    checks=$((checks + 1))
    [ "$(json "['%s:%s' % (k['rule'], k['of']) for k in r['gate']['rules']].count('$rule')")" = 1 ] ||
        fail "a night with models: no rule $rule"
done
# The record says that it was better than tonight's can be.
last=store/nights/000001.json
sed -i '/"measures"/,/\]/s/"value": [0-9.e-]*/"value": 0.9/' "$last"
dump_db shop.db >before
run_vesper 2 "${night[@]}" --again-days 20
expect_refusal "behind the last night" '(NDCG@20 of recommendations|recall@10 of buy_again) went from 0.9000 to 0.[0-9]{4}, more than 30 % worse'
run_vesper 1 "${night[@]}" --again-days 20
expect_text "behind the last night, computed before" "$work/out" '^recommend +run .* was computed before'
expect_refusal "behind the last night, computed before" 'went from 0.9000 to'
run_vesper 2 "${night[@]}" --again-days 20 --gate-accuracy-fall off --gate-bias-rise off
expect_done "accuracy and bias, off"
# Demand that has no week, one odd week, and then nothing but the week: the mix learned not to repeat what
# was last, which its rival does.
awk 'BEGIN {
    print "order_id,ordered_at,product_id,quantity,unit_price"
    split("31 28 31 30 31 30", days)
    for (month = 1; d < 154; d++) {
        if (++day > days[month]) { month++; day = 1 }
        for (p = 0; p < 12; p++)
            printf "w%d_%d,2023-%02d-%02d 10:00:00,p%d,%d,1\n", d, p, month, day, p, d < 119 ? \
                5 + (d * 7919 + p * 104729 + d * d * 31 * (p + 3)) % 23 : \
                d < 126 ? (d % 7 < 2 ? 1 : 90 + p) : (d % 7 < 2 ? 60 + p : 1)
    }
}' </dev/null >week.csv
run_vesper 2 nightly --store weeks --partitions 8 --to sqlite:weeks.db --input orders=week.csv --forecast yes \
    --horizon 14 --learn-origins 2 --forecast-models average,seasonal --gate-series-least 10
expect_failure "a mix that loses" 6 'RMSSE of forecasts is [0-9].[0-9]+, and that of the naive forecast 0.0000 \(on 12 series\)'
run_vesper 2 publish --store weeks --to sqlite:weeks.db --forecast yes --horizon 14 --learn-origins 2 \
    --forecast-models average,seasonal --gate-series-least 10 --gate-rival-margin off
expect_done "rivals, off"
finish
