"""What jarvis has promised: the figures that decide, and the verdicts."""
from floor import IN
from measures import MANY
from subject import BUILT_IN


def verdict(name, value, unit, good, wanted):
    made = {"name": name, "wanted": wanted, "unit": unit}
    if value is None:
        return made | {"verdict": "none", "why": "not measured"}
    return made | {"verdict": "pass" if good(value) else "miss", "value": value}


def judge(measures, figures, parts):
    """Of the parts that were to be measured."""
    built_in = measures.find(MANY, f"{BUILT_IN}, prints nothing")
    bare = measures.find(MANY, IN)
    ratio = round(measures.ratio(built_in, bare), 3) if built_in and bare else None
    found = {one["name"]: one["value"] for one in figures if "value" in one}

    def below(name, bound, unit, bound_words):
        value = max((found[one] for one in found if one.startswith(name)), default=None)
        return verdict(name.strip(), value, unit, lambda seen: seen < bound, bound_words)

    judged = []
    if "jarvis" in parts:
        judged.append(verdict("built-in tasks at 256 runs, of the bare forkserver", ratio, "of the floor",
                              lambda seen: seen >= 0.5, "at least 0.5"))
    if "resident" not in parts:
        return judged
    return judged + [
        # The promise says MB and KB: of 1,000, the stricter reading.
        below("idle memory", 25e6 / 2**20, "MiB", "under 25 MB"),
        below("memory of the loop for a run", 20e3 / 2**10, "KiB", "under 20 KB"),
        below("start to", 100, "ms", "under 100 ms"),
    ]
