#!/bin/bash
# Nights into a real PostgreSQL server: what they leave there, what readers see, whom they keep out,
# and what becomes of them when the server is killed, cut off, locked or lies.
. "$(dirname "$0")/../support/vesper.sh"
. "$(dirname "$0")/../support/postgres.sh"
. "$(dirname "$0")/../support/alive.sh"
cd "$work" || exit 1
pg_find || skip_test "there is no PostgreSQL server"
pg_start || { fail "no PostgreSQL server could be started"; finish; }

# ---- the shop, its database and its roles ----

pg_sql postgres "CREATE DATABASE shop"
psql -X -q -h "$pg_dir/socket" -p "$pg_port" -U postgres -d shop -f "$repo/docs/postgresql.sql"
pg_password vesper_publisher
pg_role page
pg_role auditor
pg_sql shop "GRANT vesper_reader TO page; GRANT USAGE ON SCHEMA vesper TO auditor"
pg_database plain vesper_publisher
url=$(pg_url vesper_publisher shop)
options=(--store store --pair-min-orders 2)

# Ids and names that attack: SQL, quotes, backslashes, COPY's own marks.
make_orders 1 120 0 >orders1.csv
cat >>orders1.csv <<'END'
"x'; DROP SCHEMA vesper CASCADE; --",2024-03-01 10:00:00,"p""1",2,3.00,"c'1",Chile
"x\",2024-03-02 10:00:00,"p\.",1,3.00,"\N",Norway
x3,2024-03-03 10:00:00,"$$; COPY x TO PROGRAM 'id'",1,4.00,"Å🙂	tab",Norway
x3,2024-03-03 10:00:00,"two
lines",1,4.00,"Å🙂	tab",Norway
END
make_orders 100 60 1 >orders2.csv

as() { # ROLE SQL: rows, columns separated by |
    psql -X -q -A -t -v ON_ERROR_STOP=1 "$(pg_url "$1" shop)" -c "$2"
}

# What the schema shows is the dump FOLDER.
expect_shown() { # WHAT FOLDER
    pg_dump_schema shop shown
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
    pg_sql shop "SELECT count(*) FROM pg_class WHERE relname LIKE '%\_\_next%'"
}

# ---- one night, beside SQLite's, at one rank and at three ----

run_vesper 1 nightly "${options[@]}" --partitions 8 --input orders=orders1.csv --to sqlite:shop.db
expect_done "the first night into SQLite"
publish
expect_done "the first night into PostgreSQL"
pg_dump_schema shop night1
checks=$((checks + 1))
python3 "$repo/tests/job/postgres.py" shop.db night1 >differences || fail "$(cat differences)"
expect_value "the schema after ids that attack" \
    "$(as page "SELECT count(*) FROM vesper.customer_summary WHERE customer IN ('c''1', '\\N')")" 2

run_vesper 3 nightly --store store3 --pair-min-orders 2 --partitions 8 --input orders=orders1.csv \
    --to "postgres://vesper_publisher@127.0.0.1:$pg_port/plain?sslmode=verify-full&sslrootcert=$pg_cert"
expect_done "a night of three ranks, by TLS, into a database where the schema is made"
pg_dump_schema plain night1_3
expect_same_folders "three ranks" night1 night1_3

files() {
    pg_sql shop "SELECT oid, relname, relfilenode, relacl FROM pg_class
        WHERE relnamespace = 'vesper'::regnamespace ORDER BY 1"
}
before=$(files)
publish
expect_done "the same night again"
expect_text "the same night again" out 'nothing to do'
expect_value "the same night again" "$(files)" "$before"

# ---- the next night, with readers who look all the time ----

# Whoever read before by a right of his own reads on, and a view of the publisher's follows.
pg_sql shop "GRANT SELECT ON vesper.product_total TO auditor;
    CREATE VIEW vesper.best WITH (security_barrier) AS SELECT max(units) AS units FROM vesper.product_total;
    ALTER VIEW vesper.best OWNER TO vesper_publisher"
look="BEGIN;
    SELECT run FROM vesper.vesper_run WHERE current = 1;
    SELECT sum(units), count(*) FROM vesper.sales_daily;
    SELECT sum(units), count(*) FROM vesper.product_total;
    SELECT max(units) = (SELECT units FROM vesper.best) FROM vesper.product_total;
    COMMIT;"
psql_page=(psql -X -q -A -t -v ON_ERROR_STOP=1 "$(pg_url page shop)")
pg_sql shop "GRANT SELECT ON vesper.best TO page"
poll() {
    while [ ! -e stop ]; do
        "${psql_page[@]}" -c "$look" 2>&1 | tr '\n' ' '
        echo
    done
}
what_page_sees() {
    "${psql_page[@]}" -c "$look" | tr '\n' ' '
    echo
}
what_page_sees >looks
poll >seen &
poller=$!

run_vesper 1 ingest --store store --input orders=orders2.csv
run_vesper 1 sales "${options[@]}"
expect_done "figures of the second night"

# One who began before the switch, and has read nothing yet, sees one night whole all the same.
mkfifo old
psql -X -q -A -t "$(pg_url page shop)" <old >old.out 2>&1 &
old_reader=$!
exec 8>old
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) > 0 FROM pg_class;" >&8
for ((tries = 0; tries < 100; tries++)); do [ -s old.out ] && break; sleep 0.05; done
publish
expect_done "the second night"
echo "${look//BEGIN;/}" >&8
exec 8>&-
wait "$old_reader"
what_page_sees >>looks
checks=$((checks + 1))
tail -n +2 old.out | tr '\n' ' ' | grep -qxFf looks ||
    fail "a reader with an old snapshot sees: $(tail -n +2 old.out | tr '\n' ' ')"
pg_dump_schema shop night2
expect_value "a right given by hand" "$(as auditor "SELECT count(*) > 0 FROM vesper.product_total")" t
expect_value "the view's options" \
    "$(pg_sql shop "SELECT reloptions FROM pg_class WHERE relname = 'best'")" '{security_barrier=true}'

# ---- back, and on again ----

run_vesper 1 rollback --to "$url"
expect_done "rollback"
expect_text "rollback" out 'run 000001-[0-9a-f]* again .* run 000002-[0-9a-f]* is withdrawn'
expect_shown "rollback" night1
run_vesper 2 rollback --to "$url"
expect_failure "rollback twice" 2 'no night to go back to: run 000001'
expect_shown "rollback twice" night1
publish
expect_done "publish after rollback"
expect_shown "publish after rollback" night2
VESPER_FAULT=publish.roll_back:0:1 run_vesper 1 rollback --to "$url"
expect_failure "a fault in rollback" 4 'injected fault at publish.roll_back$'
expect_shown "a fault in rollback" night2
run_vesper 1 rollback --to "$url"
expect_done "rollback again"
touch stop
wait "$poller"
checks=$((checks + 1))
if grep -vxFf looks seen >odd || [ "$(sort -u seen | wc -l)" != 2 ]; then
    fail "of $(wc -l <seen) looks, readers saw: $(sort odd | uniq -c | head -5)"
fi
run_vesper 1 rollback --to "$(pg_url vesper_publisher plain)"
expect_failure "rollback of a first night" 2 'no night to go back to'

# ---- in the way ----

# A session that holds a table: readers wait as short as was said, and the night of yesterday stays.
mkfifo held
psql -X -q -A -t "$(pg_url page shop)" <held >held.out 2>&1 &
holder=$!
exec 8>held
echo "BEGIN; SELECT count(*) > 0 FROM vesper.sales_daily;" >&8
for ((tries = 0; tries < 100; tries++)); do [ -s held.out ] && break; sleep 0.05; done
publish --lock-tries 3 --lock-timeout 0.1
expect_failure "a table in use" 4 'in use by other sessions' '3 tries of 0.1 s'
expect_shown "a table in use" night1
expect_value "a table in use" "$(leftovers)" 0
start_vesper 2 publish "${options[@]}" --to "$url"
for ((tries = 0; tries < 200; tries++)); do
    [ "$(pg_sql shop "SELECT count(*) FROM pg_stat_activity
        WHERE query LIKE 'LOCK TABLE vesper_run%' AND wait_event_type = 'Lock'")" = 0 ] || break
    sleep 0.05
done
kill -USR1 "$launcher_pid"
end_vesper "asked to stop while a table is in use"
expect_failure "asked to stop while a table is in use" 7 \
    'stopped at a safe point, while other sessions used schema vesper, before the switch'
expect_shown "asked to stop while a table is in use" night1
expect_value "asked to stop while a table is in use" "$(leftovers)" 0
(sleep 1.5; echo "COMMIT;") >&8 &
exec 8>&-
publish
expect_done "a table that was in use for a while"
wait "$holder"
expect_shown "a table that was in use for a while" night2

pg_sql shop "CREATE VIEW public.mine AS SELECT * FROM vesper.sales_daily"
run_vesper 1 rollback --to "$url"
expect_failure "somebody's view" 4 'view (public\.)?mine is tied to table sales_daily'
pg_sql shop "DROP VIEW public.mine"
run_vesper 1 rollback --to "$url"
expect_done "back, without the view"
expect_shown "back, without the view" night1

pg_sql plain "CREATE SCHEMA taken AUTHORIZATION vesper_publisher;
    CREATE TABLE taken.sales_daily (gold text); INSERT INTO taken.sales_daily VALUES ('mine')"
run_vesper 1 publish "${options[@]}" --to "$(pg_url vesper_publisher plain)" --schema taken
expect_failure "somebody's table" 4 'has a table sales_daily that Vesper did not publish'
expect_value "somebody's table" "$(pg_sql plain "SELECT * FROM taken.sales_daily")" mine

# ---- faults, stops, and deaths of the publisher ----

for site in reach open load verify switch; do
    VESPER_FAULT=publish.$site:0:1 publish
    expect_failure "a fault at publish.$site" 4 "injected fault at publish.$site\$"
    expect_shown "a fault at publish.$site" night1
    expect_value "a fault at publish.$site" "$(leftovers)" 0
done
for site in load verify; do
    VESPER_FAULT=publish.$site:0:2:stop publish
    expect_failure "asked to stop at publish.$site" 7 'while table [a-z_]+ was (loaded|read back), before the switch'
    expect_shown "asked to stop at publish.$site" night1
    expect_value "asked to stop at publish.$site" "$(leftovers)" 0
done
for site in load verify switch; do
    expect_kill=yes
    VESPER_FAULT=publish.$site:0:1:kill publish
    expect_kill=
    expect_shown "death at publish.$site" night1
done
VESPER_FAULT=publish.done:0:1 publish
expect_failure "a fault at publish.done" 4 'injected fault at publish.done$'
expect_shown "a fault at publish.done" night2
publish
expect_text "again after a fault at publish.done" out 'nothing to do'
expect_value "again after faults" "$(leftovers)" 0
run_vesper 1 rollback --to "$url"

# ---- the server dies, or cuts the connection, in the middle of COPY ----

# Rows of sales_daily__next take their time.
pg_sql shop "CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS
        \$\$BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END\$\$;
    CREATE FUNCTION public.slow_down() RETURNS event_trigger LANGUAGE plpgsql AS
        \$\$DECLARE made record; BEGIN
        FOR made IN SELECT * FROM pg_event_trigger_ddl_commands()
            WHERE object_identity = 'vesper.sales_daily__next' LOOP
            EXECUTE 'CREATE TRIGGER slow BEFORE INSERT ON ' || made.object_identity
                || ' FOR EACH ROW EXECUTE FUNCTION public.dawdle()';
        END LOOP; END\$\$;
    CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION public.slow_down()"

hold_copy() { # a publisher that stands in the middle of COPY
    local tries
    $launcher 1 bash -c 'exec "$0" "$@" 2>held.err' "$vesper" publish "${options[@]}" --to "$url" \
        >held.out 2>/dev/null </dev/null &
    held=$!
    for ((tries = 0; tries < 200; tries++)); do
        [ "$(pg_sql shop "SELECT count(*) FROM pg_stat_activity
            WHERE query LIKE 'COPY %' AND wait_event = 'PgSleep'")" = 1 ] && return
        sleep 0.05
    done
    fail "no COPY was seen"
}

expect_cut() { # WHAT
    rc=0
    wait "$held" || rc=$?
    cp held.out out
    cp held.err err
    expect_failure "$1" 4 'connection|terminat'
}

cp -a store twin
hold_copy
run_vesper 1 publish --store twin --pair-min-orders 2 --to "$url" --lock-tries 2 --lock-timeout 0.1
expect_failure "a second publisher" 8 'another run publishes into schema vesper'
pg_kill
expect_cut "the server is killed in mid-COPY"
publish
expect_failure "no server" 4 'cannot connect to postgresql://vesper_publisher@127.0.0.1'
pg_again || fail "the server did not come back"
expect_shown "the server was killed" night1
hold_copy
pg_sql shop "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'COPY %'" >/dev/null
expect_cut "the connection is cut in mid-COPY"
expect_shown "the connection was cut" night1
publish --statement-timeout 0.5
expect_failure "a statement that takes too long" 4 'statement timeout' 'raise the statement timeout'

# A server that keeps something else than it was sent.
change_rows() { # PL/PGSQL
    pg_sql shop "CREATE OR REPLACE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS
        \$\$BEGIN $1 END\$\$"
}
change_rows 'NEW.net := NEW.net + 1; RETURN NEW;'
publish
expect_failure "other values" 4 'sales_daily was read back with ([0-9]+) of \1 rows but other values'
change_rows "IF NEW.day = '2024-02-03' THEN RETURN NULL; END IF; RETURN NEW;"
publish
expect_failure "a row too few" 4 'sales_daily was read back with [0-9]+ of [0-9]+ rows; nothing was switched'
expect_shown "what a server did not keep" night1
expect_value "what a server did not keep" "$(leftovers)" 0
pg_sql shop "DROP EVENT TRIGGER slow"
publish
expect_done "again after the server's death"
expect_shown "again after the server's death" night2
run_vesper 1 rollback --to "$url"
expect_done "rollback after the server's death"
expect_shown "rollback after the server's death" night1

# ---- what is refused before any work ----

refused() { # WHAT CODE URL REGEX...
    local what=$1 code=$2 to=$3
    shift 3
    run_vesper 1 nightly --store fresh --input orders=orders1.csv --to "$to"
    expect_failure "$what" "$code" "$@"
    checks=$((checks + 1))
    [ ! -e fresh ] || fail "$what: found out after the store was made"
}

openssl rand -hex 4 >secret
secret=$(cat secret)
refused "a password in the URL" 2 "postgresql://vesper_publisher:$secret@127.0.0.1:$pg_port/shop" \
    'password stands in the URL'
! grep -q "$secret" err out || fail "a password in the URL is shown"
refused "a password in an unknown URL" 2 "oracle://root:$secret@localhost/shop" "'oracle://...' is not"
! grep -q "$secret" err out || fail "a password in an unknown URL is shown"
refused "an unknown parameter" 2 "$url?colour=red" 'no URL of a PostgreSQL database'
refused "an unknown database" 4 "$(pg_url vesper_publisher nowhere)" 'database "nowhere" does not exist'
refused "an unknown role" 4 "$(pg_url nobody shop)" 'cannot connect' 'password file'
refused "a role without rights" 4 "$(pg_url page shop)" 'may not make tables in schema vesper'
refused "a role that cannot make the schema" 4 "$(pg_url page plain)" 'has no schema|may not make'
pg_certificate other
refused "another certificate" 4 "$url?sslmode=verify-full&sslrootcert=$pg_dir/other.crt" \
    'certificate verify failed'
refused "a certificate of another host" 4 \
    "postgresql://vesper_publisher@localhost:$pg_port/shop?hostaddr=127.0.0.1&host=example.org&sslmode=verify-full&sslrootcert=$pg_cert" \
    'does not match host name'
VESPER_SCHEMA='x"; DROP SCHEMA vesper' refused "a schema that attacks" 2 "$url" "schema 'x\"; DROP"
(umask 077 && echo '*:*:*:*:wrong' >wrong)
PGPASSFILE=$work/wrong refused "a wrong password" 4 "$url" 'password authentication failed'
chmod 644 wrong
PGPASSFILE=$work/wrong refused "a password file that others may read" 2 "$url" \
    "$work/wrong may be read by others" 'chmod 600'
expect_value "warnings of libpq" "$(grep -c WARNING err)" 0
run_vesper 1 nightly --store fresh --input orders=orders1.csv --dry-run --to "oracle://localhost/shop"
expect_failure "a dry run with an unknown URL" 2 'is not understood; possible is sqlite:FILE'

# ---- back in SQLite ----

run_vesper 1 rollback --to sqlite:nowhere.db
expect_failure "rollback of no file" 2 'nothing to roll back'
checks=$((checks + 1))
[ ! -e nowhere.db ] || fail "rollback made a file"
dump_db shop.db >first
run_vesper 1 publish "${options[@]}" --to sqlite:shop.db
expect_done "the second night into SQLite"
dump_db shop.db >second
run_vesper 1 rollback --to sqlite:shop.db
expect_done "rollback in SQLite"
dump_db shop.db >back
expect_same "rollback in SQLite" first back
run_vesper 1 rollback --to sqlite:shop.db
expect_failure "rollback twice in SQLite" 2 'no night to go back to: run 000001'
run_vesper 1 publish "${options[@]}" --to sqlite:shop.db
expect_done "publish after rollback in SQLite"
dump_db shop.db >again
expect_same "publish after rollback in SQLite" second again
finish
