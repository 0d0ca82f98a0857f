#!/bin/bash
# What a rank takes does not grow with the periods of its series: four times as many series, of a file or of
# a store, take at most 2,000 bytes more for each of them. Their values alone would be that, and what is
# known of their days beside them several times as much.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
days=250 most=2000
options=(--evaluate --frequency daily --horizon 7 --learn-origins 1 --measure-origins 1 --outlier-limit 0
    --forecast-models seasonal,naive2,average --run-record run.json)

# measure RANKS ARGUMENT...: peak := the most memory that a rank had resident.
measure() {
    run_vesper "$1" forecast "${options[@]}" "${@:2}"
    expect_done "$*" || finish
    peak=$(tr -d ' \n' <run.json | grep -o '"peak_bytes_per_rank":{[^}]*' | grep -o '"max":[0-9]*' | grep -o '[0-9]*$')
}

# expect_flat WHAT RANKS FEW_SERIES FEW_PEAK MANY_SERIES MANY_PEAK
expect_flat() {
    local grown=$(($6 - $4)) series=$((($5 - $3) / $2))
    checks=$((checks + 1))
    [ "$grown" -le $((series * most)) ] ||
        fail "$1 on $2 ranks: $series more series on a rank took $grown bytes more: $4, then $6"
    echo "$1 on $2 ranks: $((grown / series)) bytes a series"
}

few=2000 many=8000
# The days outermost: no series comes in one piece.
for n in $few $many; do
    awk -v n="$n" -v days="$days" 'BEGIN {
        print "id,date,value"
        for (t = 0; t < days; t++)
            for (i = 0; i < n; i++)
                printf "s%d,%d,%d\n", i, t, (i * 7 + t * t) % 11 + (t % 7 == 2) * 5
    }' >"$n.csv"
done
for ranks in 1 2; do
    measure $ranks --series $few.csv
    before=$peak
    measure $ranks --series $many.csv
    expect_flat "a file" $ranks $few "$before" $many "$peak"
done

for n in $few $many; do
    $datagen --lines $((n * 40)) --customers 2000 --products "$n" --days $days --seed 3 --out "raw$n" >/dev/null 2>&1 ||
        fail "vesper-datagen"
    run_vesper 1 init --store "store$n"
    run_vesper 2 ingest --store "store$n" --input orders="raw$n/orders.csv" --input products="raw$n/products.csv" \
        --input promotions="raw$n/promotions.csv"
    expect_done "a shop of $n products" || finish
done
measure 1 --store store$few
before=$peak
measure 1 --store store$many
expect_flat "a store" 1 $few "$before" $many "$peak"
finish
