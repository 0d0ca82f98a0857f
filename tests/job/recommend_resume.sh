#!/bin/bash
# Recommendations that are killed while a model learns go on after the last iteration that finished,
# on another number of ranks, and end with the bytes of a run that nobody disturbed; checkpoints of
# other learnings, or damaged ones, are said once and change nothing.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 12000 --customers 500 --products 200 --days 120 --seed 3 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
run_vesper 1 init --store store
run_vesper 2 ingest --store store --input orders=raw/orders.csv --input events=raw/events.csv
expect_done "the shop" || finish
options=(--factors 8 --iterations 3 --split-days 20 --list-length 10 --checkpoint-seconds 0)
recommend() { # RANKS [OPTION...]
    run_vesper "$1" recommend --store store "${options[@]}" "${@:2}"
}

VESPER_FAULT_TRACE=$work/trace recommend 2
expect_done "undisturbed" || finish
visits=$(grep -cx recommend.ials.iteration trace.0)
mv store/results undisturbed
expect_gone() { # WHAT: there are no checkpoints
    checks=$((checks + 1))
    [ ! -e store/checkpoints ] || fail "$1: checkpoints are left: $(ls store/checkpoints)"
}
expect_gone "undisturbed"
expect_results() { # WHAT
    expect_gone "$1"
    checks=$((checks + 1))
    local found
    found=$(diff -rq undisturbed store/results) || fail "$1: $(echo "$found" | head -3)"
}

# killed RANKS RANK VISIT: in the middle of the iteration that is the visit's.
killed() {
    rm -rf store/results
    expect_kill=yes
    VESPER_FAULT=recommend.ials.iteration:$2:$3:kill recommend "$1"
    expect_kill=
    checks=$((checks + 1))
    [ "$rc" != 0 ] || fail "killed on rank $2 of $1: exit code 0"
    [ -d store/checkpoints ] || fail "killed on rank $2 of $1: there is no checkpoint"
}

# The last learning is that of the lists; it has had one iteration.
for shape in 2x3 3x1 1x4; do
    ranks=${shape%x*}
    killed "$ranks" $((ranks - 1)) $((visits - 1))
    recommend "${shape#*x}"
    expect_done "killed on $ranks ranks, gone on on ${shape#*x}" || continue
    expect_text "killed on $ranks ranks" err 'recommend.ials .*goes on at iteration 2 of 3'
    expect_results "killed on $ranks ranks, gone on on ${shape#*x}"
done

# Asked to stop: it ends after the iteration at work, which is kept though it is not yet time.
options[9]=1000
for shape in 2x3 3x2; do
    ranks=${shape%x*}
    rm -rf store/results
    VESPER_FAULT=recommend.ials.iteration:$((ranks - 1)):$((visits - 1)):stop recommend "$ranks"
    expect_failure "stopped on $ranks ranks" 7 'after iteration 2 of 3 of ials; run the same command again'
    recommend "${shape#*x}"
    expect_done "stopped on $ranks ranks, gone on on ${shape#*x}" || continue
    expect_text "stopped on $ranks ranks" err 'recommend.ials .*goes on at iteration 3 of 3'
    expect_results "stopped on $ranks ranks, gone on on ${shape#*x}"
done
# In a stage without checkpoints nothing is kept but what was.
rm -rf store/results
VESPER_FAULT=recommend.evaluate:0:2:stop recommend 2
expect_failure "stopped between models" 7 'stopped at a safe point, before learning itemknn'
recommend 2
expect_done "stopped between models" && expect_results "stopped between models"
options[9]=0

# Killed twice, in another learning the second time.
killed 2 0 3
expect_kill=yes
VESPER_FAULT=recommend.ials.iteration:0:$((visits - 4)):kill recommend 3
expect_kill=
recommend 2
expect_done "killed twice" && expect_results "killed twice"

# Other factors: the checkpoints are of no use, and go.
killed 2 0 $((visits - 1))
recommend 2 --factors 7
expect_done "another configuration"
expect_text "another configuration" err 'checkpoints=[0-9]+ .*another generation or configuration'
expect_gone "another configuration"

# Cut off in the middle: that learning begins anew.
killed 2 0 $((visits - 1))
for file in store/checkpoints/*/items.h5; do
    truncate -s 1000 "$file"
done
recommend 3
expect_done "damaged"
expect_text "damaged" err 'begins anew: checkpoint'
expect_results "damaged"

# By default small shops keep nothing.
rm -rf store/results
run_vesper 2 recommend --store store "${options[@]}" --checkpoint-seconds 10 --log-level debug
expect_done "a small shop"
checks=$((checks + 1))
grep -q recommend.checkpoint err && fail "a small shop: a checkpoint was made"
expect_results "a small shop"
run_vesper 1 recommend --store store --checkpoint-seconds=-1
expect_failure "no time" 2 'checkpoint-seconds'
finish
