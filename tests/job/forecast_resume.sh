#!/bin/bash
# Forecasts that are killed or stopped go on after the last batch of series that was finished, on
# another number of ranks, and end with the bytes of a run that nobody disturbed; a damaged checkpoint
# is said once and changes nothing, one of another configuration goes.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 12000 --customers 500 --products 600 --days 90 --seed 3 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
run_vesper 1 init --store store
run_vesper 2 ingest --store store --input orders=raw/orders.csv --input products=raw/products.csv
expect_done "the shop" || finish
options=(--horizon 7 --learn-origins 2 --forecast-models average,ses,tsb,theta,pooled)
forecast() { # RANKS [OPTION...]
    run_vesper "$1" forecast --store store "${options[@]}" "${@:2}"
}
expect_gone() { # WHAT: there are no checkpoints
    checks=$((checks + 1))
    [ ! -e store/checkpoints ] || fail "$1: checkpoints are left: $(ls store/checkpoints)"
}
expect_results() { # WHAT
    expect_gone "$1"
    checks=$((checks + 1))
    local found
    found=$(diff -rq undisturbed store/results) || fail "$1: $(echo "$found" | head -3)"
}

VESPER_FAULT_TRACE=$work/trace forecast 1
expect_done "undisturbed" || finish
batches=$(grep -cx forecast.batch trace.0) # of series, then of categories
mv store/results undisturbed
expect_gone "undisturbed"
checks=$((checks + 1))
[ "$batches" -ge 4 ] || fail "there are only $batches batches to be killed in"

# killed RANKS RANK VISIT: at the beginning of that batch.
killed() {
    rm -rf store/results
    expect_kill=yes
    VESPER_FAULT=forecast.batch:$2:$3:kill forecast "$1"
    expect_kill=
    checks=$((checks + 1))
    [ "$rc" != 0 ] || fail "killed on rank $2 of $1: exit code 0"
    [ -d store/checkpoints ] || fail "killed on rank $2 of $1: there is no checkpoint"
}

# In the second batch, the last of the products and that of the categories.
while read -r ranks rank visit then regex; do
    killed "$ranks" "$rank" "$visit"
    forecast "$then"
    expect_done "killed on $ranks ranks, gone on on $then" || continue
    expect_text "killed on $ranks ranks" err "forecast.models .*goes on: $regex blocks of series are there"
    expect_results "killed on $ranks ranks, gone on on $then"
done <<END
1 0 2 3 4.of.[0-9]+
1 0 $((batches - 1)) 2 [0-9]+.of.[0-9]+
2 1 2 1 [0-9]+.of.[0-9]+
1 0 $batches 4 [0-9]+.of.[0-9]+
END

# Asked to stop: at the next batch, with code 7. Twice, then to the end.
rm -rf store/results
VESPER_FAULT=forecast.batch:0:1:stop forecast 1
expect_failure "stopped" 7 'stopped at a safe point, before forecasts of series 257 of [0-9]+'
VESPER_FAULT=forecast.batch:0:1:stop forecast 1
expect_failure "stopped again" 7 'before forecasts of series 513 of'
expect_text "stopped again" err 'goes on: 4 of [0-9]+ blocks of series are there'
forecast 3
expect_done "stopped twice" && expect_results "stopped twice"

# Damaged: what is not as it was written is forecast anew.
killed 1 0 $((batches - 1))
for file in store/checkpoints/*; do
    printf 'xxxxxxxxxxxxxxxx' | dd of="$file" bs=1 seek=100000 conv=notrunc status=none
done
forecast 2
expect_done "damaged"
expect_text "damaged" err ' warn forecast.models .*checkpoint .* is damaged: 1 of [0-9]+ blocks are forecast anew'
checks=$((checks + 1))
[ "$(grep -c ' warn forecast' err)" = 1 ] || fail "damaged: not one warning: $(grep ' warn ' err)"
expect_results "damaged"

# Another configuration, or other orders: of no use, and gone.
killed 1 0 2
forecast 2 --outlier-limit 3
expect_done "another configuration"
expect_text "another configuration" err 'checkpoints=1 .*another generation or configuration'
expect_gone "another configuration"

# A night that recommends in between leaves the forecast's checkpoint alone.
killed 1 0 2
run_vesper 1 recommend --store store --factors 8 --iterations 1 --split-days 20
expect_done "recommendations in between"
forecast 2
expect_done "after recommendations"
expect_text "after recommendations" err 'goes on: 4 of [0-9]+ blocks'

# A night that is killed there goes on there, past the stages that it has done.
night() { # RANKS STORE
    run_vesper "$1" nightly --store "$2" --input orders=raw/orders.csv --to "sqlite:$2.db" --recommend yes \
        --factors 8 --iterations 1 --split-days 20 --forecast yes "${options[@]}"
}
night 2 whole
expect_done "a night, undisturbed" || finish
expect_kill=yes
VESPER_FAULT=forecast.batch:0:2:kill night 1 night
expect_kill=
night 2 night
expect_done "a night that was killed"
expect_text "a night that was killed" err 'goes on: 4 of [0-9]+ blocks'
checks=$((checks + 1))
found=$(diff -rq whole/results night/results) || fail "a night that was killed: $(echo "$found" | head -3)"
[ ! -e night/checkpoints ] || fail "a night that was killed: checkpoints are left"
finish
