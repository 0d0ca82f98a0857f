# Shared by the benchmarks: builds, makes the data once, runs things, takes medians. Source it.
#   VESPER_BENCH_DIR  where data, stores and databases go (default build/bench)
#   REPEAT            runs of each measurement, interleaved (default 5)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/jobs/setup.sh"
work=${VESPER_BENCH_DIR:-$root/build/bench}
repeat=${REPEAT:-5}
ranks=2

bench_build() {
    setup_packages build run bench
    setup_mpi
    mkdir -p "$work"
    quietly cmake --preset release -S "$root"
    quietly cmake --build "$root/build/release" --target vesper vesper-datagen
}

bench_setup() {
    bench_build
    setup_duckdb
}

vesper() { mpirun -n "$ranks" --bind-to none "$root/build/release/vesper" "$@"; }
duckdb() { node "$root/bench/duckdb.mjs" "$@"; }

# Orders of a generated store with $1 lines; prints the CSV's path.
bench_orders() {
    local dir=$work/data-$1
    if [ ! -f "$dir/orders.csv" ]; then
        mpirun -n "$ranks" --bind-to none "$root/build/release/vesper-datagen" --lines "$1" \
            --customers $(($1 / 10)) --products 50000 --days 730 --seed 1 --tables orders \
            --out "$dir" >&2
    fi
    cat "$dir/orders.csv" >/dev/null # in the page cache for both
    echo "$dir/orders.csv"
}

# Run "$@", and show what it says only if it fails.
quietly() {
    "$@" >"$work/last.out" 2>&1 || { cat "$work/last.out" >&2; return 1; }
}

# Seconds of wall clock that "$@" takes.
seconds() {
    local begin end
    begin=$(date +%s.%N)
    "$@" >"$work/last.out" 2>"$work/last.err" || { cat "$work/last.err" >&2; return 1; }
    end=$(date +%s.%N)
    echo "$end $begin" | awk '{ printf "%.3f\n", $1 - $2 }'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
field() { node -e 'const o = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(process.argv[1].split(".").reduce((v, k) => v[k], o))' "$1"; }
# Seconds that stages NAME... of a run.json took together.
sum_of() {
    node -e 'const o = JSON.parse(require("fs").readFileSync(0, "utf8"));
        const own = o.stages.filter((s) => process.argv.includes(s.name)).map((s) => s.seconds_max);
        console.log(own.reduce((a, b) => a + b, 0).toFixed(6))' "$@"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
