"""CONTRACTS 1 from the outside: what jarvis makes of each way in which a worker can behave, in sh, Perl and Python."""
import ast
import os
import pathlib
import re

from lab import Gate, alive, each, environment_of, kill_now, living, takes, until
from lab.place import LANGUAGES, WORKERS

EVERY = tuple(LANGUAGES)


def set_up(place, language, *tasks, retry=None, worker=None, **spec):
    """A provider `demo` whose deploy is: before, the tasks under test, look. The spec's path."""
    place.configure(workers={"demo": {"run": str(worker or LANGUAGES[language]), "timeout": "60s", "grace": "300ms"}})
    entries = [{"task": f"demo:{task}", "retry": retry or {"attempts": 3, "delay": "10ms"}} for task in tasks]
    place.plan("demo", deploy=["demo:before", *entries, "demo:look"])
    return place.spec("loki", provider="demo", record=place.path("record"), **spec)


def attempts(place, task):
    """The attempts of a task that really began, as [step, attempt number]."""
    record = place.path("record")
    lines = record.read_text().splitlines() if record.exists() else []
    return [line.split()[1:] for line in lines if line.split()[0] == task]


def must_fail(place, spec, task, *reasons):
    """The deploy fails at `task`; its output names the task's stage and one of the reasons; the clipboard is the one before."""
    result = place.expect(1, "deploy", spec)
    assert re.search(r"^loki(\.example\.org)? failed at 2/3 " + task, result.text, re.M), result
    assert any(re.search(reason, result.text, re.I) for reason in reasons), result
    assert "jarvis retry" in result.text, f"no command that resumes: {result!r}"
    assert not attempts(place, "look"), "a task after the failed one ran"
    clipboard = place.clipboard("loki")
    assert "marker: before" in clipboard and "added:" not in clipboard, clipboard
    status = place.status("loki")
    assert status["state"] == "failed" and status["task"] == f"demo:{task}" and status["stage_number"] == 2, status
    assert status["error"], status
    return result


def must_pass(place, spec, *seen):
    result = place.expect(0, "deploy", spec)
    assert re.search(r"^loki(\.example\.org)? is ready$", result.text, re.M), result
    clipboard = place.clipboard("loki")
    for text in seen:
        assert text in clipboard, clipboard
    return clipboard


@each(*EVERY, sanitized=lambda language: language == "python")
def test_no_output_keeps_the_clipboard(place, language):
    clipboard = must_pass(place, set_up(place, language, "empty"), "marker: before", "dropme: soon gone")
    assert place.clipboard("loki", "--after", "demo:before") == clipboard


@each(*EVERY, sanitized=lambda language: language == "python")
def test_comments_count_as_no_output(place, language):
    must_pass(place, set_up(place, language, "comments"), "marker: before", "dropme: soon gone")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_output_replaces_the_clipboard(place, language):
    must_pass(place, set_up(place, language, "full"), "marker: before", "added: full")
    assert "added" not in place.clipboard("loki", "--after", "demo:before")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_a_dropped_key_is_gone_for_the_next_task(place, language):
    clipboard = must_pass(place, set_up(place, language, "drop"), "marker: before")
    assert "dropme" not in clipboard
    keys = re.findall(r"keys: (.*)", place.expect(0, "logs", "loki", "demo:look").out)
    assert keys and "marker" in keys[0].split() and "dropme" not in keys[0].split(), keys


@each(*EVERY, sanitized=lambda language: language == "python")
def test_partial_output_without_identity_fails(place, language):
    must_fail(place, set_up(place, language, "partial"), "partial", r"hostname|fqdn|identity")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_a_scalar_fails(place, language):
    must_fail(place, set_up(place, language, "scalar"), "scalar", r"scalar|not a mapping|mapping")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_a_list_fails(place, language):
    must_fail(place, set_up(place, language, "list"), "list", r"list|not a mapping|mapping")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_two_documents_fail(place, language):
    must_fail(place, set_up(place, language, "two"), "two", r"second document|two documents")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_invalid_yaml_fails(place, language):
    must_fail(place, set_up(place, language, "invalid"), "invalid", r"line \d+")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_nine_mebibytes_fail(place, language):
    must_fail(place, set_up(place, language, "huge"), "huge", r"8 ?MiB|8388608|too (big|large|much)")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_a_changed_hostname_fails(place, language):
    must_fail(place, set_up(place, language, "rename"), "rename", r"hostname.*(loki|thor)|identity")


@each(*EVERY, sanitized=lambda language: language == "python")
def test_not_yet_is_asked_again_and_uses_up_no_attempt(place, language):
    must_pass(place, set_up(place, language, "again", retry={"attempts": 1, "delay": "10ms"}), "added: again")
    made = attempts(place, "again")
    assert len(made) == 5, made
    assert len({step for step, _ in made}) == 1, f"the step's id changed: {made}"
    numbers = [int(number) for _, number in made]
    assert numbers == sorted(numbers), made


@each(*EVERY, sanitized=lambda language: language == "python")
def test_exit_1_fails_at_once_with_the_last_words(place, language):
    must_fail(place, set_up(place, language, "fail"), "fail", "no such region: Atlantis")
    assert len(attempts(place, "fail")) == 1


@each(*EVERY, sanitized=lambda language: language == "python")
def test_killed_by_a_signal_is_asked_again_within_attempts(place, language):
    must_fail(place, set_up(place, language, "die"), "die", r"signal 9|SIGKILL|killed")
    assert len(attempts(place, "die")) == 3
    outcomes = [line["outcome"] for line in place.json("logs", "loki", "demo:die")]
    assert set(outcomes) == {"crashed"}, outcomes


@each(*EVERY, sanitized=lambda language: language == "python")
def test_killed_once_recovers(place, language):
    must_pass(place, set_up(place, language, "die_once"), "added: die_once")
    made = attempts(place, "die_once")
    assert len(made) == 2 and made[0][0] == made[1][0], made


@each(*EVERY, sanitized=lambda language: language == "python")
@takes(12)
def test_a_grandchild_that_keeps_stdout_open_is_given_ten_seconds(place, language):
    must_pass(place, set_up(place, language, "leave_child"), "added: leave_child")
    assert not survivors(), "the grandchild outlived its group's end"


@each(*EVERY, sanitized=lambda language: language == "python")
@takes(12)
def test_a_grandchild_in_a_session_of_its_own_does_not_hold_the_run_up(place, language):
    must_pass(place, set_up(place, language, "leave_session"), "added: leave_session")
    for pid in survivors():
        kill_now(pid)


def survivors():
    """Processes of this test that belong to a step."""
    own = os.getpgid(0)
    return [pid for pid in living() if "JARVIS_STEP" in environment_of(pid) and alive(pid) and session_of_test(pid, own)]


def session_of_test(pid, own):
    """Below this test's guard, which adopts what it leaves behind: the guard leads the test's own process group."""
    parents = living()
    while pid > 1:
        if pid in (own, os.getpid()):
            return True
        pid = parents.get(pid, 0)
    return False


@each(*EVERY, sanitized=lambda language: language == "python")
def test_one_that_ignores_term_is_killed_after_the_grace_period(place, language):
    gate = Gate(place.path("gate"))
    spec = set_up(place, language, "stubborn", gate=place.path("gate"))
    place.plan("demo", deploy=["demo:before", {"task": "demo:stubborn", "timeout": "500ms"}, "demo:look"])
    must_fail(place, spec, "stubborn", r"timed out|timed_out|longer than|time")
    assert len(attempts(place, "stubborn")) == 1, "a time-out is not asked again"
    assert not survivors()
    assert place.json("logs", "loki", "demo:stubborn")[0]["outcome"] == "timed_out"
    gate.close()


@each(*EVERY, sanitized=lambda language: language == "python")
def test_much_in_both_directions_at_once(place, language):
    filler = "x" * 70
    text = "instance:\n  hostname: loki\n  fqdn: loki.example.org\n  provider: demo\n  filler: |\n" + f"    {filler}\n" * 4000
    set_up(place, language, "both")
    clipboard = must_pass(place, place.spec("loki", text=text), "added: both", "marker: before")
    assert clipboard.count(filler) == 4000


@each(*EVERY, sanitized=lambda language: language == "python")
@takes(3)
def test_a_flood_on_standard_error_is_bounded(place, language):
    must_pass(place, set_up(place, language, "flood"), "added: flood")
    stored = sum(path.stat().st_size for path in place.state.rglob("*") if path.is_file())
    assert stored < 8 << 20, f"20 MiB of standard error left {stored} bytes in the state directory"


@each(*EVERY, sanitized=lambda language: language == "python")
def test_output_before_input_is_read(place, language):
    """The worker never reads its 280 KB of stdin: the broken pipe is nobody's fault."""
    text = "instance:\n  hostname: loki\n  fqdn: loki.example.org\n  provider: demo\n  filler: |\n" + "    yyyyyyyyyyyyyyy\n" * 14000
    set_up(place, language, "early")
    clipboard = must_pass(place, place.spec("loki", text=text), "added: early")
    assert "filler" not in clipboard


@each(*EVERY, sanitized=lambda language: language == "python")
def test_progress_shows_in_status(place, language):
    gate = Gate(place.path("gate"))
    spec = set_up(place, language, "progress", gate=place.path("gate"))
    deploy = place.start("deploy", spec)
    gate.began()
    until(lambda: (place.status("loki") or {}).get("text") == "3 of 5 mounted", "status shows the progress")
    gate.open()
    assert deploy.wait() == 0, deploy.output()
    gate.close()


def test_a_missing_executable_is_refused_before_anything_runs(place):
    spec = set_up(place, "sh", "full", worker=place.path("nowhere/worker"))
    result = place.expect(2, "deploy", spec)
    assert str(place.path("nowhere/worker")) in result.text, result
    assert place.status("loki") is None or place.status("loki")["state"] != "failed"


def test_an_executable_without_run_bit_is_refused_before_anything_runs(place):
    other = place.write("dull.sh", (WORKERS / "subject.sh").read_text(), 0o644)
    place.configure(workers={"demo": str(LANGUAGES["sh"]), "dull": str(other)})
    place.plan("demo", deploy=["demo:before", "dull:full"])
    result = place.expect(2, "deploy", place.spec("loki", provider="demo", record=place.path("record")))
    assert str(other) in result.text and re.search(r"execut|run bit|permission|chmod", result.text), result
    assert not attempts(place, "before"), "a task ran although the plan was refused"


def test_what_a_worker_finds_around_itself(place):
    granted = place.write("demo.env", "DEMO_TOKEN=open-sesame-12345\n", 0o600)
    place.configure(workers={"demo": {"run": str(LANGUAGES["python"]), "env_file": str(granted)}})
    place.plan("demo", deploy=["demo:before", "demo:surroundings"])
    spec = place.spec("loki", provider="demo", record=place.path("record"))
    place.expect(0, "deploy", spec, environment=place.environment(SECRET_OF_THE_CALLER="no", SSH_AUTH_SOCK="/nowhere"))
    found = ast.literal_eval(pathlib.Path(f"{place.path('record')}.found").read_text())
    mine = found["environment"]
    # Some interpreters set LC_CTYPE for themselves.
    expected = {"JARVIS_RUN", "JARVIS_TASK", "JARVIS_ATTEMPT", "JARVIS_STEP", "JARVIS_MODE", "PATH", "HOME", "LANG", "TMPDIR",
                "DEMO_TOKEN"}
    assert set(mine) - {"LC_CTYPE"} == expected, sorted(mine)
    assert mine["JARVIS_TASK"] == "demo:surroundings" and mine["JARVIS_ATTEMPT"] == "1" and mine["JARVIS_MODE"] == "apply", mine
    assert mine["JARVIS_RUN"] == place.status("loki")["run"], mine
    assert mine["DEMO_TOKEN"] == "open-sesame-12345"
    assert found["descriptors"] == [0, 1, 2], found
    assert found["umask"] == 0o77 and found["group"] and found["arguments"] == ["surroundings"], found
    assert found["directory"] == str(place.directory), found
    masks = dict(line.split(":\t") for line in found["masks"])
    # Python itself ignores SIGPIPE and SIGXFSZ; the C library's posix_spawn ignores 32 and 33, which nobody else can use.
    assert int(masks["SigBlk"], 16) == 0 and int(masks["SigIgn"], 16) & ~(1 << 12 | 1 << 24 | 3 << 31) == 0, masks


@each(*EVERY, sanitized=lambda language: language == "python")
def test_task_by_hand(place, language):
    """`jarvis task`: one attempt, clipboard in, clipboard out, the worker's own exit status."""
    set_up(place, language)
    clipboard = f"hostname: loki\nfqdn: loki.example.org\nrecord: {place.path('record')}\n"
    result = place.expect(0, "task", "demo:full", input=clipboard)
    assert result.out == clipboard + "added: full\n", result
    assert place.run("task", "demo:fail", input=clipboard).status == 1
    assert place.run("task", "demo:again", input=clipboard).status == 75
    assert place.run("task", "demo:die", input=clipboard).status == 137
