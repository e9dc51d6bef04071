"""Simulators that others wrote, as tests/simulators installed them."""
import functools
import pathlib
import subprocess

from .marks import Skip

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "simulators"


@functools.cache
def simulator(name):
    """The directory of an installed one; the test is skipped, with the reason, where it could not be had."""
    found = subprocess.run([SCRIPT, "--check", name], capture_output=True, text=True, check=False)
    if found.returncode:
        raise Skip(found.stderr.strip().splitlines()[-1])
    return pathlib.Path(found.stdout.split(maxsplit=1)[1].strip())
