# Runs that are disturbed while they live; sourced after support/vesper.sh.

# start_vesper RANKS ARGUMENT...: beside the test; sets launcher_pid. Output in out and err, which the
# ranks write themselves: what goes through the launcher dies with it. When it is over, its exit code is
# in the file code. (The shell between keeps bash from reporting the launcher's death.)
start_vesper() {
    local ranks=$1
    shift
    rm -f launcher.pid code
    : >err
    (
        $launcher "$ranks" bash -c 'exec "$0" "$@" 2>>err' "$vesper" "$@" \
            >out 2>launcher.err </dev/null &
        echo $! >launcher.pid
        wait $!
        echo $? >code
    ) 2>/dev/null &
    run_pid=$!
    until [ -s launcher.pid ]; do
        sleep 0.01
    done
    launcher_pid=$(cat launcher.pid)
}

# end_vesper WHAT PID...: waits for it and for those processes of it; sets rc.
end_vesper() {
    wait_until_dead "$1" "$launcher_pid" "${@:2}"
    wait "$run_pid"
    rc=$(cat code)
}

is_alive() { # PID: neither gone nor a zombie
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
    [ -n "$state" ] && [ "$state" != Z ]
}

wait_until_dead() { # WHAT PID...
    local what=$1 pid tries
    shift
    for pid in "$@"; do
        for ((tries = 0; tries < 10 * time_limit; tries++)); do
            is_alive "$pid" || continue 2
            sleep 0.1
        done
        fail "$what: process $pid hangs"
        kill -KILL "$pid" 2>/dev/null
    done
}
