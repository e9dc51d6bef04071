"""Marks on test functions, read by the runner."""


class Skip(Exception):
    """Raised by a test, or by the lab, where something that nobody here can mend is missing: the sentence says what."""


def takes(seconds, timeout=None, waiting=False):
    """About how long it takes: long ones are started first. `timeout`: when it is given up (default: 120 s and tenfold). `waiting`:
    mostly for somebody else's pauses, so that it runs beside the others and not in place of one."""
    def mark(function):
        function.seconds, function.waiting = seconds, waiting
        function.timeout = timeout or max(120, 10 * seconds)
        return function
    return mark


def each(*values, sanitized=None):
    """The test is made once per value, which it gets as its second argument: NAME[VALUE]. `sanitized`: is this one made with
    sanitizers too? (all of them are, unless a test takes one way through the same code over and over)"""
    def mark(function):
        function.values, function.sanitized = values, sanitized
        return function
    return mark
