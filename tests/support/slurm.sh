# A Slurm of the test's own on this machine; sourced after support/vesper.sh.
#
#   slurm_install     its packages; ends the test as skipped where they cannot be had
#   slurm_start N     nodes n1 to nN of two processors each, all of them on this machine; afterwards
#                     sbatch, srun and scontrol talk to it
#   slurm_kill NODE   the node dies with all its processes, at once
#   slurm_stop        at the end; also when the test is interrupted
#
# A node is a slurmd in name spaces of its own, with a host name and processes of its own, so that
# ranks on two nodes do not take each other for neighbours with shared memory. That needs root.

slurm_folder=$work/slurm
declare -A slurm_nodes=() # process that holds a node together
slurm_daemons=()

slurm_install() {
    [ "$(id -u)" = 0 ] || skip_test "Slurm's virtual nodes need root"
    unshare --pid --fork --mount-proc --uts true 2>/dev/null ||
        skip_test "this machine allows no name spaces for Slurm's virtual nodes"
    root=$repo
    . "$repo/jobs/setup.sh"
    setup_packages slurm || skip_test "Slurm's packages cannot be installed"
}

# Ports below those that the kernel hands out, from a place that depends on this process, so that two
# tests do not meet.
slurm_configure() { # NODES
    local host port=$((16000 + $$ % 1000 * 16))
    host=$(hostname -s)
    cat >"$slurm_folder/slurm.conf" <<END
ClusterName=vesper-test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job may begin once the credential of its first run is out of date: by default that
# takes two minutes.
AuthInfo=socket=$slurm_folder/munge.socket,cred_expire=5
StateSaveLocation=$slurm_folder/state
SlurmdSpoolDir=$slurm_folder/spool.%n
TmpFS=$slurm_folder/tmp.%n
SlurmctldPidFile=$slurm_folder/slurmctld.pid
SlurmdPidFile=$slurm_folder/slurmd.%n.pid
SlurmctldLogFile=$slurm_folder/slurmctld.log
SlurmdLogFile=$slurm_folder/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=6
KillWait=3
MailProg=/bin/true
SlurmdParameters=config_overrides
NodeName=n[1-$1] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + $1))] CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
END
}

slurm_start_node() { # NODE
    mkdir -p "$slurm_folder/spool.$1" "$slurm_folder/tmp.$1"
    unshare --pid --fork --kill-child --mount-proc --uts bash -c '
        hostname "$1" || exit
        slurmd -D -N "$1" &
        wait' node "$1" </dev/null >>"$slurm_folder/out.$1" 2>&1 &
    slurm_nodes[$1]=$!
}

slurm_start() { # NODES
    local n tries
    mkdir -p "$slurm_folder/state"
    slurm_configure "$1"
    export SLURM_CONF=$slurm_folder/slurm.conf
    (umask 077 && head -c 128 /dev/urandom >"$slurm_folder/munge.key")
    trap 'slurm_stop; cleanup' EXIT
    munged --foreground --force --key-file="$slurm_folder/munge.key" \
        --socket="$slurm_folder/munge.socket" --pid-file="$slurm_folder/munge.pid" \
        --log-file="$slurm_folder/munge.log" --seed-file="$slurm_folder/munge.seed" \
        >"$slurm_folder/out.munged" 2>&1 </dev/null &
    slurm_daemons+=($!)
    for ((tries = 0; tries < 50; tries++)); do
        [ ! -S "$slurm_folder/munge.socket" ] || break
        sleep 0.1
    done
    slurmctld -D -c >"$slurm_folder/out.slurmctld" 2>&1 </dev/null &
    slurm_daemons+=($!)
    for ((n = 1; n <= $1; n++)); do
        slurm_start_node "n$n"
    done
    for ((tries = 0; tries < 150; tries++)); do
        [ "$(sinfo -h -t idle -o %D 2>/dev/null)" != "$1" ] || return 0
        sleep 0.2
    done
    fail "Slurm does not start"
    tail -n 5 "$slurm_folder"/*.log >&2
    finish
}

slurm_kill() { # NODE
    kill -KILL "${slurm_nodes[$1]}" 2>/dev/null
    wait "${slurm_nodes[$1]}" 2>/dev/null
    unset "slurm_nodes[$1]"
}

slurm_stop() {
    local node
    for node in "${!slurm_nodes[@]}"; do
        slurm_kill "$node"
    done
    [ ${#slurm_daemons[@]} = 0 ] || kill "${slurm_daemons[@]}" 2>/dev/null
    wait "${slurm_daemons[@]}" 2>/dev/null
    slurm_daemons=()
}

# slurm_state JOB: one word, COMPLETED and so on.
slurm_state() {
    scontrol show job "$1" | sed -n 's/^ *JobState=\([A-Z_]*\).*/\1/p'
}

# slurm_field JOB NAME
slurm_field() {
    scontrol show job "$1" | grep -o "\b$2=[^ ]*" | head -1 | cut -d= -f2-
}

# slurm_wait SECONDS JOB...: until all have ended.
slurm_wait() {
    local until=$((SECONDS + $1)) job state
    shift
    for job in "$@"; do
        while :; do
            state=$(slurm_state "$job")
            case $state in
            COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | OUT_OF_MEMORY | BOOT_FAIL) break ;;
            esac
            if [ $SECONDS -ge $until ]; then
                fail "job $job is still $state"
                return 1
            fi
            sleep 0.5
        done
    done
}
