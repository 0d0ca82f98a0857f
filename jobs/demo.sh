#!/usr/bin/env bash
# A shop's first night: set up, build, make a store's data, run the nightly job on two ranks into an
# SQLite file and show some of what came out.
#
#   jobs/demo.sh [FOLDER]     default ./demo; run again, it goes on from what is there
#
# VESPER_DEMO_LINES sets the number of order lines (default 300000).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/jobs/setup.sh"
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
fi
folder=${1:-demo}
lines=${VESPER_DEMO_LINES:-300000}
database=$folder/shop.db

say() { printf '\n== %s\n' "$*"; }

build() {
    local log=$root/build/demo-build.log
    mkdir -p "$root/build"
    (cd "$root" && cmake --preset release && cmake --build --preset release \
        --target vesper vesper-datagen) >"$log" 2>&1 </dev/null || {
        tail -n 20 "$log" >&2
        return 1
    }
}

make_data() {
    [ -d "$folder/data" ] && return
    rm -rf "$folder/data.part"
    mpirun -n 2 "$root/build/release/vesper-datagen" --lines "$lines" --customers $((lines / 20)) \
        --products 2000 --days 730 --seed 7 --dirty 2 --out "$folder/data.part"
    mv "$folder/data.part" "$folder/data"
}

# The tables that the generator made, each as an --input.
run_night() {
    local inputs=() table
    for table in orders products customers events reviews; do
        [ -e "$folder/data/$table.csv" ] && inputs+=(--input "$table=$folder/data/$table.csv")
    done
    mpirun -n 2 "$root/build/release/vesper" nightly --store "$folder/store" --currency EUR \
        "${inputs[@]}" --to "sqlite:$database"
}

show() { sqlite3 -box "$database" "$1"; }

say "packages"
setup_packages build run
setup_mpi
echo "all there"

say "build"
build
echo "build/release/vesper"

say "a shop's data: $folder/data"
mkdir -p "$folder"
make_data
ls -lh "$folder/data" | awk 'NR > 1 {printf "%-16s %6s\n", $NF, $5}'

say "the night, on two ranks"
run_night

say "what the shop sees: $database"
echo "which night is in force, and its counts"
show "SELECT run, as_of, currency, rows_read, rows_stored, rows_rejected FROM vesper_run
      WHERE current = 1"
echo "the last week, in $(sqlite3 "$database" "SELECT currency FROM vesper_run WHERE current = 1")"
show "SELECT day, printf('%.2f', gross / 100.0) AS gross, printf('%.2f', returned / 100.0) AS returned,
      orders, customers FROM sales_daily ORDER BY day DESC LIMIT 7"
echo "products bought together most often"
show "SELECT product_a, product_b, orders FROM basket_pairs ORDER BY orders DESC, 1, 2 LIMIT 5"
echo "tables"
show "SELECT table_name, rows FROM vesper_run_table JOIN vesper_run USING (run)
      WHERE current = 1 ORDER BY table_name"

say "look further"
printf '%-32s %s\n' \
    "sqlite3 $database" "the published tables; docs/tables.md says what they mean" \
    "$folder/store/run.json" "what the night did, and how long it took" \
    "$folder/store/rejects/" "rows that were refused, with the reason, ready to be mended"
