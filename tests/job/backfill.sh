#!/bin/bash
# vesper backfill FROM TO: each night is the one that --as-of gives; what is there stays; a backfill that
# was stopped or killed goes on, on another number of ranks, and leaves the same bytes.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 3000 --customers 200 --products 60 --days 70 --seed 7 --tables orders,products,events --out raw \
    >/dev/null 2>&1 || fail "vesper-datagen"
run_vesper 1 init --store store --partitions 8
expect_done "init"
run_vesper 2 ingest --store store --input orders=raw/orders.csv --input products=raw/products.csv --input events=raw/events.csv
expect_done "ingest" || finish
options=(--recommend yes --forecast yes --factors 4 --iterations 2 --split-days 14 --list-length 5
    --horizon 7 --learn-origins 2 --forecast-models ses,sba --pair-min-orders 2)

# A night after the other by --as-of.
cp -r store one_by_one
for day in 2023-02-27 2023-02-28 2023-03-01; do
    run_vesper 2 nightly --store one_by_one --to sqlite:shop.db --as-of $day "${options[@]}"
    expect_done "the night of $day"
done
rm shop.db
run_vesper 3 backfill 2023-02-27 2023-03-01 --store store "${options[@]}"
expect_done "three nights" || finish
expect_same_store "three nights and one after the other" one_by_one/results store/results
expect_text "three nights" out '^nights +3, from 2023-02-27 to 2023-03-01: 3 computed, 0 were there$'
checks=$((checks + 2))
[ "$(grep -c 'info night day=' err)" = 3 ] && [ "$(grep -c . err)" = 5 ] || fail "not a line a night: $(cat err)"
[ ! -e shop.db ] || fail "a backfill publishes"
expect_text "run.json adds up the nights" store/run.json '"name": "sales"'
run_vesper 1 backfill 2023-02-26 2023-03-01 --store store "${options[@]}"
expect_done "one more" && expect_text "one more" out '^nights +4, .*: 1 computed, 3 were there$'
expect_text "one more" err 'night day=2023-02-28 number=3/4 .* already=computed$'
run_vesper 2 backfill 2023-02-27 2023-03-01 --store store "${options[@]}" --memory 1M
expect_failure "a budget that is too small" 5 '--memory allows 1 MB'
run_vesper 2 publish --store store --to sqlite:shop.db --as-of 2023-02-28 "${options[@]}"
expect_done "published by its day"

# Steps, and the end of the data: the last night is the plain one.
rm -rf store/results
run_vesper 2 backfill 2023-01-31 2023-12-31 --every month --store store --recommend no --forecast no
expect_done "months"
run_vesper 2 backfill 2023-02-20 2023-12-31 --every week --store store --recommend no --forecast no
expect_done "weeks"
run_vesper 2 backfill 2023-03-11 2023-12-31 --every day --store store --recommend no --forecast no
expect_done "the end" && expect_text "the end" out 'nights +1, from 2023-03-11 to 2023-03-11'
ls store/results | sed 's/-[0-9a-f]*$//' | sort >runs
printf '%s\n' 000001 000001-20230131 000001-20230220 000001-20230227 000001-20230228 000001-20230306 >expected
expect_same "months, weeks and the end" expected runs

# Killed in the middle of a night, and asked to stop: the rest is done later, elsewhere.
rm -rf store/results
cp -r store stopped
run_vesper 2 backfill 2023-02-01 2023-03-11 --store store --recommend no --forecast no
expect_done "undisturbed"
VESPER_FAULT=store.results.write:1:40 run_vesper 2 backfill 2023-02-01 2023-03-11 --store stopped --recommend no --forecast no
expect_failure "a night that fails" 4 'fault'
checks=$((checks + 1))
done_before=$(ls stopped/results | wc -l)
[ "$done_before" -ge 1 ] && [ "$done_before" -lt 39 ] || fail "$done_before nights before the failure"
VESPER_FAULT=part.find:0:3 run_vesper 2 backfill 2023-02-01 2023-03-11 --store stopped --recommend no --forecast no
expect_failure "results that cannot be looked for" 4 'injected fault at part.find'
$launcher 2 "$vesper" backfill 2023-02-01 2023-03-11 --store stopped --recommend no --forecast no >out 2>err &
launched=$!
for ((tries = 0; tries < 200; tries++)); do
    grep -q 'night day=.*=computed' err && break
    sleep 0.02
done
kill -USR1 $launched
rc=0
wait $launched || rc=$?
expect_failure "asked to stop" 7 'stopped at a safe point, .*; run the same command again'
run_vesper 3 backfill 2023-02-01 2023-03-11 --store stopped --recommend no --forecast no
expect_done "on three ranks" && expect_text "on three ranks" out '^nights +39, .*: [0-9]+ computed, [1-9][0-9]* were there$'
expect_same_store "stopped and undisturbed" store/results stopped/results

run_vesper 2 status --store store
expect_done "status" && expect_text "status" out '^past +38 nights as of days from 2023-02-01 to 2023-03-10$'
checks=$((checks + 1))
[ "$(grep -c 'not published' out)" = 1 ] || fail "nights of the past count as unfinished: $(cat out)"
run_vesper 1 status --store store --json
expect_done "status as JSON" && expect_text "status as JSON" out '"past_nights": ?38'
checks=$((checks + 1))
python3 -c '
import json, os
past = json.load(open("out"))["past"]
assert [past[0]["day"], past[-1]["day"], len(past)] == ["2023-02-01", "2023-03-10", 38], past
assert all(os.path.isdir("store/results/" + night["run"]) for night in past), past' || fail "status as JSON: the nights"
make_orders 9001 2 1 | sed 's/,2024-/,2023-/' >later.csv
cp -r store grown
run_vesper 1 ingest --store grown --input orders=later.csv
run_vesper 2 status --store grown
expect_done "one more batch" && expect_text "one more batch" out '^past +38 nights as of days from 2023-02-01'

# refused WHAT REGEX ARGUMENT...
refused() {
    local what=$1 regex=$2
    shift 2
    run_vesper 2 "$@"
    expect_failure "$what" 2 "$regex"
}
refused "one day" "'backfill' takes FROM TO, not 1 argument;" backfill 2023-02-01 --store store
refused "three days" "takes FROM TO, not 3 arguments" backfill 2023-02-01 2023-02-02 2023-02-03 --store store
refused "no day" "TO 'tomorrow' is no day; write it as in" backfill 2023-02-01 tomorrow --store store
refused "backwards" 'from 2023-03-01 to 2023-02-01: the first day comes after' backfill 2023-03-01 2023-02-01 --store store
refused "before the data" "first day is 2023-01-01" backfill 2022-12-01 2023-02-01 --store store
refused "after the data" "last day is 2023-03-11" backfill 2023-03-12 2023-04-01 --store store
refused "another step" "--every 'fortnight' is no step" backfill 2023-02-01 2023-02-02 --every fortnight --store store
refused "publishing" "'vesper backfill' takes no --to" backfill 2023-02-01 2023-02-02 --store store --to sqlite:x.db
refused "arguments of a job that takes none" "unexpected argument '2023-02-01'" sales 2023-02-01 --store store
run_vesper 1 init --store empty
refused "an empty store" 'has no data yet' backfill 2023-02-01 2023-02-02 --store empty
finish
