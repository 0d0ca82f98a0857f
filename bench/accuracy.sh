#!/usr/bin/env bash
# How well models and their mix forecast series of many kinds, which are not sales of a shop: OWA, the
# mean of sMAPE and MASE over those of Naive 2, from MEASURED (default 4) origins each, so that what is
# forecast was seen by no model. The series are those that come with R and drawn ones (accuracy.R).
. "$(dirname "$0")/lib.sh"
bench_build
Rscript -e 'library(forecast)' >/dev/null 2>&1 ||
    { echo "vesper: bench/accuracy.sh needs Rscript and its package forecast (Debian: r-cran-forecast)" >&2; exit 1; }
Rscript "$root/bench/accuracy.R" "$work"
models=(ses damped comb theta dot ets ces mstl median pooled mix)

# measure NAME FREQUENCY HORIZON [OPTION...]: a row of the table.
measure() {
    local name=$1 frequency=$2 horizon=$3
    shift 3
    quietly vesper forecast --evaluate --series "$work/$name.csv" --frequency "$frequency" --horizon "$horizon" \
        --measure-origins "${MEASURED:-4}" "$@"
    awk -v name="$name" -v asked="${models[*]}" '
        /^model / { inside = 1 }
        inside && $2 ~ /^[0-9]/ { owa[$1] = $5; if ($1 == "mix") n = $10 }
        END {
            count = split(asked, model, " ")
            row = "| " name " | " n
            for (k = 1; k <= count; k++)
                row = row " | " (model[k] in owa ? owa[model[k]] : "")
            print row " |"
        }' "$work/last.out"
}

echo "| series | forecasts |$(printf ' %s |' "${models[@]}")"
echo "|---|---|$(printf -- '---|%.0s' "${models[@]}")"
measure monthly monthly 18
measure quarterly quarterly 8
measure yearly yearly 6
measure daily daily 14 --season 1
measure hourly hourly 48
measure weeks weekly 13
measure weeks_year weekly 13
