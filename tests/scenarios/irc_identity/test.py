"""Who somebody is, as jarvis-irc hears it from real servers: by the network's own proof and never by a nick."""
import socket
import threading

from lab import each, takes, until
from lab.hybrid import Hybrid
from lab.inspircd import Inspircd
from lab.irc_client import IrcClient
from lab.irc_people import beside, link, proof, says
from lab.ngircd import Ngircd

NOBODY = (None, None)
# What a server may leave out, so that the next way of proving has to do.
WAYS = {"account-tag": (), "tracked": ("ircv3_accounttag",), "whois": ("ircv3_accounttag", "ircv3")}


@takes(8)
@each(*WAYS)
def test_the_account_counts(place, way):
    with Inspircd(place, without=WAYS[way]) as server:
        server.account("thor")
        early = IrcClient(server, "early", "#ops", account=("thor", "secret"))  # there before we are
        with link(place, server) as jarvis:
            jarvis.next("up")
            early.next(r":jarvis!\S+ JOIN")
            assert proof(says(early, jarvis, "#ops", "jarvis: one")) == ("thor", "account")
            thor = beside(server, "thor")
            assert proof(says(thor, jarvis, "#ops", "jarvis: two")) == NOBODY
            thor.identify("thor", "secret")
            assert proof(says(thor, jarvis, "#ops", "jarvis: three")) == ("thor", "account")
            assert proof(says(thor, jarvis, "jarvis", "four")) == ("thor", "account")
            thor.rename("loki")
            assert proof(says(thor, jarvis, "#ops", "jarvis: five")) == ("thor", "account")
            thor.send("PRIVMSG NickServ :LOGOUT")
            thor.next(r" 901 |logged out")
            assert proof(says(thor, jarvis, "#ops", "jarvis: six")) == NOBODY
            stranger = IrcClient(server, "stranger")  # in no channel of ours
            assert proof(says(stranger, jarvis, "jarvis", "seven")) == NOBODY
            stranger.identify("thor", "secret")
            assert proof(says(stranger, jarvis, "jarvis", "eight")) == ("thor", "account")
            assert not jarvis.events("gone"), "early still is thor"


@takes(6)
@each(*WAYS)
def test_somebody_takes_the_operators_nick(place, way):
    with Inspircd(place, without=WAYS[way]) as server:
        server.account("thor")
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor", account=("thor", "secret"))
            assert proof(says(thor, jarvis, "#ops", "jarvis: deploy")) == ("thor", "account")
            thor.quit()
            assert jarvis.next("gone")["identity"] == "thor"
            loki = beside(server, "loki")
            loki.rename("thor")
            assert proof(says(loki, jarvis, "#ops", "jarvis: confirm 1234")) == NOBODY
            assert proof(says(loki, jarvis, "jarvis", "confirm 1234")) == NOBODY


@takes(6)
def test_gone(place):
    with Inspircd(place) as server:
        server.account("thor")
        with link(place, server) as jarvis:
            jarvis.next("up")
            for leave in ("PART #ops", "PRIVMSG NickServ :LOGOUT", "QUIT", "KICK"):
                thor = beside(server, "thor", account=("thor", "secret"))
                second = beside(server, "second", account=("thor", "secret"))
                says(thor, jarvis, "#ops", "jarvis: status")
                said = says(second, jarvis, "#ops", "jarvis: status")
                assert said["identity"] == "thor"
                gone = len(jarvis.events("gone"))
                second.quit()
                assert says(thor, jarvis, "#ops", f"still here before {leave}")["identity"] == "thor"
                assert len(jarvis.events("gone")) == gone, "the account is still there"
                if leave == "KICK":
                    root = server.oper()
                    root.send("SAJOIN root #ops", "SAMODE #ops +o root", "KICK #ops thor :out")
                else:
                    thor.send(leave)
                assert jarvis.next("gone")["identity"] == "thor"
                if leave != "QUIT":
                    thor.quit()


@takes(6)
def test_a_certificate_counts(place):
    """Who has no account is known by the fingerprint, where the server shows it; an account goes before it."""
    with Inspircd(place) as server:
        server.account("thor")
        certificate = server.client_certificate("thor")
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor", certificate=certificate)
            fingerprint = "cert:" + server.fingerprint(certificate[0])
            assert proof(says(thor, jarvis, "#ops", "jarvis: status")) == (fingerprint, "certificate")
            assert proof(says(thor, jarvis, "jarvis", "status")) == (fingerprint, "certificate")
            assert proof(says(thor, jarvis, "#ops", "nothing for us")) == NOBODY, "not worth a question"
            thor.identify("thor", "secret")
            assert proof(says(thor, jarvis, "#ops", "jarvis: now")) == ("thor", "account")


@takes(8)
@each("direct", "channel")
def test_a_nick_that_changes_hands_before_the_answer(place, where):
    """The WHOIS waits in our own queue; in the meantime the nick becomes the operator's."""
    with Inspircd(place, without=WAYS["whois"]) as server:
        server.account("thor")
        with link(place, server, pace={"burst": 1, "per_second": 0.5}, whois_timeout=20) as jarvis:
            jarvis.next("up")
            watcher = beside(server, "watcher")
            # Who only talks directly shares no channel with us: we see neither change of nick.
            real = IrcClient(server, "real", "#ops" if where == "channel" else None, account=("thor", "secret"))
            loki = IrcClient(server, "loki", "#ops" if where == "channel" else None)
            loki.rename("thor")
            jarvis.say("#ops", "a line that makes the next one wait")
            watcher.next("makes the next one wait")
            loki.say("jarvis" if where == "direct" else "#ops", "jarvis: destroy everything")
            loki.rename("loki")
            real.rename("thor")
            assert proof(jarvis.next("message", text="jarvis: destroy everything")) == NOBODY


@takes(6)
def test_asked_for(place):
    """ask_identity is answered afresh by the server."""
    with Inspircd(place) as server:
        server.account("thor")
        with link(place, server, whois_timeout=2) as jarvis:
            jarvis.tell(type="ask_identity", place="#ops", sender="thor")
            assert jarvis.next("identity") == {"type": "identity", "sender": "thor", "identity": None, "proof": None}
            jarvis.next("up")
            thor = beside(server, "thor", account=("thor", "secret"))

            def asked(nick):
                jarvis.tell(type="ask_identity", place="#ops", sender=nick)
                answer = jarvis.next("identity", sender=nick)
                return answer["identity"], answer["proof"]
            assert asked("thor") == ("thor", "account")
            assert asked("THOR") == ("thor", "account")
            assert asked("nobody") == NOBODY
            assert asked("x\r\nQUIT :y") == NOBODY
            thor.send("PRIVMSG NickServ :LOGOUT")
            thor.next(r" 901 |logged out")
            assert asked("thor") == NOBODY


@takes(4)
def test_a_server_without_accounts(place):
    """ngircd has neither accounts nor tags: nobody is anybody, and it is said within the time that a WHOIS takes."""
    with Ngircd(place) as server:
        with link(place, server) as jarvis:
            jarvis.next("up")
            thor = beside(server, "thor", certificate=server.client_certificate("thor"))
            assert proof(says(thor, jarvis, "#ops", "jarvis: status")) == NOBODY
            assert proof(says(thor, jarvis, "jarvis", "status")) == NOBODY
            for number in range(20):
                thor.say("#ops", f"jarvis: number {number}")
            for number in range(20):
                assert jarvis.next("message")["text"] == f"jarvis: number {number}", "the order stays"


class Scripted:
    """A server that says what the test wants, for what no real one does on request."""

    def __init__(self, place):
        self.address = place.addresses.replace("0/24", "7")
        self.ca_file = None
        self._listener = socket.create_server((self.address, 0))
        self.port = self.tls_port = self._listener.getsockname()[1]
        self.heard = []

    def accept(self):
        self._socket, _ = self._listener.accept()
        threading.Thread(target=self._collect, args=(self._socket,), daemon=True).start()

    def _collect(self, accepted):
        rest = b""
        try:
            while got := accepted.recv(65536):
                *lines, rest = (rest + got).split(b"\r\n")
                self.heard += [line.decode() for line in lines]
        except OSError:
            pass

    def say(self, *lines):
        for line in lines:
            self._socket.sendall((line if isinstance(line, bytes) else line.encode()) + b"\r\n")

    def until_heard(self, text):
        until(lambda: any(text in line for line in self.heard), f"the server hears {text}")

    def welcome(self, caps="account-tag message-tags batch server-time"):
        self.until_heard("USER ")
        self.say(f":s CAP * LS :{caps}")
        self.until_heard("CAP REQ")
        self.say(f":s CAP * ACK :{caps}")
        self.until_heard("CAP END")
        self.say(":s 001 jarvis :hello", ":s 005 jarvis CASEMAPPING=rfc1459 CHANTYPES=# :are supported", ":s 376 jarvis :end")
        self.until_heard("JOIN #ops")
        self.say(":jarvis!j@h JOIN #ops")

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._listener.close()


def test_lines_that_no_server_should_send(place):
    server = Scripted(place)
    with link(place, server, tls=False) as jarvis:
        server.accept()
        server.welcome()
        jarvis.next("up")
        server.say("@account=" + "x" * 7000 + " :a!b@c PRIVMSG #ops :" + "y" * 2000, b"@" + b"z" * 100000, b"\0\0", ":", "@", "@a",
                   "::", ":x", ": :", "NOTICE", "NOTICE jarvis", "PRIVMSG", ":a!b@c PRIVMSG", ":a!b@c PRIVMSG #ops",
                   ":a!b@c PRIVMSG jarvis :\x01", ":a!b@c PRIVMSG jarvis :\x01DCC SEND f 2130706433 9 9\x01", "NICK", ":a NICK",
                   "NICK b", "QUIT", "KICK", ":a!b@c KICK", ":a!b@c KICK #ops", "JOIN", ":a!b@c JOIN", "MODE", "MODE jarvis",
                   "005", ":s 353 jarvis", ":s 354 jarvis 152", ":s 311 jarvis", "BATCH", "BATCH +", "CAP", "CAP *", "CAP * LS",
                   "AUTHENTICATE", "ACCOUNT", ":a ACCOUNT", "CHGHOST", "INVITE", ":a!b@c " + "w" * 3000, "PING", "ERROR",
                   b":a!b@c PRIVMSG #ops :" + b"\xff" * 400, ":a!b@c PRIVMSG #ops : ", ":" + "n" * 600 + "!u@h PRIVMSG #ops :hi",
                   "%s%n%x", ":a!b@c PRIVMSG #ops " + "p " * 300)
        server.say("@account=thor;time=2001-01-01T00:00:00.000Z :thor!t@h PRIVMSG #ops :jarvis: alive")
        said = jarvis.next("message", text="jarvis: alive")
        assert said["identity"] == "thor", said
        server.say("PING :a b")
        server.until_heard("PONG :a b")
        assert not jarvis.events("down") and not any("y" * 100 in event.get("text", "") for event in jarvis.events())
        server.say("ERROR :Closing Link: you are not welcome\x07")
        server.close()
        assert jarvis.next("down")["why"] == "Closing Link: you are not welcome"


def test_an_account_tag_that_nobody_negotiated(place):
    """A tag counts only when the server has promised to set it itself."""
    server = Scripted(place)
    with link(place, server, tls=False, whois_timeout=0.3) as jarvis:
        server.accept()
        server.welcome("message-tags server-time batch")
        jarvis.next("up")
        server.say("@account=thor;+account=thor :thor!t@h PRIVMSG #ops :jarvis: deploy")
        assert proof(jarvis.next("message")) == NOBODY  # the WHOIS is never answered
        server.say("@+account=thor;account= :thor!t@h PRIVMSG #ops :jarvis: deploy")
        assert proof(jarvis.next("message")) == NOBODY
        server.say(":thor!t@h PRIVMSG #ops :jarvis: now")
        server.until_heard("WHOIS thor")
        server.say(":s 311 jarvis thor t h * :Thor", ":s 330 jarvis thor thor :is logged in as", ":s 318 jarvis thor :End")
        server.say(":thor!other@h PRIVMSG #ops :jarvis: and now")
        jarvis.next("message", text="jarvis: now")
        server.say(":s 311 jarvis thor t h * :Thor", ":s 330 jarvis thor thor :is logged in as", ":s 318 jarvis thor :End")
        assert proof(jarvis.next("message", text="jarvis: and now")) == NOBODY, "another user@host than the WHOIS's"
        server.close()


def test_old_messages_by_batch_and_time(place):
    server = Scripted(place)
    with link(place, server, tls=False) as jarvis:
        server.accept()
        server.welcome()
        jarvis.next("up")
        server.say("@time=2026-01-01T12:00:00.000Z :s 372 jarvis :the clock of this server", ":s BATCH +1 chathistory #ops",
                   "@batch=1;account=thor;time=2026-01-01T12:00:00.000Z :thor!t@h PRIVMSG #ops :jarvis: by batch", ":s BATCH -1",
                   "@account=thor;time=2026-01-01T11:50:00.000Z :thor!t@h PRIVMSG #ops :jarvis: by time",
                   "@account=thor;time=2026-01-01T12:00:01.000Z :thor!t@h PRIVMSG #ops :jarvis: fresh")
        assert jarvis.next("message", text="jarvis: by batch")["history"]
        assert jarvis.next("message", text="jarvis: by time")["history"]
        assert not jarvis.next("message", text="jarvis: fresh")["history"]
        server.close()


@takes(6)
def test_another_grammar(place):
    with Hybrid(place) as server:
        squatter = IrcClient(server, "jarvis")
        with link(place, server) as jarvis:
            assert jarvis.next("up")["nick"] == "jarvis_"
            thor = beside(server, "thor", bot="jarvis_")
            assert proof(says(thor, jarvis, "#ops", "jarvis_: status")) == NOBODY
            jarvis.say("#ops", "so it is", to="thor")
            thor.next(r":jarvis_!\S+ PRIVMSG #ops :thor: so it is$")
            squatter.quit()
            assert jarvis.next("up")["nick"] == "jarvis"
            assert says(thor, jarvis, "jarvis", "status")["direct"]
            assert says(thor, jarvis, "#ops", "JARVIS: status")["addressed"]
            thor.quit()
            server.kill()
            jarvis.next("down")
            server.start()
            jarvis.next("up")
