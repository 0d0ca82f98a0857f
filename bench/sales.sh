#!/usr/bin/env bash
# The seven sales tables from the store on two ranks, beside DuckDB answering the same seven questions
# from its own file with two threads.
#   bench/sales.sh [LINES...]      (default: 1000000 10000000)
# "alone": seconds inside the program, for Vesper from opening the store to the written tables, for
# DuckDB the questions added up; "whole": wall-clock seconds of the command, the start of mpirun or
# of node included. Medians of interleaved runs.
. "$(dirname "$0")/lib.sh"
bench_setup
[ $# -gt 0 ] || set -- 1000000 10000000

echo "| lines | vesper alone s | duckdb alone s | ratio | vesper whole s | duckdb whole s | ratio | vesper MiB a rank | duckdb MiB |"
echo "|---|---|---|---|---|---|---|---|---|"
for lines in "$@"; do
    csv=$(bench_orders "$lines")
    store=$work/store-$lines db=$work/own-$lines.db
    if [ ! -d "$store" ]; then
        vesper init --store "$store" --money-decimals 2 >/dev/null 2>&1
        vesper ingest --store "$store" --input "orders=$csv" >/dev/null 2>&1
    fi
    if [ ! -f "$db" ]; then
        duckdb load "$csv" "$db" "$ranks" >/dev/null
        duckdb prepare "$db" >/dev/null
    fi
    for name in vesper duckdb; do : >"$work/$name.whole"; : >"$work/$name.alone"; done
    for _ in $(seq "$repeat"); do
        rm -rf "$store"/results/*
        seconds vesper sales --store "$store" --run-record "$work/run.json" >>"$work/vesper.whole"
        sum_of stages open sales <"$work/run.json" >>"$work/vesper.alone"
        seconds duckdb questions "$db" "$ranks" >>"$work/duckdb.whole"
        cp "$work/last.out" "$work/questions.json"
        sum_of questions <"$work/questions.json" >>"$work/duckdb.alone"
    done
    va=$(median <"$work/vesper.alone") da=$(median <"$work/duckdb.alone")
    vw=$(median <"$work/vesper.whole") dw=$(median <"$work/duckdb.whole")
    echo "| $lines | $va | $da | $(ratio "$da" "$va") | $vw | $dw | $(ratio "$dw" "$vw") |" \
        "$(($(field peak_bytes_per_rank.max <"$work/run.json") / 1048576)) | $(field peak_mib <"$work/questions.json") |"
    node -e 'const o = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")); delete o.peak_mib;
        console.error("duckdb, last run: " + Object.entries(o).map(([k, v]) => `${k} ${v.toFixed(3)}`).join(", "))' \
        "$work/questions.json"

    # The same answers: net, orders and customers of each day.
    vesper publish --store "$store" --to "sqlite:$work/check.db" >/dev/null 2>&1
    sqlite3 "$work/check.db" 'SELECT day, net, orders, customers FROM sales_daily ORDER BY day' \
        >"$work/vesper.check"
    duckdb check "$db" >"$work/duckdb.check"
    cmp "$work/vesper.check" "$work/duckdb.check" && echo "answers agree on every day" >&2
    rm -f "$work/check.db"*
done
