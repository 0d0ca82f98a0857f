#!/bin/bash
# --as-of DATE: the night of a store that has everything, as of a day, is that of a store that only
# ever took in what happened up to the day: every published row, at any number of ranks, whatever
# else later days brought (products, customers, countries). Then its edges.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

day=2023-03-04
$datagen --lines 8000 --customers 450 --products 120 --days 80 --seed 5 --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
# Countries, channels and currencies that only later days have; an order with lines before and after the
# day; carts and reviews of products that were never sold before it.
awk -F, -v OFS=, -v day=$day 'NR > 1 && substr($2, 1, 10) > day { if (NR % 5 == 0) $8 = "Atlantis"; if (NR % 7 == 0) $9 = "fax" }
    NR > 1 && $1 % 50 == 0 { $2 = (NR % 2 ? "2023-03-0" 3 + NR % 3 : day) "T10:0" NR % 9 ":00"; $6 = "both"; $8 = "Peru" }
    { print }' raw/orders.csv >orders.csv
mv orders.csv raw/orders.csv

# up_to DAY FOLDER: two batches of what happened up to a day, each with every second order, event and
# review, so that codes of the second one are those of days before and after.
up_to() {
    local table column
    mkdir -p "$2"
    while read -r table column; do
        awk -F, -v last="$1" -v column="$column" -v to="$2/$table" 'NR == 1 {
                for (i = 1; i <= NF; i++) if ($i == column) at = i
                print >(to "1.csv"); print >(to "2.csv"); next }
            substr($at, 1, 10) <= last { half = column == "ordered_at" ? $1 % 2 : NR % 2; print >(to half + 1 ".csv") }' \
            "raw/$table.csv"
    done <<<"orders ordered_at
events at
reviews at
customers joined_at"
    cp raw/products.csv raw/promotions.csv raw/stockouts.csv raw/holidays.csv "$2"
    # Orders that come again, on a day before and as they were later.
    awk -F, -v OFS=, 'NR > 1 && $1 % 98 == 0 { $4 += 1; print }' "$2/orders1.csv" >>"$2/orders2.csv"
}
options=(--recommend yes --forecast yes --factors 4 --iterations 2 --split-days 14 --list-length 6
    --horizon 7 --learn-origins 2 --forecast-models "ses,theta,sba,seasonal naive" --pair-min-orders 2)

# take_in STORE FOLDER TABLE...: its two batches; TABLE: plans and catalogue, with the first.
take_in() {
    local store=$1 folder=$2 batch table inputs
    shift 2
    for batch in 1 2; do
        inputs=()
        for table in orders events reviews customers; do
            inputs+=(--input "$table=$folder/$table$batch.csv")
        done
        for table in "$@"; do
            inputs+=(--input "$table=$folder/$table.csv")
        done
        set --
        run_vesper 2 ingest --store "$store" "${inputs[@]}"
        expect_done "batch $batch of $folder" || finish
    done
}

dump_tables() { # DATABASE: every published row, without those of the run
    local table
    for table in $(sqlite3 "$1" "SELECT name FROM sqlite_master WHERE type = 'table'
            AND name NOT LIKE 'vesper_run%' AND name NOT LIKE '%\_\_previous' ESCAPE '\' ORDER BY name"); do
        echo "$table"
        sqlite3 "$1" "SELECT * FROM $table"
    done
}

up_to 9999-12-31 everything
up_to $day until
for plans in "" "products promotions stockouts holidays"; do
    rm -rf store cut
    for store in store cut; do
        run_vesper 1 init --store $store --partitions 8
        expect_done "init"
    done
    take_in store everything $plans
    take_in cut until $plans
    run_vesper 2 nightly --store cut --to sqlite:cut.db "${options[@]}"
    expect_done "a store of these days, with plans '$plans'" || finish
    dump_tables cut.db >expected
    for ranks in 1 3; do
        rm -rf store/results as_of.db
        run_vesper $ranks nightly --store store --to sqlite:as_of.db --as-of $day "${options[@]}"
        expect_done "as of a day, with plans '$plans'" || finish
        dump_tables as_of.db >dump
        expect_same "as of a day, with plans '$plans', on $ranks ranks" expected dump
    done
    rm -f cut.db
done
sqlite3 as_of.db "SELECT as_of, rows_in_force, generation FROM vesper_run WHERE current" >dump
sqlite3 as_of.db "SELECT max(day), sum(lines), 2 FROM sales_daily" >expected
expect_same "what vesper_run says" expected dump
expect_text "the summary" out "order lines up to $day\$"
expect_text "run.json" store/run.json '"seen_until": "2023-03-04"'

# The parts alone make the same runs; other days and all days are other runs; the data stay.
data() { # of the store
    (cd store && find segments manifest CURRENT store.json -type f -exec cksum {} + | sort)
}
data >before
mv store/results nightly
for job in sales recommend forecast; do
    learn=()
    for ((i = 0; i < ${#options[@]}; i += 2)); do
        "$vesper" $job --help | grep -q -- " ${options[i]} " && learn+=("${options[@]:i:2}")
    done
    run_vesper 2 $job --store store --as-of $day "${learn[@]}"
    expect_done "$job as of a day"
done
expect_same_store "the parts alone" nightly store/results
run_vesper 2 publish --store store --to sqlite:parts.db --as-of $day "${options[@]}"
expect_done "published as of a day"
dump_tables parts.db >dump
dump_tables as_of.db >expected
expect_same "published as of a day" expected dump
run_vesper 2 nightly --store store --to sqlite:all.db "${options[@]}"
expect_done "of all data" && expect_text "of all data" out '^sales +[0-9,]+ orders of'
dump_tables all.db >expected
for late in 2023-03-21 2040-01-01; do
    run_vesper 2 nightly --store store --to sqlite:all.db --as-of $late "${options[@]}"
    expect_done "as of $late" && expect_text "as of $late" out '^sales +run 000002-[0-9a-f]{8} was computed before'
    dump_tables all.db >dump
    expect_same "as of $late" expected dump
done
run_vesper 1 sales --store store --as-of 2023-03-03
expect_done "as of another day" && expect_text "as of another day" err 'run=000002-20230303-[0-9a-f]{8}$'
# Parts that nobody computed as of a day: what a target shows does not go without a word.
undone=(publish --store store --as-of 2023-03-03 --recommend yes --forecast yes)
run_vesper 2 "${undone[@]}" --to sqlite:all.db
expect_failure "parts that are not computed, in force" 6 "recommend is not computed with these options" \
    'the first of 2 reasons' "run 'vesper recommend' with the same options first" '--recommend no'
dump_tables all.db >dump
expect_same "parts that are not computed, in force" expected dump
run_vesper 2 "${undone[@]}" --to sqlite:new.db
expect_done "parts that are not computed"
expect_text "parts that are not computed" out "without recommend, forecast: not computed with these options; \
run 'vesper recommend' and 'vesper forecast' with the same options"
expect_text "parts that are not computed" err ' warn publish note="without recommend, forecast: '
run_vesper 1 "${undone[@]}" --to sqlite:all.db --recommend no --force "no forecasts of that day"
expect_done "parts that may go"
expect_text "parts that may go" out ' without forecast: not'
run_vesper 1 nightly --store store --to sqlite:as_of.db --as-of $day "${options[@]}" --dry-run
expect_done "a dry run" && expect_text "a dry run" out \
    "^publish +run $(sqlite3 as_of.db 'SELECT run FROM vesper_run WHERE current = 1') to"
run_vesper 1 nightly --store store --to sqlite:as_of.db --as-of 2040-01-01 "${options[@]}" --dry-run
expect_done "a dry run as of all days" && expect_text "a dry run as of all days" out \
    "^publish +run $(sqlite3 all.db 'SELECT run FROM vesper_run WHERE current = 0') to"
data >after
expect_same "the data after all this" before after
run_vesper 2 verify --store store
expect_done "verify"

# Models are measured as of a day, too.
run_vesper 2 recommend --store store --as-of $day --evaluate --models popular --split-days 14
expect_done "measured as of a day" && expect_text "measured as of a day" out 'held out: 2023-02-19 and later'
run_vesper 1 forecast --store store --as-of $day --evaluate --horizon 7 --forecast-models ses --learn-origins 2
expect_done "forecasts measured as of a day"

# An order that came again is seen as it stands now: put off to a later day, and cancelled.
head -1 raw/orders.csv >lines1.csv
cp lines1.csv lines2.csv
echo "a,2024-05-01 10:00:00,p,1,5.00,c,1,NL,web,EUR,0,completed
b,2024-05-02 10:00:00,p,1,7.00,d,1,NL,web,EUR,0,completed
c,2024-05-03 10:00:00,p,1,9.00,e,1,NL,web,EUR,0,completed" >>lines1.csv
echo "a,2024-05-04 10:00:00,p,1,5.00,c,1,NL,web,EUR,0,completed
b,2024-05-02 10:00:00,q,2,7.00,d,1,NL,web,EUR,0,cancelled" >>lines2.csv
run_vesper 1 init --store again
for batch in 1 2; do
    run_vesper 2 ingest --store again --input orders=lines$batch.csv
    expect_done "orders, batch $batch"
done
run_vesper 3 nightly --store again --as-of 2024-05-03 --to sqlite:again.db --pair-min-orders 1
expect_done "orders that came again"
sqlite3 again.db "SELECT day, gross, returned, orders FROM sales_daily" \
    "SELECT customer, orders FROM customer_summary" "SELECT product_id FROM product_total" \
    "SELECT rows_in_force FROM vesper_run" >dump
printf '%s\n' '2024-05-02|1400|1400|0' '2024-05-03|900|0|1' 'd|0' 'e|1' p q 2 >expected
expect_same "orders that came again" expected dump

# A night that takes in more than it looks at.
rm -rf again/results
echo "d,2024-05-05 10:00:00,p,1,1.00,f,1,NL,web,EUR,0,completed" | cat <(head -1 raw/orders.csv) - >lines3.csv
run_vesper 2 nightly --store again --as-of 2024-05-03 --to sqlite:more.db --pair-min-orders 1 --input orders=lines3.csv
expect_done "more comes in" && expect_text "more comes in" out '^store +again, generation 3, 2 order lines up to 2024-05-03'
dump_tables again.db >expected
dump_tables more.db >dump
expect_same "more comes in" expected dump

# A rank that fails while it looks back: one line, and the same command again.
VESPER_FAULT=store.as_of:2:1 run_vesper 3 sales --store store --as-of 2023-02-02
expect_failure "a rank that fails" 4 'injected fault at store.as_of'
run_vesper 3 sales --store store --as-of 2023-02-02
expect_done "again" && expect_text "again" err 'run=000002-20230202-[0-9a-f]{8}$'

# refused WHAT REGEX ARGUMENT...
refused() {
    local what=$1 regex=$2
    shift 2
    run_vesper 2 "$@"
    expect_failure "$what" 2 "$regex"
}
refused "before the first day" 'as of 2022-12-31 .*first day is 2023-01-01' sales --store store --as-of 2022-12-31
for text in 2023-02-30 yesterday 20230304; do
    refused "'$text'" "--as-of '$text' is no day; write it as in" nightly --store store --as-of $text
done
refused "a dry run" "--as-of 'x' is no day" nightly --store store --as-of x --dry-run
refused "of files" '--as-of looks back in a store' recommend --evaluate --train raw/orders.csv --test raw/orders.csv --as-of $day
refused "a job without" "'vesper ingest' takes no --as-of; see 'vesper ingest --help'" ingest --store store --as-of $day
refused "not computed" 'no results of generation .* \(run 000002-20230201-' publish --store store --as-of 2023-02-01 "${options[@]}"
run_vesper 1 init --store empty
run_vesper 2 sales --store empty --as-of $day
expect_done "an empty store"
finish
