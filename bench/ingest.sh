#!/usr/bin/env bash
# Load generated order lines from CSV: `vesper ingest` on two ranks beside DuckDB with two threads.
#   bench/ingest.sh [LINES...]      (default: 1000000 10000000)
# Wall-clock seconds of whole commands, medians of interleaved runs; DuckDB's own time for the load
# alone stands beside it.
. "$(dirname "$0")/lib.sh"
bench_setup
[ $# -gt 0 ] || set -- 1000000 10000000

echo "| lines | CSV MB | vesper s | duckdb s | duckdb load alone s | duckdb / vesper | load alone / vesper | vesper MiB a rank | duckdb MiB |"
echo "|---|---|---|---|---|---|---|---|---|"
for lines in "$@"; do
    csv=$(bench_orders "$lines")
    : >"$work/vesper.s"; : >"$work/duckdb.s"; : >"$work/alone.s"
    for _ in $(seq "$repeat"); do
        rm -rf "$work/store"
        quietly vesper init --store "$work/store" --money-decimals 2
        seconds vesper ingest --store "$work/store" --input "orders=$csv" \
            --run-record "$work/run.json" >>"$work/vesper.s"
        rm -f "$work/load.db" "$work/load.db.wal"
        seconds duckdb load "$csv" "$work/load.db" "$ranks" >>"$work/duckdb.s"
        field seconds <"$work/last.out" >>"$work/alone.s"
    done
    v=$(median <"$work/vesper.s"); d=$(median <"$work/duckdb.s"); a=$(median <"$work/alone.s")
    mb=$(($(stat -c %s "$csv") / 1000000))
    echo "| $lines | $mb | $v | $d | $a | $(ratio "$d" "$v") | $(ratio "$a" "$v") |" \
        "$(($(field peak_bytes_per_rank.max <"$work/run.json") / 1048576)) | $(field peak_mib <"$work/last.out") |"
done
