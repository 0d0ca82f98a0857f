#!/bin/bash
# A disk that fails: from some write on, or at one alone, what one rank writes to segments and results
# ends with EIO. No hang and no crash, exit code 4, one line that says so, nothing in force that was not
# before; and the same command again, on a disk that works, gives what an undisturbed night gives.
#
#   VESPER_BROKEN=n   writes that are tried on each rank (default: 4)
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
time_limit=60
[ -e "$build/broken_disk.so" ] || skip_test "$build/broken_disk.so is not built"
make_orders 1 60 0 >orders.csv
night=(nightly --store store --partitions 8 --pair-min-orders 2 --input orders=orders.csv --to sqlite:shop.db)

begin_anew() {
    rm -rf store shop.db
    run_vesper 1 init --store store --partitions 8
}

# break_disk RANKS RANK:N[:once]
break_disk() {
    local what="of $1 ranks, the disk broken at $2"
    begin_anew
    LD_PRELOAD=$build/broken_disk.so BROKEN_DISK=$2 run_vesper "$1" "${night[@]}"
    expect_failure "$what" 4 'cannot (write|create) .*\.h5: (Input/output error|file write failed)'
    checks=$((checks + 1))
    [ ! -e shop.db ] || fail "$what: published all the same"
    run_vesper $((3 - $1 % 3)) "${night[@]}"
    expect_done "$what, run again" || return
    dump_db shop.db >dump
    expect_same "$what, run again" expected dump
}

for ranks in 1 3; do
    begin_anew
    rm -f count
    LD_PRELOAD=$build/broken_disk.so BROKEN_DISK_COUNT=$work/count run_vesper $ranks "${night[@]}"
    expect_done "undisturbed on $ranks ranks" || finish
    dump_db shop.db >"dump$ranks"
    [ $ranks != 1 ] || cp dump1 expected
    while read -r rank writes <&8; do
        [ "$writes" -gt 2 ] || continue
        for ((i = 0; i < ${VESPER_BROKEN:-4}; i++)); do
            break_disk $ranks "$rank:$((1 + (writes - 1) * i / (${VESPER_BROKEN:-4} - 1)))$([ $((i % 2)) = 0 ] || echo :once)"
        done
    done 8< <(sort count)
done
finish
