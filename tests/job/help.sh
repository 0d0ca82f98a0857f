#!/bin/bash
# What a new user reads first: each job's --help, in one shape at any number of ranks, and the tables
# of docs/configuration.md, which have to say the same.
. "$(dirname "$0")/../support/vesper.sh"
cd "$work" || exit 1

run_vesper 2 --help
expect_done "the overview" || finish
mapfile -t jobs < <(sed -n '/^jobs:$/,/^$/s/^  \([a-z]*\) .*/\1/p' out)
checks=$((checks + 1))
[ ${#jobs[@]} -ge 13 ] || fail "the overview has ${#jobs[@]} jobs"
mkdir help
for job in "${jobs[@]}"; do
    checks=$((checks + 1))
    "$vesper" "$job" --help >"help/$job" 2>err </dev/null || fail "$job --help: exit code $?"
    expect_text "$job --help" "help/$job" "^Usage: vesper $job .*\[options\]$"
    expect_text "$job --help" "help/$job" "^ +(mpirun -n [0-9]+ .*)?(vesper|\(vesper) $job"
done
run_vesper 3 sales --help
expect_done "on three ranks" && expect_same "on three ranks" help/sales out
run_vesper 1 help sales
expect_done "help of a job" && expect_same "help of a job" help/sales out
run_vesper 1 help sails
expect_failure "help of no job" 2 "there is no job 'sails'; did you mean sales\?"
python3 "$repo/tests/job/help.py" "$repo/docs/configuration.md" help/* | sort -u >wrong
checks=$((checks + 1))
[ ! -s wrong ] || fail "docs/configuration.md: $(cat wrong)"

# Every page of the docs is reached from the README, and every link leads somewhere.
python3 - "$repo" >wrong <<'END'
import os, re, sys
root = sys.argv[1]
met, todo = set(), ["README.md"]
while todo:
    page = todo.pop()
    met.add(page)
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", open(os.path.join(root, page), encoding="utf-8").read()):
        target = os.path.normpath(os.path.join(os.path.dirname(page), link))
        if not os.path.exists(os.path.join(root, target)):
            print(f"{page}: {link} is not there")
        elif target.endswith(".md") and target not in met:
            todo.append(target)
        elif target == "docs/methods":
            todo += [f"{target}/{name}" for name in os.listdir(os.path.join(root, target))]
for folder, _, names in os.walk(os.path.join(root, "docs")):
    for name in names:
        page = os.path.relpath(os.path.join(folder, name), root)
        if page not in met and name.endswith(".md"):
            print(f"nothing leads to {page}")
END
checks=$((checks + 1))
[ ! -s wrong ] || fail "links: $(cat wrong)"
finish
