#!/bin/bash
# Recommendation lists into a real Redis server: every list as the database has it, one version in
# force at every moment, nothing changed by publishing twice; and what a server can do to a publisher: no
# memory, a cut connection, its death, a password, a cluster.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
command -v redis-server >/dev/null || skip_test "redis-server is not installed"

servers=()
cleanup() {
    local pid
    for pid in "${servers[@]}"; do kill -9 "$pid" 2>/dev/null; done
    rm -rf "$work" ${shm:+"$shm"}
}

# start_server [OPTION...]: on a free port of the loopback; sets port and server.
start_server() {
    local tries
    for ((tries = 0; tries < 20; tries++)); do
        port=$((20000 + RANDOM % 20000))
        redis-server --bind 127.0.0.1 --port $port --save '' --dir "$work" --appendonly no \
            --cluster-config-file "nodes-$port.conf" "$@" >"redis-$port.log" 2>&1 &
        server=$!
        servers+=("$server")
        disown
        for ((wait = 0; wait < 50; wait++)); do
            redis-cli -p $port ping 2>/dev/null | grep -qE 'PONG|NOAUTH' && return 0
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
        done
    done
    skip_test "redis-server does not start"
}

cli() {
    redis-cli -p "$port" "$@"
}

# ---- three nights, each in a store of its own ----
$datagen --lines 3000 --customers 120 --products 60 --days 90 --seed 5 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
options=(--recommend yes --factors 4 --iterations 2 --split-days 20 --list-length 5)
make_orders 9001 30 1 | sed '1!s/^o/x/; s/,c\([0-9]*\),/,"new \1 {""q"":\\}",/' >more.csv
cp raw/orders.csv orders1.csv
cp more.csv orders2.csv

for night in 1 2; do
    [ $night = 1 ] || cp -a "store$((night - 1))" "store$night"
    run_vesper 2 nightly --store "store$night" --partitions 8 --tables product_total \
        --input "orders=orders$night.csv" --to "sqlite:night$night.db" "${options[@]}"
    expect_done "night $night" || finish
done

publish() { # NIGHT [SETTINGS]
    run_vesper 1 publish --store "store$1" --tables product_total "${options[@]}" --to "redis://127.0.0.1:$port/3$2"
}

shop=shop
in_force() {
    cli -n 3 get "vesper:{$shop}:version"
}

# expect_lists WHAT NIGHT: the lists in force are those of the night's database, all and no more.
expect_lists() {
    local version prefix
    version=$(in_force)
    prefix="vesper:{$shop}:$version:"
    cli -n 3 --raw --scan --pattern "$prefix*" | grep -v ':run$' | sort >keys
    sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/GET "&"/' keys | cli -n 3 --raw >values
    rm -f lists.db
    paste -d '\t' <(cut -c$((${#prefix} + 1))- keys) values | python3 -c '
import json, sqlite3, sys
db = sqlite3.connect("lists.db")
db.execute("CREATE TABLE list (tab, key, rank, product_id, other_product, score, model, because_product, due_day, probability, lift)")
for line in sys.stdin:
    key, text = line.rstrip("\n").split("\t")
    tab, _, key = key.partition(":")
    for rank, row in enumerate(json.loads(text), 1):
        db.execute("INSERT INTO list VALUES (?,?,?,?,?,?,?,?,?,?,?)", (tab, key, rank, row.get("product_id"),
            row.get("other_product"), row["score"], row.get("model"), row.get("because_product"), row.get("due_day"),
            row.get("probability"), row.get("lift")))
db.commit()'
    same() { # TABLE COLUMNS-OF-THE-LIST COLUMNS-OF-THE-TABLE
        checks=$((checks + 1))
        [ "$(sqlite3 lists.db "ATTACH 'night$2.db' AS n" "SELECT count(*) FROM list WHERE tab = '$1'" \
            "SELECT count(*) FROM n.$1" "SELECT count(*) FROM (SELECT key, rank, score, $3 FROM list WHERE tab = '$1'
            EXCEPT SELECT $4, rank, score, $3 FROM n.$1)" | sort -u | wc -l)" = 2 ] ||
            fail "$what: lists of $1 differ"
    }
    what=$1
    same rec_user "$2" 'product_id, model, because_product' customer
    same rec_item "$2" 'other_product, lift' product_id
    same buy_again "$2" 'product_id, due_day, probability' customer
    same rec_popular "$2" product_id "scope || CASE name WHEN '' THEN '' ELSE ':' || name END"
}

start_server
publish 1
expect_done "the first night" || finish
expect_text "the first night" out '^published +4 tables'
expect_lists "the first night" 1
first=$(in_force)
checks=$((checks + 1))
cli -n 3 get "vesper:{shop}:$first:run" | python3 -c '
import json, sys
run = json.load(sys.stdin)
assert run["tables"]["rec_user"]["lists"] > 100 and run["generation"] == 1, run' || fail "the run's description"

# Twice: the server has no write to count.
changes() {
    cli info persistence | sed -n 's/^rdb_changes_since_last_save:\([0-9]*\).*/\1/p'
}
before=$(changes)
publish 1
expect_done "the same night again"
expect_text "the same night again" out 'nothing to do'
checks=$((checks + 1))
[ "$(changes)" = "$before" ] || fail "publishing twice writes"

# A reader who asks for version and list in one script always finds a list.
look='local v = redis.call("get", KEYS[1]) return redis.call("exists", "vesper:{shop}:" .. v .. ":run", "vesper:{shop}:" .. v .. ":rec_popular:all")'
redis-cli -p "$port" -n 3 -r 1000000 -i 0.002 eval "$look" 1 'vesper:{shop}:version' >looks &
reader=$!
servers+=("$reader")
disown
publish 2 '?grace=1000'
expect_done "the second night"
expect_lists "the second night" 2
second=$(in_force)
ttl() { # VERSION
    cli -n 3 ttl "vesper:{shop}:$1:rec_popular:all"
}
checks=$((checks + 4))
[ "$first" != "$second" ] || fail "both nights have one version"
[ "$(cli -n 3 get 'vesper:{shop}:previous')" = "$first" ] || fail "the night before is not named"
[ "$(ttl "$first")" -gt 900 ] && [ "$(ttl "$first")" -le 1000 ] || fail "the night before has no time to live"
[ "$(cli -n 3 ttl "vesper:{shop}:$second:run")" = -1 ] || fail "the night in force may expire"
publish 1
expect_done "back to the first"
publish 2
expect_done "and to the second"
expect_lists "back and forth" 2
checks=$((checks + 2))
[ "$(ttl "$second")" = -1 ] || fail "a night that came back may expire"
[ "$(ttl "$first")" -gt 1000 ] || fail "the default grace is not given"
kill "$reader"
checks=$((checks + 1))
[ "$(sort -u looks)" = 2 ] && [ "$(wc -l <looks)" -gt 50 ] ||
    fail "a reader found no whole night: $(sort looks | uniq -c | tr '\n' ' ')"

# What was lost is put back.
cli -n 3 unlink "vesper:{shop}:$second:rec_popular:all" >/dev/null
publish 2
expect_text "a list that was lost" out '^published +4 tables'
expect_lists "a list that was lost" 2
publish 2 '?shop=other_shop'
shop=other_shop expect_lists "another shop beside" 2

# ---- faults, stops and kills: the night in force stays, the same command ends well ----
versions() {
    cli -n 3 --scan --pattern 'vesper:{shop}:*:*' | sed 's/^vesper:{shop}:\([^:]*\):.*/\1/' | sort -u | wc -l
}
cli flushall >/dev/null
publish 1
before=$first after=$second night=2
for fault in publish.{open:0:1,verify:0:1,scan:0:2,load:0:1:stop,verify:0:1:stop,load:0:1:kill,switch:0:1:kill,done:0:1:kill}; do
    expect_kill=yes
    VESPER_FAULT=$fault publish $night
    expect_kill=
    checks=$((checks + 3))
    case $fault in
    *kill) [ "$rc" != 0 ] ;;
    *stop) [ "$rc" = 7 ] ;;
    *) [ "$rc" = 4 ] ;;
    esac || fail "$fault: exit code $rc"
    case $fault in
    publish.done* | publish.scan*) [ "$(in_force)" = "$after" ] || fail "$fault: not switched" ;;
    *) [ "$(in_force)" = "$before" ] || fail "$fault: switched" ;;
    esac
    case $fault in
    *kill) ;;
    *) [ "$(versions)" -le 2 ] || fail "$fault: half a night is left" ;;
    esac
    publish $night
    expect_done "$fault, run again"
    [ "$(in_force)" = "$after" ] && [ "$(versions)" = 2 ] && [ "$(ttl "$before")" -gt 1000 ] ||
        fail "$fault, run again: $(versions) versions, $(ttl "$before") seconds to live"
    expect_lists "$fault, run again" $night
    night=$((3 - night)) passing=$before before=$after after=$passing
done

# ---- the way back ----
roll_back() {
    run_vesper 1 rollback --to "redis://127.0.0.1:$port/3$1"
}
cli flushall >/dev/null
publish 1
publish 2
VESPER_FAULT=publish.switch:0:1 roll_back
expect_failure "a rollback that fails" 4 'injected fault'
expect_lists "a rollback that fails" 2
roll_back
expect_done "rolled back"
expect_text "rolled back" out "run 000001-.* again in redis://.*, 4 tables; run 000002-.* is withdrawn"
expect_lists "rolled back" 1
checks=$((checks + 1))
[ "$(ttl "$first")" = -1 ] && [ "$(ttl "$second")" -gt 1000 ] || fail "rolled back: the wrong version expires"
roll_back
expect_failure "rolled back twice" 2 'no night to go back to'
publish 2
cli -n 3 unlink "vesper:{shop}:$first:rec_popular:all" >/dev/null
roll_back
expect_failure "back to a night that is not whole" 2 'no night to go back to' 'lists of version'
expect_lists "back to a night that is not whole" 2
checks=$((checks + 1))
[ "$(cli -n 3 ttl "vesper:{shop}:$first:run")" -gt 1000 ] || fail "a night that is not whole stays for good"

# ---- no memory ----
cli flushall >/dev/null
publish 1
used=$(cli info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p')
cli config set maxmemory $((used + 40000)) >/dev/null
publish 2
expect_failure "no memory" 4 'OOM' 'maxmemory' "127.0.0.1:$port"
checks=$((checks + 1))
[ "$(in_force)" = "$first" ] || fail "no memory: switched"
cli config set maxmemory 0 >/dev/null
expect_lists "no memory" 1
publish 2
expect_done "memory again"
cli flushall >/dev/null
publish 1

# ---- a connection that is cut, and a server that dies, while the publisher waits for it ----
hold() { # NIGHT: publish while the server writes nothing; ends when `let_go` has done its worst.
    cli client pause 20000 write >/dev/null
    (publish "$1"; cp out held.out; cp err held.err; echo $rc >held.rc) &
    holder=$!
    for ((tries = 0; tries < 100; tries++)); do
        [ "$(cli info clients | sed -n 's/^blocked_clients:\([0-9]*\).*/\1/p')" != 0 ] && break
        sleep 0.1
    done
}
let_go() { # sets rc, out, err
    wait "$holder"
    rc=$(cat held.rc) && cp held.out out && cp held.err err
}
hold 2
cli client kill type normal >/dev/null
let_go
expect_failure "a connection that is cut" 4 "127.0.0.1:$port" 'server is up and run again'
cli client unpause >/dev/null
expect_lists "a connection that is cut" 1
publish 2
expect_done "connected again"
hold 1
kill -9 "$server"
let_go
expect_failure "a server that dies" 4 "127.0.0.1:$port" 'server is up and run again'
publish 1
expect_failure "no server" 4 "127.0.0.1:$port" 'refused' 'server is up'

# ---- passwords ----
secret='pass word, secret-4711'
start_server --requirepass "$secret"
cli() {
    REDISCLI_AUTH=$secret redis-cli -p "$port" "$@"
}
publish 1
expect_failure "no password" 4 'NOAUTH' 'VESPER_REDIS_PASSWORD'
VESPER_REDIS_PASSWORD=wrong publish 1
expect_failure "a wrong password" 4 'WRONGPASS' 'VESPER_REDIS_PASSWORD'
VESPER_REDIS_PASSWORD=$secret publish 1
expect_done "a password in the environment"
printf '%s\n' "$secret" >secret
chmod 0644 secret
publish 2 "?password_file=$work/secret"
expect_failure "a password file that others may read" 2 'secret' 'chmod 0600'
chmod 0600 secret
publish 2 "?password_file=$work/secret"
expect_done "a password file"
: >empty && chmod 0600 empty
publish 2 "?password_file=$work/empty"
expect_failure "an empty password file" 2 'empty' 'no password'
publish 2 "?password_file=$work/absent"
expect_failure "no password file" 4 'absent'
cli acl setuser nightly on '>night watch' '~vesper:*' +get +set +unlink +expire +persist +ttl +scan +watch +multi +exec +select >/dev/null
VESPER_REDIS_PASSWORD='night watch' run_vesper 1 publish --store store1 --tables product_total "${options[@]}" \
    --to "redis://nightly@127.0.0.1:$port/3"
expect_done "a user of their own"
for url in "redis://:$secret@127.0.0.1:$port" "redis://nightly:$secret@127.0.0.1" "rediss://:$secret@host" "rediz://:$secret@host"; do
    run_vesper 1 publish --store store1 --tables product_total "${options[@]}" --to "$url"
    expect_failure "a password in the URL" 2 'redis://'
    checks=$((checks + 1))
    ! grep -q 4711 "$work/err" "$work/out" || fail "a password is shown: $(grep 4711 "$work/err")"
done
checks=$((checks + 1))
! grep -rq 4711 store1 store2 || fail "a password is in the store"
kill -9 "$server"
cli() {
    redis-cli -p "$port" "$@"
}

# ---- a cluster: all keys of a shop on one node, which has to be named ----
start_server --cluster-enabled yes
port1=$port
start_server --cluster-enabled yes
slot=$(redis-cli -p "$port" cluster keyslot 'vesper:{shop}:version')
redis-cli -p "$port" cluster addslotsrange "$slot" 16383 >/dev/null
redis-cli -p "$port1" cluster addslotsrange 0 $((slot - 1)) >/dev/null
redis-cli -p "$port1" cluster meet 127.0.0.1 "$port" >/dev/null
for ((tries = 0; tries < 100; tries++)); do
    redis-cli -p "$port1" cluster info | grep -q 'cluster_state:ok' &&
        redis-cli -p "$port" cluster info | grep -q 'cluster_state:ok' && break
    sleep 0.1
done
to_cluster() { # PORT
    run_vesper 1 publish --store store1 --tables product_total "${options[@]}" --to "redis://localhost:$1"
}
to_cluster "$port1"
expect_failure "the wrong node of a cluster" 4 "MOVED $slot 127.0.0.1:$port" 'cluster'
to_cluster "$port"
expect_done "the right node of a cluster"
checks=$((checks + 1))
[ "$(cli get 'vesper:{shop}:version')" = "$first" ] || fail "the cluster has no version"

# ---- refusals ----
for bad in redis:host redis://host:0 redis://host/x 'redis://host?shop={a}' 'redis://host?grace=-1' \
    'redis://host?color=1' 'redis://[::1'; do
    run_vesper 1 publish --store store1 --tables product_total "${options[@]}" --to "$bad"
    expect_failure "$bad" 2 'redis://'
done
run_vesper 1 publish --store store1 --tables product_total "${options[@]}" --recommend no --to "redis://localhost:$port"
expect_failure "a night without lists" 2 'recommendation lists' '--recommend yes'
finish
