"""Reads what a run leaves for those who watch over it (observe.sh), and says what is wrong with it.

    observe.py log FILE JOB STAGE...           JSON lines, a stage each in this order
    observe.py fields FILE STAGE KEY=TYPE...   of a stage; TYPE str:VALUE must have that value
    observe.py failure FILE JOB STAGE CODE STATUS RANK REGEX
    observe.py metrics FILE 'NAME{LABEL="VALUE"} N'...   each must be there; >N: more than N
    observe.py lineage FILE TYPE...            the events in this order
    observe.py dataset FILE inputs|outputs NAMESPACE NAME rows=N|any [checksum] [COLUMN...]
    observe.py record FILE JOB STAGE...
"""
import json
import re
import sys
import uuid

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def need(condition, *words):
    if not condition:
        sys.exit(" ".join(str(word) for word in words))


def json_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def own_lines(path):
    """Without those of the launcher."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.startswith("{")]


def stage_lines(path, stage):
    found = [line for line in json_lines(path) if line["stage"] == stage and "seconds_min" in line]
    need(len(found) == 1, len(found), "lines of stage", stage)
    return found[0]


def log(path, job, *stages):
    lines = json_lines(path)
    for line in lines:
        need(TIME.fullmatch(line["time"]), "no time:", line)
        need(line["level"] in ("info", "debug"), "not clean:", line)
        need(line["job"] == job, "another job:", line)
    named = [line for line in lines if "seconds_min" in line]
    need([line["stage"] for line in named] == list(stages), "other stages:", named)
    for line in named:
        need(line["seconds_min"] <= line["seconds"] <= line["seconds_max"], "seconds:", line)


def fields(path, stage, *wanted):
    line = stage_lines(path, stage)
    for item in wanted:
        key, kind = item.split("=", 1)
        kind, _, value = kind.partition(":")
        need(type(line.get(key)).__name__ == kind, key, "is no", kind, "in", line)
        need(not value or line[key] == value, key, "is not", value, "in", line)


def failure(path, job, stage, code, status, rank, regex):
    lines = [line for line in own_lines(path) if line["level"] == "error"]
    need(len(lines) == 1, len(lines), "errors")
    line = lines[0]
    found = (line["job"], line["stage"], line["code"], line["status"], line["rank"])
    need(found == (job, stage, int(code), status, int(rank)), "not that error:", line)
    need(re.search(regex, line["message"]), "no", regex, "in", line)
    need(line["file"].endswith(".c") and line["line"] > 0, "no place:", line)


LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:" + LABEL + r"(?:,|(?=\})))*)\} (\S+)")


def labels_of(text):
    escapes = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
    return {name: re.sub(r"\\.", lambda match: escapes[match.group()], value)
            for name, value in re.findall(LABEL, text)}


def read_metrics(path):
    """The text format, strictly: HELP and TYPE before each name's samples, which stand together."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    need(text.endswith("\n"), "the last line does not end")
    samples, typed, helped, current = [], set(), set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            need(name not in helped and line.split(" ", 3)[3], "HELP:", line)
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            need(name in helped and name not in typed and kind == "gauge", "TYPE:", line)
            typed.add(name)
            current = name
        else:
            match = SAMPLE.fullmatch(line)
            need(match, "no sample:", line)
            need(match[1] == current, "out of its place:", line)
            need(re.fullmatch(r"vesper_[a-z_]+_(seconds|bytes|rows|info|ratio|success|code|ranks|generation)",
                              match[1]), "a name against the conventions:", match[1])
            key = (match[1], tuple(sorted(labels_of(match[2]).items())))
            need(key not in [sample[:2] for sample in samples], "twice:", line)
            samples.append((*key, float(match[5])))
    return samples


def metrics(path, *wanted):
    samples = read_metrics(path)
    for item in wanted:
        name, rest = item.split("{", 1)
        text, number = rest.rsplit("} ", 1)
        label = re.fullmatch(r'([a-z]+)="(.*)"', text)
        values = [value for found, labels, value in samples
                  if found == name and (label is None or dict(labels).get(label[1]) == label[2])]
        need(len(values) == 1, len(values), "samples of", item)
        need(values[0] > float(number[1:]) if number[0] == ">" else values[0] == float(number),
             item, "but", values[0])


def check_facets(where):
    for facet in where.values():
        need(re.match(r"(urn|https?):", facet["_producer"]), "no producer:", facet)
        need(re.match(r"(urn|https?):", facet["_schemaURL"]), "no schema:", facet)


def lineage(path, *types):
    events = json_lines(path)
    need([event["eventType"] for event in events] == list(types), "other events")
    for event in events:
        need(TIME.fullmatch(event["eventTime"]), "no time:", event)
        need(event["schemaURL"].endswith("OpenLineage.json#/$defs/RunEvent"), "no schema")
        need(event["producer"].startswith("urn:vesper:"), "no producer")
        need(uuid.UUID(event["run"]["runId"]).version == 7, "no UUID")
        need(event["job"]["namespace"].startswith("vesper:/") and event["job"]["name"], "no job")
        check_facets(event["run"]["facets"])
        need(("errorMessage" in event["run"]["facets"]) == (event["eventType"] == "FAIL"), "error")
        for dataset_ in event["inputs"] + event["outputs"]:
            need(dataset_["namespace"] and dataset_["name"], "unnamed:", dataset_)
            for kind in ("facets", "inputFacets", "outputFacets"):
                check_facets(dataset_.get(kind, {}))
        need(event["inputs"] or event["eventType"] == "START", "no inputs:", event)
        need(bool(event["outputs"]) == (event["eventType"] == "COMPLETE"), "outputs:", event)
    for begun, ended in zip(events[::2], events[1::2]):
        need(begun["run"]["runId"] == ended["run"]["runId"], "two runs in one")
    need(len({event["run"]["runId"] for event in events}) == len(events) / 2, "one run for two")


def dataset(path, side, namespace, name, rows, *wanted):
    event = [event for event in json_lines(path) if event["eventType"] == "COMPLETE"][-1]
    found = [item for item in event[side] if (item["namespace"], item["name"]) == (namespace, name)]
    need(len(found) == 1, "not among", [(item["namespace"], item["name"]) for item in event[side]])
    counts = found[0][side[:-1] + "Facets"][side[:-1] + "Statistics"]["rowCount"]
    need(rows == "rows=any" and counts > 0 or rows == f"rows={counts}", rows, "but", counts)
    for word in wanted:
        if word == "checksum":
            need(re.fullmatch("[0-9a-f]{32}", found[0]["facets"]["vesper_content"]["xxh3_128"]),
                 "no checksum")
        else:
            columns = {field["name"]: field["type"] for field in found[0]["facets"]["schema"]["fields"]}
            need(word in columns, "no column", word, "in", columns)


def record(path, job, *stages):
    with open(path, encoding="utf-8") as file:
        run = json.load(file)
    need(run["job"] == job and run["vesper"] and len(run["config_hash"]) == 16, "of another run")
    need(uuid.UUID(run["lineage_run"]), "no lineage")
    need([stage["name"] for stage in run["stages"]] == list(stages), "stages:", run["stages"])
    for stage in run["stages"]:
        need(stage["seconds_min"] <= stage["seconds_mean"] <= stage["seconds_max"], "seconds:", stage)
        need(1e6 < stage["peak_bytes"] <= run["peak_bytes_per_rank"]["max"], "memory:", stage)
    rows = run["rows"]
    need(rows["read"] == rows["stored"] + rows["rejected"] + rows["unchanged"], "rows:", rows)
    need(run["inputs"][0]["rows"]["read"] > 0 and len(run["inputs"][0]["xxh3_128"]) == 32, "inputs")
    for key in ("ingest_rows_per_second", "sales_lines_per_second", "publish_rows_per_second"):
        need(run[key] > 0, key)


globals()[sys.argv[1]](*sys.argv[2:])
