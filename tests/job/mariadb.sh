#!/bin/bash
# Nights into a real MariaDB server: what they leave there, what readers see, whom they keep out, and
# what becomes of them when the publisher or the server is killed, cut off, locked out or lied to.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
PATH=$PATH:/usr/sbin
for command in mariadbd mariadb-install-db mariadb openssl; do
    command -v $command >/dev/null || skip_test "$command is not installed"
done
# One rank alone needs no launcher, which would take two seconds to end a run that fails: "env -u 1" is none.
many=$launcher launcher='env -u'
unset "${!MYSQL@}" "${!MARIADB@}" # what the user's own client is told
unset VESPER_LOCK_TIMEOUT VESPER_LOCK_TRIES VESPER_STATEMENT_TIMEOUT

# ---- a server of this test's own: in a folder whose name is short enough for a socket's, in memory if there is
# such a folder, since each of the many tables is synced several times ----

db=$(mktemp -d "${shm:-/tmp}/maria.XXXXXX")
socket=$db/socket
server=
cleanup() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null
    rm -rf "$db" "$work" ${shm:+"$shm"}
}
export HOME=$work/home # of the option file
mkdir "$HOME"

sql() { # DATABASE SQL [OPTION...]: as root; columns separated by tabs
    local database=$1 statement=$2
    shift 2
    mariadb --no-defaults -S "$socket" -u root -N -B "$@" "$database" -e "$statement"
}

start_server() { # [OPTION...]
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        if [ $((tries % 100)) = 0 ]; then
            port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
            mariadbd --no-defaults --datadir="$db/data" --socket="$socket" --port=$port --bind-address=127.0.0.1 \
                --user="$(id -un)" --pid-file="$db/pid" --innodb-buffer-pool-size=32M --innodb-log-file-size=8M --innodb-flush-method=fsync \
                --ssl-cert="$db/server.crt" --ssl-key="$db/server.key" "$@" >>"$db/log" 2>&1 &
            server=$!
            disown
        fi
        sql mysql 'SELECT 1' >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    tail "$db/log" >&2
    skip_test "mariadbd does not start"
}

stop_server() { # SIGNAL
    kill "-$1" "$server"
    while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
}

certificate() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
        -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout "$db/$1.key" -out "$db/$1.crt" 2>/dev/null
}

certificate server
certificate other
mariadb-install-db --no-defaults --datadir="$db/data" --user="$(id -un)" --skip-test-db \
    --auth-root-authentication-method=normal >"$db/log" 2>&1 || skip_test "mariadb-install-db: $(tail -n 3 "$db/log")"
start_server

sql mysql "source $repo/docs/mariadb.sql"
secret=$(openssl rand -hex 16)
sql mysql "ALTER USER vesper_publisher IDENTIFIED BY '$secret' ACCOUNT UNLOCK;
    CREATE USER page; GRANT vesper_reader TO page; SET DEFAULT ROLE vesper_reader FOR page;
    CREATE DATABASE taken; CREATE TABLE taken.sales_daily (gold TEXT); INSERT INTO taken.sales_daily VALUES ('mine');
    GRANT ALL ON taken.* TO vesper_publisher; CREATE DATABASE shop; GRANT SELECT ON shop.* TO vesper_publisher;
    GRANT SELECT ON shop.* TO page"
(umask 077 && printf '[client]\nuser=vesper_publisher\npassword=%s\n' "$secret" >"$HOME/.my.cnf")
url="mysql://vesper_publisher@localhost/vesper?socket=$socket"
options=(--store store --pair-min-orders 2)

page() { # SQL: as a page of the shop
    mariadb --no-defaults -S "$socket" -u page -N -B --default-character-set=utf8mb4 vesper -e "$1"
}

dump() { # FOLDER
    rm -rf "$1"
    python3 "$repo/tests/job/mariadb.py" "$socket" vesper "$1"
}

expect_shown() { # WHAT FOLDER
    dump shown
    expect_same_folders "$1" "$2" shown
}

expect_value() { # WHAT VALUE EXPECTED
    checks=$((checks + 1))
    [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"
}

publish() { # [OPTION...]
    run_vesper 1 publish "${options[@]}" --to "$url" "$@"
}

leftovers() {
    sql vesper "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'vesper'
        AND (table_name LIKE '%\_\_next' OR table_name LIKE '%\_\_retired')"
}

# ---- one night, beside SQLite's ----

# Ids and names that attack, and some that only a binary collation keeps apart.
make_orders 1 120 0 >orders1.csv
cat >>orders1.csv <<'ORDERS'
"x'; DROP DATABASE vesper; --",2024-03-01 10:00:00,"p""1`",2,3.00,"c'1",Chile
"x\",2024-03-02 10:00:00,"\N",1,3.00,"\'; DROP TABLE sales_daily; #",Norway
x3,2024-03-03 10:00:00,NULL,1,4.00,"Å🙂	tab",Norway
x3,2024-03-03 10:00:00,"two
lines",1,4.00,"Å🙂	tab",Norway
x4,2024-03-04 10:00:00,resume,1,4.00,Émile,Norway
x5,2024-03-04 10:00:00,Resume,1,4.00,emile,norway
x6,2024-03-04 10:00:00,résumé,1,4.00,EMILE,NORWAY
ORDERS
make_orders 100 60 1 >orders2.csv

run_vesper 1 nightly "${options[@]}" --partitions 8 --input orders=orders1.csv --to sqlite:shop.db
expect_done "the first night into SQLite"
publish
expect_done "the first night into MariaDB"
dump night1
checks=$((checks + 1))
python3 "$repo/tests/job/postgres.py" shop.db night1 >differences || fail "$(cat differences)"
expect_value "tables after ids that attack" \
    "$(page "SELECT count(*) FROM customer_summary WHERE customer IN ('c''1', 'emile', 'EMILE', 'Émile')")" 4
expect_value "the types of columns" "$(sql vesper "SELECT group_concat(DISTINCT data_type ORDER BY data_type)
    FROM information_schema.columns WHERE table_schema = 'vesper'")" "bigint,date,double,mediumtext,varchar"

made() {
    sql vesper "SELECT table_name, create_time FROM information_schema.tables WHERE table_schema = 'vesper' ORDER BY 1"
}
before=$(made)
launcher=$many run_vesper 3 publish "${options[@]}" --to "mariadb:${url#mysql:}"
expect_done "the same night again"
expect_text "the same night again" out 'nothing to do'
expect_value "the same night again" "$(made)" "$before"

# ---- the next night, with readers who look all the time ----

sql shop "CREATE VIEW best AS SELECT max(units) AS units FROM vesper.product_total"
look="BEGIN;
    SELECT run FROM vesper_run WHERE current = 1;
    SELECT sum(units), count(*) FROM sales_daily;
    SELECT sum(units), count(*) FROM product_total;
    SELECT max(units) = (SELECT units FROM shop.best) FROM product_total;
    COMMIT;"
what_page_sees() {
    page "$look" | tr '\n\t' '  '
    echo
}
poll() {
    while [ ! -e stop ]; do what_page_sees; done
}
what_page_sees >looks
poll >seen 2>&1 &
poller=$!

run_vesper 1 ingest --store store --input orders=orders2.csv
run_vesper 1 sales "${options[@]}"
expect_done "figures of the second night"

# hold DATABASE SQL: a session of a page's that has done SQL and stays; `hold_more` SQL, `let_go`.
mkfifo held
hold() {
    mariadb --no-defaults -S "$socket" -u page -N -B -n --force vesper <held >held.out 2>&1 &
    holder=$!
    exec 8>held
    echo "$1 SELECT 'held';" >&8
    for ((tries = 0; tries < 100; tries++)); do grep -q held held.out && break; sleep 0.05; done
}
let_go() {
    exec 8>&-
    wait "$holder"
}

# One whose snapshot is older than the new tables is told so.
hold "START TRANSACTION WITH CONSISTENT SNAPSHOT;"
publish
expect_done "the second night"
echo "SELECT count(*) FROM sales_daily; COMMIT; SELECT count(*) FROM sales_daily;" >&8
let_go
expect_text "a snapshot older than the night" held.out 'ERROR 1412 .*retry transaction'
expect_value "after it" "$(tail -n 1 held.out)" "$(page "SELECT count(*) FROM sales_daily")"
what_page_sees >>looks
dump night2
expect_value "the second night" "$(leftovers)" 0

# ---- back, and on again ----

run_vesper 1 rollback --to "$url"
expect_done "rollback"
expect_text "rollback" out 'run 000001-[0-9a-f]* again .* run 000002-[0-9a-f]* is withdrawn'
expect_shown "rollback" night1
launcher=$many run_vesper 2 rollback --to "$url"
expect_failure "rollback twice" 2 'no night to go back to: run 000001'
publish
expect_done "publish after rollback"
expect_shown "publish after rollback" night2
VESPER_FAULT=publish.roll_back:0:1 run_vesper 1 rollback --to "$url"
expect_failure "a fault in rollback" 4 'injected fault at publish.roll_back$'
expect_shown "a fault in rollback" night2
expect_value "a fault in rollback" "$(leftovers)" 0
run_vesper 1 rollback --to "$url"
expect_done "rollback again"
touch stop
wait "$poller"
checks=$((checks + 1))
if grep -vxFf looks seen >odd || [ "$(sort -u seen | wc -l)" != 2 ]; then
    fail "of $(wc -l <seen) looks, readers saw: $(sort odd | uniq -c | head -5)"
fi

# ---- in the way ----

hold "BEGIN; SELECT count(*) FROM sales_daily;"
publish --lock-tries 3 --lock-timeout 0.1
expect_failure "a table in use" 4 'in use by other sessions' '3 tries'
expect_value "a table in use" "$(leftovers)" 0
let_go
sql mysql "GRANT RELOAD ON *.* TO page"
hold "FLUSH TABLES WITH READ LOCK;"
publish --statement-timeout 0.5
expect_failure "a statement that takes too long" 4 'max_statement_time' 'raise the statement timeout'
let_go
hold "BEGIN; SELECT count(*) FROM sales_daily;"
(sleep 1.5; echo "SELECT sum(units), count(*) FROM product_total; COMMIT;") >&8 &
publish
expect_done "a table that was in use for a while"
let_go
expect_value "who had it in use" "$(tail -n 1 held.out)" "$(tail -n 1 held.out | grep '^[0-9]')"
expect_shown "a table that was in use for a while" night2
run_vesper 1 rollback --to "$url"
expect_done "back"
run_vesper 1 publish "${options[@]}" --to "${url/'vesper?'/taken?}"
expect_failure "somebody's table" 4 'has a table sales_daily that Vesper did not publish'
expect_value "somebody's table" "$(sql taken "SELECT * FROM sales_daily")" mine

# ---- faults, stops, and deaths of the publisher ----

for site in reach open load verify switch; do
    VESPER_FAULT=publish.$site:0:1 publish
    expect_failure "a fault at publish.$site" 4 "injected fault at publish.$site\$"
    expect_value "a fault at publish.$site" "$(leftovers)" 0
done
for site in load verify; do
    VESPER_FAULT=publish.$site:0:2:stop publish
    expect_failure "asked to stop at publish.$site" 7 'while table [a-z_]+ was (loaded|read back), before the switch'
    expect_value "asked to stop at publish.$site" "$(leftovers)" 0
done
expect_shown "faults and stops" night1
die() { # SITE
    { expect_kill=yes VESPER_FAULT=$1:0:1:kill publish; } 2>/dev/null
}
for site in load verify switch; do die publish.$site; done
expect_shown "deaths" night1
die publish.retire
expect_shown "death after the switch" night2
run_vesper 1 rollback --to "$url"
expect_done "rollback after a death after the switch"
expect_shown "rollback after a death after the switch" night1
expect_value "rollback after a death after the switch" "$(leftovers)" 0

# ---- the server dies, cuts the connection, or keeps something else ----

# A publisher that waits for a table in the middle of loading, sales_daily__next being there; `let_go` lets it go on.
sql mysql "GRANT LOCK TABLES ON vesper.* TO page"
hold_publisher() {
    sql vesper "CREATE TABLE IF NOT EXISTS product_total__next (n INT)"
    hold "LOCK TABLES product_total__next READ;"
    "$vesper" publish "${options[@]}" --to "$url" >publisher.out 2>publisher.err </dev/null 8>&- &
    publisher=$!
    for ((tries = 0; tries < 200; tries++)); do
        [ "$(sql mysql "SELECT count(*) FROM information_schema.processlist p JOIN information_schema.tables
            WHERE user = 'vesper_publisher' AND p.state = 'Waiting for table metadata lock'
            AND table_name = 'sales_daily__next'")" = 1 ] && return
        sleep 0.05
    done
    fail "no publisher waits"
}
ended() { # sets rc, out, err
    rc=0
    wait "$publisher" || rc=$?
    cp publisher.out out
    cp publisher.err err
}

hold_publisher
cp -a store twin
run_vesper 1 publish --store twin --pair-min-orders 2 --to "$url" --lock-tries 2 --lock-timeout 0.1
expect_failure "a second publisher" 8 'another run publishes into this database'
stop_server KILL
let_go
ended
expect_failure "the server is killed" 4 "$socket" 'run again'
publish
expect_failure "no server" 4 'cannot connect to the database' "$socket" 'is the server running'
start_server
expect_shown "the server was killed" night1
hold_publisher
sql mysql "KILL USER vesper_publisher"
let_go
ended
expect_failure "the connection is cut" 4 'the connection was cut: run again'
hold_publisher
sql vesper "UPDATE sales_daily__next SET net = net + 1 LIMIT 1"
let_go
ended
expect_failure "other values" 4 'sales_daily was read back with ([0-9]+) of \1 rows but other values'
expect_shown "other values" night1
expect_value "other values" "$(leftovers)" 0
publish
expect_done "again"
expect_shown "again" night2

# ---- keys that are longer than InnoDB's, and as long ----

long=$(printf 'é%.0s' {1..500})
{
    head -n 1 orders1.csv
    echo "y1,2024-03-01 10:00:00,$long,1,3.00,c1,Chile"
} >long.csv
run_vesper 1 nightly --store long --partitions 8 --input orders=long.csv --to "$url" --force "another shop"
expect_done "a text of 500 characters and 1,000 bytes in a key"
expect_value "a long text in a key" "$(sql vesper "SELECT char_length(product_id) FROM product_total")" 500
{
    head -n 1 orders1.csv
    echo "y1,2024-03-01 10:00:00,$(printf 'x%.0s' {1..1000}),1,3.00,c1,Chile"
} >longer.csv
run_vesper 1 nightly --store longer --partitions 8 --input orders=longer.csv --to "$url" --force "another shop"
expect_failure "a text of 1,000 characters in a key" 3 'table product_total identifies rows by a text of 1000 characters' \
    'room for 768' '\-\-tables'
expect_value "a text of 1,000 characters in a key" "$(leftovers)" 0

# ---- what is refused before any work ----

refused() { # WHAT CODE URL REGEX...
    local what=$1 code=$2 to=$3
    shift 3
    run_vesper 1 nightly --store fresh --input orders=orders1.csv --to "$to"
    expect_failure "$what" "$code" "$@"
    checks=$((checks + 1))
    [ ! -e fresh ] || fail "$what: found out after the store was made"
    ! grep -q "$secret" err out || fail "$what: a password is shown"
}

refused "a password in the URL" 2 "mysql://vesper_publisher:$secret@localhost/vesper" 'a password stands in'
refused "an unknown parameter" 2 "$url&colour=red" "'colour'" 'socket='
refused "no database" 2 "mysql://vesper_publisher@localhost" 'mysql://USER@HOST:PORT/DATABASE'
refused "a socket of another host" 2 "mysql://example.org/vesper?socket=$socket" 'host is localhost'
refused "an unknown database" 4 "${url/'vesper?'/nowhere?}" 'nowhere' 'docs/mariadb.sql'
refused "an unknown user" 4 "${url/vesper_publisher/nobody}" 'cannot connect' 'nobody' 'option file'
refused "a database without the right to make tables" 4 "${url/'vesper?'/shop?}" 'CREATE command denied' 'docs/mariadb.sql'
tcp="mysql://vesper_publisher@127.0.0.1:$port/vesper"
run_vesper 1 publish --store long --force "another shop" --to "$tcp?ssl_ca=$db/server.crt"
expect_done "TLS"
refused "another certificate" 4 "$tcp?ssl_ca=$db/other.crt" 'ssl_ca'
refused "no option file" 2 "$url&option_file=$work/absent" 'absent' 'No such file'
(umask 077 && printf '[client]\npassword=wrong\n' >wrong.cnf)
refused "a wrong password" 4 "$url&option_file=$work/wrong.cnf" 'Access denied' 'option file'
chmod 644 "$HOME/.my.cnf"
refused "an option file that others may read" 2 "$url" '\.my\.cnf may be read by others' 'chmod 600'
chmod 600 "$HOME/.my.cnf"
sql mysql "SET GLOBAL read_only = 1"
refused "a server that can only be read" 4 "$url" 'can only be read'
stop_server TERM
finish
