#!/bin/bash
# Bad input of every kind: the right exit code, exactly one error line, and in it the file, the
# line and what to do.
. "$(dirname "$0")/../support/vesper.sh"

header=order_id,ordered_at,product_id,quantity,unit_price,customer_id
row=o1,2024-05-01,p1,2,3.50,c1
cd "$work" || exit 1

# ingest FILE [OPTION...]: into a fresh store, on two ranks.
ingest() {
    local file=$1
    shift
    rm -rf store
    run_vesper 2 nightly --store store --partitions 8 --to sqlite:shop.db --input "orders=$file" "$@"
}

# bad_row WHAT ROW FIELD REASON: the row is rejected with its place, and refused by default.
bad_row() {
    printf '%s\n%s\n%b\n' "$header" "$row" "$2" >bad.csv
    ingest bad.csv
    expect_failure "$1, refused" 3 'bad\.csv:3' 'max.rejected|rejects'
    ingest bad.csv --max-rejected 1
    expect_done "$1, let pass"
    expect_rows "$1" 2 1 1 0
    expect_text "$1" store/rejects/000001-orders.csv "bad\.csv,3,$3,\"?[^,]*$4"
}

ingest missing.csv
expect_failure "missing file" 3 'missing\.csv' 'No such file|not there|does not exist'

: >empty.csv
ingest empty.csv
expect_failure "empty file" 3 'empty\.csv' 'empty'

printf '%s\n%s\n' "$row" "$row" >noheader.csv
ingest noheader.csv
expect_failure "no header" 3 'noheader\.csv' 'header|column' 'order_id'

printf '%s\n%s\n' "$header" "$row" >good.csv
printf '[orders.columns]\norder_id = Invoice\n' >mapping.ini
ingest good.csv -c mapping.ini
expect_failure "column of the mapping that is not there" 3 'good\.csv' 'Invoice' 'order_id'

printf '[orders.columns]\norder_nr = order_id\n' >canonical.ini
ingest good.csv -c canonical.ini
expect_failure "mapping of a column that does not exist" 2 'order_nr' 'order_id'

printf '%s\n%s\no2,2024-05-01,"p2,1,1,c1\n%s\n' "$header" "$row" "$row" >quote.csv
ingest quote.csv
expect_failure "quote that is never closed" 3 'quote\.csv:3' 'quote'

bad_row "invalid UTF-8" 'o2,2024-05-01,p\xff,1,1,c1' product_id 'UTF-8'
bad_row "number too large" 'o2,2024-05-01,p2,99999999999999999999,1,c1' quantity 'large'
bad_row "price too large" 'o2,2024-05-01,p2,1,99999999999999999999,c1' unit_price 'large'
bad_row "bad date" 'o2,2024-02-30,p2,1,1,c1' ordered_at 'date|time'
bad_row "not a number" 'o2,2024-05-01,p2,many,1,c1' quantity 'number'
bad_row "too few fields" 'o2,2024-05-01,p2' '[a-z_]*' 'field|column'
bad_row "no order id" ',2024-05-01,p2,1,1,c1' order_id 'empty'

make_orders 1 3000 0 >cut.csv
for kind in xz gz zst; do
    case $kind in
    xz) xz -k cut.csv ;;
    gz) gzip -k cut.csv ;;
    zst) zstd -q cut.csv ;;
    esac
    size=$(stat -c %s "cut.csv.$kind")
    head -c $((size / 2)) "cut.csv.$kind" >"half.csv.$kind"
    ingest "half.csv.$kind"
    expect_failure "truncated .$kind" 3 "half\.csv\.$kind" 'cut off|truncated|ends|damaged'
done

mkdir folder
ingest folder
expect_failure "folder without files" 3 'folder' 'no .*(file|\.csv)|empty'

ingest good.csv --frobnicate
expect_failure "unknown option" 2 'frobnicate'
run_vesper 2 forecast --store store --horizonn 3
expect_failure "an option with a slip" 2 "unknown option --horizonn; did you mean --horizon\? see 'vesper forecast --help'\$"
run_vesper 1 sales --store store --pair-min 3
expect_failure "an option that may be several" 2 "option --pair-min is ambiguous; it may be --pair-min-orders, --pair-min-confidence, --pair-min-lift; see 'vesper sales --help'\$"
run_vesper 1 sales --store store --horizon 3
expect_failure "an option of another job" 2 "'vesper sales' takes no --horizon; see 'vesper sales --help'\$"
ingest good.csv --partitions many
expect_failure "option that is no number" 2 'partitions' 'many'
ingest good.csv --partitions 12
expect_failure "partitions that are no power of two" 2 '12' 'power of two'
run_vesper 2 verify --store store --to sqlite:x.db
expect_failure "option of another job" 2 '--to' 'verify --help'
run_vesper 2 nigtly --store store
expect_failure "unknown job" 2 "'nigtly'" 'did you mean nightly' 'publish'
run_vesper 2
expect_failure "no job" 2 'vesper --help'
run_vesper 2 nightly --input orders=good.csv
expect_failure "no store named" 2 '--store'
ingest good.csv --input shoes=good.csv
expect_failure "unknown table" 2 'shoes' 'orders.*products'

printf '[store]\ncolour = red\n' >key.ini
ingest good.csv -c key.ini
expect_failure "unknown ini key" 2 'key\.ini' 'colour'
ingest good.csv -c absent.ini
expect_failure "missing ini file" 2 'absent\.ini'
ingest good.csv --time-zone Mars/Base
expect_failure "unknown time zone" 2 'Mars/Base'
ingest good.csv --to mongodb:shop
expect_failure "unknown target" 2 'mongodb' 'sqlite'
run_vesper 2 verify --store nowhere
expect_failure "no store there" 2 'nowhere' 'init'

# A good night, for what follows.
ingest cut.csv --to sqlite:kept.db
expect_done "a good night"
dump_db kept.db >kept.dump
cp -a store good_store

run_vesper 2 nightly --store store --currency USD --to sqlite:kept.db
expect_failure "other settings than the store's" 2 'currency' 'EUR' 'USD'

sed -i 's/\("format"[^0-9]*\)1\b/\199/' store/store.json
run_vesper 2 nightly --store store --to sqlite:kept.db
expect_failure "store of a newer format" 4 'store' '99' 'newer'
rm -rf store && cp -a good_store store

# One flipped byte in the prices.
segment=$(echo store/segments/*/orders.h5)
place=$(h5dump -pH -d /unit_price "$segment" | sed -n 's/^ *OFFSET \([0-9]*\)$/\1/p')
byte=$(od -An -tu1 -j "$place" -N1 "$segment")
printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$segment" bs=1 seek="$place" conv=notrunc status=none
run_vesper 2 verify --store store
expect_failure "one flipped byte, verify" 4 'orders\.h5' 'price' 'partition'
run_vesper 2 sales --store store --pair-min-orders 3
expect_failure "one flipped byte, sales" 4 'orders\.h5' 'price' 'partition'
rm -rf store && cp -a good_store store

{ make_orders 1 40 0; echo 'x1,yesterday,p1,1,1,c1,Chile'; echo 'x2,today,p1,1,1,c1,Chile'; } >many.csv
ingest many.csv
expect_failure "too many rejects" 3 'many\.csv:' '2 of' 'max.rejected'

# More ranks than partitions: idle ranks, the same answers.
rm -rf store
run_vesper 3 nightly --store store --partitions 2 --to sqlite:few.db --input orders=cut.csv
expect_done "more ranks than partitions"
dump_db few.db >few.dump
sed 's/[0-9]*-[0-9a-f]*//' kept.dump >kept.plain
sed 's/[0-9]*-[0-9a-f]*//' few.dump >few.plain
expect_same "more ranks than partitions" kept.plain few.plain

# A target that cannot be written: the night before stays.
if [ "$(id -u)" = 0 ]; then
    mkdir read_only && mount -t tmpfs -o size=8m tmpfs read_only 2>/dev/null &&
        cp kept.db read_only/shop.db && mount -o remount,ro read_only && mounted=read_only
else
    mkdir read_only && cp kept.db read_only/shop.db && chmod 0400 read_only/shop.db &&
        chmod 0500 read_only
fi
if [ -n "${mounted:-}" ] || [ "$(id -u)" != 0 ]; then
    rm -rf store
    run_vesper 2 nightly --store store --partitions 8 --input orders=good.csv \
        --to sqlite:read_only/shop.db
    expect_failure "read-only target" 4 'read_only/shop\.db' 'read.?only|[Pp]ermission|cannot'
    dump_db 'file:read_only/shop.db?immutable=1' >after.dump
    expect_same "a read-only target keeps its night" kept.dump after.dump
else
    skip_check "read-only target: mounting is not allowed here"
fi
[ -z "${mounted:-}" ] || umount read_only
chmod -R u+w read_only
rm -rf store
run_vesper 2 nightly --store store --partitions 8 --input orders=good.csv \
    --to sqlite:no_folder/shop.db
expect_failure "target in a folder that is not there" 4 'no_folder'

# A full disk, at several sizes, so that it fills at different stages.
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m tmpfs small 2>/dev/null; then
    make_orders 1 20000 0 >large.csv
    xz -k large.csv
    for input in large.csv large.csv.xz; do
        for room in 64k 256k 600k; do
            rm -rf small/*
            mount -o "remount,size=$room" small
            run_vesper 2 nightly --store small/store --input "orders=$input" --to sqlite:full.db
            expect_failure "full disk of $room, $input" 4 'small' 'disk is full|[Nn]o space' 'free space|room'
        done
    done
    rm -rf small/*
    mount -o remount,size=64m small
    run_vesper 2 nightly --store small/store --input orders=large.csv --to sqlite:full.db
    expect_done "the same night when there is room"
    expect_rows "the same night when there is room" 50000 50000 0 0
    umount small
else
    skip_check "full disk: mounting a small tmpfs is not allowed here"
fi
finish
