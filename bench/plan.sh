#!/usr/bin/env bash
# What `vesper plan` foretells of a night's stages beside what they then take, from run.json: a first
# night of sales alone for each number of lines, and a whole one, with recommendations and forecasts, of
# a shop of 300,000 lines and 1,000 products; on one rank and on two.
#   bench/plan.sh [LINES...]      (default: 1000000 10000000; WHOLE=no: without the whole night)
# Prints a table as it stands in docs/plan.md. The whole night takes minutes.
. "$(dirname "$0")/lib.sh"
bench_build
[ $# -gt 0 ] || set -- 1000000 10000000
nights=$work/plan-nights.csv
: >"$nights"

# night NAME ORDERS OPTION...: a first night, whose run.json becomes lines of $nights.
night() {
    local name=$1 orders=$2 store=$work/plan-store
    shift 2
    for ranks in 1 2; do
        rm -rf "$store" "$store.db"
        quietly vesper nightly --store "$store" --input "orders=$orders" --to "sqlite:$store.db" --threads 1 "$@"
        node -e 'const run = JSON.parse(require("fs").readFileSync(0, "utf8"));
            for (const s of run.stages.filter((stage) => stage.predicted))
                console.log([process.argv[1], process.argv[2], s.name, ...["peak_bytes", "sent_bytes", "read_bytes",
                    "written_bytes"].flatMap((f) => [s.predicted[f], s[f]]), s.predicted.seconds, s.seconds_max].join())' \
            "$name" "$ranks" <"$store/run.json" >>"$nights"
    done
    rm -rf "$store" "$store.db"
}

for lines in "$@"; do
    orders=$(bench_orders "$lines")
    night "$lines lines" "$orders" --recommend no --forecast no
done
if [ "${WHOLE:-yes}" = yes ]; then
    shop=$work/plan-shop
    [ -d "$shop" ] || quietly "$root/build/release/vesper-datagen" --lines 300000 --customers 30000 --products 1000 \
        --seed 1 --tables orders --out "$shop"
    night "300000 lines (whole)" "$shop/orders.csv" --recommend yes --forecast yes
fi
awk -F, '
    function pair(i, unit, digits) { return sprintf("%.*f / %.*f", digits, $i / unit, digits, $(i + 1) / unit) }
    BEGIN {
        print "| night | ranks | stage | MB a rank | MB sent | MB read | MB written | seconds |"
        print "|---|---|---|---|---|---|---|---|"
    }
    { printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, pair(4, 1e6, 0), pair(6, 1e6, 0),
          pair(8, 1e6, 0), pair(10, 1e6, 0), pair(12, 1, 1) }
' "$nights"
