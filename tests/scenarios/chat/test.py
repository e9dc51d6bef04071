"""jarvis in the channel: a real IRC server with services, a gist site, people with and without roles."""
import os
import signal

from lab import takes, until
from lab.channel import Channel, asks, demo, with_demo
from lab.processes import descendants, exe_of, kill_now, named, slice_of

LOKI = """instance:
  hostname: loki
  fqdn: loki.websages.com
  provider: local
  guestid: Debian 12
"""


@takes(6)
def test_the_conversation_of_the_mission(place):
    """A real host from a gist: asked for in the channel, looked at by somebody else in another place, told when it is ready."""
    with Channel(place) as channel:
        url = channel.site.gist("912450", **{"loki.yaml": LOKI})
        channel.serve()
        thor, odin = channel.person("thor"), channel.person("odin")
        channel.until_there(thor)
        thor.say("#ops", f"jarvis: deploy {url}")
        thor.next(r" PRIVMSG #ops :thor: reading https://")
        thor.next(r" PRIVMSG #ops :thor: loki: deploy with local, \d+ stages, run [a-z0-9]{6}$")
        thor.next(r" PRIVMSG #ops :thor: loki is ready$")
        assert "loki is ready" in asks(odin, "status loki", "loki is ready", place="jarvis")
        asks(thor, "destroy loki", r"jarvis: confirm \w+")
        code = thor.lines[-1].split()[-1]
        asks(thor, f"confirm {code}", "loki is destroyed")


@takes(4)
def test_status_from_a_different_person_while_it_runs(place):
    with with_demo(place) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor, freya = channel.person("thor"), channel.person("freya", channel=None)
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy with demo, 3 stages, run")
        gate.began()
        assert "loki: 2/3 gate" in asks(thor, "status loki", "loki: 2/3 gate")
        assert "loki: 2/3 gate" in asks(freya, "status", "loki: 2/3 gate", place="jarvis")
        asks(thor, f"deploy {url}", r"refused: loki.websages.com is held by run \w+: deploy by thor")
        gate.open()
        thor.next(r"thor: loki is ready")
        gate.close()


@takes(4)
def test_who_answers_comes_before_whoever_computes(place):
    """Short slices for the loop and the link; the usual ones for what they start: forkservers and workers."""
    usual = slice_of(os.getpid())
    with with_demo(place) as channel:
        gate, spec = demo(place)
        serve = channel.serve()
        channel.until_there(channel.person("thor"))
        place.expect(0, "deploy", "--detach", place.write("loki.yaml", spec))
        gate.began()
        slices = {(exe_of(pid), slice_of(pid)) for pid in [serve.pid, *descendants(serve.pid)]}
        gate.open()
        gate.close()
    short = 200_000 if usual else 0
    assert {("jarvis", short), ("jarvis-irc", short), ("jarvis-core", usual)} <= slices, (usual, slices)
    assert all(length == usual for name, length in slices if name not in ("jarvis", "jarvis-irc")), (usual, slices)
    assert len({name for name, _ in slices}) > 4, slices  # forkservers, and the worker


@takes(4)
def test_who_may_do_what(place):
    """Nobody without a proven identity, nothing that the role does not cover; it is all in the audit log."""
    with with_demo(place, roles={"far": {"commands": ["*"], "hosts": ["*"], "providers": ["*"], "places": ["freenet/#other"]},
                                 "near": {"commands": ["*"], "hosts": ["*.example.org"], "providers": ["local"], "places": ["*"]}},
                   people={"thor": ["operator"], "freya": ["watcher"], "hel": ["far"], "balder": ["near"]}) as channel:
        gate, spec = demo(place)
        gate.open()
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        nobody, freya = channel.person("nobody", account=False), channel.person("freya")
        channel.until_there(nobody)
        asks(nobody, f"deploy {url}", "refused: nobody here knows who you are")
        asks(nobody, "status", "refused: nobody here knows")
        asks(nobody, "frobnicate", "refused: nobody here knows")
        asks(nobody, "whoami", "nothing proves who it is")
        asks(nobody, "help", "HOST is a host's name")
        asks(freya, f"deploy {url}", "refused: role watcher has no command deploy")
        asks(channel.person("hel"), f"deploy {url}", "refused: role far is not for freenet/#ops")
        asks(channel.person("balder"), f"deploy {url}", "refused: role near is not for loki.websages.com")
        thor = channel.person("thor")
        asks(thor, "deploy /etc/passwd", "never a path")
        asks(thor, "clipboard loki", "refused: clipboard is for the command line only")
        asks(thor, "statsu", "unknown command statsu, did you mean status")
        # The nick alone is nobody: he left, somebody else takes it.
        thor.send("QUIT")
        freya.next(r"thor!\S+ QUIT")
        impostor = channel.person("thor", account=False)
        asks(impostor, f"deploy {url}", "refused: nobody here knows who you are")
        assert place.never_ran("loki")
        lines = place.json("audit")
        refused = [line for line in lines if line["result"] == "refused"]
        assert any(line.get("rule", "").startswith("role watcher has no command deploy") for line in refused), lines
        assert any("thor (freenet" in line["proof"] and line.get("who") is None for line in refused), lines


@takes(4)
def test_one_changed_byte_in_the_audit_log_is_found(place):
    with Channel(place) as channel:
        serve = channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        for _ in range(3):
            asks(thor, "whoami", "you are thor")
        asks(thor, "audit", "records, none was changed")
        serve.stop()
        assert "none was changed" in place.expect(0, "audit").out
        path, head = place.state / "audit.log", place.state / "audit.head"
        sound, its_head = path.read_bytes(), head.read_bytes()
        for at in [*range(3, len(sound), len(sound) // 12), len(sound) - 3]:
            changed = bytearray(sound)
            changed[at] ^= 1
            path.write_bytes(changed)
            result = place.run("audit")
            assert result.status == 1 and "is not what jarvis wrote" in result.err, (at, chr(sound[at]), result)
            path.write_bytes(sound)
            head.write_bytes(its_head)
        path.write_bytes(sound[:sound.rindex(b"\n", 0, len(sound) - 1) + 1])
        assert "records at its end are missing" in place.expect(1, "audit").err


@takes(5)
def test_two_people_confirm(place):
    with with_demo(place, roles={"careful": {"commands": ["*"], "hosts": ["*"], "providers": ["*"], "places": ["*"], "approvals": 2}},
                   people={"thor": ["careful"], "odin": ["careful"], "freya": ["careful"], "hel": ["watcher"]}) as channel:
        gate, spec = demo(place)
        gate.open()
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor, odin, freya, hel = (channel.person(name) for name in ("thor", "odin", "freya", "hel"))
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "run")
        thor.next("loki is ready")
        code = asks(thor, "destroy loki", r"jarvis: confirm \w+").split()[-1]
        asks(thor, f"confirm {code}", "refused: loki.websages.com: destroy was asked for by thor, 2 more people must confirm it")
        asks(hel, f"confirm {code}", "refused: role watcher has no command destroy")
        asks(odin, "confirm zzzzzz", "refused: no run waits for this code")
        asks(odin, f"confirm {code}", "loki: confirmed by 1 of 2 people")
        asks(odin, f"confirm {code}", "refused: odin has confirmed it already")
        asks(freya, f"confirm {code}", "loki: destroy with demo")
        thor.next("loki is destroyed")
        asks(freya, f"confirm {code}", "refused: no run waits for this code")


@takes(5)
def test_killed_in_mid_run_it_comes_back_resumes_and_tells(place):
    with with_demo(place) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        serve.signal(signal.SIGKILL)
        serve.wait()
        thor.next(r":jarvis!\S+ QUIT")
        gate.open(workers=2)
        channel.serve()
        thor.next(r":jarvis!\S+ JOIN")
        thor.next(r" PRIVMSG #ops :thor: loki is ready$")
        gate.close()


@takes(6)
def test_the_server_is_killed_while_a_run_ends(place):
    """Runs go on; what happened meanwhile is told once the network is back."""
    with with_demo(place) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        (link,) = named("jarvis-irc", below=serve.pid)
        channel.server.kill()
        gate.open()
        place.until_state("loki", "succeeded")
        os.kill(link, signal.SIGSTOP)  # its nick must be nobody's when its account is made
        channel.server.start()
        witness = channel.person("witness", account=False)
        channel.server.account("jarvis")  # services had not written it down
        os.kill(link, signal.SIGCONT)
        witness.next(r" PRIVMSG #ops :thor: loki is ready$", 60)
        gate.close()


@takes(4)
def test_a_link_killed_comes_back(place):
    with Channel(place) as channel:
        serve = channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        (link,) = named("jarvis-irc", below=serve.pid)
        kill_now(link)
        thor.next(r":jarvis!\S+ QUIT")
        thor.next(r":jarvis!\S+ JOIN")
        asks(thor, "whoami", "you are thor")


@takes(4)
def test_hold_freeze_and_whoami(place):
    with with_demo(place) as channel:
        gate, spec = demo(place)
        gate.open(workers=3)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor, odin = channel.person("thor"), channel.person("odin")
        channel.until_there(thor)
        asks(thor, "hold loki.websages.com because its disk is looked at", "loki is held")
        asks(odin, f"deploy {url}", r"refused: loki.websages.com is held by thor \(freenet account thor\) since .* because its disk is looked at")
        asks(odin, "release loki.websages.com", "loki is free again")
        asks(odin, "freeze because we move", "no new task begins anywhere")
        asks(thor, f"deploy {url}", "refused: nothing is begun: frozen by odin")
        asks(thor, "thaw", "tasks begin again")
        asks(thor, "follow loki.websages.com", "you will hear of every stage here")
        asks(thor, f"deploy {url}", "loki: 1/3 before")
        thor.next("loki is ready")


@takes(4)
def test_control_characters_and_long_lines_are_harmless(place):
    with with_demo(place) as channel:
        channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        thor.raw(b"PRIVMSG #ops :jarvis: status \xff\xfe\x02bold\x1b[31m\r\n")
        thor.next(r"too much behind `status`")
        thor.say("#ops", "jarvis: status " + "x" * 380)
        line = thor.next(r":jarvis!\S+ PRIVMSG #ops :thor: x{100}")
        assert len(line.encode()) <= 510, len(line)
        evil = "instance:\n  hostname: loki\n  fqdn: \"loki\\r\\nQUIT :injected\"\n  provider: demo\n"
        asks(thor, f"deploy {channel.site.gist('2', **{'a.yaml': evil})}", "fqdn")
        asks(thor, "whoami", "you are thor")
        assert not thor.sees(r"^\S+ QUIT"), thor.lines
        assert not [text for text in thor.sees("PRIVMSG #ops :") if any(ord(c) < 32 for c in text)]


@takes(4)
def test_reload_keeps_runs_and_connections(place):
    with with_demo(place) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor, freya = channel.person("thor"), channel.person("freya")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        asks(freya, f"deploy {url}", "refused: role watcher has no command deploy")
        channel._people["freya"] = ["operator"]  # noqa: SLF001
        channel.configure()
        serve.signal(signal.SIGHUP)
        until(lambda: "was read again" in serve.output(), "the configuration is read again")
        asks(freya, f"deploy {url}", "refused: loki.websages.com is held by run")
        place.path("jarvis.yaml").write_text("nonsense: [", encoding="ascii")
        serve.signal(signal.SIGHUP)
        until(lambda: "stays as it was" in serve.output(), "a broken configuration is refused")
        asks(freya, "whoami", "as operator you may")
        gate.open()
        thor.next("loki is ready")
        assert not thor.sees(r":jarvis!\S+ (QUIT|PART)"), thor.lines
        gate.close()


@takes(4)
def test_why_it_is_where_it_is(place):
    """`explain` in the channel: a few lines, with what can be said next."""
    with with_demo(place) as channel:
        place.plan("demo", deploy=["demo:before", *({"task": f"demo:{n}", "stage": f"look {n}"} for n in ("look", "full")), "demo:gate"])
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        channel.serve()
        thor, freya = channel.person("thor"), channel.person("freya")
        channel.until_there(thor)
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        # The worker is quicker at the gate than the loop hears that it was started.
        until(lambda: place.json("explain", "loki")[0]["waits_for"] == "worker", "jarvis knows of the worker")
        asks(thor, "explain loki", r"thor: loki: 4/4 gate \(")
        thor.next(r"thor: demo:gate is at work, attempt 1, for .*; it is ended at .*; it is given up at .* unless it is done$")
        thor.next(r"thor: demo:gate: attempt 1 under way$")
        thor.next(r"thor: `jarvis: cancel loki` ends it$")
        asks(freya, "explain loki", "refused: role watcher has no command explain")
        assert not thor.sees("more lines, see the command line")
        gate.open()
        thor.next("loki is ready")
        gate.close()


@takes(5)
def test_followers_rights_are_asked_again(place):
    """Who no longer may ask for a host's status hears nothing more of it: by a new configuration, which may also give it back."""
    with with_demo(place, roles={"listener": {"commands": ["status", "follow", "quiet"], "hosts": ["*"], "providers": ["*"], "places": ["*"]},
                                 "deaf": {"commands": ["follow"], "hosts": ["*"], "providers": ["*"], "places": ["*"]}},
                   people={"thor": ["operator"], "freya": ["listener"], "hel": ["listener"], "balder": ["deaf"]}) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        thor, freya, hel, balder = channel.persons(thor="thor", freya="freya", hel="hel", balder="balder").copy()
        channel.until_there(thor)
        for one in (freya, hel):
            asks(one, "follow loki.websages.com", "you will hear of every stage here", place="jarvis")
        asks(balder, "follow loki.websages.com", "refused: role deaf has no command status")
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        gate.began()
        for one in (freya, hel):
            one.next(r" PRIVMSG (freya|hel) :loki: 2/3 gate")
        channel._people["freya"] = []  # noqa: SLF001
        channel.configure()
        serve.signal(signal.SIGHUP)
        until(lambda: "was read again" in serve.output(), "the configuration is read again")
        gate.open()
        hel.next(r" PRIVMSG hel :loki: 3/3 full")
        hel.next(r" PRIVMSG hel :loki is ready")
        asks(freya, "whoami", "you have no role")  # an answer of its own: whatever came before it has come
        assert not freya.sees(r" PRIVMSG freya :loki(: 3/3| is ready)"), freya.lines
        channel._people["freya"] = ["listener"]  # noqa: SLF001
        channel.configure()
        serve.signal(signal.SIGHUP)
        until(lambda: serve.output().count("was read again") == 2, "the configuration is read again")
        gate.open()
        asks(thor, f"deploy {url}", "loki: deploy with demo")
        freya.next(r" PRIVMSG freya :loki is ready")
        gate.close()
