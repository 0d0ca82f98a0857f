#!/bin/bash
# Warm start: the lists' learning begins with the product factors of the generation before, has a
# lower loss from the start and fewer iterations; the same night gives the same bytes at any number of
# ranks, whatever was computed after it; what is damaged is said.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 12000 --customers 500 --products 200 --days 120 --seed 3 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
# The last days come as nights of their own, and bring a product that nobody knew.
awk -F, 'NR == 1 { print >"early.csv"; print >"late.csv"; print >"last.csv"; next }
    { day = substr($2, 1, 10)
      print >(day < "2023-04-15" ? "early.csv" : day < "2023-04-25" ? "late.csv" : "last.csv") }' raw/orders.csv
awk -F, -v OFS=, 'NR > 1 && NR % 9 == 0 { $3 = "a-new-one" } { print }' late.csv >late_new.csv
run_vesper 1 init --store store
options=(--factors 8 --iterations 6 --warm-iterations 2 --split-days 20 --list-length 10 --warm-start yes)
night() { # RANKS FILE [OPTION...]
    run_vesper 2 ingest --store store --input "orders=$2"
    expect_done "ingest of $2"
    run_vesper "$1" recommend --store store "${options[@]}" "${@:3}"
    expect_done "the night of $2"
}
# first_loss: after the first iteration of the last learning; iterations: how many that had.
first_loss() { sed -n 's/.*iteration=1 loss=\([0-9.e+]*\) .*/\1/p' err | tail -1; }
iterations() { sed -n 's/.*recommend.ials iteration=\([0-9]*\) .*/\1/p' err | tail -1; }
begins() { grep -c 'recommend.ials .*begins with' err; }
is() { # WHAT FOUND EXPECTED
    checks=$((checks + 1))
    [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"
}

night 2 early.csv
is "the first night begins with nothing" "$(begins)" 0
is "the first night, iterations" "$(iterations)" 6
first=$(cd store/results && ls -d *.factors)
night 2 late_new.csv
is "the second night begins warm" "$(begins)" 1
expect_text "the second night" err "recommend.ials .*begins with ${first%.factors}.factors"
is "the second night, iterations" "$(iterations)" 2
warm=$(first_loss)
night 2 last.csv
is "the third night begins warm" "$(begins)" 1
expect_text "the third night" err "begins with 000002-"

# Each night again, alone, at other numbers of ranks: what came later is not looked at.
cp -a store/results after
for ranks in 1 3 4; do
    rm -rf store/results/000003-*
    run_vesper $ranks recommend --store store "${options[@]}"
    expect_done "the third night on $ranks ranks"
    checks=$((checks + 1))
    found=$(diff -rq after store/results) || fail "the third night on $ranks ranks: $(echo "$found" | head -3)"
done

# The source is named in the factors that are kept.
checks=$((checks + 1))
strings=$(tr -cd '[:print:]' <store/results/"$(cd store/results && ls -d 000003-*.factors)"/learned.h5)
case $strings in
*000002-recommend-*.factors*) ;;
*) fail "the factors do not say what they began with" ;;
esac

# Cold, the loss begins higher; other options begin cold.
rm -rf store/results/000003-*
cold=("${options[@]}")
cold[-1]=no
run_vesper 2 recommend --store store "${cold[@]}"
expect_done "cold"
is "cold, iterations" "$(iterations)" 6
is "cold: nothing is kept" "$(ls -d store/results/000003-*.factors 2>/dev/null)" ""
is "the loss begins lower when warm" \
    "$(awk -v warm="$warm" -v cold="$(first_loss)" 'BEGIN { print (warm < cold) }')" 1
run_vesper 2 recommend --store store "${options[@]}" --factors 7
expect_done "other factors" && is "other factors" "$(begins)" 0

source=store/results/$(cd store/results && ls -d 000002-*.factors)
truncate -s 1000 "$source/items.h5"
run_vesper 3 recommend --store store "${options[@]}"
expect_failure "a damaged source" 4 'results/000002-.*factors'
run_vesper 1 recommend --store store --warm-start maybe
expect_failure "neither yes nor no" 2 "--warm-start 'maybe'"
finish
