#!/bin/bash
# Models measured on files of pairs: the table that a naive count gives, the same at every number of
# ranks and threads, compressed or not; and everything that is refused.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

# Users u0 to u59 have items by turns; what they take later is in part what many have.
awk 'BEGIN {
    for (u = 0; u < 60; u++) {
        train = test = "u" u
        for (i = 0; i < 40; i++) {
            if ((u * 7 + i * i) % (3 + i) == 0)
                train = train " i" i
            else if ((u + i) % 11 == 0)
                test = test "\t i" i
        }
        print train >"train.txt"
        print test "\r" >"test.txt"
    }
    print "stranger i1 i2" >"test.txt"
    print "u3 i0 i0 i0" >"train.txt"
}'
gzip -k train.txt
xz -k test.txt

# The rows of the table for `popular`, counted here: recall and hits at 10 and 20.
awk 'NR == FNR { for (k = 2; k <= NF; k++) has[$1, $k] = 1; next }
    { sub("\r", ""); for (k = 2; k <= NF; k++) took[$1, $k] = 1 }
    END {
        for (pair in has) { split(pair, p, SUBSEP); n[p[2]]++ }
        for (i = 0; i < 40; i++) names[i] = "i" i
        for (a = 0; a < 40; a++) # best first, equal ones by name
            for (b = a + 1; b < 40; b++)
                if (n[names[b]] > n[names[a]] || (n[names[b]] == n[names[a]] && names[b] < names[a])) {
                    t = names[a]; names[a] = names[b]; names[b] = t
                }
        for (u = 0; u < 60; u++) {
            all = place = 0; hits[10] = hits[20] = 0
            for (i = 0; i < 40; i++) all += (("u" u, "i" i) in took)
            if (!all) continue
            users++
            for (a = 0; a < 40 && place < 20; a++) {
                if (("u" u, names[a]) in has) continue
                place++
                if (!(("u" u, names[a]) in took)) continue
                hits[20]++
                if (place <= 10) hits[10]++
            }
            for (cut = 10; cut <= 20; cut += 10) { recall[cut] += hits[cut] / all; rate[cut] += hits[cut] > 0 }
        }
        printf "%.4f %.4f %.4f %.4f\n", recall[10] / users, recall[20] / users, rate[10] / users, rate[20] / users
    }' train.txt test.txt >expected

first=
for shape in 1x1 2x1 3x2 4x1 7x1; do
    run_vesper "${shape%x*}" recommend --evaluate --train train.txt --test test.txt \
        --threads "${shape#*x}" --iterations 3 --factors 8
    expect_done "measured at $shape" || continue
    accuracy_table >"table$shape"
    first=${first:-table$shape}
    expect_same "the table at $shape" "$first" "table$shape"
done
expect_text "train" "$first" '^train +43 users, 34 items, 148 pairs$'
expect_text "left out" "$first" 'left out: 1 users'
expect_text "repeated" "$first" '^ +3 pairs came again'
for model in popular itemknn ease ials; do
    expect_text "row of $model" "$first" "^$model +0\.[0-9]{4} "
done
awk '$1 == "popular" { print $2, $3, $8, $9 }' "$first" >popular
expect_same "popular, counted apart" popular expected

run_vesper 2 recommend --evaluate --train train.txt.gz --test test.txt.xz --models popular
expect_done "compressed files"
grep '^popular' "$first" >row
accuracy_table | grep '^popular' >row_compressed
expect_same "compressed files" row row_compressed
[ -z "$(ls "$TMPDIR")" ] || fail "compressed files: left in TMPDIR: $(ls "$TMPDIR")"

evaluate() {
    run_vesper 2 recommend --evaluate --train train.txt --test test.txt "$@"
}
run_vesper 2 recommend --store store
expect_failure "no store" 2 "no store in store"
run_vesper 2 recommend --evaluate --train train.txt
expect_failure "train without test" 2 '--train needs --test'
run_vesper 2 recommend --evaluate --test test.txt
expect_failure "test without train" 2 '--test needs --train'
run_vesper 2 recommend --evaluate
expect_failure "nothing to learn from" 2 '--store'
evaluate --models popular,esae
expect_failure "unknown model" 2 "'esae'" 'did you mean ease' 'itemknn'
# Too many items for the matrix that they would take: left out, said once, and the others measured.
awk 'BEGIN { for (u = 0; u < 300; u++) { line = "u" u
        for (k = 0; k < 300; k++) line = line " i" (u * 300 + k) % 89999
        print line } }' >wide.txt
printf 'u1 i7\nu2 i9\n' >wide_test.txt
run_vesper 2 recommend --evaluate --train wide.txt --test wide_test.txt --models popular,ease --memory 1G
expect_done "no room for ease"
expect_text "no room for ease" out '^ease +left out: with 89,999 items it would take [0-9.]+ GiB a rank'
expect_text "no room for ease" out '^popular +0\.'
run_vesper 2 recommend --evaluate --train wide.txt --test wide_test.txt --factors 2 --iterations 1
expect_done "too many items for ease"
expect_text "too many items for ease" out '^ease +left out: with 89,999 items'
expect_text "too many items for ease" out '^blend +0\.'
evaluate --models repeat
expect_failure "repeat without a store" 2 'repeat' '--train' 'store'
evaluate --models ' , '
expect_failure "no model" 2 '--models' 'all'
evaluate --split-date 2024-05-01
expect_failure "two splits" 2 '--split-date' 'give one'
run_vesper 2 recommend --evaluate --store store --split-date 2024-02-30
expect_failure "no day" 2 '--split-date' '2024-02-30'
for value in x 5T 5MB -1 1.5G 99999999999G; do
    evaluate "--memory=$value"
    expect_failure "memory '$value'" 2 '--memory' '500M'
done
for value in 5 1023K 1048575; do
    evaluate "--memory=$value"
    expect_failure "memory '$value'" 2 "--memory \(or memory under \[run\]\) '$value' is less than a megabyte; \
write it with its unit, as in 500M or 5G \(0: no limit\)\$"
done
printf '[recommend]\nmemory = 500M\n' >stale.ini
evaluate -c stale.ini
expect_failure "memory where it stood" 2 "stale.ini:2: unknown key 'memory' in \[recommend\]; it belongs in \[run\]\$"
evaluate --knn-similarity euclid
expect_failure "similarity" 2 'euclid' 'cosine' 'bm25'
evaluate --factors 0
expect_failure "no factors" 2 'factors'
evaluate --unobserved=-1
expect_failure "a negative weight" 2 'unobserved'
run_vesper 2 recommend --evaluate --train train.txt --test absent.txt
expect_failure "missing file" 3 'absent\.txt'
: >empty.txt
run_vesper 3 recommend --evaluate --train empty.txt --test test.txt
expect_failure "empty file" 3 'empty\.txt has no pairs'
printf 'u1 i1\nu2 i\xff\n' >bad.txt
run_vesper 3 recommend --evaluate --train train.txt --test bad.txt
expect_failure "bad UTF-8" 3 'bad\.txt:2' 'UTF-8'
finish
