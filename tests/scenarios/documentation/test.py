"""What the documents say of the program is what the program says of itself."""
import pathlib
import re
import subprocess

from lab import takes

TOP = pathlib.Path(__file__).resolve().parents[3]


def told(place):
    """{task: (help, needs, gives)} of `jarvis help tasks`."""
    found = {}
    for line in place.expect(0, "help", "tasks").out.splitlines():
        if not line.startswith(" "):
            name, words = line.split(None, 1)
            found[name] = [words, [], []]
        else:
            kind, *keys = line.split()
            found[name][("needs", "gives").index(kind) + 1] = keys
    return {name: tuple(row) for name, row in found.items() if not name.startswith("bench:")}


def written():
    """The same of docs/tasks.md."""
    found = {}
    for line in (TOP / "docs/tasks.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            name, words, needs, gives = [cell.strip() for cell in line.strip("|").split(" | ")]
            found[name.strip("`")] = (words, re.findall(r"`(\w+)`", needs), re.findall(r"`(\w+)`", gives.strip("| ")))
    return found


@takes(1)
def test_every_task_is_written_down_as_it_is(place):
    program, document = told(place), written()
    assert program.keys() == document.keys(), (program.keys() ^ document.keys())
    for name, row in program.items():
        assert document[name] == row, (name, document[name], row)


@takes(1)
def test_every_command_has_its_chapter(place):
    titles = " ".join(line for line in (TOP / "docs/commands.md").read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    commands = re.findall(r"^  ([a-z]+) ", place.expect(0, "help").out, re.M)
    assert {"serve", "deploy", "task", "help"} <= set(commands), commands
    for command in commands:
        assert re.search(rf"\b{command}\b", titles), f"docs/commands.md has no chapter about {command}"


@takes(1)
def test_links_between_documents_lead_somewhere(place):  # noqa: ARG001
    for document in [TOP / "README.md", *(TOP / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.relative_to(TOP)}: {target} is not there"


@takes(1)
def test_the_conversation_of_the_quickstart_needs_python_alone(place):  # noqa: ARG001
    # -S: without the packages that Debian installs beside it.
    done = subprocess.run(["/usr/bin/python3", "-S", "-B", "-c", f"import runpy; runpy.run_path({str(TOP / 'tests/lab/conversation.py')!r})"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
