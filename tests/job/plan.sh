#!/bin/bash
# vesper plan: from rows, from a store, from the input of a first night; what it says beside what a
# night then takes, in run.json; sbatch's arguments; budgets, kept and refused; wrong arguments.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

# stage_of NAME: "memory sent read written seconds" of the last plan, as printed.
stage_of() {
    awk -v name="$1" '$1 == name { print $2, $3, $4, $5, $6 }' "$work/out"
}

# expect_less WHAT A B: numbers, A below B.
expect_less() {
    checks=$((checks + 1))
    awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && a + 0 < b + 0) }' || fail "$1: $2 is not below $3"
}

rows="orders=50000000,customers=4000000,products=50000"
run_vesper 1 plan --rows "$rows" --ranks 4 --recommend yes --forecast yes
expect_done "a plan from rows" || finish
for stage in ingest sales recommend forecast publish; do
    expect_text "the stages" "$work/out" "^$stage +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+$"
done
expect_text "the sizes" "$work/out" '^plan +50,000,000 order lines, 4,000,000 customers, 50,000 products; 4 ranks of 1 thread$'
expect_text "ials" "$work/out" '^ials +64 factors by Cholesky'
expect_text "ease" "$work/out" '^ease +left out'
four=$(stage_of ingest)
run_vesper 1 plan --rows "$rows" --ranks 8 --recommend yes --forecast yes --factors 256 --ease-most-items 60000
expect_text "ials in blocks" "$work/out" '^ials +256 factors by blocks'
expect_text "ease" "$work/out" '^ease +exact, [0-9]+ MB of a rank'
expect_less "ingest on eight ranks" "$(stage_of ingest | cut -d' ' -f1)" "${four%% *}"
run_vesper 1 plan --rows orders=100000000000,products=1000000 --ranks 1000 --recommend yes --forecast yes
expect_done "a hundred thousand million lines"
expect_text "without overflow" "$work/out" '^most +[0-9]+ MB a rank'

run_vesper 1 plan --rows "$rows" --ranks 10 --ranks-per-node 4 --slurm
expect_done "arguments of sbatch"
checks=$((checks + 1))
grep -Eqx -- '--nodes=3 --ntasks=10 --cpus-per-task=1 --mem-per-cpu=[0-9]+M --time=[0-9]+-[0-9]{2}:[0-9]{2}:00' "$work/out" &&
    [ "$(wc -l <"$work/out")" = 1 ] || fail "arguments of sbatch: $(cat "$work/out")"

# A store and its nights: what was predicted stands beside what was measured.
$datagen --lines 20000 --customers 2000 --products 500 --days 200 --seed 5 --tables orders --out raw >/dev/null 2>&1 ||
    fail "vesper-datagen"
run_vesper 2 plan --store store --input orders=raw/orders.csv
expect_done "a plan of the first night"
expect_text "its lines" "$work/out" '^plan +[12][0-9],[0-9]{3} order lines'
run_vesper 1 nightly --store store --input orders=raw/orders.csv --to sqlite:shop.db --recommend yes \
    --factors 8 --iterations 2 --split-days 20 --memory 500M
expect_done "the first night, within a budget"
checks=$((checks + 1))
python3 - store/run.json <<'PYTHON' || fail "predicted beside measured"
import json, sys
stages = {stage["name"]: stage for stage in json.load(open(sys.argv[1]))["stages"]}
for name in ("ingest", "sales", "recommend", "publish"):
    stage, plan = stages[name], stages[name]["predicted"]
    print(name, {key: (round(stage[key]), round(plan[key])) for key in
                 ("peak_bytes", "sent_bytes", "read_bytes", "written_bytes")})
    assert 0.6 < plan["peak_bytes"] / stage["peak_bytes"] < 1.7, name
    assert plan["seconds"] > 0, name
assert "predicted" not in stages["open"]
PYTHON
run_vesper 2 plan --store store
expect_done "a plan of the store"
expect_text "without input" "$work/out" '^plan +20,000 order lines'
checks=$((checks + 1))
[ -z "$(stage_of ingest)" ] || fail "a plan without input takes something in"

# Budgets. What does not fit is said before anything is done.
cp -r store before
run_vesper 2 ingest --store store --input orders=raw/orders.csv --memory 1M
expect_failure "a budget too small for ingest" 5 "stage 'ingest' would take about [0-9]+ MB of each of 2 ranks" \
    '--memory allows 1 MB' 'ranks would do|no number of ranks'
run_vesper 2 nightly --store store --input orders=raw/orders.csv --to sqlite:none.db --memory 1M
expect_failure "a budget too small for a night" 5 '--memory allows 1 MB'
run_vesper 1 sales --store store --memory 1M
expect_failure "a budget too small for sales" 5 "stage 'sales'" '1 rank '
expect_same_store "refused for their memory" before store
[ ! -e none.db ] || fail "a night that does not fit published"
run_vesper 1 plan --rows "$rows" --ranks 2 --memory 500M
expect_text "a plan over its budget" "$work/out" '^memory +--memory is too little for [a-z]+; with [0-9]+ ranks it would do'
run_vesper 1 plan --rows "$rows" --ranks 2 --memory 64G
expect_text "a plan within its budget" "$work/out" '^memory +--memory is enough'

# A rank that keeps its budget lives within a hard limit: of address space here, of which the program
# itself takes what docs/plan.md says.
own=550
lists=(--factors 8 --iterations 2)
models=(--horizon 7 --learn-origins 2 --forecast-models average,ses,pooled)
# expect_within STAGE ARGUMENT...: the stage under its budget and that limit.
expect_within() {
    local stage=$1 need rc=0
    shift
    need=$(stage_of "$stage" | cut -d' ' -f1)
    (ulimit -v $(((own + need) * 1024)) && timeout "$time_limit" $launcher 1 "$vesper" "$stage" --store tight \
        --memory "${need}M" "$@") >"$work/out" 2>"$work/err" </dev/null || rc=$?
    expect_done "$stage within its budget of $need MB and a hard limit"
}
run_vesper 1 init --store tight
run_vesper 1 plan --store tight --input orders=raw/orders.csv
expect_within ingest --input orders=raw/orders.csv
run_vesper 1 plan --store tight --recommend yes --forecast yes "${lists[@]}" "${models[@]}"
cp "$work/out" planned
expect_within sales
cp planned "$work/out"
expect_within recommend "${lists[@]}" --split-days 20
cp planned "$work/out"
expect_within forecast "${models[@]}"

run_vesper 1 plan
expect_failure "a plan of nothing" 2 'plan for what' '--rows orders='
run_vesper 1 plan --store absent
expect_failure "a plan of no store" 2 'there is no store at absent' '--input'
for wrong in orders 'orders=' 'orders=many' 'order=5' 'orders=-1' 'products=5' 'orders=1e20'; do
    run_vesper 1 plan --rows "$wrong"
    expect_failure "rows '$wrong'" 2 '--rows' 'orders='
done
run_vesper 1 plan --rows orders=5 --ranks 0
expect_failure "no ranks" 2 'ranks'
finish
