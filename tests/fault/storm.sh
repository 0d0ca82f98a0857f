#!/bin/bash
# Nights under a storm: orders come out of PostgreSQL, each night goes into PostgreSQL and into
# SQLite, and runs of it are killed, cut off, locked out, left without disk or stopped at random
# moments. After each, the same command again on another number of ranks. At the end both databases
# hold what an undisturbed night leaves, and who looked at them meanwhile saw one night whole.
#
#   storm.sh [N]   disturbances of a living run (default: 10, one of each kind)
#   VESPER_SEED    of the random moments (default: 1)
#   VESPER_TELL=1  tells each of them
. "$(dirname "$0")/../support/vesper.sh"
. "$repo/tests/support/postgres.sh"
. "$repo/tests/support/alive.sh"
wanted=${1:-10}
seed=${VESPER_SEED:-1}
time_limit=60
unset OMPI_MCA_odls_base_sigkill_timeout # the other ranks go on for a moment, as in earnest
started=$SECONDS

kinds=(rank launcher server server_in_copy connection disk lock second_run stop requeue)
declare -A struck=() missed=() codes=()
# A disturbance that fits the way into SQLite, too.
sqlite_kinds=" rank launcher disk lock stop requeue "

# ---- the shop ----

. "$repo/tests/fault/nights.sh"
pg_find || skip_test "there is no PostgreSQL server"
pg_start || { fail "no PostgreSQL server could be started"; finish; }

# Store and SQLite lie on a small disk that can be filled, if this machine lets us make one.
mkdir disk after1
can_fill=no
[ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64m tmpfs disk 2>/dev/null && can_fill=yes
readers=()
end_storm() {
    touch "$work/stop"
    [ ${#readers[@]} = 0 ] || wait "${readers[@]}"
    pg_stop
    [ $can_fill = no ] || umount "$work/disk" || umount -l "$work/disk"
    cleanup
}
trap end_storm EXIT

pg_sql postgres "CREATE DATABASE shop"
psql -X -q -h "$pg_dir/socket" -p "$pg_port" -U postgres -d shop -f "$repo/docs/postgresql.sql"
pg_password vesper_publisher
pg_role page
pg_sql shop "GRANT vesper_reader TO page"
pg_role till
pg_database till till
pg_sql till "CREATE TABLE orders (id bigserial PRIMARY KEY, order_id text, ordered_at text,
        product_id text, quantity text, unit_price text, customer_id text, country text,
        updated_at timestamptz NOT NULL DEFAULT '2024-12-30');
    GRANT SELECT ON orders TO till"
columns=order_id,ordered_at,product_id,quantity,unit_price,customer_id,country
sell() { # orders of FILE come into the till
    pg_sql till "\\copy orders ($columns) FROM '$work/$1' CSV HEADER"
}

# Both of vesper's connections take their time, so that there is something to hit.
cat >till.ini <<'END'
[orders]
query = SELECT orders.*, pg_sleep(0.001) FROM orders
range_key = id
watermark = updated_at
END
pg_sql shop "CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS
        \$\$BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END\$\$;
    CREATE FUNCTION public.slow_down() RETURNS event_trigger LANGUAGE plpgsql AS
        \$\$DECLARE made record; BEGIN
        FOR made IN SELECT * FROM pg_event_trigger_ddl_commands()
            WHERE object_identity IN ('vesper.sales_daily__next', 'vesper.rec_user__next') LOOP
            EXECUTE 'CREATE TRIGGER slow BEFORE INSERT ON ' || made.object_identity
                || ' FOR EACH ROW EXECUTE FUNCTION public.dawdle()';
        END LOOP; END\$\$;
    CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION public.slow_down()"
# Waits until vesper COPYs into or out of the server: 1; 0 if it does not in that time.
pg_sql postgres "CREATE FUNCTION public.await_copy(what text, seconds numeric) RETURNS int
    LANGUAGE plpgsql AS \$\$BEGIN
    FOR i IN 1 .. 100 * seconds LOOP
        PERFORM pg_stat_clear_snapshot();
        IF EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'vesper'
            AND state = 'active' AND query LIKE what) THEN RETURN 1; END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN 0; END\$\$"

store=disk/store
target=$(pg_url vesper_publisher shop)
to_postgresql=(nightly -c till.ini --store $store "${how[@]}" "${shape[@]}" --to "$target"
    --input "orders=$(pg_url till till)")
to_sqlite=(publish --store $store "${shape[@]}" --to sqlite:disk/shop.db)

# ---- what is undisturbed ----

# What a page reads of each database: in one transaction, tables of all parts, whole.
page_tables="sales_daily product_total customer_summary rec_user rec_item forecast_daily forecast_total"
look_at_postgresql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg_dir/socket" -p "$pg_port" -U page -d shop -c "BEGIN;
        SELECT run FROM vesper.vesper_run WHERE current = 1; $(
        printf 'SELECT * FROM vesper.%s; ' $page_tables) COMMIT"
}
look_at_sqlite() {
    sqlite3 -bail -cmd ".timeout 10000" disk/shop.db "BEGIN;
        SELECT run FROM vesper_run WHERE current = 1; $(
        printf 'SELECT * FROM %s; ' $page_tables) COMMIT"
}

remember_looks() {
    look_at_postgresql >look || fail "a page cannot read PostgreSQL"
    md5sum <look >>looks.postgresql
    look_at_sqlite >look || fail "a page cannot read SQLite"
    md5sum <look >>looks.sqlite
}

dump_both() { # FOLDER
    pg_dump_schema shop "$1"
    dump_db disk/shop.db >"$1/sqlite"
}

now() { # in ms
    date +%s%3N
}

until_it_speaks() { # the launcher's run has logged something, or has ended
    while [ ! -s err ] && is_alive "$launcher_pid"; do
        sleep 0.01
    done
}

# run_through WHAT STEP: undisturbed; learns how long it takes once it speaks.
declare -A spoken=([postgresql]=0 [sqlite]=0)
run_through() {
    local began
    choose_step "$2"
    start_vesper "$ranks" "${step[@]}"
    until_it_speaks
    began=$(now)
    end_vesper "$1"
    spoken[$2]=$(((spoken[$2] + $(now) - began) / (spoken[$2] == 0 ? 1 : 2)))
    expect_done "$1"
}

choose_step() { # postgresql or sqlite: sets step and another number of ranks than before
    if [ "$1" = postgresql ]; then
        step=("${to_postgresql[@]}" "${night_tables[@]}")
    else
        step=("${to_sqlite[@]}")
    fi
    ranks=$((1 + (ranks + RANDOM % 2) % 3))
}

ranks=2
night_tables=()
gzip -dc night2.csv.gz >night2.csv
sell night1.csv
run_through "the first night into PostgreSQL" postgresql && run_through "... and into SQLite" sqlite || finish
remember_looks
dump_both night1
cp -a $store after1/
sell night2.csv
pg_sql till "UPDATE orders SET updated_at = '2024-12-31' WHERE id > $(($(wc -l <night1.csv) - 1))"
night_tables=("${tables[@]}")
run_through "the second night into PostgreSQL" postgresql && run_through "... and into SQLite" sqlite || finish
remember_looks
dump_both night2
checks=$((checks + 1))
[ "$(sort -u looks.postgresql | wc -l) $(sort -u looks.sqlite | wc -l)" = "2 2" ] ||
    fail "the nights are alike: a reader could not tell them apart"
for table in $page_tables; do
    checks=$((checks + 1))
    [ "$(wc -l <"night2/$table.csv")" -gt 1 ] || fail "$table is empty"
done

# ---- readers ----

# What PostgreSQL may say instead of an answer while it is down, and SQLite on a full disk.
down='Connection refused|starting up|shutting down|in recovery|not yet accepting|closed the connection|terminating connection|connection to server was lost|Connection reset|No such file'
full='disk is full|disk I/O error|unable to open database file'
poll() { # NAME REFUSAL
    while [ ! -e stop ]; do
        if "look_at_$1" >"poll.$1" 2>"poll.$1.err"; then
            md5sum <"poll.$1" >"sum.$1"
            if grep -qxFf "looks.$1" "sum.$1"; then
                cat "sum.$1" >>"seen.$1"
            else
                head -c 300 "poll.$1" | tr '\n' ' ' >>"odd.$1"
                echo >>"odd.$1"
            fi
        elif grep -Eq "$2" "poll.$1.err"; then
            echo >>"refused.$1"
        else
            tr '\n' ' ' <"poll.$1.err" >>"odd.$1"
            echo >>"odd.$1"
        fi
        sleep 0.1
    done
}
echo -n | tee seen.postgresql seen.sqlite odd.postgresql odd.sqlite refused.postgresql >refused.sqlite

# ---- disturbances: each strikes the run of launcher_pid and its ranks, pids; sets hit ----

# send SIGNAL PID...: a hit if all were alive
send() {
    local signal=$1 pid
    shift
    hit=yes
    for pid in "$@"; do
        is_alive "$pid" && kill "-$signal" "$pid" 2>/dev/null || hit=no
    done
}

lives() { # hit if the run still goes on
    hit=no
    ! is_alive "$launcher_pid" || hit=yes
}

strike_rank() {
    send KILL "${pids[RANDOM % ${#pids[@]}]}"
}

strike_launcher() {
    send KILL "$launcher_pid"
}

# The server comes back at once, or when the run has ended.
strike_server() {
    lives
    pg_kill
    [ $((RANDOM % 2)) = 0 ] || pg_again || fail "the server did not come back"
}

strike_server_in_copy() {
    local what='COPY "%'
    [ $((RANDOM % 3)) != 0 ] || what='COPY %' # of the source, if it comes to that
    hit=no
    if [ "$(pg_sql postgres "SELECT await_copy('$what', 4)")" = 1 ]; then
        strike_server
    fi
}

strike_connection() {
    local cut tries
    hit=no
    for ((tries = 0; tries < 50; tries++)); do
        cut=$(pg_sql postgres "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'vesper'" 2>/dev/null) # it warns of those that have just gone
        [ "$cut" = 0 ] || hit=yes
        [ $hit = no ] && is_alive "$launcher_pid" || break
    done
}

strike_disk() {
    cat /dev/zero >disk/filler 2>/dev/null
    lives
}

# A session that reads holds its table for a moment, or until the run has given up; SQLite's writer
# for a moment.
strike_lock() {
    local seconds=0.5
    if [ "$1" = postgresql ]; then
        [ $((RANDOM % 2)) = 0 ] || seconds=60
        PGAPPNAME=holder pg_sql shop "BEGIN; SELECT count(*) FROM vesper.sales_daily;
            SELECT pg_sleep($seconds); COMMIT" >/dev/null 2>&1 &
    else
        { echo ".timeout 5000"; echo "BEGIN IMMEDIATE;"; sleep $seconds; } | sqlite3 disk/shop.db >/dev/null 2>&1 &
    fi
    holder=$!
    sleep 0.05
    lives
}

strike_second_run() {
    second_code=0
    timeout -k 5 $time_limit $launcher 1 "$vesper" "${step[@]}" >second.out 2>second.err </dev/null ||
        second_code=$?
}

strike_stop() {
    if [ $((RANDOM % 2)) = 0 ]; then
        send USR1 "${pids[RANDOM % ${#pids[@]}]}"
    else
        send USR1 "$launcher_pid"
    fi
}

# As Slurm takes a job back: asked to end, and killed a moment later.
strike_requeue() {
    send TERM "$launcher_pid" "${pids[@]}"
    sleep 0.0$((RANDOM % 10))
    kill -KILL "$launcher_pid" "${pids[@]}" 2>/dev/null
}

undo() { # KIND
    case $1 in
    server | server_in_copy)
        pg_sql postgres "SELECT 1" >/dev/null 2>&1 || pg_again || fail "the server did not come back"
        ;;
    disk) rm -f disk/filler ;;
    lock)
        pg_sql postgres "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'holder'" >/dev/null
        wait "$holder" 2>/dev/null
        ;;
    esac
}

# With which codes a run may end, and how many lines it may say so in.
judge() { # KIND WHAT
    local lines allowed
    case $1 in
    rank | launcher) allowed=137 ;;
    server | server_in_copy | connection | disk | lock) allowed='0|4' ;;
    second_run) allowed='0|8' ;;
    stop) allowed='0|7' ;;
    requeue) allowed='0|1|7|137|143' ;; # 1: mpirun's own, on SIGTERM (docs/operations.md)
    esac
    [ $hit = yes ] || allowed="0|$allowed"
    checks=$((checks + 2))
    if [[ ! $rc =~ ^($allowed)$ ]]; then
        fail "$2: exit code $rc instead of $allowed"
        show_output
    fi
    lines=$(grep -c '^vesper:' err)
    case $rc in
    0) [ "$lines" = 0 ] ;;
    1 | 137 | 143) [ "$lines" -le 1 ] ;;
    *) [ "$lines" = 1 ] ;;
    esac || { fail "$2: exit code $rc with $lines error lines"; show_output; }
    if [ -n "$second_code" ]; then
        checks=$((checks + 1))
        lines=$(grep -c '^vesper:' second.err)
        case "$second_code $lines $rc" in
        '8 1 0' | '0 0 8' | '0 0 0') ;;
        *) fail "$2: of two runs at once one ended with $rc and one with $second_code"; show_output ;;
        esac
    fi
}

# disturb KIND STEP: one run of that step, and a strike somewhere between its first word and its
# last; now and then while it still begins.
disturb() {
    local moment what sites
    choose_step "$2"
    second_code=
    if [ "$1" = disk ] && [ $can_fill = no ]; then
        sites=(store.segment.write store.results.write run_record.write)
        export VESPER_FAULT=${sites[RANDOM % 3]}:0:1
    elif [ "$1" = lock ]; then
        export VESPER_LOCK_TRIES=5 VESPER_LOCK_TIMEOUT=0.1
    fi
    start_vesper "$ranks" "${step[@]}"
    unset VESPER_FAULT VESPER_LOCK_TRIES VESPER_LOCK_TIMEOUT
    case "$1 $((RANDOM % 8))" in
    "rank 0" | "launcher 0") ;;
    *) until_it_speaks ;;
    esac
    moment=$((RANDOM % (spoken[$2] + 1)))
    case $1 in
    server_in_copy) moment=0 ;;
    second_run) moment=$((moment / 3)) ;; # which takes a while to begin
    esac
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    mapfile -t pids < <(pgrep -P "$launcher_pid")
    if [ ${#pids[@]} -gt 0 ]; then
        "strike_$1" "$2"
    else
        hit=no
    fi
    what="$1, $moment ms into a run of $ranks ranks into $2"
    end_vesper "$what" "${pids[@]}"
    [ "$1" != second_run ] || hit=$([[ " $second_code $rc " = *" 8 "* ]] && echo yes || echo no)
    undo "$1"
    judge "$1" "$what"
    if [ $hit = yes ]; then
        hits=$((hits + 1))
        struck[$1]=$((${struck[$1]:-0} + 1))
        codes[$rc]=$((${codes[$rc]:-0} + 1))
        next_kind
    else
        misses=$((misses + 1))
        missed[$1]=$((${missed[$1]:-0} + 1))
    fi
    [ -z "${VESPER_TELL:-}" ] || echo "$what: hit $hit, code $rc" >&2
}

# ---- the storm ----

RANDOM=$seed

next_kind() { # from a deck that has each kind once, shuffled anew when it is used up
    local i
    [ ${#deck[@]} -gt 0 ] || deck=("${kinds[@]}")
    i=$((RANDOM % ${#deck[@]}))
    kind=${deck[i]}
    unset "deck[i]"
    deck=("${deck[@]}")
}

# Readers go on meanwhile: they see the first night again.
take_back() {
    run_vesper 1 rollback --to "$target"
    expect_done "rollback in PostgreSQL"
    run_vesper 1 rollback --to sqlite:disk/shop.db
    expect_done "rollback in SQLite"
    rm -rf $store
    cp -a after1/store disk/
}

# storm_over STEP STRIKES: up to so many strikes, run upon run, and then through.
storm_over() {
    local i
    rc=1
    for ((i = 0; i < $2 && hits < wanted && rc != 0; i++)); do
        [ "$1" = postgresql ] || [[ $sqlite_kinds = *" $kind "* ]] || break
        disturb "$kind" "$1"
    done
    [ $rc = 0 ] || run_through "night $nights into $1, after $i disturbances" "$1"
}

deck=()
next_kind
hits=0
misses=0
nights=0
poll postgresql "$down" &
readers+=($!)
poll sqlite "$full" &
readers+=($!)
while [ $hits -lt "$wanted" ] && [ $misses -lt $((20 + 2 * wanted)) ] && [ $failures -lt 10 ]; do
    nights=$((nights + 1))
    take_back
    storm_over postgresql $((2 + RANDOM % 4))
    storm_over sqlite $((RANDOM % 3))
    dump_both shown
    expect_same_folders "night $nights, after the storm" night2 shown
    checks=$((checks + 1))
    [ "$(pg_sql shop "SELECT count(*) FROM pg_class WHERE relname LIKE '%\_\_next%'")" = 0 ] ||
        fail "night $nights: what was half published is still there"
done
touch stop
wait "${readers[@]}"
readers=()

# ---- what came of it ----

tell() { # the associative array NAME as "key value, ..."
    local -n pairs=$1
    local key
    for key in "${!pairs[@]}"; do
        echo "$key ${pairs[$key]}"
    done | sort | paste -sd, | sed 's/,/, /g'
}
[ $hits -ge "$wanted" ] || fail "only $hits of $wanted disturbances hit a living run"
for name in postgresql sqlite; do
    checks=$((checks + 2))
    [ ! -s odd.$name ] || fail "readers of $name saw: $(sort odd.$name | uniq -c | head -5)"
    [ "$(wc -l <seen.$name)" -ge "$wanted" ] && [ "$(sort -u seen.$name | wc -l)" = 2 ] ||
        fail "readers of $name had too few answers, or not of both nights: $(sort seen.$name | uniq -c)"
    echo "readers of $name: $(wc -l <seen.$name) answers of one night whole, $(wc -l <odd.$name) others;" \
        "$(wc -l <refused.$name) polls when the server was down or the disk full"
done
echo "$hits disturbances of a living run in $nights nights, seed $seed: $(tell struck)"
echo "exit codes: $(tell codes)"
echo "too late for a living run: $misses ($(tell missed)); $((SECONDS - started)) s"
[ $can_fill = yes ] || skip_check "a full disk: mounting a small tmpfs is not allowed here; faults instead"
finish
