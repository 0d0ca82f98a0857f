#!/bin/bash
# Every fault site that a night visits, on every rank that visits it: no hang, exit code 4, exactly
# one error line that names the site, a whole night for readers; and the same command again gives
# what an undisturbed night gives. The same with a SIGKILL at the site. A site that is visited more
# than once is disturbed at the first and at the last visit. Where all cases are visited, also with a
# SIGUSR1 at the site.
#
#   sites.sh [RANKS...]   default: 1 2 3
#   VESPER_FAULT_EVERY=n  visit every nth case only (default 1: all of them)
. "$(dirname "$0")/../support/vesper.sh"
. "$(dirname "$0")/nights.sh"
time_limit=60
every=${VESPER_FAULT_EVERY:-1}
turn=0

# The sites of an undisturbed night, one "RANK SITE VISIT" a line.
learn_sites() { # NUMBER RANKS
    local rank
    restore "$1"
    rm -f trace.*
    VESPER_FAULT_TRACE=$work/trace night "$1" "$2"
    expect_done "night $1, traced" || finish
    for ((rank = 0; rank < $2; rank++)); do
        sort "trace.$rank" | uniq -c |
            awk -v rank="$rank" '{ print rank, $2, 1; if ($1 > 1) print rank, $2, $1 }'
    done
}

# Ranks beside the one that fails: they die with it or, in every other case, have a second to go on.
grace=0

disturb() { # NUMBER RANKS RANK SITE VISIT
    local what="night $1, $4 on rank $3 of $2, visit $5"
    if [ "$2" -gt 1 ] && [ -n "${OMPI_MCA_odls_base_sigkill_timeout:-}" ]; then
        grace=$((1 - grace))
        export OMPI_MCA_odls_base_sigkill_timeout=$grace
    fi
    restore "$1"
    VESPER_FAULT=$4:$3:$5 night "$1" "$2"
    if grep -q "begins anew: checkpoint .*injected fault at $4" "$work/err"; then
        expect_done "$what, of a checkpoint that can be done without" # by design
    else
        expect_failure "$what" 4 "injected fault at $4\$"
    fi
    expect_whole_night "$what" "$1"
    expect_rerun "$what" "$1" "$2"

    what="$what, killed"
    restore "$1"
    expect_kill=yes
    VESPER_FAULT=$4:$3:$5:kill night "$1" "$2"
    expect_kill=
    checks=$((checks + 1))
    if [ "$rc" = 0 ] || [ "$rc" = 124 ]; then
        fail "$what: exit code $rc"
    fi
    expect_whole_night "$what" "$1"
    expect_rerun "$what" "$1" "$2"
    [ "$every" != 1 ] || stop_there "$@"
}

# It ends at the next safe point; after the last one it is done.
stop_there() { # as disturb
    local what="night $1, $4 on rank $3 of $2, visit $5, asked to stop"
    restore "$1"
    VESPER_FAULT=$4:$3:$5:stop night "$1" "$2"
    if [ "$rc" != 0 ]; then
        expect_failure "$what" 7 'stopped at a safe point'
    fi
    expect_whole_night "$what" "$1"
    expect_rerun "$what" "$1" "$2"
}

# .ci/checks/faults counts on the nights' sites, those of stages aside, being those of that list. One
# rank has nothing to sort with others.
expect_listed() { # RANKS
    { cut -d' ' -f2 sites1 sites2 | grep -v '^stage\.'; [ "$1" != 1 ] || echo comm.sort; } | sort -u >visited
    expect_same "sites of the nights on $1 ranks, and tests/fault/night_sites" "$repo/tests/fault/night_sites" visited
}

for ranks in ${*:-1 2 3}; do
    learn_nights "$ranks"
    learn_sites 1 "$ranks" >sites1
    learn_sites 2 "$ranks" >sites2
    expect_listed "$ranks"
    # What both nights visit is disturbed in the second, which has more to lose.
    grep -vxFf sites2 sites1 | sed 's/^/1 /' >cases
    sed 's/^/2 /' sites2 >>cases
    echo "$ranks ranks: $(wc -l <cases) cases"
    while read -r number rank site visit <&8; do
        turn=$((turn + 1))
        [ $((turn % every)) = 0 ] || continue
        disturb "$number" "$ranks" "$rank" "$site" "$visit"
    done 8<cases
done
finish
