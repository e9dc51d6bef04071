"""What is measured, in which order, and how rounds become one figure. Knows nothing of jarvis or of its peers."""
import dataclasses
import statistics
import typing


class Missing(Exception):
    """This cannot be measured here; the text says why and what to do."""


class Failed(Exception):
    """What is measured did not do what it is for; the text has its last words."""


@dataclasses.dataclass
class Measure:
    section: str  # ONE or MANY
    name: str
    tasks: int  # in one round
    take: typing.Callable[[], float]  # one round: its seconds
    against: str = ""  # the name of the floor in the same section
    note: str = ""
    most_rounds: int = 1000
    seconds: list = dataclasses.field(default_factory=list)
    missing: str = ""  # why there is no figure
    failed: bool = False  # there should be one

    def microseconds(self):
        return statistics.median(self.seconds) * 1e6 / self.tasks

    def rate(self):
        return 1e6 / self.microseconds()


ONE, MANY = "one at a time", "256 at once"


class Measures:
    def __init__(self, say):
        self._all = []
        self._say = say

    def add(self, *measures):
        self._all += measures

    def __iter__(self):
        return iter(self._all)

    def find(self, section, name):
        return next((one for one in self._all if one.section == section and one.name == name and one.seconds), None)

    def run(self, rounds):
        """Interleaved, and every second round backwards, so that a drift of the machine does not favour a place in the list."""
        for number in range(rounds):
            for measure in self._all if number % 2 == 0 else reversed(self._all):
                if measure.missing or number >= measure.most_rounds:
                    continue
                self._say(f"round {number + 1} of {rounds}: {measure.section}, {measure.name}")
                try:
                    measure.seconds.append(measure.take())
                except (Missing, Failed) as why:
                    measure.missing = str(why)
                    measure.failed = isinstance(why, Failed)
                    measure.seconds.clear()

    def ratio(self, measure, other):
        """How fast `measure` is for each task of `other`: the median of the rounds that have both, 1.0 is as fast."""
        pairs = zip(measure.seconds, other.seconds)
        return statistics.median((theirs / other.tasks) / (ours / measure.tasks) for ours, theirs in pairs)
