#!/bin/bash
# What a run leaves for those who watch over it: a log of JSON lines, metrics for Prometheus, lineage
# events and run.json; of runs that end well and of runs that fail. observe.py reads them.
. "$(dirname "$0")/../support/vesper.sh"
checker=$(cd "$(dirname "$0")" && pwd)/observe.py
cd "$work" || exit 1
command -v python3 >/dev/null || skip_test "no python3"
make_orders 1 300 0 >orders.csv
printf 'o900,not a time,p1,1,1.00,c1,Chile\n' >>orders.csv
store="a \"shop\" of ours"
night=(nightly --store "$store" --partitions 8 --pair-min-orders 2 --input "orders=$work/orders.csv"
    --to sqlite:shop.db --log-format json --metrics vesper.prom --lineage events.json)

# check WHAT ARGUMENT...: what observe.py finds.
check() {
    local what=$1 found
    shift
    checks=$((checks + 1))
    found=$(python3 "$checker" "$@" 2>&1) || fail "$what: $found"
}

run_vesper 2 "${night[@]}"
expect_done "a night" || finish
check "the log" log "$work/err" nightly open ingest sales gate publish night record
check "a log of types" fields "$work/err" ingest rows=int stored=int seconds=float seconds_min=float
check "a log of texts" fields "$work/err" open "store=str:a 'shop' of ours" generation=int
check "a log of yes and no" fields "$work/err" publish changed=bool to=str:sqlite:shop.db
rows=$(($(wc -l <orders.csv) - 1))
check "metrics" metrics vesper.prom 'vesper_last_run_success{job="nightly"} 1' \
    'vesper_last_run_exit_code{job="nightly"} 0' 'vesper_store_generation{job="nightly"} 1' \
    "vesper_last_run_read_rows{table=\"orders\"} $rows" \
    'vesper_last_run_rejected_rows{table="orders"} 1' \
    "vesper_published_rows{table=\"sales_daily\"} $(sqlite3 shop.db 'SELECT count(*) FROM sales_daily')" \
    'vesper_last_run_ranks{} 2' 'vesper_last_run_peak_memory_bytes{} >1000000' \
    'vesper_last_run_stage_duration_seconds{stage="sales"} >0' \
    "vesper_last_run_success{store=\"$store\"} 1" \
    'vesper_last_success_timestamp_seconds{} >1000000000'
checks=$((checks + 1))
[ "$(stat -c %a vesper.prom)" = 644 ] || fail "the metrics cannot be read by a collector"
[ ! -e vesper.prom.new ] || fail "the metrics' other name was left behind"
check "lineage" lineage events.json START COMPLETE
check "lineage of the input" dataset events.json inputs file "$work/orders.csv" rows="$rows" checksum
check "lineage of a table" dataset events.json outputs "sqlite:$work/shop.db" sales_daily \
    rows="$(sqlite3 shop.db 'SELECT count(*) FROM sales_daily')" day orders
check "run.json" record "$store/run.json" nightly open ingest sales gate publish night
success=$(grep '^vesper_last_success' vesper.prom)

# Failures: the error is one object; metrics and lineage say so, and when it last went well.
VESPER_FAULT=stage.publish:1:1 run_vesper 2 "${night[@]}"
checks=$((checks + 1))
[ "$rc" = 4 ] || fail "a failed night: exit code $rc"
check "a failure in the log" failure "$work/err" nightly publish 4 io 1 'injected fault at stage.publish'
check "metrics of a failure" metrics vesper.prom 'vesper_last_run_success{} 0' \
    'vesper_last_run_exit_code{} 4' 'vesper_last_run_stage_duration_seconds{stage="open"} >0'
checks=$((checks + 1))
[ "$(grep '^vesper_last_success' vesper.prom)" = "$success" ] || fail "the last success is forgotten"
check "lineage of a failure" lineage events.json START COMPLETE START FAIL

run_vesper 1 ingest --store "$store" --input "orders=absent.csv" --log-format json \
    --metrics ingest.prom --lineage events.json
check "refused input in the log" failure "$work/err" ingest ingest 3 input 0 'absent\.csv'
check "metrics of refused input" metrics ingest.prom 'vesper_last_run_exit_code{job="ingest"} 3'

# The jobs by themselves.
run_vesper 1 sales --store "$store" --pair-min-orders 3 --metrics sales.prom --lineage sales.json
expect_done "sales"
check "metrics of sales" metrics sales.prom 'vesper_computed_rows{table="sales_daily"} >0'
check "lineage of sales" dataset sales.json inputs file "$work/$store/orders" rows=any product
check "lineage of results" dataset sales.json outputs file "$work/$store/results/sales_daily" rows=any day
make_orders 301 50 0 >more.csv
run_vesper 3 ingest --store "$store" --input orders=more.csv --lineage ingest.json
expect_done "ingest"
check "lineage of ingest" dataset ingest.json outputs file "$work/$store/orders" rows=any product

# What cannot be written is said before the work.
run_vesper 2 sales --store "$store" --metrics absent/vesper.prom
expect_failure "metrics into no folder" 4 'absent/vesper.prom' 'check the path'
run_vesper 2 sales --store "$store" --lineage "$work"
expect_failure "lineage into a folder" 4 "cannot open $work"
run_vesper 1 sales --store "$store" --log-format xml
expect_failure "a form that is none" 2 "no log format is called 'xml'" 'text and json'
# A run that did well but for its metrics does not pass for one; one that failed keeps its own error.
VESPER_FAULT=metrics.write:0:1 run_vesper 2 sales --store "$store" --metrics vesper.prom
expect_failure "metrics that fail" 4 'injected fault at metrics.write'
VESPER_FAULT=lineage.write:0:2 run_vesper 2 ingest --store "$store" --input orders=absent.csv \
    --lineage events.json
expect_failure "lineage that fails after a failure" 3 'absent\.csv'
expect_text "lineage that fails after a failure" "$work/err" 'warn watch note="injected fault'
finish
