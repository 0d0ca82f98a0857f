#!/bin/bash
# vesper status: the store and its last nights, for people and as JSON; beside a run at work, after
# one that died, and of work that is not finished.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
make_orders 1 120 0 >night1.csv
make_orders 121 12 0 >night2.csv
night=(nightly --store store --partitions 8 --pair-min-orders 2 --to sqlite:shop.db)

# json EXPRESSION: of what status --json says, as `s`.
json() {
    "$vesper" status --store store --json "${@:2}" 2>/dev/null | python3 -c "import json, sys; s = json.load(sys.stdin); print($1)"
}

expect_json() { # WHAT EXPECTED EXPRESSION [OPTION...]
    local found
    found=$(json "${@:3}")
    checks=$((checks + 1))
    [ "$found" = "$2" ] || fail "$1: '$found' instead of '$2'"
}

run_vesper 1 status
expect_failure "no store is named" 2 'no store is named'
run_vesper 2 status --store store
expect_failure "no store" 2 'there is no store in store'

run_vesper 1 init --store store --partitions 8
run_vesper 2 status --store store
expect_done "an empty store"
expect_text "an empty store" "$work/out" '^generation +0, of 0 batches; 0 order lines$'
expect_text "an empty store" "$work/out" '^nights +none recorded yet'
expect_json "an empty store" "(0, [], 'free')" "(s['store']['generation'], s['nights'], s['lock']['state'])"

run_vesper 1 "${night[@]}" --input orders=night1.csv
expect_done "the first night"
run_vesper 1 "${night[@]}" --input orders=night2.csv
expect_done "the second night"
run_vesper 1 "${night[@]}" --tables sales_daily,product_total
expect_failure "a night that is refused" 6 'is gone'
run_vesper 1 "${night[@]}" --tables sales_daily,product_total --force 'two tables are enough'
expect_done "a night that is forced"
run_vesper 3 status --store store
expect_done "four nights"
expect_text "four nights" "$work/out" '^store +store, 8 partitions, UTC, EUR with 2 decimals'
expect_text "four nights" "$work/out" '^generation +2, of 2 batches; [0-9,]+ order lines, 2024-01-02 to 2024-'
expect_text "four nights" "$work/out" '^last input +orders=night2.csv: [0-9]+ rows, [0-9]+ stored, 0 rejected'
expect_text "four nights" "$work/out" '^rows +.*orders [0-9]+'
expect_text "four nights" "$work/out" '^on disk +[0-9.]+ kB in [0-9]+ files: segments'
expect_text "four nights" "$work/out" '^lock +free$'
expect_text "four nights" "$work/out" '^unfinished +nothing'
expect_text "four nights" "$work/out" 'accepted +[0-9.]+ s +000002-[0-9a-f]{8} +sqlite:shop.db'
expect_text "four nights" "$work/out" 'refused +[0-9.]+ s +000002-'
expect_text "four nights" "$work/out" 'published because: two tables are enough'
expect_text "four nights" "$work/out" ' table [a-z_]+ is gone; it had'
checks=$((checks + 1))
[ "$(wc -l <"$work/out")" -lt 24 ] || fail "more than a screen: $(wc -l <"$work/out") lines"
[ "$(cut -c161- "$work/out" | grep -c .)" = 0 ] || fail "lines that are too long"
expect_json "decisions, newest first" "['forced', 'refused', 'accepted', 'accepted']" "[n['decision'] for n in s['nights']]"
expect_json "two nights" 2 "len(s['nights'])" --nights 2
expect_json "rows of a night" True "s['nights'][3]['rows']['sales_daily'] > 50"
expect_json "a forced night" "two tables are enough" "s['nights'][0]['reason']"
expect_json "a refused night" True "len(s['nights'][1]['failed']) > 5"
expect_json "rows" True "s['rows']['orders'] > 200"

# Results that nobody published.
run_vesper 1 sales --store store --pair-min-orders 3
run_vesper 1 status --store store
expect_text "results without publication" "$work/out" '^unfinished +results 000002-[0-9a-f]+ are not published'
expect_json "results without publication" 1 "len(s['unfinished']['unpublished'])"

# A run that dies in the middle: lock, tmp/.
make_orders 133 12 0 >night3.csv
VESPER_FAULT=store.results.index:0:1:kill expect_kill=yes run_vesper 1 "${night[@]}" --input orders=night3.csv
run_vesper 1 status --store store
expect_done "a run that died"
expect_text "a run that died" "$work/out" '^lock +free, but its last holder died \(host .*process [0-9]+'
expect_json "a run that died" left "s['lock']['state']"
expect_text "what it left" "$work/out" '^unfinished +.*left in tmp/, cleared by the next run'

# A run at work: status needs no lock and does not disturb it.
mkfifo pipe
exec 9<>pipe
timeout 1 dd if=/dev/zero of=pipe bs=4096 count=64 status=none
$launcher 1 bash -c 'exec "$0" "$@" 2>pipe' "$vesper" "${night[@]}" --input orders=night3.csv >held.out 2>held.mpi &
held=$!
for ((i = 0; i < 100; i++)); do
    grep -q process store/lock 2>/dev/null && [ "$(json "s['lock']['state']")" = held ] && break
    sleep 0.1
done
run_vesper 2 status --store store
expect_done "beside a run at work"
expect_text "beside a run at work" "$work/out" '^lock +held: a run is at work \(host .*process [0-9]+'
cat <&9 >log &
reader=$!
rc=0
wait $held || rc=$?
kill $reader 2>/dev/null
exec 9>&-
checks=$((checks + 1))
[ $rc = 0 ] || fail "the run at work ended with $rc"
expect_json "after it" free "s['lock']['state']"
for site in survey.size store.lock.look; do
    VESPER_FAULT=$site:0:1 run_vesper 2 status --store store
    expect_failure "a fault at $site" 4 "injected fault at $site\$"
done
finish
