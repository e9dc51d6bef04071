"""A `commands` file: prose, and indented by four columns what a person types and sees.

    $ jarvis deploy loki.yaml
    loki: 1/3 silence monitoring <...>
    loki is ready
    [0]

Standard output and standard error stand together. `<...>` matches anything within a line, alone in a line any number of lines.
`[N]` is the exit status, left out for 0. $PLACE is the scenario's directory. Everything not indented is explanation.
"""
import re
import subprocess

INDENT = "    "
ANY = "<...>"
# What `jarvis` means in a transcript: the binary under test with the scenario's configuration, unless the line names one.
WRAPPER = """#!/bin/sh
case " $*" in *' -c '*) exec {binary} "$@" ;; esac
exec {binary} -c {configuration} "$@"
"""


class Command:
    def __init__(self, line, text):
        self.line, self.text, self.expected, self.status = line, text, [], 0


def read(text):
    """The file as a list of prose lines and Commands, in order."""
    parts, current = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(INDENT + "$ "):
            current = Command(number, line[len(INDENT) + 2:])
            parts.append(current)
        elif current and line.startswith(INDENT):
            body = line[len(INDENT):]
            status = re.fullmatch(r"\[(\d+)\]", body)
            if status:
                current.status = int(status[1])
            else:
                current.expected.append(body)
        else:
            current = None
            parts.append(line)
    return parts


def line_matches(expected, actual):
    return re.fullmatch(".*".join(map(re.escape, expected.split(ANY))), actual) is not None


def matches(expected, actual):
    """Whether the lines fit, `<...>` lines standing for any number of lines."""
    reach = {0}  # how many actual lines the expected ones read so far may have used
    for line in expected:
        if line == ANY:
            reach = set(range(min(reach), len(actual) + 1)) if reach else set()
        else:
            reach = {used + 1 for used in reach if used < len(actual) and line_matches(line, actual[used])}
    return len(actual) in reach


def write(parts):
    lines = []
    for part in parts:
        if isinstance(part, str):
            lines.append(part)
            continue
        lines.append(f"{INDENT}$ {part.text}")
        lines += [INDENT + line for line in part.expected]
        if part.status:
            lines.append(f"{INDENT}[{part.status}]")
    return "\n".join(lines) + "\n"


def play(path, place, accept):
    """Types every command; returns what differed. With `accept` the file is rewritten instead."""
    parts = read(path.read_text(encoding="utf-8"))
    place.write("bin/jarvis", WRAPPER.format(binary=place.binary, configuration=place.path("jarvis.yaml")), 0o755)
    environment = place.environment(PLACE=str(place.directory))
    environment["PATH"] = f"{place.path('bin')}:{environment['PATH']}"
    faults = []
    for part in parts:
        if isinstance(part, str):
            continue
        done = subprocess.run(["/bin/sh", "-c", part.text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=place.directory, env=environment, timeout=300, check=False)
        said = done.stdout.decode(errors="replace").replace(str(place.directory), "$PLACE").splitlines()
        if matches(part.expected, said) and done.returncode == part.status:
            continue
        if accept:
            part.expected, part.status = said, done.returncode
        else:
            faults.append(f"line {part.line}: $ {part.text}\n  expected [{part.status}]\n"
                          + "".join(f"    {line}\n" for line in part.expected)
                          + f"  got [{done.returncode}]\n" + "".join(f"    {line}\n" for line in said))
    if accept:
        path.write_text(write(parts), encoding="utf-8")
    return faults
