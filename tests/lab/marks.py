"""Marks on test functions, read by the runner."""


class Skip(Exception):
    """Raised by a test, or by the lab, where something that nobody here can mend is missing: the sentence says what."""


def takes(seconds, timeout=None):
    """About how long it takes: long ones are started first. `timeout`: when it is given up (default: 120 s and tenfold)."""
    def mark(function):
        function.seconds = seconds
        function.timeout = timeout or max(120, 10 * seconds)
        return function
    return mark


def each(*values):
    """The test is made once per value, which it gets as its second argument: NAME[VALUE]."""
    def mark(function):
        function.values = values
        return function
    return mark
