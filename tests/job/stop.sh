#!/bin/bash
# A night that is asked to stop: it ends at the next safe point with exit code 7, and the same
# command again goes on from there; between stages, and inside each of ingest, sales and publish. Also
# two runs at once: the second is refused.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
make_orders 1 300 0 >orders.csv
night=(nightly --store store --partitions 8 --pair-min-orders 2 --input orders=orders.csv
    --to sqlite:shop.db)

# Start a night whose first log line meets a full pipe: it stands still after its first stage, with
# the store's lock in its hands, until `let_go`.
hold_night() { # RANKS
    rm -f pipe
    mkfifo pipe
    exec 9<>pipe
    timeout 1 dd if=/dev/zero of=pipe bs=4096 count=64 status=none
    $launcher "$1" bash -c 'exec "$0" "$@" 2>pipe' "$vesper" "${night[@]}" >held.out 2>held.mpi &
    held=$!
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        [ -s store/lock ] && break
        sleep 0.1
    done
    sleep 0.3
}

let_go() { # sets rc, and $work/out and $work/err as run_vesper does
    cat <&9 >log &
    local reader=$!
    rc=0
    wait "$held" || rc=$?
    sleep 0.3
    kill "$reader" 2>/dev/null
    wait "$reader" 2>/dev/null
    exec 9>&-
    tr -d '\0' <log >"$work/err"
    cp held.out "$work/out"
}

run_vesper 2 "${night[@]}"
expect_done "undisturbed"
dump_db shop.db >expected
first_rank() {
    pgrep -P "$held" -f nightly | head -1
}

for ranks in 1 3; do
    for signal in TERM INT USR1; do
        rm -rf store shop.db
        hold_night $ranks
        kill -$signal "$(first_rank)"
        let_go
        expect_failure "SIG$signal to one of $ranks ranks" 7 'stopped at a safe point' 'run the same'
        checks=$((checks + 1))
        [ ! -e shop.db ] || fail "SIG$signal: published all the same"
        run_vesper 2 "${night[@]}"
        expect_done "again after SIG$signal"
        dump_db shop.db >dump
        expect_same "again after SIG$signal" expected dump
    done
done

rm -rf store shop.db
hold_night 2
kill -USR1 "$held"
let_go
expect_failure "SIGUSR1 to the launcher" 7 'stopped at a safe point'

rm -rf store shop.db
hold_night 2
VESPER_EXIT_FILE=$work/code run_vesper 2 "${night[@]}"
expect_failure "a second run" 8 'store' 'lock|another run'
expect_text "the second run's exit code in a file" code '^8$'
run_vesper 1 verify --store store
expect_done "reading while another run writes"
let_go
expect_done "the first run, undisturbed by the second"
dump_db shop.db >dump
expect_same "the first run, undisturbed by the second" expected dump

# Inside stages: one rank is asked at a point, all stop before the stage is over; nothing of it is in
# force, nothing half done is left, and the same command goes on to the next such point, on other ranks.
gzip -c orders.csv >orders.csv.gz
printf 'customer_id,at,kind,product_id\nc1,2024-01-01 10:00:00,view,p1\n' >events.csv
night=(nightly --store store --partitions 8 --pair-min-orders 2 --input orders=orders.csv.gz
    --input events=events.csv --to sqlite:shop.db)
rm -rf store shop.db
run_vesper 2 "${night[@]}"
expect_done "undisturbed, with events"
dump_db shop.db >expected
mv store undisturbed
rm shop.db
while read -r ranks rank site visit regex <&8; do
    what="asked at $site, visit $visit, on rank $rank of $ranks"
    VESPER_FAULT=$site:$rank:$visit:stop run_vesper "$ranks" "${night[@]}"
    expect_failure "$what" 7 "stopped at a safe point, $regex; run the same command again to go on\$"
    checks=$((checks + 2))
    [ -z "$(find store/tmp -type f 2>/dev/null)" ] || fail "$what: left in tmp/: $(ls store/tmp)"
    case $site in
    ingest.*) [ ! -e store/segments ] || [ -z "$(ls store/segments)" ] ;;
    sales.*) [ -z "$(ls store/results 2>/dev/null)" ] ;;
    publish.*) [ "$(sqlite3 shop.db 'SELECT count(*) FROM sqlite_master')" = 0 ] ;;
    esac || fail "$what: something is in force"
done 8<<'END'
3 0 ingest.unpack.read 1 while orders.csv.gz was unpacked
3 1 ingest.scan 1 while orders.csv.gz was read
2 1 ingest.convert 1 while orders.csv.gz was read
1 0 ingest.convert 2 while events.csv was read
3 2 ingest.dictionaries 1 before table dictionary_product was stored
2 0 ingest.directory 1 before rows went to their partitions
3 2 ingest.customers 1 before table customer_ids was stored
1 0 ingest.orders 1 before orders were sorted
3 1 ingest.rows 1 before table events was stored
3 2 sales.partition 1 while order lines were read
1 0 sales.write 4 before table [a-z_]+ was written
2 1 sales.pairs 1 while pairs were counted
2 0 publish.load 3 while table [a-z_]+ was loaded, before the switch
1 0 publish.verify 2 while table [a-z_]+ was read back, before the switch
END
run_vesper 2 "${night[@]}"
expect_done "after all these stops"
dump_db shop.db >dump
expect_same "after all these stops" expected dump
expect_same_store "after all these stops" undisturbed store
finish
