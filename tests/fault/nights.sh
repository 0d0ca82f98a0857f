# The two nights that the fault tests disturb; sourced after support/vesper.sh.
#
# The first night makes the store and publishes; the second takes in new orders and orders that
# come again, compressed and in part bad, and every other table, and publishes over the first.

cd "$work" || exit 1
make_orders 1 60 0 >night1.csv
{
    make_orders 41 40 1
    echo 'o90,2024-05-01 10:00:00,p1,many,1.00,c1,Chile'
    echo 'o91,2024-05-01 10:00:00,p1,1,1.00,c1,Chile'
    echo 'o91,2024-05-01 10:00:00,p2,1,1.00,c2,Chile' # an order has one customer
} | gzip >night2.csv.gz
printf 'product_id,name,category\np1,One,a/b\np2,Two,a/c\n' >products.csv
printf 'customer_id,joined_at,country\nc1,2023-01-01,Chile\nc2,2023-02-01,Norway\n' >customers.csv
printf 'customer_id,at,kind,product_id\nc1,2024-01-01 10:00:00,view,p1\n' >events.csv
printf 'product_id,from,to,depth\np1,2024-01-01,2024-01-05,0.2\n' >promotions.csv
printf 'product_id,from,to\np1,2024-01-03,\n' >stockouts.csv
printf 'day,country,name\n2024-01-01,,New Year\n' >holidays.csv
printf 'product_id,rating,at\np1,5,2024-02-01\np2,4,2024-02-02\n' >reviews.csv

# What shapes the results, what else a night is told, and the second night's tables beside orders.
shape=(--pair-min-orders 2 --recommend yes --split-days 10 --factors 4 --iterations 2 --warm-start yes
    --forecast yes --horizon 3 --learn-origins 2 --forecast-models average,tsb,pooled)
how=(--partitions 8 --max-rejected 0.1 --checkpoint-seconds 0)
tables=(--input products=products.csv --input customers=customers.csv --input events=events.csv
    --input reviews=reviews.csv --input promotions=promotions.csv
    --input stockouts=stockouts.csv --input holidays=holidays.csv)

# The arguments of night NUMBER, in night_arguments.
prepare_night() {
    night_arguments=(nightly --store store "${how[@]}" "${shape[@]}" --to sqlite:shop.db)
    if [ "$1" = 1 ]; then
        night_arguments+=(--input orders=night1.csv)
    else
        night_arguments+=(--input orders=night2.csv.gz "${tables[@]}")
    fi
}

# night NUMBER RANKS: on ./store and ./shop.db.
night() {
    prepare_night "$1"
    run_vesper "$2" "${night_arguments[@]}"
}

# restore NUMBER: as it was before that night.
restore() {
    rm -rf store shop.db shop.db-journal shop.db-wal shop.db-shm
    [ "$1" = 1 ] || cp -a after1/. .
}

# What an undisturbed night leaves: after1/, dump1 and dump2.
learn_nights() { # RANKS
    restore 1
    night 1 "$1"
    expect_done "the first night, undisturbed" || finish
    dump_db shop.db >dump1
    rm -rf after1
    mkdir after1 && cp -a store shop.db after1/
    night 2 "$1"
    expect_done "the second night, undisturbed" || finish
    dump_db shop.db >dump2
    dump_published shop.db >shown2
    (restore 2 && dump_published shop.db >shown1)
    : >shown0
}

# What a reader sees after a disturbed night NUMBER is the night before or this one, whole.
expect_whole_night() { # WHAT NUMBER
    checks=$((checks + 1))
    if [ -e shop.db ]; then
        dump_published shop.db >shown 2>&1
    else
        : >shown
    fi
    if [ "$2" = 1 ] && ! grep -q 'CREATE TABLE' shown; then
        return 0
    fi
    if ! cmp -s shown "shown$2" && ! cmp -s shown "shown$(($2 - 1))"; then
        fail "$1: a reader sees neither night whole"
        return 1
    fi
}

# The same command again must end with what an undisturbed night gives.
expect_rerun() { # WHAT NUMBER RANKS
    night "$2" "$3"
    expect_done "$1, run again" || return 1
    expect_sum "$1, run again"
    dump_db shop.db >dump
    expect_same "$1, run again" "dump$2" dump
}
