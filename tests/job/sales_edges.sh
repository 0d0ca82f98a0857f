#!/bin/bash
# The sales tables of shops of odd shapes, with figures worked out by hand: nothing at all, one order,
# one customer with a million lines, an order with 10,000 products, a product that nobody bought, only
# strangers, only returns, days before 1970 and leap days, a clock change. Each at any number of ranks
# and threads.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1
shapes="1x1 1x2 3x2 4x1 7x2" # beside 2x1, the first; sales_oracle.sh has the whole cross
header=order_id,ordered_at,product_id,quantity,unit_price,customer_id

cat >shop.ini <<'INI'
[aggregate.everything]
measures = lines, gross, returned, net, units, orders, customers, median_order_value

[aggregate.calendar]
by = week, month, quarter, year, weekday
measures = lines, net

[aggregate.clock]
by = day, hour
measures = lines, orders

[aggregate.kinds]
by = new_or_returning, cohort
measures = lines, customers, p95_order_value
INI

# shop NAME [OPTION...]: a night of NAME.csv and of what else the options say, on two ranks.
shop() {
    name=$1
    shift
    local inputs=()
    [ ! -e "$name.csv" ] || inputs=(--input "orders=$name.csv")
    run_vesper 2 nightly -c shop.ini --store "$name" --partitions 16 --pair-min-orders 1 \
        --to "sqlite:$name.db" "${inputs[@]}" "$@"
    expect_done "$name"
}

same_at_any_shape() { # [PAIR_MIN_ORDERS]
    expect_same_at_any_shape "$name" sales "$name" "$shapes" -c shop.ini --pair-min-orders "${1:-1}"
    rm -rf "$name"
}

# answer WHAT SQL ROW...: what the last shop published.
answer() {
    local what=$1 sql=$2
    shift 2
    printf '%s\n' "$@" >wanted
    [ $# -gt 0 ] || : >wanted
    sqlite3 -nullvalue NULL "$name.db" "$sql" >found
    expect_same "$name: $what" wanted found
}

# empty TABLE...: have no row.
empty() {
    local table
    for table in "$@"; do
        answer "$table" "SELECT count(*) FROM $table" 0
    done
}

# ---- no orders at all ----
shop nothing
empty sales_daily sales_monthly sales_monthly_country product_total order_value_monthly sales_compare \
    sales_movers customer_summary cohort_month abc_xyz basket_pairs funnel_daily cart_abandoned \
    product_rating stock_risk calendar clock kinds
answer everything "SELECT * FROM everything" "0|0|0|0|0|0|0|NULL"
answer customer_model "SELECT DISTINCT model, customers, converged FROM customer_model" "bg_nbd|0|0" "gamma_gamma|0|0"
same_at_any_shape

printf 'product_id,price,cost,stock\np1,5.00,2.50,4\np2,1.00,,3\np3,1.00,1.00,0\n' >products.csv
printf 'customer_id,at,kind,product_id\nc1,2024-05-01 10:00:00,view,p1\nc1,2024-05-01 10:01:00,cart_add,p1\n' >events.csv
printf 'product_id,rating,at\np1,5,2024-05-03\np1,4,2024-05-02\n' >reviews.csv
shop no_orders --input products=products.csv --input events=events.csv --input reviews=reviews.csv
empty sales_daily product_total sales_compare sales_movers customer_summary abc_xyz
answer cart_abandoned "SELECT * FROM cart_abandoned" "c1|2024-05-01|0|1|500|p1"
answer stock_risk "SELECT * FROM stock_risk" "p1|4|1000|NULL|NULL|NULL|0|0|0|NULL|dead" \
    "p2|3|NULL|NULL|NULL|NULL|0|0|0|NULL|dead"
answer funnel_daily "SELECT * FROM funnel_daily" "2024-05-01|1|1|0|0|1|1|0|0|0|1.0|0.0|0.0"
answer product_rating "SELECT product_id, reviews, mean, bayesian_mean, verified_share, last_day FROM product_rating" \
    "p1|2|4.5|4.5|0.0|2024-05-03"
same_at_any_shape

# ---- one order, on a leap day ----
printf '%s\no1,2024-02-29 12:00:00,p1,2,3.50,c1\no1,2024-02-29 12:00:00,p2,1,1.00,c1\n' "$header" >one_order.csv
shop one_order
answer sales_daily "SELECT * FROM sales_daily" "2024-02-29|800|0|800|0|3|0|1|1|2|800.0"
answer sales_monthly "SELECT * FROM sales_monthly" "2024-02|800|0|800|0|3|0|1|1|2|800.0"
answer sales_monthly_country "SELECT * FROM sales_monthly_country" "2024-02||800|0|800|0|3|0|1|1"
answer product_total "SELECT * FROM product_total" "p1|700|0|700|0|2|0|1|1|2024-02-29|2024-02-29" \
    "p2|100|0|100|0|1|0|1|1|2024-02-29|2024-02-29"
answer order_value_monthly "SELECT * FROM order_value_monthly" "2024-02|1|800|800"
answer sales_compare "SELECT scope, start, days, net, net_previous, net_change, orders, orders_year_before FROM sales_compare ORDER BY start DESC" \
    "day|2024-02-29|1|800|NULL|NULL|1|NULL" "week|2024-02-26|1|800|NULL|NULL|1|NULL" \
    "month|2024-02-01|1|800|NULL|NULL|1|NULL" "quarter|2024-01-01|1|800|NULL|NULL|1|NULL" \
    "year|2024-01-01|1|800|NULL|NULL|1|NULL"
answer sales_movers "SELECT scope, direction, place, product_id, net_change, change FROM sales_movers WHERE scope = 'week'" \
    "week|up|1|p1|700|NULL" "week|up|2|p2|100|NULL"
answer customer_summary "SELECT customer, first_day, last_day, orders, net, purchases, recency_days, gap_days, average_order_value, recency_score, frequency_score, monetary_score FROM customer_summary" \
    "c1|2024-02-29|2024-02-29|1|800|1|0.0|NULL|800.0|1|1|1"
answer cohort_month "SELECT * FROM cohort_month" "2024-02|0|1|1|800|800|1.0|800.0"
answer abc_xyz "SELECT product_id, net, units, net_share, abc, round(mean_units, 9), round(units_cv, 9), xyz, abc_before, xyz_before FROM abc_xyz" \
    "p1|700|2|0.875|A|0.153846154|3.464101615|Z||" "p2|100|1|0.125|B|0.076923077|3.464101615|Z||"
answer basket_pairs "SELECT * FROM basket_pairs" "p1|p2|1|1.0|1.0|1.0|1.0"
empty funnel_daily cart_abandoned
answer calendar "SELECT * FROM calendar" "2024-02-26|2024-02|2024-Q1|2024|4|2|800"
answer kinds "SELECT * FROM kinds" "new|2024-02|2|1|800"
same_at_any_shape

# ---- one customer with a million lines, in 10,000 orders; ten customers beside it ----
awk -v header="$header" 'BEGIN {
    print header
    for (i = 0; i < 1000000; i++) {
        order = int(i / 100)
        printf "o%d,2024-%02d-%02d 10:00:00,p%d,1,1.00,c1\n", order, 1 + order % 12,
            1 + int(order / 12) % 28, i % 1000
    }
    for (i = 0; i < 10; i++)
        printf "x%d,2024-06-01,p%d,3,2.00,d%d\n", i, i, i
}' >million.csv
shop million --pair-min-orders 1001
answer everything "SELECT * FROM everything" "1000010|100006000|0|100006000|1000030|10010|11|10000"
answer customer_summary "SELECT customer, first_day, last_day, orders, net, purchases, recency_days, gap_days, recency_score, frequency_score, monetary_score FROM customer_summary WHERE customer IN ('c1', 'd0')" \
    "c1|2024-01-01|2024-12-28|10000|100000000|336|0.0|1.08059701492537|5|5|5" \
    "d0|2024-06-01|2024-06-01|1|600|1|210.0|NULL|1|1|1"
answer "product_total" "SELECT * FROM product_total WHERE product_id IN ('p0', 'p999')" \
    "p0|100600|0|100600|0|1003|0|1001|2|2024-01-01|2024-11-28" \
    "p999|100000|0|100000|0|1000|0|1000|1|2024-02-01|2024-12-28"
answer sales_monthly "SELECT month, net, orders, customers FROM sales_monthly WHERE month IN ('2024-01', '2024-06')" \
    "2024-01|8340000|834|1" "2024-06|8336000|843|11"
empty basket_pairs
same_at_any_shape 1001

# ---- one order with 10,000 products, the most that pairs are counted of; one with 10,001, which only
# counts as an order; and a third with three of them ----
{
    echo "$header"
    seq -f 'big,2024-03-01,p%05g,1,1.00,c1' 1 10000
    seq -f 'huge,2024-03-01,p%05g,1,1.00,c3' 1 10001
    printf 'small,2024-03-02,p%s,2,1.00,c2\n' 00001 05000 10000
} >basket.csv
shop basket --pair-min-orders 2
third=0.666666666666667
answer basket_pairs "SELECT * FROM basket_pairs" "p00001|p05000|2|$third|$third|$third|$third" \
    "p00001|p10000|2|$third|$third|$third|$third" "p05000|p10000|2|$third|$third|$third|$third"
answer everything "SELECT * FROM everything" "20004|2000700|0|2000700|20007|3|3|1000000"
answer "abc_xyz" "SELECT abc, count(*), sum(net) FROM abc_xyz GROUP BY abc ORDER BY abc" \
    "A|8000|1600600" "B|1501|300200" "C|500|99900"
same_at_any_shape 2

# ---- products that nobody bought, or not lately ----
printf '%s\no1,2023-01-10,p1,2,3.50,c1\no2,2024-05-01,p2,1,1.00,c2\no3,2024-04-03,p4,1,1.00,c2\no4,2024-02-01,p5,1,1.00,c2\n' "$header" >unsold.csv
printf 'product_id,price,cost,stock\np1,5.00,2.50,4\np2,1.00,,3\np3,1.00,1.00,2\np4,1.00,0.50,1\np5,1.00,0.10,10\np6,1,1,0\n' >products.csv
shop unsold --input products=products.csv
answer stock_risk "SELECT product_id, stock, stock_value, first_day, last_day, days_since_sale, units_28, units_84, units_364, round(days_of_cover, 9), risk FROM stock_risk" \
    "p1|4|1000|2023-01-10|2023-01-10|477.0|0|0|0|NULL|dead" \
    "p2|3|NULL|2024-05-01|2024-05-01|0.0|1|1|1|252.0|selling" \
    "p3|2|200|NULL|NULL|NULL|0|0|0|NULL|dead" \
    "p4|1|50|2024-04-03|2024-04-03|28.0|0|1|1|84.0|slow" \
    "p5|10|100|2024-02-01|2024-02-01|90.0|0|0|1|NULL|stale"
answer product_total "SELECT product_id FROM product_total" p1 p2 p4 p5
same_at_any_shape

# ---- nobody is known ----
printf '%s\no1,2024-05-01,p1,2,3.50,\no1,2024-05-01,p2,1,1.00,\no2,2024-05-02,p1,1,3.50,\no3,2024-05-02,p1,-1,3.50,\n' "$header" >strangers.csv
shop strangers
answer sales_daily "SELECT * FROM sales_daily" "2024-05-01|800|0|800|0|3|0|1|0|2|800.0" \
    "2024-05-02|350|350|0|0|1|1|1|0|2|350.0"
empty customer_summary cohort_month cart_abandoned
answer customer_model "SELECT DISTINCT model, customers, converged FROM customer_model" "bg_nbd|0|0" "gamma_gamma|0|0"
answer kinds "SELECT lines, customers, p95_order_value FROM kinds" "4|0|800"
answer basket_pairs "SELECT * FROM basket_pairs" "p1|p2|1|0.5|0.5|1.0|1.0"
same_at_any_shape

# ---- every line a return ----
printf '%s\no1,2024-05-01,p1,-2,3.50,c1\no2,2024-05-02,p2,-1,1.00,\n' "$header" >returns.csv
shop returns
answer sales_daily "SELECT * FROM sales_daily" "2024-05-01|0|700|-700|0|0|2|0|0|1|NULL" \
    "2024-05-02|0|100|-100|0|0|1|0|0|1|NULL"
answer product_total "SELECT * FROM product_total" "p1|0|700|-700|0|0|2|0|0|NULL|NULL" \
    "p2|0|100|-100|0|0|1|0|0|NULL|NULL"
answer customer_summary "SELECT customer, first_day, orders, net, purchases, recency_days, average_order_value, recency_score, frequency_score, monetary_score, segment, p_alive, expected_value_365 FROM customer_summary" \
    "c1|NULL|0|-700|0|NULL|NULL|0|0|0|no_purchase|NULL|NULL"
answer sales_movers "SELECT direction, place, product_id, net_change FROM sales_movers WHERE scope = 'four_weeks'" \
    "down|1|p1|-700" "down|2|p2|-100"
empty cohort_month abc_xyz basket_pairs order_value_monthly
answer everything "SELECT * FROM everything" "2|0|800|-800|0|0|0|NULL"
same_at_any_shape

# ---- before 1970, and leap days ----
printf '%s\no1,1968-02-29 08:00:00,p1,1,1.00,c1\no2,1969-12-31 23:59:59,p1,2,1.00,c1\no3,1970-01-01 00:00:00,p1,3,1.00,c2\n' "$header" >old.csv
shop old
answer sales_daily "SELECT day, net, customers FROM sales_daily" "1968-02-29|100|1" "1969-12-31|200|1" "1970-01-01|300|1"
answer calendar "SELECT * FROM calendar" "1968-02-26|1968-02|1968-Q1|1968|4|1|100" \
    "1969-12-29|1969-12|1969-Q4|1969|3|1|200" "1969-12-29|1970-01|1970-Q1|1970|4|1|300"
answer clock "SELECT * FROM clock" "1968-02-29|8|1|1" "1969-12-31|23|1|1" "1970-01-01|0|1|1"
answer cohort_month "SELECT * FROM cohort_month" "1968-02|0|1|1|100|100|1.0|100.0" \
    "1968-02|22|1|1|200|300|1.0|300.0" "1970-01|0|1|1|300|300|1.0|300.0"
answer sales_compare "SELECT start, days, net, net_previous, net_year_before FROM sales_compare WHERE scope IN ('month', 'year') ORDER BY scope, start" \
    "1968-02-01|1|100|NULL|NULL" "1969-12-01|31|200|0|0" "1970-01-01|1|300|200|0" \
    "1968-01-01|307|100|NULL|NULL" "1969-01-01|365|200|100|100" "1970-01-01|1|300|200|200"
answer customer_summary "SELECT customer, first_day, last_day, recency_days, gap_days FROM customer_summary" \
    "c1|1968-02-29|1969-12-31|1.0|671.0" "c2|1970-01-01|1970-01-01|0.0|NULL"
same_at_any_shape

# ---- clock changes: London, 31 March 2024 at 01:00 UTC forwards, 27 October at 01:00 UTC back ----
{
    echo "$header"
    n=0
    for moment in 2024-03-30T23:30:00Z 2024-03-31T00:30:00Z 2024-03-31T01:30:00Z '2024-03-31 01:30:00' \
        2024-03-31T23:30:00Z 2024-10-26T22:30:00Z 2024-10-26T23:30:00Z 2024-10-27T00:30:00Z \
        2024-10-27T01:30:00Z 2024-10-27T02:30:00Z 2024-10-28T00:30:00Z; do
        n=$((n + 1))
        echo "o$n,$moment,p1,1,1.00,c1"
    done
} >clock_change.csv
shop clock_change --time-zone Europe/London
answer clock "SELECT day, hour, lines FROM clock" "2024-03-30|23|1" "2024-03-31|0|1" "2024-03-31|2|2" \
    "2024-04-01|0|1" "2024-10-26|23|1" "2024-10-27|0|1" "2024-10-27|1|2" "2024-10-27|2|1" "2024-10-28|0|1"
answer sales_daily "SELECT day, lines FROM sales_daily" "2024-03-30|1" "2024-03-31|3" "2024-04-01|1" \
    "2024-10-26|1" "2024-10-27|4" "2024-10-28|1"
same_at_any_shape
finish
