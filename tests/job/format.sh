#!/usr/bin/env bash
# The store on disk is what docs/format.md says, read with h5py and h5dump alone, and has the same
# bytes at any number of ranks and either way of writing.
source "$(dirname "${BASH_SOURCE[0]}")/../support/vesper.sh"

sample=$build/store_sample

# sample RANKS ARGUMENT...: sets rc; what it said in $work/err.
run_sample() {
    local ranks=$1
    shift
    rc=0
    timeout -k 5 "$time_limit" $launcher "$ranks" "$sample" "$@" >"$work/out" 2>"$work/err" || rc=$?
}

make_sample() { # RANKS NAME
    checks=$((checks + 1))
    run_sample "$1" make "$work/$2"
    [ "$rc" = 0 ] || {
        fail "making the sample as $2"
        show_output
    }
}

expect_same() { # NAME
    checks=$((checks + 1))
    diff -r "$work/np1" "$work/$1" >"$work/diff" || {
        fail "$1 has other bytes than np1"
        head -n 5 "$work/diff" >&2
    }
}

# Bytes do not depend on how many wrote them, nor how.
make_sample 1 np1
for ranks in 2 3 4 7; do
    make_sample "$ranks" "np$ranks"
    expect_same "np$ranks"
done
export VESPER_HDF5_TRANSFER=collective VESPER_HDF5_PIECE=10
make_sample 3 collective
expect_same collective
unset VESPER_HDF5_TRANSFER VESPER_HDF5_PIECE

# Nothing is left beside the files that the page names.
checks=$((checks + 1))
found=$(cd "$work/np3" && find . -type f | sort | tr '\n' ' ')
segments=
for batch in 000001 000002 000003; do
    for table in order_replaced orders things words; do
        segments="$segments./segments/$batch/$table.h5 "
    done
done
expected="./CURRENT ./lock ./manifest/000002.json ./manifest/000003.json ./results/night/labels.h5 \
./results/night/tables.json ./results/night/things.h5 $segments./store.json "
[ "$found" = "$expected" ] || fail "other files than the page says: $found"

python=${VESPER_PYTHON:-/usr/bin/python3}
if ! "$python" -c 'import h5py' 2>/dev/null; then
    skip_check "reading with h5py: $python has no h5py (package python3-h5py)"
    finish
fi
checks=$((checks + 1))
"$python" "$(dirname "${BASH_SOURCE[0]}")/format.py" "$work/np3" ||
    fail "h5py reads something else than docs/format.md says"

# h5dump reads it too.
if command -v h5dump >/dev/null; then
    checks=$((checks + 1))
    dumped=$(h5dump -y -w 0 -d /partition_offset "$work/np1/segments/000001/things.h5" |
        sed -n '/ATTRIBUTE/,$d; /DATA {/,/}/p' | tr -dc '0-9 ,\n' | tr -d ' \n')
    expected=$("$python" -c "import h5py, sys
print(','.join(str(v) for v in h5py.File(sys.argv[1])['partition_offset'][:]), end='')" \
        "$work/np1/segments/000001/things.h5")
    [ -n "$expected" ] && [ "$dumped" = "$expected" ] ||
        fail "h5dump says $dumped, h5py $expected"
else
    skip_check "reading with h5dump: it is not there (package hdf5-tools)"
fi

# Files that others changed: expect_refused NAME WORDS FILE PYTHON-STATEMENTS (with f, the file).
expect_refused() {
    local name=$1 words=$2 file=$3
    checks=$((checks + 1))
    rm -rf "$work/$name"
    cp -r "$work/np1" "$work/$name"
    "$python" - "$work/$name/$file" "$4" <<'PYTHON'
import sys
import h5py
import numpy
with h5py.File(sys.argv[1], "r+") as f:
    exec(sys.argv[2])
PYTHON
    run_sample 1 read "$work/$name"
    [ "$rc" = 4 ] || fail "$name: ended with $rc"
    if ! grep -qF -- "$words" "$work/err"; then
        fail "$name: does not say '$words'"
        show_output
    fi
}
things=segments/000002/things.h5
newer="$things was written by a newer Vesper (format 3, this one reads 2): upgrade Vesper"
run_sample 2 read "$work/np1"
[ "$rc" = 0 ] || fail "the sample cannot be read"
expect_refused newer "$newer" $things 'f.attrs["format"] = numpy.int32(3)'
expect_refused no_format "$things is damaged" $things 'del f.attrs["format"]'
expect_refused text_rows "$things is damaged" $things 'f.attrs["rows"] = "many"'
expect_refused more_rows "$things" $things 'f.attrs["rows"] = f.attrs["rows"] + 1'
expect_refused huge "$things is damaged" $things 'f.attrs["partitions"] = numpy.int64(2) ** 40'
expect_refused schema "$things is damaged" $things 'f.attrs["schema"] = numpy.bytes_("day int32")'
expect_refused twice "$things is damaged" $things \
    'f.attrs["schema"] = numpy.bytes_("day int32 day\nday int32 day\n")'
expect_refused gone "there is nothing of day" $things 'del f["day"]'
expect_refused group "$things" $things 'del f["day"]; f.create_group("day")'
expect_refused wide "of flag" $things \
    'd = f["flag"][:]; del f["flag"]; f["flag"] = d.astype("<i8")'
expect_refused short "of amount" $things 'd = f["amount"][1:]; del f["amount"]; f["amount"] = d'
expect_refused chunked "of amount" $things \
    'd = f["amount"][:]; del f["amount"]; f.create_dataset("amount", data=d, chunks=(8,))'
expect_refused falling "wrong checksum of partition_offset" $things 'f["partition_offset"][3] = 10**12'
expect_refused sums "wrong checksum of checksum/day" $things 'f["checksum/day"][3] = 1'
expect_refused value "column score of partition" $things 'f["score"][7] = 1.5'
expect_refused elsewhere "of score" $things \
    'del f["score"]; f["score"] = h5py.ExternalLink("../000001/things.h5", "/score")'
labels=results/night/labels.h5
expect_refused code "column label of partition" $labels 'f["label.code"][5] = 2'
expect_refused shared "column label of partition" $labels 'f["label"][1] = 65'
expect_refused once "column share of partition" $labels 'f["share"][0] = 0.5'
expect_refused few "of label.code" $labels \
    'd = f["label.code"][1:]; del f["label.code"]; f["label.code"] = d'
expect_refused result "results/night/things.h5: column day" results/night/things.h5 'f["day"][0] += 1'
finish
