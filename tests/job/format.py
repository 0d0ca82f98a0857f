"""Reads the store that store_sample made by docs/format.md alone, and compares every value and every
checksum. XXH3 comes from libxxhash, which the program links as well."""
import ctypes
import json
import os
import struct
import sys

import h5py
import numpy

xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
xxhash.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]

WIDTHS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8}
UNITS = "none count money_minor day month time_us code bool".split()
KINDS = {"things": "append", "words": "global", "orders": "order_lines", "order_replaced": "append"}
THINGS = [("flag", "int8", "bool"), ("country", "int16", "code"), ("day", "int32", "day"),
          ("amount", "int64", "money_minor"), ("score", "float64", "none"), ("name", "text", "none")]


def checksum(data):
    return xxhash.XXH3_64bits(data, len(data))


def check(condition, what):
    if not condition:
        sys.exit(f"format.py: {what}")


# ---- what store_sample writes, in its words (tests/rank/store_model.c) ----

def noise(a, b, c):
    return checksum(struct.pack("<qqq", a, b, c))


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def expected_things(batch, partition):
    n = 0 if (partition + batch) % 3 == 0 else noise(batch, partition, -1) % 40
    rows = []
    for i in range(n):
        x = noise(batch, partition, i)
        length = 0 if x % 5 == 0 else x % 60
        name = "".join("é" if (x >> (k % 30)) % 4 == 0 else "x" for k in range(length))
        rows.append((x & 1, x % 200 - 1, x >> 33, signed(x, 64), float(signed(x, 64)) / 3.0, name))
    return rows


# ---- a segment, by the page ----

def narrowest(values):
    for name, width in WIDTHS.items():
        if all(-(1 << (8 * width - 1)) <= v < 1 << (8 * width - 1) for v in values):
            return name
    return None


def check_guard(dataset):
    check(dataset.attrs["xxh3"] == checksum(dataset[:].tobytes()), f"xxh3 of {dataset.name}")


def check_plain(dataset):
    check(dataset.ndim == 1 and dataset.chunks is None and dataset.compression is None,
          f"{dataset.name} is not plain")
    check(dataset.dtype.byteorder in "<=|", f"{dataset.name} is not little-endian")


class Segment:
    def __init__(self, path, table, kind, batch, form=1):
        self.file = h5py.File(path, "r")
        attrs = self.file.attrs
        self.path = path
        check(attrs["format"] == form, f"format of {path}")
        check(attrs["table"].decode() == table and attrs["kind"].decode() == kind, f"names in {path}")
        check(attrs["batch"] == batch, f"batch of {path}")
        self.partitions, self.rows = int(attrs["partitions"]), int(attrs["rows"])
        self.schema = [tuple(line.split(" ")) for line in attrs["schema"].decode().splitlines()]
        self.offset = self.offsets("partition_offset", self.rows)
        names = {"partition_offset", "checksum"}
        for name, kind, unit in self.schema:
            names |= {name} if kind != "text" else {name, f"{name}.end", f"{name}.partition_offset"}
            if self.is_coded(name):
                names |= {f"{name}.code", f"{name}.text_offset"}
            check(unit in UNITS and self.file[name].attrs["unit"].decode() == unit, f"unit of {name}")
        check(set(self.file) == names, f"{path} has other things in it")

    def is_coded(self, name):
        return f"{name}.code" in self.file

    def constant(self, name):
        """The one value of all rows; its checksum stands for each partition."""
        value, sums = self.file[name][:], self.file[f"checksum/{name}"]
        check_guard(sums)
        check(all(sums[p] == checksum(value.tobytes()) for p in range(self.partitions)),
              f"checksum of {name}")
        return value.tolist() * self.rows

    def offsets(self, name, total):
        dataset = self.file[name]
        check_plain(dataset)
        check_guard(dataset)
        offset = dataset[:]
        check(dataset.dtype == numpy.int64 and len(offset) == self.partitions + 1, f"{name}: its shape")
        check(offset[0] == 0 and (numpy.diff(offset) >= 0).all() and offset[-1] == total,
              f"{name}: its values")
        return offset

    def blocks(self, name, offset):
        """The dataset's values, after checking the checksum of each partition."""
        values = self.file[name][:]
        sums = self.file[f"checksum/{name}"]
        check_plain(self.file[name])
        check_guard(sums)
        check(sums.dtype == numpy.uint64 and len(sums) == self.partitions, f"checksum/{name}")
        for p in range(self.partitions):
            block = values[offset[p]:offset[p + 1]].tobytes()
            check(checksum(block) == sums[p], f"{self.path}: checksum of {name} of partition {p}")
        return values

    def column(self, name, kind):
        """All values, as Python's own."""
        if kind == "float64" and self.rows > 1 and self.file[name].shape == (1,):
            return self.constant(name)
        if kind != "text":
            values = self.blocks(name, self.offset).tolist()
            wanted = kind if kind == "float64" else narrowest(values)
            check(self.file[name].dtype == wanted, f"{name} is stored as {self.file[name].dtype}")
            if kind != "float64" and values:
                attrs = self.file[name].attrs
                check((attrs["min"], attrs["max"]) == (min(values), max(values)), f"{name}: min and max")
            return values
        first = self.offsets(f"{name}.partition_offset", self.file[name].shape[0])
        data = self.blocks(name, first).tobytes()
        text = self.offset
        if self.is_coded(name):
            text = self.offsets(f"{name}.text_offset", self.file[f"{name}.end"].shape[0])
        ends = self.blocks(f"{name}.end", text).tolist()
        check(self.file[f"{name}.end"].dtype == narrowest(ends), f"{name}.end: its type")
        texts = []
        for p in range(self.partitions):
            begin = 0
            for end in ends[text[p]:text[p + 1]]:
                texts.append(data[first[p] + begin:first[p] + end].decode())
                begin = end
            check(begin == first[p + 1] - first[p], f"{name}: bytes of partition {p}")
        if not self.is_coded(name):
            return texts
        codes = self.blocks(f"{name}.code", self.offset).tolist()
        check(self.file[f"{name}.code"].dtype == narrowest(codes), f"{name}.code: its type")
        return [texts[text[p] + code] for p in range(self.partitions)
                for code in codes[self.offset[p]:self.offset[p + 1]]]

    def table(self):
        return list(zip(*[self.column(name, kind) for name, kind, _ in self.schema]))


def check_things(segment, batches):
    check(segment.schema == THINGS, f"{segment.path}: its schema")
    rows = segment.table()
    wanted = [row for batch, p in batches for row in expected_things(batch, p)]
    check(rows == wanted and len(rows) == segment.rows, f"{segment.path}: its rows")


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_modes(store):
    for folder, folders, files in os.walk(store):
        for name in folders:
            check(os.stat(f"{folder}/{name}").st_mode & 0o7777 == 0o700, f"mode of {name}")
        for name in files:
            check(os.stat(f"{folder}/{name}").st_mode & 0o7777 == 0o600, f"mode of {name}")


def check_orders(segments, in_force):
    """Replaced orders are among those written, and the manifest's lines add up."""
    orders, replaced = {}, set()
    for batch in segments:
        names = [name for name, _, _ in batch["orders"].schema]
        lines = batch["orders"].table()
        order, customer = names.index("order"), names.index("customer")
        for p in range(batch["orders"].partitions):
            begin, end = batch["orders"].offset[p:p + 2]
            keys = [(line[customer] & 0xffffffff, line[order]) for line in lines[begin:end]]
            check(keys == sorted(keys), "lines are not in order")
            for line in lines[begin:end]:
                key = (p, batch["number"], line[order])
                orders[key] = orders.get(key, 0) + 1
        rows = batch["order_replaced"].table()
        for p in range(batch["order_replaced"].partitions):
            begin, end = batch["order_replaced"].offset[p:p + 2]
            replaced |= {(p, *row) for row in rows[begin:end]}
    check(replaced <= set(orders) and replaced, "order_replaced names orders that are not there")
    for p, lines in enumerate(in_force):
        counted = sum(n for key, n in orders.items() if key[0] == p and key not in replaced)
        check(counted == lines, f"order_lines_in_force of partition {p}")


def check_store(store):
    settings = read_json(f"{store}/store.json")
    check(settings == {"format": 1, "partitions": 16, "money_decimals": 2, "currency": "GBP",
                       "time_zone": "Europe/London"}, "store.json")
    with open(f"{store}/CURRENT", encoding="ascii") as file:
        name, digits = file.read().splitlines()
    with open(f"{store}/manifest/{name}", "rb") as file:
        check(f"{checksum(file.read()):016x}" == digits, "checksum in CURRENT")
    manifest = read_json(f"{store}/manifest/{name}")
    check(manifest["format"] == 1 and manifest["generation"] == 3, "generation")
    segments = []
    for number, batch in enumerate(manifest["batches"], 1):
        check(batch["number"] == number, "numbers of batches")
        opened = {"number": number}
        for table in batch["tables"]:
            path = f"{store}/{table['file']}"
            segment = Segment(path, table["name"], KINDS[table["name"]], number)
            check(table["kind"] == KINDS[table["name"]], "kind in the manifest")
            check(table["rows"] == segment.rows and table["bytes"] == os.path.getsize(path),
                  "rows and bytes in the manifest")
            check([tuple(c.split(" ")) for c in table["columns"]] == segment.schema,
                  "columns in the manifest")
            opened[table["name"]] = segment
        check_things(opened["things"], [(number, p) for p in range(16)])
        check_things(opened["words"], [(number, 1)])
        check(opened["words"].partitions == 1, "partitions of a global table")
        segments.append(opened)
    check_orders(segments, manifest["order_lines_in_force"])


def check_results(folder):
    index = read_json(f"{folder}/tables.json")
    check(index["format"] == 1 and index["run"] == "night" and index["generation"] == 3, "tables.json")
    table, labels = index["tables"]
    segment = Segment(f"{folder}/{table['file']}", "things", "result", 3)
    check(table["name"] == "things" and table["key"] == "amount,name", "names in tables.json")
    check(table["rows"] == segment.rows and segment.partitions == 1, "rows in tables.json")
    check([tuple(c.split(" ")) for c in table["columns"]] == THINGS, "columns in tables.json")
    check_things(segment, [(9, p) for p in range(16)])
    check_sum(segment, table)
    segment = Segment(f"{folder}/{labels['file']}", "labels", "result", 3, form=2)
    words = ["", "one", "", "été", "!"]
    check(segment.table() == [(i, words[i * i % 5], 0.25) for i in range(200)], "rows of labels")
    check(segment.file["label.end"].shape == (3,) and segment.file["share"].shape == (1,),
          "labels are not stored once")
    check_sum(segment, labels)


def check_sum(segment, table):
    total = 0
    for name, kind, _ in segment.schema:
        for part in [name, f"{name}.end", f"{name}.code"]:
            if f"checksum/{part}" in segment.file:
                data = segment.file[f"checksum/{part}"][:].tobytes()
                total = xxhash.XXH3_64bits_withSeed(data, len(data), total)
    check(f"{total:016x}" == table["checksum"], "checksum in tables.json")


if __name__ == "__main__":
    check_modes(sys.argv[1])
    check_store(sys.argv[1])
    check_results(f"{sys.argv[1]}/results/night")
