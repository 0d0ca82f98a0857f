#!/bin/bash
# Input that attacks: SQL, formulas, megabytes and NUL bytes in fields, names that lead out of a folder, and
# stores that were changed with every checksum made right. Each is refused in one line or does no harm.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
header=order_id,ordered_at,product_id,quantity,unit_price,customer_id,country

night() { # NAME [OPTION...]: its orders are NAME.csv
    local name=$1
    shift
    run_vesper 2 nightly --store "$name" --partitions 4 --pair-min-orders 1 --input "orders=$name.csv" \
        --to "sqlite:$name.db" "$@"
}

# ask WHAT DATABASE EXPECTED SQL
ask() {
    local found
    found=$(sqlite3 "$2" "$4")
    checks=$((checks + 1))
    [ "$found" = "$3" ] || fail "$1: '$found' instead of '$3'"
}

# ---- SQL, formulas and markup in ids and names: stored and published as they are ----
cat >words <<'END'
Robert'); DROP TABLE product_total;--
" ; DELETE FROM vesper_run; --
' OR '1'='1
x\' UNION SELECT sqlite_version() --
%s%n%s%n
${HOME}$(reboot)`reboot`
=cmd|' /C calc'!A0
<script>alert(1)</script>
../../etc/passwd
|touch owned
-1; ATTACH 'evil.db' AS evil
END
{
    echo $header
    n=0
    while IFS= read -r word; do
        n=$((n + 1))
        quoted="\"${word//\"/\"\"}\""
        echo "$quoted,2024-05-0$((1 + n % 9)),$quoted,1,2.00,$quoted,$quoted"
    done <words
} >sql.csv
{ echo product_id,name,category; echo "p1,\"'); DROP TABLE stock_risk;--\",\"a'/b;--\""; } >products.csv
night sql --input products=products.csv
expect_done "SQL in every id" || finish
n=$(wc -l <words)
ask "tables of a night with SQL in it" sql.db "1|$n" \
    "SELECT (SELECT count(*) FROM vesper_run), (SELECT count(*) FROM product_total WHERE orders = 1)"
sqlite3 sql.db 'SELECT customer FROM customer_summary ORDER BY 1' >found
LC_ALL=C sort words >wanted
expect_same "customers with SQL for a name" wanted found
sqlite3 sql.db 'SELECT product_id FROM product_total WHERE orders = 1 ORDER BY 1' >found
expect_same "products with SQL for a name" wanted found
checks=$((checks + 1))
[ ! -e owned ] && [ ! -e evil.db ] || fail "a word was run"
run_vesper 1 publish --store sql --pair-min-orders 1 --to csv:sheets
expect_done "formulas into CSV"
checks=$((checks + 1))
! grep -rhoE '(^|,)"?[=@]' sheets/current/ | grep -q . || fail "a cell that a spreadsheet computes"

# ---- fields of a megabyte, records beyond the limit, NUL bytes ----
long=$(head -c 1000000 /dev/zero | tr '\0' x)
{ echo $header; echo "o1,2024-05-01,$long,1,2.00,c1,Chile"; echo "o2,2024-05-01,p2,1,2.00,$long,$long"; } >long.csv
night long --max-rejected 1
expect_done "fields of a megabyte"
expect_sum "fields of a megabyte"
{ echo $header; echo "o1,2024-05-01,$long$long$long$long$long,1,2.00,c1,Chile"; } >huge.csv
night huge
expect_failure "a record of five megabytes" 3 'huge\.csv:2'
[ ! -e huge.db ] || fail "a record of five megabytes: published"
printf '%s\no1,2024-05-01,p\0q,1,2.00,c1,Chile\no2,2024-05-01,p2,1,2.00,c1,Chile\n' $header >nul.csv
night nul
expect_failure "a NUL byte in a field" 3 'nul\.csv:2' 'product_id'
printf 'order_id\0,ordered_at,product_id\n' >nul_header.csv
night nul_header
expect_failure "a NUL byte in the header" 3 'nul_header\.csv'
head -c 100000 /dev/urandom >noise.csv
night noise
expect_failure "noise" 3 'noise\.csv'
printf '%s\n%s' $header "$(head -c 3000 /dev/zero | tr '\0' ',')" >commas.csv
night commas
expect_failure "three thousand fields" 3 'commas\.csv'

# ---- names that lead out of a folder ----
cp sql.csv names.csv
refuse_ini() { # WHAT TEXT REGEX...
    local what=$1
    printf '%b' "$2" >names.ini
    shift 2
    night names -c names.ini
    expect_failure "$what" 2 "$@"
}
refuse_ini "an aggregate's name with .." '[aggregate.../../x]\nmeasures = net\n' 'names\.ini|aggregate' 'letters'
refuse_ini "an aggregate's name with SQL" '[aggregate.x"; DROP TABLE y]\nmeasures = net\n' 'aggregate'
refuse_ini "an aggregate with the name of Vesper's own" '[aggregate.vesper_run]\nmeasures = net\n' 'vesper_run'
refuse_ini "an aggregate that is named as a table" '[aggregate.product_total]\nmeasures = net\n' 'product_total'
refuse_ini "a table's name with .." '[sales]\ntables = ../../x\n' '\.\./\.\./x'
refuse_ini "a model's name with .." '[forecast]\nmodels = ../../x\n' '\.\./\.\./x'
refuse_ini "a time zone with .." '[store]\ntime_zone = ../../../etc/passwd\n' 'etc/passwd'
checks=$((checks + 1))
[ ! -e names ] || fail "a store with a bad time zone was made"
refuse_ini "a currency that is a path too long" "[store]\ncurrency = $(head -c 90 /dev/zero | tr '\0' /)\n" 'currency'
night names --input '../orders=names.csv'
expect_failure "an input table with .." 2 '\.\./orders'
checks=$((checks + 1))
[ ! -e ../x ] && [ ! -e names/results/../x ] || fail "something was written outside"

# ---- ini files of any bytes: refused with one line, or taken ----
printf '[store]\npath = s\n[orders.columns]\norder_id = a\n[aggregate.t]\nby = day\nmeasures = net\nwhere = day > 2024-01-01\n' >good.ini
size=$(wc -c <good.ini)
for seed in 1 2 3 4 5 6; do
    awk -v seed=$seed -v size="$size" 'BEGIN { RS = "\001"; srand(seed) } {
        for (k = 0; k < 3; k++) {
            at = int(rand() * size)
            piece = substr("[]=;\\\n \"%\t\200\377" $0, 1 + int(rand() * 12), 1 + int(rand() * 8))
            $0 = substr($0, 1, at) piece substr($0, at + 1 + int(rand() * 9))
        }
        printf "%s", $0 }' good.ini >names.ini
    night names -c names.ini --dry-run
    checks=$((checks + 1))
    case $rc in 0 | 2 | 3) ;; *) fail "ini of seed $seed: exit code $rc: $(cat -v names.ini)"; show_output ;; esac
    [ $rc = 0 ] || expect_failure "ini of seed $seed" "$rc" '.'
done

# ---- stores that were changed, with checksums that are right ----
if /usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null; then
    $datagen --lines 600 --customers 40 --products 20 --days 60 --seed 5 --out raw >/dev/null 2>&1 || fail "vesper-datagen"
    run_vesper 1 nightly --store good --partitions 4 --pair-min-orders 2 --input orders=raw/orders.csv \
        --input products=raw/products.csv --input events=raw/events.csv --input reviews=raw/reviews.csv --to sqlite:good.db
    expect_done "a store to harm"
    # harm SEED FOLDER: sets done.
    harm() {
        rm -rf harmed && cp -a good harmed
        done=$(/usr/bin/python3 "$repo/tests/job/hostile.py" "harmed/$2" "$1" 2>&1 | tail -1)
    }
    endure() { # JOB [OPTION...]
        run_vesper 1 "$@"
        checks=$((checks + 1))
        [ $rc = 0 ] || [ $rc = 4 ] || { fail "$1 of a harmed store ($done): exit code $rc"; show_output; }
        [ $rc = 0 ] || expect_failure "$1 of a harmed store ($done)" 4 '.'
    }
    for seed in 1 2 3 4 5 6 7 8; do
        harm $seed segments
        rm -rf harmed/results
        endure verify --store harmed
        endure sales --store harmed --pair-min-orders 2
    done
    for seed in 1 2 3; do
        harm $seed results
        rm -rf out_folder
        endure publish --store harmed --pair-min-orders 2 --to csv:out_folder
    done
else
    skip_check "stores that were changed: python3-h5py is not installed"
fi

# A manifest and an index of results that name files outside the store.
rm -rf harmed && cp -a sql harmed
sed -i 's|"name": "product_total"|"name": "../../../secret"|' harmed/results/*/tables.json
run_vesper 1 publish --store harmed --pair-min-orders 1 --to sqlite:harmed.db
expect_failure "results that lie outside" 4 'tables\.json' 'name'
rm -rf harmed && cp -a sql harmed
sed -i 's|"name": "orders"|"name": "../../../sql/segments/000001/orders"|' harmed/manifest/000001.json
run_vesper 1 verify --store harmed
expect_failure "a manifest that was changed" 4 '000001\.json' 'checksum'
rm -rf harmed && cp -a sql harmed
sed -i 's|"key": "product_id"|"key": "product_id\\"); DROP TABLE vesper_run; --"|' harmed/results/*/tables.json
run_vesper 1 publish --store harmed --pair-min-orders 1 --to sqlite:harmed.db
expect_failure "SQL for a key" 4 'tables\.json' 'key'
finish
