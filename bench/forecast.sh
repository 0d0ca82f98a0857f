#!/usr/bin/env bash
# Every model of vesper forecast on generated daily series of two years (series.c).
#   bench/forecast.sh [SERIES...]      (default: 10000 100000)
# On two ranks with a thread each and, up to ONE_RANK_MOST series (default 10000), on one; each series is
# forecast from two origins in the past and from its end. Prints milliseconds a series and origin of each
# model, beside statsforecast's (as measured on another day, statsforecast.csv) and R's `forecast` on the
# first R_SERIES (default 20) series in the same run, if Rscript has it; series a second of each model and
# of the whole command; and the most memory that a rank took. LENGTHS (default "90 180 365 730 1460"):
# what all models take by length, from which the constants in jobs/forecast_options.c are.
# One rank takes about 30 s a thousand series, and five gigabytes of disk in TMPDIR for 100,000.
. "$(dirname "$0")/lib.sh"
bench_build
[ $# -gt 0 ] || set -- 10000 100000
days=730 horizon=28 origins=3
measured=$work/forecast-measured.csv
${CC:-cc} -O2 "$root/bench/series.c" -lm -o "$work/series"
echo "series,setup,model,figure,value" >"$measured"

# generate SERIES DAYS: the file's path.
generate() {
    local file=$work/series-$1-$2.csv
    [ -f "$file" ] || { "$work/series" "$1" "$2" "$work/part.csv" && mv "$work/part.csv" "$file"; }
    cat "$file" >/dev/null # in the page cache
    echo "$file"
}

# forecast FILE HORIZON RANKS
forecast() {
    ranks=$3
    seconds vesper forecast --evaluate --series "$1" --frequency daily --horizon "$2" --learn-origins 1 \
        --measure-origins 1 --threads 1 --run-record "$work/run.json" >"$work/took"
}

# models SERIES: "MODEL MILLISECONDS" a series and origin, of the last run.
models() {
    awk -v series="$1" -v origins=$origins \
        '/^model / { inside = 1; next } inside && NF == 10 { printf "%s %.6f\n", $1, 1000 * $9 / series / origins }' \
        "$work/last.out"
}

for n in "$@"; do
    file=$(generate "$n" $days)
    for ranks_of_run in 1 2; do
        [ $ranks_of_run = 2 ] || [ "$n" -le "${ONE_RANK_MOST:-10000}" ] || continue
        forecast "$file" $horizon $ranks_of_run
        setup=${ranks_of_run}x1
        echo "$n,$setup,whole,seconds,$(cat "$work/took")" >>"$measured"
        echo "$n,$setup,whole,peak_mib,$(($(field peak_bytes_per_rank.max <"$work/run.json") / 1048576))" >>"$measured"
        models "$n" | while read -r model ms; do echo "$n,$setup,$model,ms,$ms"; done >>"$measured"
    done
done
for length in ${LENGTHS-90 180 365 730 1460}; do
    forecast "$(generate 200 "$length")" 14 1
    echo "$length,length,mix,ms,$(models 200 | awk '$1 == "mix" { print $2 }')" >>"$measured"
done
if Rscript -e 'library(forecast)' >/dev/null 2>&1; then
    Rscript "$root/bench/ets.R" "$(generate "$1" $days)" "${R_SERIES:-20}" |
        awk -v series="$1" '{ printf "%s,R,%s,ms,%s\n", series, $1, $2 }' >>"$measured"
else
    echo "SKIPPED: Rscript has no package forecast: no figures of R beside Vesper's" >&2
fi
cp "$measured" "$work/forecast.csv"
node "$root/bench/forecast.mjs" "$work/forecast.csv" "$root/bench/statsforecast.csv"
