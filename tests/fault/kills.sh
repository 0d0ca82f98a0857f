#!/bin/bash
# SIGKILL of one rank or of the launcher at a random moment of a night; then the same command again
# must publish exactly what an undisturbed night publishes.
#
#   kills.sh [N]   number of kills (default: VESPER_KILLS, or 20)
#   VESPER_SEED    of the random moments (default: 1)
. "$(dirname "$0")/../support/vesper.sh"
. "$(dirname "$0")/../support/alive.sh"
. "$(dirname "$0")/nights.sh"
kills=${1:-${VESPER_KILLS:-20}}
RANDOM=${VESPER_SEED:-1}
ranks=2
time_limit=60
unset OMPI_MCA_odls_base_sigkill_timeout # the other ranks go on for a moment, as in earnest

# kill_once NUMBER MICROSECONDS: start that night, wait, kill one of its processes. Sets hit if that
# process was alive.
kill_once() {
    local pids victim
    prepare_night "$1"
    start_vesper $ranks "${night_arguments[@]}"
    sleep "$(printf '%d.%06d' $(($2 / 1000000)) $(($2 % 1000000)))"
    mapfile -t pids < <(echo "$launcher_pid"; pgrep -P "$launcher_pid")
    victim=${pids[RANDOM % ${#pids[@]}]}
    moment="$(($2 / 1000)) ms, $([ "$victim" = "$launcher_pid" ] && echo launcher || echo rank)"
    hit=no
    is_alive "$victim" && kill -KILL "$victim" 2>/dev/null && hit=yes
    cp err seen # the rest of the night may go on for a moment
    end_vesper "kill at $moment" "${pids[@]}"
}

# Sets duration, from start to end of an undisturbed night, and work_began, both in microseconds:
# kills are spread over the time in which there is something to lose.
measure_night() { # NUMBER
    local began seconds
    restore "$1"
    began=$(date +%s%6N)
    night "$1" $ranks
    duration[$1]=$(($(date +%s%6N) - began))
    seconds=$(sed -n 's/^  "seconds": \([0-9.]*\).*/\1/p' store/run.json)
    work_began[$1]=$((duration[$1] - $(awk "BEGIN { print int(1e6 * $seconds) }") - 200000))
    [ "${work_began[$1]}" -gt 0 ] || work_began[$1]=0
}

learn_nights $ranks
declare -a duration work_began
measure_night 1
measure_night 2
hits=0
early=0
late=0
for ((i = 1; hits < kills && i <= 5 * kills; i++)); do
    number=$((1 + i % 2))
    span=$((duration[number] - work_began[number]))
    restore $number
    kill_once $number $((work_began[number] + span * (RANDOM % 1000) / 1000))
    # A night that was over already: the machine is faster now than it was when measured.
    if [ $hit = no ]; then
        duration[number]=$((duration[number] - span / 30))
        work_began[number]=$((work_began[number] - span / 60))
        continue
    fi
    duration[number]=$((duration[number] + span / 90))
    hits=$((hits + 1))
    what="kill $hits of night $number at $moment"
    if ! grep -q ' open ' seen; then
        early=$((early + 1))
        work_began[number]=$((work_began[number] + span / 60))
    elif grep -q ' record ' seen; then
        late=$((late + 1))
    fi
    expect_whole_night "$what" $number
    expect_rerun "$what" $number $((1 + RANDOM % 3))
done
[ "$hits" = "$kills" ] || fail "only $hits of $kills kills hit a living process"
echo "$hits kills of a living process: $early before the first stage ended, $late after the last"
finish
