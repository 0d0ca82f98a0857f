#!/usr/bin/env bash
# The seven sales tables from the store on two ranks, beside DuckDB answering the same seven questions
# from its own file with two threads.
#   bench/sales.sh [LINES...]      (default: 1000000 10000000)
# Vesper: wall-clock seconds of the whole command (start of mpirun and writing the tables included).
# DuckDB: seconds inside the engine, the questions added up. Medians of interleaved runs.
. "$(dirname "$0")/lib.sh"
bench_setup
[ $# -gt 0 ] || set -- 1000000 10000000

echo "| lines | vesper s | duckdb s | duckdb / vesper | vesper MiB a rank | duckdb MiB |"
echo "|---|---|---|---|---|---|"
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
    : >"$work/vesper.s"; : >"$work/duckdb.s"
    for _ in $(seq "$repeat"); do
        rm -rf "$store/results"
        seconds vesper sales --store "$store" --run-record "$work/run.json" >>"$work/vesper.s"
        duckdb questions "$db" "$ranks" >"$work/questions.json"
        node -e 'const o = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
            delete o.peak_mib; console.log(Object.values(o).reduce((a, b) => a + b))' \
            "$work/questions.json" >>"$work/duckdb.s"
    done
    v=$(median <"$work/vesper.s"); d=$(median <"$work/duckdb.s")
    echo "| $lines | $v | $d | $(ratio "$d" "$v") |" \
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
