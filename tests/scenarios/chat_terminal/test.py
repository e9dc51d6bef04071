"""Somebody with an IRC client of his own, in a terminal: irssi in tmux."""
import subprocess

from lab import takes, until
from lab.channel import demo, with_demo


class Terminal:
    """A terminal of 200 columns with one program in it; typed into, and read as a person reads it."""

    def __init__(self, place, *command):
        self._socket, self._environment = str(place.path("tmux")), place.environment(TERM="screen", LC_ALL="C.UTF-8")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "60", *command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)

    def _tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self._socket, *arguments], check=True, capture_output=True, text=True,
                              env=self._environment, timeout=30).stdout

    def type(self, line):
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self):
        return self._tmux("capture-pane", "-p")

    def until_shows(self, text):
        try:
            return until(lambda: next((line for line in self.screen().splitlines() if text in line), None), f"the terminal shows {text!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.screen()}") from None


@takes(16)
def test_irssi_says_the_deploy_line(place):
    with with_demo(place) as channel:
        gate, spec = demo(place)
        url = channel.site.gist("912450", **{"loki.yaml": spec})
        channel.serve()
        server = channel.server
        home = place.path("irssi")
        home.mkdir()
        with Terminal(place, "irssi", f"--home={home}", "-n", "thor") as irssi:
            irssi.until_shows("[(status)]")
            # It knows no addresses in certificates, so it does not verify this one.
            irssi.type(f"/connect -tls -notls_verify {server.address} {server.tls_port}")
            irssi.until_shows("Welcome to the Test IRC Network")
            irssi.type("/msg NickServ IDENTIFY thor secret")
            irssi.until_shows("You are now logged in as thor")
            irssi.type("/join #ops")
            irssi.until_shows("[#ops")
            channel.until_there(channel.person("witness", account=False))
            irssi.type(f"jarvis: deploy {url}")
            irssi.until_shows("jarvis> thor: loki: deploy with demo, 3 stages, run")
            gate.began()
            irssi.type("jarvis: status loki")
            irssi.until_shows("jarvis> thor: loki: 2/3 gate")
            gate.open()
            irssi.until_shows("jarvis> thor: loki is ready")
            irssi.type("/quit")
        gate.close()
