"""Figures for people (a table) or for programs (one JSON object a line)."""
import json
import os
import pathlib
import statistics

from measures import MANY, ONE


def machine(place):
    """Where this is measured; asked before the measuring, which is a load itself."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {"what": "machine", "processors": os.cpu_count(), "model": model, "kernel": os.uname().release,
            "load": round(os.getloadavg()[0], 2), "file_system": place.file_system, "directory": str(place.path.parent)}


def measure_record(measures, measure):
    record = {"what": "measure", "section": measure.section, "name": measure.name}
    if measure.missing:
        return {**record, "missing": measure.missing}
    each = [round(one * 1e6 / measure.tasks, 1) for one in measure.seconds]
    record |= {"tasks": measure.tasks, "us_per_task": round(measure.microseconds(), 1),
               "tasks_per_second": round(measure.rate()), "rounds": each}
    floor = measures.find(measure.section, measure.against)
    if floor:
        record |= {"of": measure.against, "ratio": round(measures.ratio(measure, floor), 4)}
    if measure.note:
        record["note"] = measure.note
    return record


def as_json(measures, figures, targets, about):
    yield about
    for measure in measures:
        if measure.seconds or measure.missing:
            yield measure_record(measures, measure)
    for figure in figures:
        yield {"what": "figure", **figure}
    for target in targets:
        yield {"what": "target", **target}


def as_table(measures, figures, targets, about):
    yield f"{about['processors']} processors ({about['model']}), Linux {about['kernel']}, load {about['load']}; " \
          f"{about['directory']} on {about['file_system']}"
    if about["file_system"] in ("tmpfs", "ramfs"):
        yield "  WARNING: that is memory, so a commit costs nothing here; name a real disk with --dir"
    for section in (ONE, MANY):
        rows = [one for one in measures if one.section == section and (one.seconds or one.missing)]
        if not rows:
            continue
        yield ""
        yield f"{section:42} {'tasks':>6} {'us/task':>9} {'tasks/s':>8} {'of floor':>8}  lowest-highest us (rounds)"
        for row in rows:
            yield "  " + table_row(measures, row)
    if figures:
        yield ""
        yield "memory and start"
        yield from (figure_row(figure) for figure in figures)
    if targets:
        yield ""
        yield "targets"
        for target in targets:
            seen = f"{target['value']:g} {target['unit']}" if "value" in target else target["why"]
            yield f"  {target['verdict'].upper():4}  {target['name']}: {seen} ({target['wanted']})"


def table_row(measures, row):
    record = measure_record(measures, row)
    if row.missing:
        return f"{row.name:40} {row.missing}"
    ratio = record.get("ratio")
    shown = "" if ratio is None else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.4f}"
    spread = f"{min(record['rounds']):.0f}-{max(record['rounds']):.0f} ({len(row.seconds)})"
    note = f"  {row.note}" if row.note else ""
    return f"{row.name:40} {row.tasks:6} {record['us_per_task']:9.0f} {record['tasks_per_second']:8,} {shown:>8}  {spread}{note}"


def figure_row(figure):
    if "missing" in figure:
        return f"  {figure['name']:58} {figure['missing']}"
    note = f"  {figure['note']}" if "note" in figure else ""
    return f"  {figure['name']:58} {figure['value']:9.1f} {figure['unit']}{note}"


def figure(name, values, unit, note=""):
    """One figure of the second part: the median of what was seen."""
    made = {"name": name, "value": round(statistics.median(values), 2), "unit": unit, "seen": [round(one, 2) for one in values]}
    return made | ({"note": note} if note else {})
