#!/usr/bin/env bash
# The models of vesper recommend on pairs in the shape of MovieLens 20M (pairs.c), beside what the
# machine's own BLAS reaches (gemm.c) in the same run.
#   bench/recommend.sh [USERS ITEMS PAIRS_A_USER]      (default: 138000 20000 145)
#   FACTORS    of ials (default "64 128 256")
#   GEMM       sizes for gemm.c (default "2048 8192")
# On one rank with one thread, and on two ranks. Medians of interleaved runs. Leaves figures in
# recommend.csv (VESPER_BENCH_DIR), and prints Markdown tables.
#
# Operations are counted by the textbook, whatever was computed:
#   ials, an iteration   n d (d + 1) for the normal equations of a row with n pairs (half of the matrix
#                        is enough), for all rows of both sides; and d^3 / 3 a row for its Cholesky
#                        factor. Rows with fewer than d pairs are solved by a smaller system, so that
#                        less than that is done; with more than 128 factors blocks of 64 are solved,
#                        as --ials-block says.
#   ease, inverse        items^3: POTRF 1/3, POTRI 2/3
#   top 20               2 d for each user and item
#
# One would compare with the Python package implicit: AlternatingLeastSquares(factors=...,
# use_cg=True or False, num_threads=...).fit, .recommend(all users, N=20), and CosineRecommender(K=20).fit.
# Where python3 can import it, implicit_als.py does so on the same files in the same run.
. "$(dirname "$0")/lib.sh"
bench_build
[ $# -gt 0 ] || set -- 138000 20000 145
[ $# = 3 ] || { echo "usage: bench/recommend.sh [USERS ITEMS PAIRS_A_USER]" >&2; exit 2; }
users=$1 items=$2
data=$work/pairs-$1-$2-$3
measured=$work/recommend-measured.csv
read -ra factors <<<"${FACTORS:-64 128 256}"
read -ra gemm <<<"${GEMM:-2048 8192}"

${CC:-cc} -O2 "$root/bench/pairs.c" -lm -o "$work/pairs"
${CC:-cc} -O3 -fopenmp "$root/bench/gemm.c" -llapacke -lopenblas -o "$work/gemm"
if [ ! -d "$data" ]; then
    rm -rf "$data.part"
    mkdir "$data.part"
    "$work/pairs" "$@" "$data.part" >&2
    mv "$data.part" "$data"
fi
# Pairs to learn from, and those that a user's items make.
read -r pairs couples <<<"$(awk '{ n += NF - 1; c += (NF - 1) ^ 2 } END { printf "%d %.0f\n", n, c }' "$data/train.txt")"
echo "setup,model,factors,figure,value" >"$measured"
note() { echo "$1,$2,$3,$4,$5" >>"$measured"; } # SETUP MODEL FACTORS FIGURE VALUE

# Values of KEY in log lines named NAME, the last one.
logged() { # NAME KEY
    sed -n "s/.* $1 .*\<$2=\([0-9.]*\).*/\1/p" "$work/last.err" | tail -n 1
}

learn() { # RANKS THREADS MODEL FACTORS
    local setup=$1x$2 peak rank
    ranks=$1
    seconds vesper recommend --evaluate --train "$data/train.txt" --test "$data/test.txt" \
        --models "$3" ${4:+--factors "$4" --iterations 2} --threads "$2" \
        --run-record "$work/run.json" >/dev/null
    peak=$(($(field peak_bytes_per_rank.max <"$work/run.json") / 1048576))
    rank=$(awk -v model="$3" '$1 == model { print $NF }' "$work/last.out")
    note "$setup" "$3" "${4:-0}" read "$(sum_of read <"$work/run.json")"
    note "$setup" "$3" "${4:-0}" learn "$(logged evaluated learn)"
    note "$setup" "$3" "${4:-0}" rank "$rank"
    note "$setup" "$3" "${4:-0}" peak_mib "$peak"
    case $3 in
    ials) note "$setup" "$3" "$4" iteration "$(logged recommend.ials seconds)" ;;
    ease)
        note "$setup" "$3" 0 gram "$(logged recommend.ease gram)"
        note "$setup" "$3" 0 inverse "$(logged recommend.ease inverse)"
        ;;
    esac
}

has_implicit=
if python3 -c 'import implicit.cpu.als' 2>/dev/null; then
    has_implicit=yes
else
    echo "SKIPPED: python3 cannot import implicit: no figures beside Vesper's" >&2
fi

rival() { # SETUP THREADS
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 "$root/bench/implicit_als.py" "$data/train.txt" \
        "$1" "$2" "${factors[@]}" >>"$measured" || echo "FAILED: implicit_als.py" >&2
}

cat "$data"/*.txt >/dev/null # in the page cache
for _ in $(seq "$repeat"); do
    for shape in "1 1" "2 1"; do
        setup=${shape/ /x}
        cores=$((${shape% *} * ${shape#* }))
        read -r _ sgemm ssyrk spotrf <<<"$(OMP_NUM_THREADS=$cores "$work/gemm" "${gemm[@]}")"
        note "$setup" machine 0 sgemm "$sgemm"
        note "$setup" machine 0 ssyrk "$ssyrk"
        note "$setup" machine 0 spotrf "$spotrf"
        for d in "${factors[@]}"; do
            learn $shape ials "$d"
        done
        learn $shape itemknn ""
        learn $shape ease ""
        [ -z "$has_implicit" ] || rival "$setup" "$cores"
    done
done
node "$root/bench/recommend.mjs" "$measured" "$work/recommend.csv" "$users" "$items" "$pairs" "$couples"
