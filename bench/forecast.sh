#!/usr/bin/env bash
# Every model of vesper forecast on generated daily series of two years (series.c).
#   bench/forecast.sh [SERIES...]      (default: 10000 100000)
# On one rank with one thread, and on two ranks; each series is forecast from two origins in the past
# and from its end. Prints milliseconds a series and origin of each model, series a second of the whole
# command, and the most memory that a rank took. Where Rscript has the package `forecast`, its models take
# the first R_SERIES (default 20) series in the same run.
. "$(dirname "$0")/lib.sh"
bench_build
[ $# -gt 0 ] || set -- 10000 100000
days=730 horizon=28 origins=3
measured=$work/forecast-measured.csv
${CC:-cc} -O2 "$root/bench/series.c" -lm -o "$work/series"
echo "series,setup,model,figure,value" >"$measured"

# forecast SERIES RANKS THREADS
forecast() {
    local file=$work/series-$1.csv setup=$2x$3
    ranks=$2
    seconds vesper forecast --evaluate --series "$file" --frequency daily --horizon $horizon \
        --learn-origins 1 --measure-origins 1 --threads "$3" --run-record "$work/run.json" >"$work/took"
    echo "$1,$setup,whole,seconds,$(cat "$work/took")" >>"$measured"
    echo "$1,$setup,whole,peak_mib,$(($(field peak_bytes_per_rank.max <"$work/run.json") / 1048576))" >>"$measured"
    awk -v series="$1" -v setup="$setup" -v origins=$origins '
        /^model / { inside = 1; next }
        inside && NF == 10 { printf "%s,%s,%s,ms,%.6f\n", series, setup, $1, 1000 * $9 / series / origins }' \
        "$work/last.out" >>"$measured"
}

for n in "$@"; do
    [ -f "$work/series-$n.csv" ] || { "$work/series" "$n" $days "$work/part.csv" && mv "$work/part.csv" "$work/series-$n.csv"; }
    cat "$work/series-$n.csv" >/dev/null
    forecast "$n" 1 1
    forecast "$n" 2 1
done
if Rscript -e 'library(forecast)' >/dev/null 2>&1; then
    Rscript "$root/bench/ets.R" "$work/series-$1.csv" "${R_SERIES:-20}" |
        awk -v series="$1" '{ printf "%s,R,%s,ms,%s\n", series, $1, $2 }' >>"$measured"
else
    echo "SKIPPED: Rscript has no package forecast: no figures beside Vesper's" >&2
fi
cp "$measured" "$work/forecast.csv"
node "$root/bench/forecast.mjs" "$work/forecast.csv"
