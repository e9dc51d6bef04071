"""The unit in config/, as systemd itself reads it."""
import pathlib
import shutil
import subprocess

from lab.marks import Skip

UNIT = pathlib.Path(__file__).resolve().parents[3] / "config/jarvis.service"


def complaints(place, name, text):
    """What systemd-analyze says of a unit with this text. Of other units of this machine it may say what it wants."""
    path = place.write(name, text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if name in line]


def test_systemd_understands_the_unit(place):
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze here (Debian's package systemd)")
    unit = UNIT.read_text()
    # Where it is installed there is nothing yet; the program under test takes its place.
    installed, here = "\nExecStart=/usr/local/bin/jarvis --state", f"\nExecStart={place.binary} --state"
    assert unit.count(installed) == 1
    unit = unit.replace(installed, here)
    assert not complaints(place, "jarvis.service", unit)
    # It would say so.
    for number, (good, bad) in enumerate([("WatchdogSec=60s", "WatchdogSec=often"), ("ProtectHome=", "ProtectHouse="),
                                          ("[Service]", "[Servant]"), (str(place.binary), f"{place.binary}-gone")]):
        assert unit.count(good) == 1, good
        assert complaints(place, f"jarvis-{number}.service", unit.replace(good, bad)), bad
