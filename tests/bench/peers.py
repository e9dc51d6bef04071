"""What others need for trivial tasks, whole programs with their start: GNU make, GNU parallel, ansible, POE.

None of them keeps a journal, and only POE's tasks get a clipboard.
"""
import json
import shutil
import subprocess
import sys

from floor import BOTH
from measures import MANY, ONE, Failed, Measure, Missing
from workplace import HERE

PACKAGES = {"make": "make", "parallel": "parallel", "ansible-playbook": "ansible-core", "poe": "libpoe-perl"}


def installed(what):
    if what != "poe":
        return shutil.which(what, path="/usr/bin:/bin") is not None
    return subprocess.run(["/usr/bin/perl", "-MPOE::Wheel::Run", "-e1"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def install():
    apt_install([package for what, package in PACKAGES.items() if not installed(what)])


def apt_install(missing):
    if not missing:
        return
    sudo = [] if subprocess.check_output(["id", "-u"]).strip() == b"0" else ["sudo"]
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", "--no-remove", *missing]):
        if subprocess.run([*apt, *step], stdout=sys.stderr, check=False).returncode != 0:
            raise Failed(f"apt-get {step[0]} failed, see above; by hand: apt-get install {' '.join(missing)}")


class Peers:
    def __init__(self, place):
        self._place = place
        self._worker = place.path / "worker"

    def need(self, what):
        if not installed(what):
            raise Missing(f"not installed: apt-get install {PACKAGES[what]}, or --install")

    def make(self, runs, steps):
        """A chain of targets for each run; the recipe is one simple command, which make runs without a shell."""
        self.need("make")
        file = self._place.path / f"Makefile.{runs}"
        if not file.exists():
            lines = ["all: " + " ".join(f"r{run}s{steps}" for run in range(runs))]
            for run in range(runs):
                for step in range(1, steps + 1):
                    before = f" r{run}s{step - 1}" if step > 1 else ""
                    lines.append(f"r{run}s{step}:{before}\n\t{self._worker} nothing")
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self._place.timed("make", "-rs", "-j", runs, "-f", file)

    def parallel(self, in_flight, tasks):
        """Independent tasks: GNU parallel knows no order."""
        self.need("parallel")
        numbers = "\n".join(str(number) for number in range(tasks))
        return self._place.timed("parallel", "--will-cite", "-N0", "-j", in_flight, f"{self._worker} nothing",
                                 stdin=numbers + "\n", PARALLEL_HOME=str(self._place.path / "parallel"))

    def ansible(self, hosts, steps):
        self.need("ansible-playbook")
        names = [f"h{number}" for number in range(hosts)]
        inventory = self._place.path / f"inventory.{hosts}"
        inventory.write_text("[all]\n" + "\n".join(names) + "\n[all:vars]\nansible_connection=local\n"
                             "ansible_python_interpreter=/usr/bin/python3\n", encoding="utf-8")
        # A playbook is YAML, and so is JSON.
        book = self._place.path / f"playbook.{hosts}.yml"
        task = {"ansible.builtin.command": f"{self._worker} nothing"}
        book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task] * steps}]), encoding="utf-8")
        return self._place.timed("ansible-playbook", "-f", hosts, "-i", inventory, book, ANSIBLE_NOCOWS="1",
                                 ANSIBLE_STDOUT_CALLBACK="minimal", ANSIBLE_HOME=str(self._place.path / "ansible"))

    def poe(self, runs, steps):
        self.need("poe")
        return self._place.timed("/usr/bin/perl", HERE / "programs" / "wheel.pl", runs, steps)


def add(measures, place, sizes):
    peers = Peers(place)

    def of(section, name, function, runs, steps, **more):
        measures.add(Measure(section, name, runs * steps, lambda: function(runs, steps), against=BOTH, **more))

    for section, runs, sized in ((ONE, 1, sizes.one), (MANY, 256, sizes.many)):
        of(section, f"make -j{runs}", peers.make, runs, sized["make"], note="no clipboard, no journal")
        tasks = runs * sized["parallel"]
        measures.add(Measure(section, f"GNU parallel -j{runs}", tasks, lambda k=runs, n=tasks: peers.parallel(k, n),
                             against=BOTH, note="no clipboard, no journal, no order", most_rounds=sizes.slow_rounds))
        of(section, "POE::Wheel::Run, code reference", peers.poe, runs, sized["poe"],
           note="the original's engine; 4 KB in and out, no journal", most_rounds=sizes.slow_rounds)
    of(ONE, "ansible, local connection", peers.ansible, 1, sizes.one["ansible"],
       note="command; start included", most_rounds=1)
    hosts = sizes.many["ansible_hosts"]
    of(MANY, f"ansible, local connection, {hosts} hosts", peers.ansible, hosts, sizes.many["ansible"],
       note="command; start included", most_rounds=1)
