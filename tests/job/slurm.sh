#!/bin/bash
# The scripts of slurm/ under a real Slurm with eight nodes on this machine, all jobs at once: nights
# started by srun and by mpirun, one that is warned of its time limit, one that does not stop
# in time, one that loses a node, one with bad input, one that is cancelled, one that may not queue
# itself again, one of which a rank is killed, a chain, an array; and what ranks and threads they get.
# Whatever ends well has published what an undisturbed night publishes.
. "$(dirname "$0")/../support/vesper.sh"
. "$(dirname "$0")/../support/slurm.sh"
slurm_install
cd "$work" || exit 1

make_orders 1 300 0 >orders.csv
printf 'order_id,ordered_at\no1,never\n' >bad.csv
export VESPER_PARTITIONS=8 VESPER_PAIR_MIN_ORDERS=2 VESPER_RECOMMEND=yes VESPER_SPLIT_DAYS=10
export VESPER_FACTORS=4 VESPER_ITERATIONS=3 VESPER_FORECAST=yes VESPER_HORIZON=3
export VESPER_LEARN_ORIGINS=2 VESPER_FORECAST_MODELS=average,tsb,pooled
export VESPER_INPUT=orders=$work/orders.csv

# in_case CASE COMMAND...: with a store and a database of the case's own.
in_case() {
    mkdir -p "$1"
    VESPER_STORE=$work/$1/store VESPER_TO=sqlite:$work/$1/shop.db "${@:2}"
}

in_case undisturbed run_vesper 2 nightly
expect_done "undisturbed" || finish
dump_db undisturbed/shop.db >expected

# A fault is for a job's first run.
cat >program <<END
#!/bin/sh
[ "\${SLURM_RESTART_COUNT:-0}" = 0 ] || unset VESPER_FAULT
exec '$vesper' "\$@"
END
cat >deaf <<END
#!/bin/sh
trap '' USR1
[ "\${SLURM_RESTART_COUNT:-0}" != 0 ] || exec sleep 300
exec '$vesper' "\$@"
END
cat >show <<'END' # the threads and processors that a rank gets
#!/bin/sh
echo "threads=$OMP_NUM_THREADS,$VESPER_THREADS cpus=$(env -u OMP_NUM_THREADS nproc)"
echo 0 >"$VESPER_EXIT_FILE"
END
chmod +x program deaf show
small=(--ntasks-per-node=2 --mem-per-cpu=100M)
echo "VESPER_SBATCH='${small[*]}'" >site.conf
export VESPER_PROGRAM=$work/program VESPER_SITE=$work/site.conf
export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo

declare -A job
submit() { # CASE [option of sbatch ...]
    job[$1]=$(in_case "$1" sbatch --parsable "${small[@]}" --output="$1/log" "${@:2}" \
        "${script:-$repo/slurm/nightly.sbatch}")
}
say_of() { # CASE: what the job said
    sed -n "s/^[^ ]* [a-z]* slurm job=${job[$1]} //p" "$1/log" 2>/dev/null
}
wait_for() { # CASE REGEX: in its log
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        grep -Eq -- "$2" "$1/log" 2>/dev/null && return
        sleep 0.2
    done
    fail "$1: '$2' is not in its log"
    return 1
}

wide=(--nodes=2 --ntasks-per-node=1 --exclusive)
slurm_start 8
VESPER_FAULT=recommend.ials.iteration:0:1:wait submit limit --time=9 --signal=B:USR1@110
VESPER_PROGRAM=$work/deaf submit late --time=1 --signal=B:USR1@55
VESPER_FAULT=stage.forecast:1:1:wait submit lost "${wide[@]}"
VESPER_FAULT=stage.sales:0:1:wait submit cancelled
VESPER_INPUT=orders=$work/bad.csv submit bad
cp -r "$repo/slurm" scripts # with settings of its own, beside it
sed -i 's/VESPER_REQUEUES:=5/VESPER_REQUEUES:=0/' scripts/site.conf
VESPER_FAULT=stage.sales:0:1:stop VESPER_SITE='' script=$work/scripts/nightly.sbatch submit spent
submit srun "${wide[@]}"
VESPER_LAUNCH=mpirun submit mpirun "${wide[@]}"
VESPER_FAULT=stage.sales:1:1:kill submit killed
VESPER_PROGRAM=$work/show submit ranks
VESPER_PROGRAM=$work/show submit threads --ntasks-per-node=1 --cpus-per-task=2
VESPER_PROGRAM=$work/show VESPER_LAUNCH=mpirun submit mpi_ranks
VESPER_PROGRAM=$work/show VESPER_LAUNCH=mpirun submit mpi_threads --ntasks-per-node=1 --cpus-per-task=2

# Three shops in one array, and a chain.
for shop in a b c; do
    mkdir "shop_$shop"
    printf 'export VESPER_STORE=%q VESPER_TO=%q\n' "$work/shop_$shop/store" \
        "sqlite:$work/shop_$shop/shop.db" >"$shop.conf"
done
shops=$("$repo/slurm/submit.sh" shops a.conf b.conf c.conf)
in_case chain run_vesper 1 init
mapfile -t chain < <(in_case chain "$repo/slurm/submit.sh" chain)

# Its time is nearly up once it learns: in two minutes, of which the last 110 s are warned of.
wait_for limit ' evaluated model=ease ' || finish
began=$(date -d "$(slurm_field "${job[limit]}" StartTime)" +%s)
scontrol update JobId="${job[limit]}" TimeLimit=$((($(date +%s) - began) / 60 + 2))
wait_for cancelled ' ingest ' || finish
scancel "${job[cancelled]}"
wait_for lost ' recommend seconds=' || finish
node=$(scontrol show hostnames "$(slurm_field "${job[lost]}" NodeList)" | tail -n 1)
slurm_kill "$node"
slurm_wait 150 "${job[@]}" "$shops"_{0,1,2} "${chain[@]%% *}"

# expect_ended CASE STATE RESTARTS EXITCODE
expect_ended() {
    checks=$((checks + 1))
    local got
    got="$(slurm_state "${job[$1]}") $(slurm_field "${job[$1]}" Restarts) $(slurm_field "${job[$1]}" ExitCode)"
    [ "$got" = "$2 $3 $4" ] && return
    fail "$1: state, restarts and code are $got instead of $2 $3 $4"
    sed 's/^/    | /' "$1/log" >&2
    return 1
}
expect_said() { # CASE REGEX
    say_of "$1" >said
    expect_text "$1" said "$2"
}
expect_published() { # WHAT DATABASE
    dump_db "$2" >dump
    expect_same "$1" expected dump
}

for case in srun mpirun; do
    expect_ended $case COMPLETED 0 0:0 && expect_published $case $case/shop.db
    expect_said $case '^code=0$'
done
if expect_ended limit COMPLETED 1 0:0; then
    expect_published limit limit/shop.db
    expect_said limit '^code=7 why=stopped next=requeue'
    expect_text limit limit/log '^vesper: .*after iteration 1 of 3 of ials'
    expect_text limit limit/log 'goes on at iteration 2 of 3'
fi
if expect_ended lost COMPLETED 1 0:0; then
    expect_published lost lost/shop.db
    expect_text lost lost/log ' recommend .*already=computed'
fi
if expect_ended late COMPLETED 1 0:0; then
    expect_published late late/shop.db
    expect_said late '^why=late next=requeue'
fi
expect_ended bad FAILED 0 3:0
expect_said bad '^code=3$'
checks=$((checks + 1))
[ "$(grep -c '^vesper:' bad/log)" = 1 ] || fail "bad: more or less than one error line"
[ ! -e bad/shop.db ] || fail "bad: published all the same"
expect_ended spent FAILED 0 7:0
expect_said spent '^code=7 why=stopped note="not queued again'
expect_ended killed FAILED 0 137:0
expect_said cancelled 'ended_by=slurm'
checks=$((checks + 1))
[ "$(slurm_state "${job[cancelled]}")" = CANCELLED ] || fail "cancelled: it is not"
for case in spent cancelled; do
    in_case $case run_vesper 1 nightly
    expect_published "$case, by hand" $case/shop.db
done
expect_ranks() { # CASE RANKS THREADS: all ran, each with as many processors as threads
    checks=$((checks + 1))
    local line="threads=$3,$3 cpus=$3"
    [ "$(grep -cFx "$line" "$1/log")" = "$2" ] || fail "$1: no $2 times $line: $(cat "$1/log")"
}
if [ "$(env -u OMP_NUM_THREADS nproc)" -ge 2 ]; then
    for case in ranks mpi_ranks; do
        expect_ranks $case 2 1
    done
    for case in threads mpi_threads; do
        expect_ranks $case 1 2
    done
else
    skip_check "binding: there is one processor"
fi
for shop in a b c; do
    expect_published "shop $shop" "shop_$shop/shop.db"
done
checks=$((checks + 1))
[ "$(printf '%s ' "${chain[@]#* }")" = "ingest sales recommend forecast publish " ] ||
    fail "chain: submit.sh printed ${chain[*]}"
expect_published chain chain/shop.db
slurm_stop

# What Slurm does not do on demand: srun ends with 0 though it lost a node.
mkdir stubs
printf '#!/bin/sh\ncase "$*" in *--overlap*) exit 1 ;; esac\n' >stubs/srun
printf '#!/bin/sh\necho "$*" >>"%s"\n' "$work/calls" >stubs/scontrol
chmod +x stubs/*
rc=0
PATH=$work/stubs:$PATH SLURM_JOB_ID=12 SLURM_JOB_NODELIST=n1,n2 SLURM_JOB_NUM_NODES=2 \
    bash "$repo/slurm/nightly.sbatch" >said 2>&1 || rc=$?
checks=$((checks + 1))
[ $rc = 1 ] || fail "a lost node: exit code $rc"
expect_text "a lost node" said 'srun ended with 0, but vesper did not end'
expect_text "a lost node" said 'code=1 why=node-lost next=requeue'
expect_text "a lost node" calls '^requeue 12$'

# refused WHAT REGEX COMMAND...: exit code 2, and says why.
refused() {
    checks=$((checks + 1))
    rc=0
    "${@:3}" >said 2>&1 || rc=$?
    [ $rc = 2 ] && grep -Eq -- "$2" said || fail "$1: exit code $rc and $(cat said)"
}
refused "no such site" 'cannot read VESPER_SITE=/nowhere' \
    env SLURM_JOB_ID=1 VESPER_SITE=/nowhere bash "$repo/slurm/nightly.sbatch"
refused "no such launcher" 'VESPER_LAUNCH=prun is neither' \
    env SLURM_JOB_ID=1 VESPER_LAUNCH=prun bash "$repo/slurm/nightly.sbatch"
refused "a shop that is not there" "cannot read shop 1 of VESPER_SHOPS: ''" \
    env SLURM_JOB_ID=1 SLURM_ARRAY_TASK_ID=1 VESPER_SHOPS="$work/a.conf" bash "$repo/slurm/nightly.sbatch"
refused "no shops" 'which shops' "$repo/slurm/submit.sh" shops
refused "no such thing to submit" 'submit.sh chain' "$repo/slurm/submit.sh" week
finish
