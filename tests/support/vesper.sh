# Helpers of the job and fault tests; to be sourced by bash. Needs sqlite3 and an MPI launcher.
#
#   VESPER_BUILD     folder of the built programs (default: build/release)
#   VESPER_SHARED    folder with the real data and its reference answers (default: ../shared)
#   VESPER_LAUNCHER  command that takes the number of ranks next (default: mpirun ... -n)
#
# A test collects failures and goes on; it ends with `finish`. Exit code 77 means skipped.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${VESPER_BUILD:-$repo/build/release}
shared=${VESPER_SHARED:-$repo/../shared}
vesper=$build/vesper
datagen=$build/vesper-datagen
launcher=${VESPER_LAUNCHER:-mpirun --oversubscribe --bind-to none -n}
time_limit=${VESPER_TIME_LIMIT:-120} # seconds for one command; past that it hangs
failures=0
checks=0

work=$(mktemp -d "${TMPDIR:-/tmp}/vesper-test.XXXXXX")
shm=
cleanup() {
    rm -rf "$work" ${shm:+"$shm"}
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# What Open MPI leaves behind when it is killed goes away with the test.
if [ -w /dev/shm ]; then
    shm=$(mktemp -d /dev/shm/vesper-test.XXXXXX)
    export OMPI_MCA_btl_vader_backing_directory=$shm
fi
mkdir "$work/tmp"
export TMPDIR=$work/tmp
export LC_ALL=C OMP_NUM_THREADS=1 OMPI_MCA_mpi_yield_when_idle=1
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
unset VESPER_FAULT VESPER_FAULT_TRACE VESPER_CONFIG VESPER_STORE VESPER_INPUT VESPER_TO VESPER_DRY_RUN
unset VESPER_FORCE VESPER_RUN_RECORD VESPER_LOG_LEVEL VESPER_PARTITIONS VESPER_MAX_REJECTED VESPER_EXIT_FILE
export VESPER_RECOMMEND=no VESPER_FORECAST=no # nights of tests that are about something else

fail() {
    echo "FAIL: $*" >&2
    failures=$((failures + 1))
}

# A check that cannot be made here is said, never silently left out.
skip_check() {
    echo "SKIPPED: $*" >&2
}

skip_test() {
    echo "SKIPPED: the whole test: $*" >&2
    exit 77
}

finish() {
    echo "$checks checks, $failures failures"
    [ "$failures" = 0 ] || exit 1
    exit 0
}

# run_vesper RANKS ARGUMENT...: sets rc; output in $work/out and $work/err.
run_vesper() {
    local ranks=$1
    shift
    rc=0
    timeout -k 5 "$time_limit" $launcher "$ranks" "$vesper" "$@" \
        >"$work/out" 2>"$work/err" </dev/null || rc=$?
    [ "$rc" != 124 ] && [ "$rc" != 137 ] || [ -n "${expect_kill:-}" ] ||
        fail "vesper $* on $ranks ranks hung"
}

show_output() {
    sed 's/^/    | /' "$work/out" "$work/err" >&2
}

# expect_done WHAT: the last run must have ended well, and said nothing wrong.
expect_done() {
    checks=$((checks + 1))
    if [ "$rc" != 0 ] || grep -q '^vesper:' "$work/err"; then
        fail "$1: exit code $rc"
        show_output
        return 1
    fi
}

# expect_failure WHAT CODE REGEX...: exit code, exactly one error line, and that it matches all.
expect_failure() {
    local what=$1 code=$2 lines regex
    shift 2
    checks=$((checks + 1))
    lines=$(grep -c '^vesper:' "$work/err")
    if [ "$rc" != "$code" ]; then
        fail "$what: exit code $rc instead of $code"
        show_output
        return 1
    fi
    if [ "$lines" != 1 ]; then
        fail "$what: $lines error lines instead of one"
        show_output
        return 1
    fi
    for regex in "$@"; do
        if ! grep '^vesper:' "$work/err" | grep -Eq -- "$regex"; then
            fail "$what: the error line lacks '$regex': $(grep '^vesper:' "$work/err")"
            return 1
        fi
    done
}

# expect_text WHAT FILE REGEX
expect_text() {
    checks=$((checks + 1))
    if ! grep -Eq -- "$3" "$2"; then
        fail "$1: '$3' is not in $(basename "$2"):"
        sed 's/^/    | /' "$2" >&2
        return 1
    fi
}

# expect_same WHAT FILE FILE
expect_same() {
    checks=$((checks + 1))
    if ! cmp -s "$2" "$3"; then
        fail "$1: $2 and $3 differ"
        diff "$2" "$3" 2>/dev/null | head -6 | cut -c1-200 | sed 's/^/    | /' >&2
        return 1
    fi
}

# expect_same_folders WHAT DIR DIR: every byte.
expect_same_folders() {
    checks=$((checks + 1))
    local found
    found=$(diff -rq "$2" "$3") || fail "$1: $(echo "$found" | head -3)"
}

# expect_same_store WHAT DIR DIR: every byte but the lock and the records of runs and nights.
expect_same_store() {
    checks=$((checks + 1))
    local found
    if ! found=$(diff -rq --exclude=run.json --exclude=lock --exclude=nights "$2" "$3"); then
        fail "$1: the stores differ: $(echo "$found" | head -3)"
        return 1
    fi
}

# The table of `vesper recommend --evaluate` without what differs from run to run: seconds.
accuracy_table() {
    sed -E '/^done /d; s/ +[0-9.]+ +[0-9.]+$//' "$work/out"
}

# Everything that a storefront database shows, as text.
dump_db() {
    sqlite3 "$1" .dump
}

figure_tables="sales_daily sales_monthly_country product_total customer_summary cohort_month
basket_pairs order_value_monthly"

# The published tables alone, without what a dead run may have left beside them.
dump_published() {
    sqlite3 "$1" ".dump vesper_run ${figure_tables//$'\n'/ }"
}

# Rows read = stored + rejected + unchanged, in the summary of the last run.
expect_sum() {
    checks=$((checks + 1))
    local numbers
    numbers=$(sed -n 's/^read  *\([0-9,]*\) rows = \([0-9,]*\) stored + \([0-9,]*\) rejected + \([0-9,]*\) unchanged$/\1 \2 \3 \4/p' "$work/out" | tr -d ,)
    set -- "$1" $numbers
    if [ $# != 5 ] || [ "$2" != $(($3 + $4 + $5)) ]; then
        fail "$1: rows do not add up: '$numbers'"
        show_output
        return 1
    fi
    rows_read=$2 rows_stored=$3 rows_rejected=$4 rows_unchanged=$5
}

# expect_rows WHAT READ STORED REJECTED UNCHANGED, of the last run.
expect_rows() {
    expect_sum "$1" || return 1
    if [ "$rows_read $rows_stored $rows_rejected $rows_unchanged" != "$2 $3 $4 $5" ]; then
        fail "$1: read, stored, rejected, unchanged are $rows_read $rows_stored $rows_rejected" \
            "$rows_unchanged instead of $2 $3 $4 $5"
        show_output
        return 1
    fi
}

# make_orders FIRST_ORDER ORDERS SALT: a small shop's order lines, canonical columns, on stdout.
# Another salt gives the same orders other lines.
make_orders() {
    awk -v first="$1" -v orders="$2" -v salt="$3" 'BEGIN {
        print "order_id,ordered_at,product_id,quantity,unit_price,customer_id,country"
        for (o = first; o < first + orders; o++) {
            day = 1 + o % 28
            month = 1 + int(o / 28) % 12
            customer = o % 5 == 0 ? "" : "c" (o * 7) % 23
            country = o % 3 == 0 ? "Norway" : "Chile"
            for (l = 0; l < 1 + (o + salt) % 4; l++) {
                product = (o * 3 + l * 5 + salt) % 17
                quantity = (o + l) % 9 == 0 ? -1 : 1 + (o + l + salt) % 5
                printf "o%d,2024-%02d-%02d 10:%02d:00,p%d,%d,%d.%02d,%s,%s\n", o, month, day,
                    o % 60, product, quantity, 1 + product, (o * 31 + l) % 100, customer, country
            }
        }
    }'
}

# expect_same_at_any_shape WHAT JOB STORE SHAPES [OPTION...]: `vesper JOB` writes the bytes that STORE
# has as results at each of SHAPES, "RANKSxTHREADS ..." too.
expect_same_at_any_shape() {
    local what=$1 job=$2 store=$3 shapes=$4 shape found
    shift 4
    rm -rf "$work/first_results"
    mv "$store/results" "$work/first_results"
    for shape in $shapes; do
        run_vesper "${shape%x*}" "$job" --store "$store" --threads "${shape#*x}" "$@"
        expect_done "$what, ranks x threads $shape" || continue
        checks=$((checks + 1))
        found=$(diff -rq "$work/first_results" "$store/results") ||
            fail "$what, ranks x threads $shape: $(echo "$found" | head -3)"
        rm -rf "$store/results"
    done
    mv "$work/first_results" "$store/results"
}
