#!/bin/bash
# Exponential smoothing against R's package forecast, on the series that come with R.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

program=$build/forecast_fit
[ -x "$program" ] || fail "no $program: build the target forecast_fit"
has_r() {
    Rscript -e 'library(forecast)' >/dev/null 2>&1
}
if ! has_r; then
    root=$repo
    . "$repo/jobs/setup.sh"
    setup_packages r && has_r || skip_test "R with the package forecast is not there" \
        "(apt-get install r-cran-forecast)"
fi
checks=$((checks + 1))
timeout 800 Rscript "$repo/tests/oracle/forecast.R" "$program" || fail "R and Vesper differ"
finish
