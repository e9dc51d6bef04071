"""The floor: what a forkserver and a durable record cost here when nothing else is done."""
from measures import MANY, ONE, Measure

BOTH, IN, NONE = "bare forkserver, 4 KB in and out", "bare forkserver, 4 KB in", "bare forkserver, no clipboard"


def add(measures, place, sizes):
    def forks(in_flight, tasks, how):
        return lambda: int(place.run(place.path / "forkserver", in_flight, tasks, how)) / 1e6

    def commits(rows, batch):
        return lambda: int(place.run(place.path / "commits", place.path / f"commits.{batch}.db", rows, batch)) / 1e6

    for section, in_flight, tasks in ((ONE, 1, sizes.floor_one), (MANY, 256, sizes.floor_many)):
        for name, how in ((BOTH, "both"), (IN, "in"), (NONE, "none")):
            measures.add(Measure(section, name, tasks, forks(in_flight, tasks, how), against=BOTH))
    measures.add(
        Measure(ONE, "SQLite, a row of 4 KB a commit", sizes.rows_one, commits(sizes.rows_one, 1),
                note="WAL, synchronous FULL; tasks are commits"),
        Measure(MANY, "SQLite, 64 rows of 4 KB a commit", sizes.rows_many, commits(sizes.rows_many, 64),
                note="WAL, synchronous FULL; tasks are rows"))
