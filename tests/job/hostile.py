"""Changes one thing in a store's segments or results and makes every checksum right again, as somebody who
means harm could: hostile.py FOLDER SEED. What it did goes to stdout. XXH3 comes from libxxhash."""
import ctypes
import pathlib
import random
import sys

import h5py
import numpy

xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]

NUMBERS = [0, 1, -1, -2, 127, 255, 32767, 65536, 2**31 - 1, -2**31, 2**32, 2**40, 2**61, 2**63 - 1, -2**63]


def checksum(data):
    return xxhash.XXH3_64bits(data, len(data))


def seal_index(dataset):
    dataset.attrs.modify("xxh3", numpy.uint64(checksum(dataset[:].tobytes())))


def offsets_of(file, name):
    """Where the partitions of a dataset begin, and the checksums of their blocks."""
    if name.endswith(".code"):
        return file["partition_offset"][:], file[f"checksum/{name}"]
    if name.endswith(".end"):
        column = name[:-4]
        where = f"{column}.text_offset" if f"{column}.text_offset" in file else "partition_offset"
        return file[where][:], file[f"checksum/{name}"]
    where = f"{name}.partition_offset" if f"{name}.partition_offset" in file else "partition_offset"
    return file[where][:], file[f"checksum/{name}"]


def change_values(file, name, dice):
    dataset = file[name]
    values = dataset[:]
    if values.dtype.kind == "f":
        hostile = [float("nan"), float("inf"), -float("inf"), 1e308, -1.0, 5e-324]
    else:
        bounds = numpy.iinfo(values.dtype)
        hostile = [n for n in NUMBERS if bounds.min <= n <= bounds.max] + [int(values.max()) + 1, bounds.min, bounds.max]
        hostile = [n for n in hostile if bounds.min <= n <= bounds.max]
    number = dice.choice(hostile)
    places = range(len(values)) if dice.random() < .2 else [dice.randrange(len(values)) for _ in range(dice.choice([1, 3, 20]))]
    for i in places:
        values[i] = number
    dataset[:] = values
    offsets, sums = offsets_of(file, name)
    if len(values) == 1 and len(offsets) > 2:
        offsets = None  # one value for all rows
    for p in range(len(sums)):
        block = values if offsets is None else values[offsets[p]:offsets[p + 1]]
        sums[p] = checksum(block.tobytes())
    seal_index(sums)
    if "min" in dataset.attrs and dice.random() < .5:
        dataset.attrs.modify("min", min(int(values.min()), int(dataset.attrs["min"])))
        dataset.attrs.modify("max", max(int(values.max()), int(dataset.attrs["max"])))
    return f"{name}: {number} at {len(places)} of {len(values)}"


def change_offsets(file, name, dice):
    dataset = file[name]
    values = dataset[:]
    at, number = dice.randrange(len(values)), dice.choice(NUMBERS + [int(values[-1]) + 1])
    values[at] = number
    dataset[:] = values
    seal_index(dataset)
    return f"{name}[{at}]: {number}"


def change_attribute(owner, dice):
    names = [n for n in owner.attrs if owner.attrs[n].dtype.kind in "iu"] if len(owner.attrs) else []
    if not names:
        return None
    name = dice.choice(names)
    kind = owner.attrs[name].dtype
    bounds = numpy.iinfo(kind)
    number = dice.choice([n for n in NUMBERS if bounds.min <= n <= bounds.max])
    owner.attrs.modify(name, kind.type(number))
    return f"{owner.name} attribute {name}: {number}"


def change_form(file, name, dice):
    """Another type, size, or kind of thing under the name."""
    values, attrs = file[name][:], dict(file[name].attrs)
    del file[name]
    how = dice.randrange(5)
    if how == 0:
        file[name] = values.astype("float32")
    elif how == 1:
        file[name] = numpy.tile(values, 2)[:len(values) + 1]
    elif how == 2:
        file.create_dataset(name, data=values, chunks=(max(1, len(values) // 2),), compression="gzip")
    elif how == 3:
        file[name] = h5py.ExternalLink("/etc/passwd", "/")
    else:
        file.create_group(name)
    return f"{name}: another form, {how}"


def main():
    dice = random.Random(int(sys.argv[2]))
    paths = sorted(pathlib.Path(sys.argv[1]).rglob("*.h5"))
    while True:
        path = dice.choice(paths)
        with h5py.File(path, "r+") as file:
            names = [n for n in file if n != "checksum" and file[n].shape[0] > 0]
            name = dice.choice(names)
            chance = dice.random()
            if chance < .15:
                done = change_attribute(dice.choice([file, file[name]]), dice)
            elif chance < .2:
                done = change_form(file, name, dice)
            elif name.endswith("_offset"):
                done = change_offsets(file, name, dice)
            else:
                done = change_values(file, name, dice)
        if done:
            print(f"{path}: {done}")
            return


main()
