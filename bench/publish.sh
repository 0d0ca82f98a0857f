#!/usr/bin/env bash
# Publish a large table into PostgreSQL: `vesper publish` beside `psql \copy` of the same rows into the
# same server, as one stream from a CSV and from a binary file, bare and with what makes the rows a
# table that pages can use (primary key, statistics).
#   bench/publish.sh [LINES]      (default: 9000000 order lines, about 5 million rows of product x day)
# Seconds of wall clock and of CPU time, of the client and of the server with all its processes; medians
# of interleaved runs. Vesper's time holds the read-back and the switch too; the start of mpirun is left
# out.
. "$(dirname "$0")/lib.sh"
. "$root/tests/support/postgres.sh"
bench_build
setup_packages test bench
lines=${1:-9000000}
pg_settings='fsync = on
shared_buffers = 512MB
max_wal_size = 8GB'
pg_find && pg_start
export PGOPTIONS='-c client_min_messages=warning'

# ---- the rows ----

store=$work/publish-$lines
printf '[aggregate.product_day]\nby = product, day\nmeasures = units, net, orders\n' >"$work/publish.ini"
options=(-c "$work/publish.ini" --store "$store" --tables product_day)
export VESPER_RECOMMEND=no VESPER_FORECAST=no
if [ ! -d "$store" ]; then
    csv=$(bench_orders "$lines")
    rm -rf "$store.part"
    quietly vesper init --store "$store.part" --money-decimals 2
    quietly vesper ingest --store "$store.part" --input "orders=$csv"
    mv "$store.part" "$store"
fi
quietly vesper sales "${options[@]}"

pg_role publisher
pg_database shop publisher
url=$(pg_url publisher shop)
ranks=1
server=$(head -n 1 "$pg_dir/data/postmaster.pid")

# Ticks of the server: its processes, and those that it has seen end.
server_ticks() {
    cat "/proc/$server/stat" $(pgrep -P "$server" | sed 's|.*|/proc/&/stat|') 2>/dev/null |
        awk -v server="$server" '{ s += $14 + $15; if ($1 == server) s += $16 + $17 } END { print s }'
}

# measure NAME COMMAND...: adds "wall client server" to NAME.s; the wall clock of the last line of
# $work/stage, if the command left one there.
measure() {
    local name=$1 before after
    shift
    rm -f "$work/stage"
    pg_sql shop CHECKPOINT
    before=$(server_ticks)
    TIMEFORMAT='%R %U %S'
    { time "$@" >"$work/last.out" 2>"$work/last.err"; } 2>"$work/times" ||
        { cat "$work/last.err" >&2; return 1; }
    sleep 0.2 # the server's process has ended
    after=$(server_ticks)
    awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" \
        -v stage="$(cat "$work/stage" 2>/dev/null)" \
        '{ printf "%.3f %.2f %.2f\n", stage != "" ? stage : $1, $2 + $3, ticks / hz }' \
        "$work/times" >>"$work/$name.s"
}

publish() {
    vesper publish "${options[@]}" --to "$url" --run-record "$work/run.json" && sum_of publish <"$work/run.json" >"$work/stage"
}

fresh() {
    psql -X -q "$url" -c 'DROP TABLE IF EXISTS plain' -c "CREATE TABLE plain (product_id text COLLATE \"C\",
        day date, units bigint, net bigint, orders bigint)"
}
copy() { # FILE FORMAT
    psql -X -q "$url" -c "\\copy plain FROM '$1' (FORMAT $2)"
}
copy_and_key() {
    psql -X -q "$url" -c "\\copy plain FROM '$1' (FORMAT $2)" \
        -c 'ALTER TABLE plain ADD PRIMARY KEY (product_id, day)' -c 'ANALYZE plain'
}

quietly vesper publish "${options[@]}" --to "$url"
rows=$(pg_sql shop 'SELECT count(*) FROM vesper.product_day')
for format in csv binary; do
    psql -X -q "$url" -c "\\copy vesper.product_day TO '$work/rows.$format' (FORMAT $format)"
done

# ---- measured ----

names=(vesper csv binary csv_key binary_key) # _key: with primary key and statistics
for name in "${names[@]}"; do : >"$work/$name.s"; done
for _ in $(seq "$repeat"); do
    psql -X -q "$url" -c 'DROP TABLE IF EXISTS plain' -c 'DROP SCHEMA vesper CASCADE'
    measure vesper publish
    for format in csv binary; do
        fresh
        measure $format copy "$work/rows.$format" $format
        fresh
        measure ${format}_key copy_and_key "$work/rows.$format" $format
    done
done

declare -A wall cpu
echo "$rows rows"
echo
echo "| | s | CPU s of the client | CPU s of the server | rows/s | its time / vesper's | its CPU / vesper's |"
echo "|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
    for k in 1 2 3; do m[k]=$(awk -v k=$k '{ print $k }' "$work/$name.s" | median); done
    wall[$name]=${m[1]}
    cpu[$name]=$(awk -v a="${m[2]}" -v b="${m[3]}" 'BEGIN { print a + b }')
    echo "| $name | ${m[1]} | ${m[2]} | ${m[3]} | $(awk -v r="$rows" -v s="${m[1]}" 'BEGIN { printf "%.0f", r / s }')" \
        "| $(ratio "${m[1]}" "${wall[vesper]}") | $(ratio "${cpu[$name]}" "${cpu[vesper]}") |"
done
