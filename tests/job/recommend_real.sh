#!/bin/bash
# Models measured on the real orders: the figures of the reference, which was computed apart from
# Vesper, and of those that have a random start or choose for themselves at least what is promised.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
time_limit=${VESPER_TIME_LIMIT:-600}

input=$shared/data/online_retail.csv.xz
[ -f "$input" ] || skip_test "no $input; set VESPER_SHARED to the folder that has it"
run_vesper 1 init -c "$repo/data/online_retail.ini" --store store
run_vesper 2 ingest -c "$repo/data/online_retail.ini" --store store --input "orders=$input"
expect_done "the real orders" || finish

measure() { # OPTION...
    run_vesper 2 recommend --evaluate -c "$repo/data/online_retail.ini" --store store \
        --split-date 2011-11-09 "$@"
    expect_done "measured with $*"
}

# expect_figures near|least PROTOCOL MODEL COLUMN VALUE [COLUMN VALUE...]: in the table of the last run;
# near: within 0.0002, which is what ties among equals may move.
expect_figures() {
    local how=$1 protocol=$2 model=$3 wrong
    shift 3
    checks=$((checks + 1))
    wrong=$(awk -v how="$how" -v protocol="$protocol" -v model="$model" -v wanted="$*" '
        /recall@10/ { inside = index($0, protocol) == 1; last = 1
            for (i = 1; i <= NF; i++) if ($i ~ /@/) place[$i] = ++last
            next }
        inside && $1 == model { found = 1; n = split(wanted, pair, " ")
            for (i = 1; i < n; i += 2) {
                value = $(place[pair[i]]); off = value - pair[i + 1]
                if (how == "least" ? off < 0 : off > .00021 || off < -.00021)
                    print pair[i] " is " value ", not " pair[i + 1] } }
        END { if (!found) print "there is no such row" }' out)
    [ -z "$wrong" ] || fail "$protocol, $model: $wrong"
}
near() { expect_figures near "$@"; }
least() { expect_figures least "$@"; }

# The reference keeps what came back; GP-TopFreq has no neighbours and counts each order the same. The mix,
# which has no reference, is measured once, below.
measure --keep-returned --models popular,itemknn,ease,ials,repeat --repeat-neighbours 0 --repeat-decay 1
expect_text "the split" out '^train +4,067 users, 3,624 items, 231,185 pairs$'
expect_text "the split" out '^test +1,288 users, [0-9,]+ pairs to discover$'
expect_text "the split" out '^ +1,395 users, [0-9,]+ pairs to buy again$'
near discover popular recall@20 .0372 NDCG@20 .0396 hits@20 .3672
near discover itemknn recall@20 .0936 NDCG@20 .0897 hits@20 .5435
near discover ease recall@20 .1062 NDCG@20 .1051 hits@20 .6118
least discover ials recall@20 .096 NDCG@20 .098
near "buy again" popular recall@10 .0311 NDCG@10 .0807 hits@10 .4487
near "buy again" repeat recall@10 .1786 NDCG@10 .3495 hits@10 .8466

measure --keep-returned --models itemknn,ease,repeat --knn-neighbours 50 --ease-lambda 100 \
    --repeat-neighbours 0 --repeat-decay .9
near discover itemknn recall@20 .0921 NDCG@20 .0924 hits@20 .5272
near discover ease recall@20 .1022 NDCG@20 .1020 hits@20 .6149
near "buy again" repeat recall@10 .1811 NDCG@10 .3532 hits@10 .8452

measure --keep-returned --models ease,repeat --ease-lambda 1000 --repeat-neighbours 0 --repeat-decay 1 \
    --repeat-fill no
near "buy again" repeat recall@10 .1779 NDCG@10 .3488 hits@10 .8423
near discover ease recall@20 .1050 NDCG@20 .1025 hits@20 .6079

# As it comes: the lists that are published.
measure --models blend,repeat
least discover blend recall@20 .106 NDCG@20 .105
least "buy again" repeat recall@10 .181
finish
