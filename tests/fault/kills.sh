#!/bin/bash
# SIGKILL of one rank or of the launcher at a random moment of a night; then the same command again
# must publish exactly what an undisturbed night publishes.
#
#   kills.sh [N]   number of kills (default: VESPER_KILLS, or 20)
#   VESPER_SEED    of the random moments (default: 1)
. "$(dirname "$0")/../support/vesper.sh"
. "$(dirname "$0")/nights.sh"
kills=${1:-${VESPER_KILLS:-20}}
RANDOM=${VESPER_SEED:-1}
ranks=2
time_limit=60

is_alive() { # PID: neither gone nor a zombie
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
    [ -n "$state" ] && [ "$state" != Z ]
}

wait_until_dead() { # WHAT PID...
    local what=$1 pid tries
    shift
    for pid in "$@"; do
        for ((tries = 0; tries < 300; tries++)); do
            is_alive "$pid" || continue 2
            sleep 0.1
        done
        fail "$what: process $pid hangs"
        kill -KILL "$pid" 2>/dev/null
    done
}

# kill_once NUMBER MICROSECONDS: start that night, wait, kill one of its processes.
kill_once() {
    local pids victim launcher_pid
    prepare_night "$1"
    $launcher $ranks "$vesper" "${night_arguments[@]}" >out 2>err </dev/null &
    launcher_pid=$!
    disown "$launcher_pid" # or bash reports its death
    sleep "$(printf '%d.%06d' $(($2 / 1000000)) $(($2 % 1000000)))"
    mapfile -t pids < <(echo "$launcher_pid"; pgrep -P "$launcher_pid")
    victim=${pids[RANDOM % ${#pids[@]}]}
    moment="$((${2} / 1000)) ms, $([ "$victim" = "$launcher_pid" ] && echo launcher || echo rank)"
    kill -KILL "$victim" 2>/dev/null && hits=$((hits + 1))
    wait_until_dead "kill at $moment" "${pids[@]}"
}

learn_nights $ranks
restore 2
began=$(date +%s%6N)
night 2 $ranks
duration=$(($(date +%s%6N) - began))
hits=0
early=0
for ((i = 1; i <= kills; i++)); do
    number=$((1 + i % 2))
    restore $number
    kill_once $number $((duration * (RANDOM % 1000) / 950))
    what="kill $i of night $number at $moment"
    grep -q ' open ' err || early=$((early + 1))
    expect_whole_night "$what" $number
    expect_rerun "$what" $number $((1 + RANDOM % 3))
done
echo "$kills kills, $hits hit a living process, $early came before the first stage"
finish
