#!/bin/bash
# The night's lists: the same bytes at every number of ranks and threads; what must hold of them, by SQL
# on the published tables; computed once, published with the sales or alone, and left out when asked.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

$datagen --lines 12000 --customers 500 --products 200 --days 120 --seed 3 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
# Every seventh product is sold out, every eleventh is no longer offered.
sqlite3 -csv -header :memory: '.import raw/products.csv products' \
    "UPDATE products SET stock = 0 WHERE rowid % 7 = 0" \
    "UPDATE products SET active = 'no' WHERE rowid % 11 = 0" 'SELECT * FROM products' >products.csv
options=(--recommend yes --factors 8 --iterations 3 --split-days 20 --list-length 10 --most-per-category 3)
learn=(--factors 8 --iterations 3 --split-days 20 --list-length 10 --most-per-category 3)
run_vesper 2 nightly --store store --input orders=raw/orders.csv --input products=products.csv \
    --input customers=raw/customers.csv --input events=raw/events.csv --input reviews=raw/reviews.csv \
    --to sqlite:shop.db "${options[@]}"
expect_done "a night" || finish
expect_text "a night" "$work/out" '^recommend +lists for [0-9,]+ customers'
expect_text "a night" "$work/out" 'NDCG@20 0\.[0-9]{4} \(.*\), popular 0\.[0-9]{4}'

# ask WHAT EXPECTED SQL: of shop.db.
ask() {
    local found
    found=$(sqlite3 shop.db "$3")
    checks=$((checks + 1))
    [ "$found" = "$2" ] || fail "$1: '$found' instead of '$2'"
}
ask "tables" 6 "SELECT count(*) FROM sqlite_master WHERE type = 'table'
    AND name IN ('rec_user', 'rec_item', 'buy_again', 'rec_popular', 'rec_accuracy', 'rec_left_out')"
ask "ranks of rec_user count from 1 without a gap, for at most 10" 0 "SELECT count(*) FROM
    (SELECT customer FROM rec_user GROUP BY 1 HAVING min(rank) <> 1 OR max(rank) <> count(*) OR count(*) > 10)"
ask "every customer has a list" 0 \
    "SELECT count(*) FROM customer_summary WHERE customer NOT IN (SELECT customer FROM rec_user)"
ask "no product twice in a list" 0 \
    "SELECT count(*) FROM (SELECT 1 FROM rec_user GROUP BY customer, product_id HAVING count(*) > 1)"
ask "shares are shares" 0 \
    "SELECT count(*) FROM rec_user WHERE because_share <= 0 OR because_share > 1 + 1e-6"
ask "a reason and its share come together, for the mix alone" 0 "SELECT count(*) FROM rec_user
    WHERE (because_product <> '') <> (because_share IS NOT NULL) OR (because_product <> '' AND model <> 'blend')"
ask "scores of the mix fall" 0 "SELECT count(*) FROM rec_user a JOIN rec_user b ON b.customer = a.customer
    AND b.rank = a.rank + 1 AND a.model = 'blend' AND b.model = 'blend' WHERE b.score > a.score"
ask "most lists are the mix's, with reasons" 1 \
    "SELECT avg(model = 'blend' AND because_product <> '') > .5 FROM rec_user"
ask "due products are likely or not" 0 \
    "SELECT count(*) FROM buy_again WHERE probability < 0 OR probability > 1"
ask "companions are others" 0 "SELECT count(*) FROM rec_item WHERE product_id = other_product OR customers < 2"
ask "the rival and the mix are measured" "blend|popular" "SELECT group_concat(model, '|') FROM (SELECT model
    FROM rec_accuracy WHERE list = 'discover' AND model IN ('blend', 'popular') ORDER BY 1)"
ask "weights of the mix" 1.0 "SELECT sum(weight) FROM rec_accuracy"

# What is owned, sold out or inactive is not shown.
sqlite3 shop.db "SELECT customer, product_id FROM rec_user" >listed
sqlite3 -list :memory: '.import --csv products.csv products' \
    "SELECT product_id FROM products WHERE stock = '0' OR active = 'no'" >hidden
[ -s hidden ] || fail "no product is hidden: the test shows nothing"
checks=$((checks + 2))
[ "$(awk -F'|' 'NR == FNR { hidden[$1]; next } $2 in hidden' hidden listed | wc -l)" = 0 ] ||
    fail "sold-out or inactive products are listed"
# Bought, and not a piece of it given back.
awk -F, 'NR == 1 { next } $12 == "cancelled" || $4 < 0 { back[$6, $3]; next } $6 != "" { bought[$6 "|" $3] = $6 SUBSEP $3 }
    END { for (pair in bought) if (!(bought[pair] in back)) print pair }' raw/orders.csv >owned
[ "$(awk 'NR == FNR { owned[$0]; next } $0 in owned' owned listed | wc -l)" = 0 ] ||
    fail "products that the customer has are listed: $(awk 'NR == FNR { owned[$0]; next } $0 in owned' owned listed | head -1)"

# The shop's own lists: excluded products are neither shown nor named as a reason; of an allow list
# nothing else is shown. Those that the store does not know are said once.
tail -n +2 products.csv | cut -d, -f1 | tr -d '"' | sort >ids
awk 'NR % 5 == 0' ids >out_ids
awk 'NR % 2 == 0' ids >in_ids
{ printf '\xef\xbb\xbf# not these\r\n\n'; sed 's/^/  /; s/$/ \r/' out_ids; echo nowhere; } >exclude.txt
{ echo '# these'; cat in_ids; printf 'neither\nnor'; } >allow.txt
run_vesper 2 nightly --store store --to sqlite:lists.db "${options[@]}" --exclude exclude.txt --allow allow.txt --dry-run
expect_done "a dry run"
mv out told
run_vesper 2 nightly --store store --to sqlite:lists.db "${options[@]}" --exclude exclude.txt --allow allow.txt
expect_done "lists of the shop" || finish
expect_text "a dry run tells the run's name" told "^publish +run $(sqlite3 lists.db 'SELECT run FROM vesper_run') to"
expect_text "an unknown product" err '1 of [0-9]+ products of --exclude are not in the store, the first is nowhere"'
expect_text "unknown products" err '2 of [0-9]+ products of --allow are not in the store, the first is neither"'
[ "$(grep -c 'are not in the store' err)" = 2 ] || fail "unknown products are said more than once"
awk 'NR == FNR { no[$1]; next } !($1 in no)' out_ids in_ids >may
listed() { # TABLE.COLUMN: those of shop.db with products that are not in the file `may`
    sqlite3 lists.db "SELECT DISTINCT ${1#*.} FROM ${1%.*} WHERE ${1#*.} <> ''" | awk 'NR == FNR { may[$1]; next } !($1 in may)' "$2" - | head -3
}
awk 'NR == FNR { no[$1]; next } !($1 in no)' out_ids ids >not_out
for where in rec_user.product_id rec_item.other_product buy_again.product_id rec_popular.product_id; do
    checks=$((checks + 1))
    [ -z "$(listed $where may)" ] || fail "$where has products that may not be shown: $(listed $where may)"
done
checks=$((checks + 2))
[ -z "$(listed rec_user.because_product not_out)" ] || fail "excluded products are named as reasons"
[ -n "$(listed rec_user.because_product may)" ] || fail "products outside the allow list teach nothing"
# The results are known by what the lists hold, not by their paths.
cp exclude.txt same.txt
run_vesper 2 nightly --store store --to sqlite:lists.db "${options[@]}" --exclude same.txt --allow allow.txt
expect_done "the same lists" && expect_text "the same lists" out '^recommend +run .* was computed before'
echo i1 >>same.txt
run_vesper 1 publish --store store --to sqlite:other.db "${options[@]}" --exclude exclude.txt --allow allow.txt
expect_done "published by the lists"
checks=$((checks + 1))
[ "$(sqlite3 other.db 'SELECT count(*) FROM rec_user')" = "$(sqlite3 lists.db 'SELECT count(*) FROM rec_user')" ] ||
    fail "published by the lists: other rows"
run_vesper 2 recommend --store store "${learn[@]}" --exclude same.txt
expect_done "another list" && expect_text "another list" out '^recommend +lists for'
run_vesper 2 recommend --store store --exclude absent.txt
expect_failure "no such list" 2 '--exclude' 'absent\.txt'
echo '# nothing' >nothing.txt
run_vesper 2 recommend --store store --allow nothing.txt
expect_failure "an empty allow list" 2 '--allow' 'nothing would be shown'
(cd store/results && ls) >runs
rm -rf $(awk '/recommend/ { print "store/results/" $1 }' runs)
run_vesper 2 nightly --store store --to sqlite:shop.db "${options[@]}"
expect_done "without the lists again"

# The same bytes in any shape; lists of the night and of the job alone.
mkdir alone && mv store/results/*-recommend-* alone/
rm -rf store/results && mv alone store/results
expect_same_at_any_shape "lists" recommend store "1x1 3x1 4x1 7x1 1x2 3x2" "${learn[@]}"

# Computed once; another option of the lists leaves the sales alone; without them the sales are published.
run_vesper 2 nightly --store store --to sqlite:shop.db "${options[@]}"
expect_done "the same night again" && expect_text "again" "$work/out" '^recommend +run .* was computed before'
run_vesper 2 nightly --store store --to sqlite:shop.db "${options[@]}" --again-days 10
expect_done "another option" && expect_text "another option" "$work/out" '^sales +run .* was computed before'
expect_text "another option" "$work/out" '^recommend +lists for'
run_vesper 2 nightly --store store --to sqlite:shop.db --recommend no
expect_done "without lists" || finish
ask "without lists" 0 "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'rec_user'"
run_vesper 2 publish --store store --to sqlite:shop.db "${options[@]}"
expect_done "published again with lists" || finish
ask "published again with lists" 1 "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'rec_user'"

# A shop without orders, and one whose history is a single day.
head -1 raw/orders.csv >none.csv
awk -F, 'NR == 1 || substr($2, 1, 10) == day || (NR == 2 && (day = substr($2, 1, 10)) != "")' raw/orders.csv >day.csv
for shop in none day; do
    run_vesper 3 nightly --store "store.$shop" --input "orders=$shop.csv" --to "sqlite:$shop.db" "${options[@]}"
    expect_done "shop '$shop'" && expect_text "shop '$shop'" "$work/out" 'not measured: the history is too short'
done
run_vesper 2 nightly --store store --to sqlite:shop.db --recommend maybe
expect_failure "neither yes nor no" 2 "--recommend 'maybe'"
run_vesper 2 recommend --store store --train raw/orders.csv --test raw/orders.csv
expect_failure "files without --evaluate" 2 '--evaluate'
finish
