#!/usr/bin/env bash
# The ten questions of questions.mjs to Vesper's store and to DuckDB, each alone and all in one run.
#   bench/sales.sh [LINES...]      (default: 1000000 10000000)
# Vesper on two ranks, on one rank with two threads, and on one core; its time is that from opening
# the store to the written and synced tables (stages open and sales of run.json). DuckDB with two threads
# and with one, from its own file and from Parquet; its time is that of CREATE TABLE AS, into memory
# (TEMP) and into a database file with CHECKPOINT. Medians of interleaved runs.
# Leaves figures in sales.csv, their plot in sales.svg (VESPER_BENCH_DIR), and prints Markdown tables.
. "$(dirname "$0")/lib.sh"
bench_setup
[ $# -gt 0 ] || set -- 1000000 10000000
measured=$work/sales-measured.csv
ini=$work/sales.ini
node "$root/bench/questions.mjs" ini >"$ini"
mapfile -t questions < <(node "$root/bench/questions.mjs" list)
every_table=$(printf '%s,' "${questions[@]%% *}") every_table=${every_table%,}
echo "lines,engine,setup,question,seconds,read_seconds,bytes,peak_mib" >"$measured"

# Bytes that columns $2 (comma between) take in the orders of store $1.
column_bytes() {
    h5dump -pH "$1"/segments/*/orders.h5 | awk -v wanted=",$2," '
        $1 == "DATASET" { name = $2; gsub(/"/, "", name) }
        $1 == "SIZE" && index(wanted, "," name ",") { sum += $2 }
        END { printf "%d\n", sum }'
}

# ask_vesper LINES RANKS THREADS QUESTION TABLES BYTES
ask_vesper() {
    ranks=$2
    rm -rf "$work/store-$1"/results/*
    quietly vesper sales -c "$ini" --store "$work/store-$1" --tables "$5" --threads "$3" \
        --run-record "$work/run.json"
    local read peak
    read=$(sed -n 's/.* sales\.read .*seconds=\([0-9.]*\).*/\1/p' "$work/last.out")
    peak=$(($(field peak_bytes_per_rank.max <"$work/run.json") / 1048576))
    echo "$1,vesper,$2x$3,$4,$(sum_of open sales <"$work/run.json"),$read,$6,$peak" >>"$measured"
}

# ask_duckdb LINES SOURCE THREADS temp|file
ask_duckdb() {
    local source=$work/own-$1.db answers=temp
    [ "$2" = own ] || source=$work/lines-$1.parquet
    [ "$4" = temp ] || answers=$work/answers.db
    duckdb questions "$source" "$answers" "$3" |
        node -e 'const o = JSON.parse(require("fs").readFileSync(0, "utf8"));
            for (const [name, seconds] of Object.entries(o)) if (name !== "peak_mib")
                console.log([...process.argv.slice(1), name, seconds.toFixed(6), "", "", o.peak_mib].join(","))' \
            "$1" duckdb "$2-$3-$4" >>"$measured"
}

prepare() { # LINES
    local csv
    csv=$(bench_orders "$1")
    ranks=2
    if [ ! -d "$work/store-$1" ]; then
        rm -rf "$work/store-$1.part"
        quietly vesper init --store "$work/store-$1.part" --money-decimals 2
        quietly vesper ingest --store "$work/store-$1.part" --input "orders=$csv"
        mv "$work/store-$1.part" "$work/store-$1"
    fi
    if [ ! -f "$work/own-$1.db" ]; then
        rm -f "$work/part.db"*
        duckdb load "$csv" "$work/part.db" 2 >/dev/null
        duckdb prepare "$work/part.db" "$work/lines-$1.parquet" >/dev/null
        mv "$work/part.db" "$work/own-$1.db"
    fi
    cat "$work/store-$1"/segments/*/orders.h5 "$work/own-$1.db" "$work/lines-$1.parquet" >/dev/null
}

# Both engines must give the same counts and sums.
check_answers() { # LINES
    ranks=2
    rm -f "$work/check.db"*
    quietly vesper sales -c "$ini" --store "$work/store-$1" --tables "$every_table"
    quietly vesper publish -c "$ini" --store "$work/store-$1" --tables "$every_table" \
        --to "sqlite:$work/check.db"
    node "$root/bench/questions.mjs" sums | sqlite3 "$work/check.db" >"$work/vesper.sums"
    duckdb sums "$work/own-$1.db" >"$work/duckdb.sums"
    rm -f "$work/check.db"*
    diff "$work/vesper.sums" "$work/duckdb.sums" >&2
    echo "$1 lines: the answers to all ten questions agree" >&2
}

${CC:-cc} -O3 -march=native -fopenmp "$root/bench/bandwidth.c" -o "$work/bandwidth"
for lines in "$@"; do
    prepare "$lines"
    check_answers "$lines"
    for _ in $(seq "$repeat"); do
        for threads in 2 1; do
            OMP_NUM_THREADS=$threads "$work/bandwidth" "${BANDWIDTH_MIB:-512}" |
                awk -v lines="$lines" -F'[ ]' '{ print lines ",memory," $1 ",read,1,," $2 "e9,"
                    print lines ",memory," $1 ",triad,1,," $3 "e9," }' >>"$measured"
        done
        for question in "${questions[@]}" "$every_table"; do
            read -r name columns <<<"$question"
            tables=$name bytes=
            if [ "$name" = "$every_table" ]; then
                name=all
                columns=$(printf '%s,' "${questions[@]#* }")
            fi
            bytes=$(column_bytes "$work/store-$lines" "$columns")
            for shape in "2 1" "1 2" "1 1"; do
                ask_vesper "$lines" $shape "$name" "$tables" "$bytes"
            done
        done
        for threads in 2 1; do
            ask_duckdb "$lines" own $threads temp
            ask_duckdb "$lines" own $threads file
            ask_duckdb "$lines" parquet $threads temp
        done
    done
done
node "$root/bench/report.mjs" "$measured" "$work/sales.csv"
node "$root/bench/plot.mjs" "$work/sales.csv" "$work/sales.svg"
