#!/usr/bin/env bash
# Install what is missing, build with warnings as errors, run the tests.
#
#   tests/run.sh            everything but the longest fault tests
#   tests/run.sh --quick    unit and rank tests only
#   tests/run.sh --asan     the same as without option, with the address and undefined sanitizers
#   tests/run.sh --all      every test, the longest fault tests too
#   further arguments go to ctest, e.g. tests/run.sh -R csv
#
# Ends with ctest's closing lines; exits non-zero if anything failed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/jobs/setup.sh"

preset=dev
choice=(-LE long)
arguments=()
for argument in "$@"; do
    case $argument in
    -h | --help)
        sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --quick) choice=(-L 'unit|rank') ;;
    --asan) preset=asan ;;
    --all) choice=() ;;
    *) arguments+=("$argument") ;;
    esac
done

setup_packages build run test
setup_mpi
cd "$root"
mkdir -p build
log=build/$preset-build.log
{ cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1 </dev/null || {
    tail -n 40 "$log" >&2
    echo "vesper: the build failed; all of it is in $log" >&2
    exit 1
}
ctest --preset "$preset" -j "$(nproc)" "${choice[@]}" "${arguments[@]}" </dev/null
