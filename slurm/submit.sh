#!/bin/bash
# Submit a night of Vesper with the settings of site.conf; prints the numbers of the jobs.
#
#   slurm/submit.sh night [options]     one job
#   slurm/submit.sh chain               ingest, sales, recommend, forecast, publish: a job each, which
#                                       begins when the one before it has ended well
#   slurm/submit.sh shops FILE...       an array, a night for each shop; FILE is read as site.conf is
#                                       and sets that shop's VESPER_CONFIG, VESPER_INPUT and so on
#
# Options go to vesper. VESPER_SITE names another file than site.conf.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=$folder/nightly.sbatch
export VESPER_SITE=${VESPER_SITE:-$folder/site.conf}
. "$VESPER_SITE"

# submit JOB [options of sbatch ... --] [options of vesper]
submit() {
    local job=$1 own extra=()
    shift
    own=VESPER_SBATCH_${job^^}
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        extra+=("$1")
        shift
    done
    shift
    # Words of these two variables are options each.
    # shellcheck disable=SC2086
    sbatch --parsable --job-name="vesper-$job" ${VESPER_SBATCH:-} ${!own:-} "${extra[@]}" \
        "$script" "$job" "$@"
}

chain() {
    local job number before=
    for job in ingest sales recommend forecast publish; do
        number=$(submit "$job" ${before:+--dependency="afterok:$before" --kill-on-invalid-dep=yes} --)
        number=${number%%;*} # of a federation: NUMBER;CLUSTER
        echo "$number $job"
        before=$number
    done
}

shops() {
    local file files=()
    for file in "$@"; do
        [ -r "$file" ] || {
            echo "submit.sh: cannot read $file" >&2
            exit 2
        }
        files+=("$(realpath "$file")")
    done
    export VESPER_SHOPS="${files[*]}"
    submit nightly --array="0-$((${#files[@]} - 1))" --
}

what=${1:-}
[ $# = 0 ] || shift
case $what in
night) submit nightly -- "$@" ;;
chain) chain ;;
shops)
    [ $# -gt 0 ] || {
        echo "submit.sh: which shops? Name a file for each" >&2
        exit 2
    }
    shops "$@"
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    [ "$what" = --help ] || [ "$what" = -h ] || exit 2
    ;;
esac
