"""Reads the --help of every job and checks docs/configuration.md against it: each ini key stands in
the tables there with its flag and its default, and no key stands there that no job reads.

help.py CONFIGURATION.md HELP...   prints what is wrong, a line each"""

import re
import sys

OPTION = re.compile(r"^ {2}(?:-\w, | {4})--([a-z-]+)(?: .*)?$")
SOURCES = re.compile(r"\((?:default ([^;]*); )?(?:ini \[(\w+)\] (\w+); )?VESPER_\w+\)$")


def options_of(text):
    """{flag: (section, key, default)} of a help text; words that were wrapped come together again."""
    found, paragraph = {}, ""
    for line in text.split("\nOptions:\n")[1].split("\n\n")[0].split("\n") + ["      --end"]:
        if OPTION.match(line) and paragraph:
            flag = OPTION.match(paragraph).group(1)
            words = SOURCES.search(" ".join(paragraph.split()))
            found[flag] = (words.group(2), words.group(3), words.group(1)) if words else None
            paragraph = ""
        paragraph += line + " "
    return found


def rows_of(path):
    """{(section, key): (flags, default)} of the tables whose rows begin with a section and keys."""
    found = {}
    for line in open(path, encoding="utf-8"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        begin = re.match(r"`\[(\w+)\]` (\w+(?:, \w+)*)$", cells[0])
        if not begin:
            continue
        keys = begin.group(2).split(", ")
        flags = re.findall(r"`--([a-z-]+)`", cells[1])
        defaults = [part.strip() for part in cells[3].split(",")] if len(cells) > 3 else []
        for i, key in enumerate(keys):
            flag = flags[i] if i < len(flags) else None
            found[begin.group(1), key] = (flag, defaults[i] if i < len(defaults) else "")
    return found


def main():
    rows, read = rows_of(sys.argv[1]), set()
    for path in sys.argv[2:]:
        for flag, source in options_of(open(path, encoding="utf-8").read()).items():
            if source is None:
                print(f"{path}: --{flag} does not say where its value comes from")
                continue
            section, key, default = source
            if section is None:
                continue
            read.add((section, key))
            if (section, key) not in rows:
                print(f"[{section}] {key} (--{flag}) is not in the tables")
                continue
            told_flag, told_default = rows[section, key]
            if told_flag not in (None, flag):
                print(f"[{section}] {key} is --{flag}, not --{told_flag}")
            if default is not None and told_default != default:
                print(f"[{section}] {key} is {default} by default, not '{told_default}'")
    for section, key in rows.keys() - read:
        print(f"[{section}] {key} is read by no job")


main()
