#!/bin/bash
# The command of the README on the real data: answers equal to the reference, the same bytes at
# every number of ranks, and a second run that changes nothing.
. "$(dirname "$0")/../support/vesper.sh"

input=$shared/data/online_retail.csv.xz
reference=$shared/reference/online_retail
[ -f "$input" ] || skip_test "no $input; set VESPER_SHARED to the folder that has it"
ranks_list=${VESPER_RANKS:-1 2 3 4 7}

night() { # RANKS
    run_vesper "$1" nightly -c "$repo/data/online_retail.ini" --store "$work/store$1" \
        --input "orders=$input" --to "sqlite:$work/shop$1.db"
}

# order TABLE: the order of the reference's rows.
order() {
    case $1 in
    sales_daily) echo "day" ;;
    sales_monthly_country) echo "month, country" ;;
    product_total) echo "product_id" ;;
    customer_summary) echo "customer" ;;
    cohort_month) echo "cohort, months_since" ;;
    order_value_monthly) echo "month" ;;
    basket_pairs) echo "orders DESC, product_a, product_b LIMIT 200" ;;
    esac
}

# Each table with the reference's columns, written as the reference is.
compare_with_reference() { # DB
    local csv table
    for csv in "$reference"/*.csv; do
        table=$(basename "$csv" .csv)
        table=${table%_top200}
        sqlite3 -header -csv -newline $'\n' "$1" \
            "SELECT $(head -1 "$csv") FROM $table ORDER BY $(order "$table")" |
            sed 's/"\([^",]*\)"/\1/g' >"$work/$table.csv" # quotes only where they are needed
        expect_same "$table and the reference" "$work/$table.csv" "$csv"
    done
}

first=
for ranks in $ranks_list; do
    night "$ranks"
    expect_done "the night on $ranks ranks" || continue
    expect_rows "the night on $ranks ranks" 541909 541907 2 0
    dump_db "$work/shop$ranks.db" >"$work/dump$ranks"
    if [ -z "$first" ]; then
        first=$ranks
        compare_with_reference "$work/shop$ranks.db"
    else
        expect_same "published at $first and $ranks ranks" "$work/dump$first" "$work/dump$ranks"
        expect_same_store "at $first and $ranks ranks" "$work/store$first" "$work/store$ranks"
        rm -rf "$work/store$ranks"
    fi
done
[ -n "$first" ] || finish

cp -a "$work/store$first" "$work/before"
night "$first"
expect_done "the second run"
expect_rows "the second run" 541909 0 0 541909
expect_text "the second run" "$work/out" "nothing new"
expect_text "the second run" "$work/out" "in force in .* already"
dump_db "$work/shop$first.db" >"$work/again"
expect_same "published by the second run" "$work/dump$first" "$work/again"
expect_same_store "after the second run" "$work/before" "$work/store$first"
finish
