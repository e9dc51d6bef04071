#!/usr/bin/python3
"""The conversation of ./quickstart: an IRC network of its own on loopback, jarvis in #ops, a person who says the deploy line.

    conversation.py JARVIS STATE SPEC     prints what is said in #ops until the host is ready; exit status 0: it is

Everything is real: InspIRCd with atheme's services, which prove who somebody is; a https site that answers as the gist site does,
with an authority of its own that the configuration names; `jarvis serve` on this state. It all ends with the conversation.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lab.gist_site import GistSite  # noqa: E402
from lab.inspircd import Inspircd  # noqa: E402
from lab.irc_client import IrcClient  # noqa: E402
from lab.waiting import until  # noqa: E402

LOOPBACK = "127.0.0.1"


def configuration(server, site, state, password_file):
    return {
        "state": str(state),
        "providers": {"local": {"addresses": "127.0.64.0/24"}},
        "irc": [{"name": "quicknet", "server": LOOPBACK, "port": server.tls_port, "ca_file": server.ca_file,
                 "nick": "jarvis", "sasl": {"user": "jarvis", "password_file": str(password_file)}, "channels": ["#ops"]}],
        "people": {"thor": {"roles": ["operator"], "irc": {"quicknet": ["thor"]}}},
        "roles": {"operator": {"commands": ["*"], "hosts": ["*.websages.com"], "providers": ["local"],
                               "places": ["quicknet/#ops", "direct"]}},
        "fetch": {"allow": [f"{site.url}/*", f"{site.raw_url}/*"], "private": [LOOPBACK], "ca_file": server.ca_file},
    }


@contextlib.contextmanager
def serving(jarvis, config, log):
    """`jarvis serve`; it ends with this program, however that ends."""
    with open(log, "wb") as output:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", jarvis, "-c", config, "serve"], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output)
    try:
        yield process
    except BaseException:
        print(f"--- the end of {log}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait()


class Witness(IrcClient):
    """Prints what is said in the channel, as a client shows it."""

    def hears(self, pattern, seconds=60):
        """Until somebody says something that fits."""
        while True:
            sender, text = re.match(r"(?:@\S+ )?:([^!]+)!\S+ PRIVMSG #ops :(.*)", self.next(r" PRIVMSG #ops :", seconds)).groups()
            print(f"<{sender}> {text}", flush=True)
            if re.search(pattern, text):
                return


def converse(server, url, serve):
    witness = Witness(server, "heimdall", channel="#ops")
    thor = IrcClient(server, "thor", channel="#ops", account=("thor", "secret"))
    stranger = IrcClient(server, "surtr", channel="#ops")

    def joined():
        assert serve.poll() is None, "jarvis serve ended"
        return witness.sees(r":jarvis!\S+ JOIN")
    until(joined, "jarvis is in #ops")

    def asks(person, text, answer, seconds=60):
        person.say("#ops", f"jarvis: {text}")
        witness.hears(answer, seconds)
    asks(thor, "whoami", "as operator you may")
    asks(stranger, "destroy loki", "^surtr: refused: ")
    asks(thor, f"deploy {url}", "^thor: loki: deploy with")
    witness.hears(r"^thor: (loki is ready|loki failed|refused: )", 300)
    assert witness.sees("thor: loki is ready"), "loki is not ready"


def main(jarvis, state, spec):
    state = pathlib.Path(state).resolve()
    server = Inspircd(types.SimpleNamespace(addresses=None), address=LOOPBACK)
    with server, contextlib.ExitStack() as stack:
        site = stack.enter_context(GistSite(LOOPBACK, server.authority.issue(LOOPBACK, stem="site")))
        for account in ("jarvis", "thor"):
            server.account(account)
        password_file, config = state.parent / "irc.password", state.parent / "chat.yaml"
        password_file.touch(0o600)
        password_file.write_text("secret\n", encoding="ascii")
        config.write_text(json.dumps(configuration(server, site, state, password_file), indent=1) + "\n", encoding="ascii")
        url = site.gist("912450", **{"loki.yaml": pathlib.Path(spec).read_text(encoding="utf-8")})
        converse(server, url, stack.enter_context(serving(os.path.abspath(jarvis), config, state.parent / "serve.log")))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(*sys.argv[1:])
    except (AssertionError, KeyboardInterrupt) as error:
        sys.exit(f"conversation: {error or 'interrupted'}")
