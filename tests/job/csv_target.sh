#!/bin/bash
# Nights into a folder of CSV files: the same content as a database has, one whole night for readers,
# nothing changed by publishing twice, nothing half done after faults and kills, and cells that no
# spreadsheet computes.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

make_orders 1 60 0 >night1.csv
{
    make_orders 41 40 1
    printf 'o200,2024-06-01 10:00:00,%s,1,2.50,c1,Chile\n' '=1+1' '+49 30 1234' -5 @cmd "'=x" "it's" '"a,""b"""' \
        '-2+3' +7.25 'semi;=1' '"=HYPERLINK(""http://evil"",""x"")"'
} >night2.csv
make_orders 200 10 3 >night3.csv
for night in 1 2 3; do
    [ $night = 1 ] || cp -a "store$((night - 1))" "store$night"
    run_vesper 2 nightly --store "store$night" --partitions 8 --pair-min-orders 2 \
        --input "orders=night$night.csv" --to "sqlite:night$night.db"
    expect_done "night $night" || finish
done
run_name() { # NIGHT
    sqlite3 "night$1.db" 'SELECT run FROM vesper_run'
}

publish() { # NIGHT [TARGET]
    run_vesper 1 publish --store "store$1" --pair-min-orders 2 --to "${2:-csv:tables}"
}

# Each table of a night's folder, read into a database, holds what the night's own database has.
expect_night() { # WHAT NIGHT FOLDER
    local table columns sql=
    rm -f copy.db
    for table in $(sqlite3 "night$2.db" "SELECT name FROM sqlite_master WHERE type = 'table'
            AND name NOT LIKE 'vesper%'"); do
        checks=$((checks + 1))
        sqlite3 "night$2.db" ".schema $table" | sed 's/ WITHOUT ROWID//; s/, PRIMARY KEY ([^)]*)//' |
            sqlite3 copy.db
        tr -d '\r' <"$3/$table.csv" | tail -n +2 >rows
        [ ! -s rows ] || sqlite3 copy.db -cmd '.mode csv' ".import rows $table"
        columns=$(sqlite3 copy.db "SELECT group_concat('coalesce(' || name || ', '''')') FROM pragma_table_info('$table')")
        sql="SELECT $columns FROM $table"
        [ "$(sqlite3 copy.db "ATTACH 'night$2.db' AS n" "SELECT
            (SELECT count(*) FROM (SELECT $columns FROM main.$table EXCEPT SELECT $columns FROM n.$table)),
            (SELECT count(*) FROM (SELECT $columns FROM n.$table EXCEPT SELECT $columns FROM main.$table)),
            (SELECT count(*) FROM main.$table) - (SELECT count(*) FROM n.$table)")" = '0|0|0' ] ||
            fail "$1: $table differs from that of the database"
    done
}

run_of() { # FOLDER: the run that its vesper_run.csv names
    sed -n '2s/,.*//p' "$1/vesper_run.csv"
}

publish 1
expect_done "the first night"
expect_text "the first night" out '^published +[0-9]+ tables'
expect_night "the first night" 1 tables/current
checks=$((checks + 1))
[ "$(readlink tables/current)" = "$(run_of tables/current)" ] || fail "current does not name its run"
[ ! -e tables/previous ] || fail "there is a night before the first"

# Twice: not a byte, not a time of change.
(cd tables && find . -printf '%p %T@ %l\n' | sort && find . -type f -exec cat {} +) >before
publish 1
expect_done "the same night again"
expect_text "the same night again" out 'nothing to do'
(cd tables && find . -printf '%p %T@ %l\n' | sort && find . -type f -exec cat {} +) >after
expect_same "the same night again" before after

publish 2 'csv:tables?formulas=keep'
expect_done "the second night, texts as they are"
expect_night "the second night, texts as they are" 2 tables/current
expect_night "the night before stays" 1 tables/previous
publish 2
expect_done "the same night with formulas escaped"
expect_night "the night before still stays" 1 tables/previous
cut -d, -f1 tables/current/product_total.csv | tail -n +2 | grep -v '^p[0-9]*$' | sort >found
sort >wanted <<'END'
"a
"semi;=1"
+7.25
''=x
'+49 30 1234
'-2+3
'=1+1
'@cmd
-5
"'=HYPERLINK(""http://evil""
it's
END
expect_same "cells that a spreadsheet would compute" wanted found
checks=$((checks + 1))
grep -c $'\r$' tables/current/product_total.csv | grep -qx "$(wc -l <tables/current/product_total.csv)" ||
    fail "not all lines end in CRLF"

# What changed by hand is published anew; a third night removes the first.
echo 'p1,9' >>tables/current/product_total.csv
publish 2
expect_done "a file that was changed by hand"
expect_text "a file that was changed by hand" out '^published +[0-9]+ tables'
publish 2
expect_text "and then nothing" out 'nothing to do'
publish 3
expect_done "a third night"
expect_night "a third night" 3 tables/current
checks=$((checks + 1))
[ "$(ls tables | wc -l)" = 4 ] || fail "not two nights and two links: $(ls tables | tr '\n' ' ')"
[ "$(run_of tables/previous)" = "$(run_name 2)" ] || fail "the second night is not the one before"
[ ! -e "tables/$(run_name 1)" ] || fail "the first night is still there"

# Back to the second, once; there is nothing further back.
roll_back() { # FOLDER
    run_vesper 1 rollback --to "csv:$1"
}
cp -a tables rolled
VESPER_FAULT=publish.switch:0:1 roll_back rolled
expect_failure "a rollback that fails" 4 'injected fault'
expect_night "a rollback that fails" 3 rolled/current
roll_back rolled
expect_done "rolled back"
expect_text "rolled back" out "run $(run_name 2) again in csv:rolled, [0-9]+ tables; run $(run_name 3) is withdrawn"
checks=$((checks + 2))
diff -r tables/previous rolled/current >/dev/null || fail "rolled back: another night"
[ "$(ls rolled | wc -l)" = 2 ] || fail "the withdrawn night is still there"
roll_back rolled
expect_failure "rolled back twice" 2 'rolled' 'no night to go back to'
roll_back nowhere
expect_failure "no folder to roll back" 2 'nowhere' 'no night to go back to'
publish 3 csv:rolled
expect_done "forward again"
expect_night "forward again" 3 rolled/current

# Faults, stops and kills at every step: a whole night, and the same command ends well.
publish 1 csv:fault
cp -a fault fault_before
publish 2 csv:smooth
for fault in open load verify switch load:stop verify:stop load:kill switch:kill done:kill; do
    rm -rf fault && cp -a fault_before fault
    site=${fault%%:*} kind=${fault#"${fault%%:*}"}
    expect_kill=$kind
    VESPER_FAULT=publish.$site:0:1$kind publish 2 csv:fault
    expect_kill=
    checks=$((checks + 3))
    case $kind in
    :kill) [ "$rc" != 0 ] ;;
    :stop) [ "$rc" = 7 ] ;;
    *) [ "$rc" = 4 ] ;;
    esac || fail "$fault: exit code $rc"
    seen=1
    [ $site != done ] || seen=2
    [ "$(run_of fault/current)" = "$(run_name $seen)" ] || fail "$fault: a reader sees another night"
    [ "$kind" = :kill ] || [ ! -e fault/.next ] || fail "$fault: half a night is left"
    publish 2 csv:fault
    expect_done "$fault, run again"
    diff -r smooth/current fault/current >/dev/null || fail "$fault, run again: other content"
    [ "$(ls -A fault | wc -l)" = 5 ] || fail "$fault, run again: something is left"
done

# A reader who resolves the link once sees one night, whole, at every moment.
publish 1 csv:read
touch reading
(
    bad=0 looks=0
    while [ -e reading ]; do
        night=$(readlink read/current) || { bad=$((bad + 1)); continue; }
        run=$(run_of "read/$night")
        rows=$(grep -c . "read/$night/product_total.csv")
        grep -q "^$run,product_total,$((rows - 1))," "read/$night/vesper_run_table.csv" || bad=$((bad + 1))
        [ "$run" = "$night" ] || bad=$((bad + 1))
        looks=$((looks + 1))
    done
    echo "$looks $bad" >looked
) &
reader=$!
for round in 1 2; do
    publish 2 csv:read
    publish 1 csv:read
done
rm reading
wait $reader
read -r looks bad <looked
checks=$((checks + 1))
[ "$bad" = 0 ] && [ "$looks" -gt 10 ] || fail "$bad of $looks looks saw no whole night"

# Refusals: what Vesper did not make stays.
publish 1 csv:
expect_failure "no folder" 2 'csv:' 'names no folder'
publish 1 'csv:tables?colour=red'
expect_failure "a setting that there is not" 2 'colour' 'formulas='
publish 1 'csv:tables?formulas=maybe'
expect_failure "a bad value" 2 'escape or keep'
publish 1 csv:no/such/folder
expect_failure "a folder in one that is not there" 4 'no/such'
mkdir -p foreign/current && echo mine >foreign/current/letter
publish 1 csv:foreign
expect_failure "a folder of somebody else" 4 'foreign/current' 'not made by Vesper'
expect_text "somebody else's file" foreign/current/letter mine
mkdir -p "taken/$(run_name 1)" && echo mine >"taken/$(run_name 1)/letter"
publish 1 csv:taken
expect_failure "a name that is taken" 4 'not made by Vesper'
ln -s ../../etc escape_link && mkdir links && mv escape_link links/current
publish 1 csv:links
expect_failure "a link that leads out" 4 'links/current' 'not made by Vesper'
mkdir locked
exec 9>locked/.lock
flock 9
publish 1 csv:locked
expect_failure "two at once" 4 'locked' 'another program'
exec 9>&-
finish
