"""Links by others: the console of config/examples, and one that sends rubbish."""
import json
import pathlib
import signal
import socket
import time

from lab import takes, until
from lab.channel import asks, demo, with_demo
from lab.ports import free_port
from lab.processes import Process
from lab.silent_names import world

HERE = pathlib.Path(__file__).resolve().parent
CONSOLE = HERE.parent.parent.parent / "config/examples/console.py"


class Caller:
    """Somebody at a line-based console."""

    def __init__(self, port):
        self.text, self._socket = "", socket.create_connection(("127.0.0.1", port), 10)
        self._socket.settimeout(30)

    def type(self, line):
        self._socket.sendall(line.encode() + b"\n")

    def until_reads(self, text):
        while text not in self.text:
            got = self._socket.recv(4096)
            assert got, f"hung up before {text!r}: {self.text}"
            self.text += got.decode()
        self.text = self.text.partition(text)[2]

    def close(self):
        self._socket.close()


@takes(6)
def test_the_console_of_the_examples(place):
    """The third link, by somebody else: thor deploys from it, mallory with a wrong word is nobody; who left is not told."""
    port = free_port("127.0.0.1")
    console = {"run": str(CONSOLE), "port": port, "people": {"thor": "hammer", "odin": "raven"}}
    with with_demo(place, links={"console": console}) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("1", **{"loki.yaml": spec})
        serve = channel.serve()
        until(lambda: "link console: up" in serve.output(), "the console is up")
        thor, odin, mallory = Caller(port), Caller(port), Caller(port)
        for person, word in ((thor, "thor hammer"), (odin, "odin raven"), (mallory, "mallory hammer")):
            person.until_reads("who are you?")
            person.type(word)
        mallory.type(f"deploy {url}")
        mallory.until_reads("refused: nobody here knows who you are")
        thor.type("whoami")
        thor.until_reads("you are thor (console word thor), here in direct")
        thor.type(f"deploy {url}")
        thor.until_reads("reading https://")
        thor.until_reads("loki: deploy with demo, 3 stages, run")
        gate.began()
        odin.type("status loki")
        odin.until_reads("loki: 2/3 gate")
        gate.open()
        thor.until_reads("loki is ready\n")
        # He leaves before the next end; who takes his name without his word hears nothing of it.
        thor.type(f"deploy {url}")
        thor.until_reads("loki: deploy with demo, 3 stages, run")
        gate.began()
        thor.close()  # which the console sees before it hears anything from the next one
        false_thor = Caller(port)
        false_thor.type("thor guess")
        false_thor.type("whoami")
        false_thor.until_reads("whom the configuration does not know")
        gate.open()
        place.until_state("loki", "succeeded")
        until(lambda: "a late answer was not sent" in serve.output(), "the late answer is held back")
        false_thor.type("whoami")
        false_thor.until_reads("whom the configuration does not know")
        assert "ready" not in false_thor.text
        gate.close()


RUBBISH = [b"not json\n", b"\xff\xfe\x00\x01\n", b"[]\n", b"17\n", b"null\n", b"{}\n", b'{"type": 17}\n', b'{"type": "no such type", "x": 1}\n',
           b'{"type": "message"}\n', b'{"type": "message", "place": 1, "direct": "yes", "text": []}\n',
           b'{"type": "message", "place": "x", "direct": "yes", "sender": "x", "text": "status"}\n',
           b'{"type": "message", "place": "x", "direct": true, "sender": {}, "identity": 5, "text": "status"}\n',
           b'{"type": "message", "place": "x", "direct": true, "sender": "x", "identity": "x", "text": 5}\n',
           b'{"type": "up", "nick": [], "limit": "much"}\n', b'{"type": "up", "nick": "x\\r\\ny", "limit": -5}\n',
           b'{"type": "identity", "sender": null}\n', b'{"type": "gone", "identity": {"a": "b"}}\n', b'{"type": "down"}\n',
           b'{"type": "message", "place": "\\u0000", "direct": true, "sender": "\\u0007", "text": "\\ud800 status"}\n',
           b"[" * 500000 + b"]" * 500000 + b"\n", b'{"type":' * 100000 + b"1" + b"}" * 100000 + b"\n"]


@takes(8)
def test_a_link_that_sends_rubbish(place):
    """Logged, and harmless for everybody else; its own lines that are good are heard all the same."""
    address, port = place.addresses.replace(".0/24", ".9"), 4444
    heard = place.write("heard", "")
    evil = {"run": str(HERE / "evil.py"), "address": address, "port": port, "heard": str(heard)}
    with with_demo(place, links={"evil": evil}) as channel:
        serve = channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)

        def call():
            made = []

            def reached():
                try:
                    made.append(socket.create_connection((address, port), 5))
                    return True
                except OSError:
                    return False
            until(reached, "the link listens")
            return made[0]

        def whoami(connection, name):
            connection.sendall(json.dumps({"type": "message", "place": name, "direct": True, "sender": name, "identity": None,
                                           "proof": None, "text": "whoami", "addressed": True}).encode() + b"\n")
            until(lambda: f"I see {name} (evil nothing proves" in heard.read_text(errors="replace"), f"{name} is answered")
        connection = call()
        connection.sendall(b'{"type": "up", "nick": "evil", "limit": 400}\n')
        whoami(connection, "one")
        for rubbish in RUBBISH:
            connection.sendall(rubbish)
        connection.sendall(b'{"type": "up", "nick": "evil", "limit": 400}\n')
        whoami(connection, "two")
        asks(thor, "whoami", "you are thor")
        assert "link evil: a line that is no event" in serve.output(), serve.output()
        # A flood of such lines, and one of 2 MiB, end the link, which is started again.
        for number, (kind, said) in enumerate((((b"rubbish\n" * 300000), "a flood of lines that are no events"),
                                               (b"x" * (2 << 20), "a line of more than 1 MiB"))):
            try:
                connection.sendall(kind)
            except OSError:
                pass  # it was ended in the middle
            until(lambda said=said: said in serve.output(), said)
            asks(thor, "whoami", "you are thor")
            connection.close()
            until(lambda number=number: serve.output().count("link evil: it is started again") == number + 1, "it has ended")
            connection = call()
            connection.sendall(b'{"type": "up", "nick": "evil", "limit": 400}\n')
            whoami(connection, f"again{number}")
        # What it claims about people is believed of its own network only.
        connection.sendall(json.dumps({"type": "message", "place": "#ops", "direct": False, "sender": "thor", "identity": "odin",
                                       "proof": "account", "text": "jarvis: whoami", "addressed": True}).encode() + b"\n")
        until(lambda: "you are odin (evil account odin), here in evil/#ops" in heard.read_text(errors="replace"), "it is its own odin")
        connection.sendall(b"".join(json.dumps({"type": "message", "place": "x", "direct": True, "sender": "x", "text": f"status {n}",
                                                "addressed": True}).encode() + b"\n" for n in range(5000)))
        asks(thor, "whoami", "you are thor")
        whoami(connection, "last")
        assert serve.output().count("\n") < 200, serve.output()[-3000:]
        assert not thor.sees(r":jarvis!\S+ QUIT"), thor.lines
        connection.close()


OTHER = """#!/usr/bin/python3
import json, sys, time
sys.stdin.readline()
print(json.dumps({"type": "up", "nick": "jarvis", "limit": 400}), flush=True)
for number in range(100):
    begun = time.monotonic()
    print(json.dumps({"type": "message", "place": "thor", "direct": True, "sender": "thor", "identity": "thor", "proof": "word",
                      "text": "whoami", "addressed": True, "bot": False, "history": False}), flush=True)
    while "you are thor" not in sys.stdin.readline():
        pass
    while "everything" not in sys.stdin.readline():
        pass
    with open(sys.argv[0] + ".took", "a") as took:
        print(time.monotonic() - begun, file=took)
    if number % 10 == 9:
        time.sleep(0.5)  # not a wait: the bound of what one person may say
for line in sys.stdin:
    pass
"""


@takes(3)
def test_name_servers_that_hang_hold_up_no_other_link(place):
    """One network's name is looked up in vain: the others, the command line and the end of jarvis do not notice."""
    other = place.write("other.py", OTHER, 0o755)
    place.configure(irc=[{"name": "slow", "server": "irc.example.org", "nick": "jarvis"}], xmpp=[{
        "name": "slower", "jid": "jarvis@xmpp.example.org", "password_file": str(place.write("password", "x\n", 0o600))}],
        links={"other": {"run": str(other)}}, people={"thor": {"roles": ["all"], "links": {"other": ["thor"]}}},
        roles={"all": {"commands": ["*"], "hosts": ["*"], "providers": ["*"], "places": ["*"]}})
    serve = place.background(Process([*world(place), *place.arguments("serve")], place.path("serve.log"), place.directory,
                                     place.environment()))
    took = place.path("other.py.took")
    until(lambda: took.exists() and len(took.read_text().split()) >= 20, "the other link is answered again and again", 20)
    assert max(map(float, took.read_text().split())) < 5, took.read_text()
    assert place.expect(0, "status").out.startswith("nothing is in flight")
    assert serve.running() and "link slow: up" not in serve.output(), serve.output()
    begun = time.monotonic()
    serve.signal(signal.SIGTERM)
    assert serve.wait() == 0, serve.output()
    assert time.monotonic() - begun < 20
