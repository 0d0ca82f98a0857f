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
export OMPI_MCA_mpi_yield_when_idle=1 # tests share the cores: a rank that waits leaves its own
cd "$root"
mkdir -p build
log=build/$preset-build.log
{ cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1 </dev/null || {
    tail -n 40 "$log" >&2
    echo "vesper: the build failed; all of it is in $log" >&2
    exit 1
}
# Stores of tests lie in memory where there is room for them, and wait for no disk.
room=$(df --output=avail -m /dev/shm 2>/dev/null | tail -n 1 || true)
if [ -z "${TMPDIR:-}" ] && [ "${room:-0}" -gt 4096 ]; then
    TMPDIR=$(mktemp -d /dev/shm/vesper-tests.XXXXXX)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
fi
# One test more than there are cores: ranks that start and end leave them idle.
ctest --preset "$preset" -j $(($(nproc) + 1)) "${choice[@]}" "${arguments[@]}" </dev/null
