"""No secret that was planted anywhere stands anywhere in clear text."""
import re

from lab import Gate, takes
from lab.processes import command_line_of, environment_of, living
from lab.place import LANGUAGES

IN_SPEC = "plantedInTheSpec-7b1e"
IN_CLIPBOARD = "plantedByAWorker-93aa"
MULTI_LINE = ("plantedFirstLine-51c0", "plantedSecondLine-d2f7")
IN_ENVIRONMENT = "plantedInTheEnvFile-0c44"
ALL = (IN_SPEC, IN_CLIPBOARD, *MULTI_LINE, IN_ENVIRONMENT)

WORKER = f"""#!/usr/bin/python3
import sys, os
clipboard = sys.stdin.read()
task = sys.argv[1]
if task == "make":
    made = "" if "token:" in clipboard else "token: {IN_CLIPBOARD}\\ncertificate: |\\n  {MULTI_LINE[0]}\\n  {MULTI_LINE[1]}\\n"
    print(clipboard + made, end="")
elif task == "shout":
    print("progress: logging in with {IN_CLIPBOARD}", file=sys.stderr)
    print("password is {IN_SPEC}, quoted '{IN_SPEC}', twice {IN_SPEC}{IN_SPEC}", file=sys.stderr)
    print("the certificate ends in {MULTI_LINE[1]}", file=sys.stderr)
    print("granted", os.environ["DEMO_TOKEN"], file=sys.stderr)
elif task == "fail":
    print(clipboard)
    print("cannot log in as admin:{IN_CLIPBOARD}@example.org, {IN_SPEC}", file=sys.stderr)
    sys.exit(1)
elif task == "spoil":
    print("not yaml: ' {IN_CLIPBOARD}")
elif task == "gate":
    open("{{gate}}/began", "w").write("here {IN_CLIPBOARD}\\n")
    open("{{gate}}/go").readline()
"""


def set_up(place, *tasks):
    place.write("worker.py", WORKER.replace("{gate}", str(place.path("gate"))), 0o755)
    place.write("demo.env", f"DEMO_TOKEN={IN_ENVIRONMENT}\n", 0o600)
    place.configure(workers={"demo": {"run": str(place.path("worker.py")), "secrets": ["api_key", "token", "certificate"],
                                      "env_file": str(place.path("demo.env"))},
                             "plain": str(LANGUAGES["sh"])}, log={"level": "debug", "file": "jarvis.log"})
    place.plan("demo", deploy=[f"demo:{task}" for task in tasks])
    return place.spec("loki", provider="demo", api_key=IN_SPEC, record=place.path("record"))


def search(place, said):
    """Looks through every file of the state directory and the log, and everything that was said."""
    kept = {path for path in (place.path("worker.py"), place.path("demo.env"), place.path("specs/loki.yaml"))}
    for path in place.directory.rglob("*"):
        if path.is_file() and path not in kept:
            content = path.read_bytes()
            for secret in ALL:
                assert secret.encode() not in content, f"{secret} stands in {path}"
                assert secret.encode("utf-16-le") not in content, f"{secret} stands in {path}"
    for secret in ALL:
        for text in said:
            assert secret not in text, f"{secret} was said:\n{text}"


@takes(5)
def test_nowhere_in_clear_text(place):
    gate = Gate(place.path("gate"))
    spec = set_up(place, "make", "shout", "gate", "shout", "fail")
    serve = place.serve()
    deploy = place.start("deploy", spec)
    gate.began()
    said = [place.run(*command).text for command in (
        ("status",), ("status", "loki"), ("status", "loki", "--json"), ("history", "loki"), ("logs", "loki"),
        ("logs", "loki", "--json"), ("clipboard", "loki"), ("clipboard", "loki", "--json"), ("help",), ("plan", spec))]
    # In no argument list, in the environment of its own module's worker only, and there nothing but what was granted.
    for pid in living():
        line = command_line_of(pid)
        for secret in ALL:
            assert secret not in line, f"{secret} is an argument: {line}"
        environment = environment_of(pid)
        for name, value in environment.items():
            if any(secret in value for secret in ALL):
                assert (name, value) == ("DEMO_TOKEN", IN_ENVIRONMENT) and "JARVIS_STEP" in environment, (name, line)
    search(place, said)
    gate.open()
    assert deploy.wait() == 1, deploy.output()
    said += [deploy.output(), serve.output()]
    said += [place.run(*command).text for command in (
        ("status", "loki"), ("status", "loki", "--json"), ("history", "loki", "--json"), ("logs", "loki"),
        ("logs", "loki", "--json"), ("logs", "loki", "demo:fail"), ("explain", "loki"))]
    assert serve.stop() == 0
    search(place, said + [serve.output()])
    logs = place.expect(0, "logs", "loki").out
    assert "cannot log in as admin:" in logs, "the line went with the secret"
    gate.close()


def test_in_a_refusal(place):
    """What a worker prints that is no clipboard is not quoted back, nor what a bad spec holds."""
    spec = set_up(place, "make", "spoil")
    said = [place.expect(1, "deploy", spec).text]
    bad = place.spec("thor", text=f"instance:\n  hostname: thor\n  fqdn: thor.example.org\n  provider: demo\n  api_key: {IN_SPEC}\n  x: 'open\n")
    said.append(place.expect(2, "deploy", bad).text)
    place.path("specs/thor.yaml").unlink()
    short = place.spec("odin", provider="demo", api_key="abc")
    refused = place.expect(2, "deploy", short)
    assert "api_key" in refused.text and "6" in refused.text, refused
    search(place, said)


def test_shown_clipboards_are_sealed(place):
    spec = set_up(place, "make", "shout")
    place.expect(0, "deploy", spec)
    shown = place.clipboard("loki")
    for key in ("api_key", "token", "certificate"):
        assert re.search(rf"^{key}: !sealed ['\"]?[A-Za-z0-9+/=_-]+", shown, re.M), shown
    # Another rightful way to see them.
    revealed = place.expect(0, "clipboard", "loki", "--reveal").out
    assert IN_SPEC in revealed and IN_CLIPBOARD in revealed and MULTI_LINE[1] in revealed
    place.write("saved.yaml", shown)
    place.expect(0, "replay", place.path("saved.yaml"))
    assert IN_SPEC in place.expect(0, "clipboard", "loki", "--reveal").out
    search(place, [shown])


def test_another_states_seal_is_refused_by_name(place):
    spec = set_up(place, "make")
    place.expect(0, "deploy", spec)
    place.write("saved.yaml", place.clipboard("loki"))
    result = place.expect(2, "replay", place.path("saved.yaml"), "--state", place.path("other"))
    assert "api_key" in result.text, result


def test_modes_and_a_missing_key(place):
    spec = set_up(place, "make")
    place.expect(0, "deploy", spec)
    for path in place.state.rglob("*"):
        if path.is_file() or path.is_socket():
            assert path.stat().st_mode & 0o077 == 0, f"{path} is open to others"
    saved = place.write("saved.yaml", place.clipboard("loki"))
    key = place.state / "key"
    assert key.exists(), "the seal's key is not at STATE/key"
    key.rename(place.path("key.away"))
    listed = place.expect(0, "status", "loki")
    assert "loki" in listed.text
    for command in (("replay", saved), ("deploy", spec), ("clipboard", "loki")):
        result = place.expect(2, *command)
        assert str(key) in result.text, result
    assert not key.exists(), "a key was made although there is something sealed with another"
