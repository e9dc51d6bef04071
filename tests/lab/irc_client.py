"""A person on IRC: a client of a few dozen lines on a socket, which knows only what the tests need."""
import re
import socket
import ssl
import threading

from .waiting import until


class IrcClient:
    def __init__(self, server, nick, channel=None, certificate=None, account=None, bot=False, tls=False):
        """`certificate`: (certificate, key) files, by TLS; `account`: (name, password) for NickServ."""
        self.nick, self.lines, self._read = nick, [], 0
        self._socket = socket.create_connection((server.address, server.tls_port if certificate or tls else server.port), 10)
        if certificate or tls:
            context = ssl.create_default_context(cafile=str(server.ca_file))
            context.check_hostname = False
            if certificate:
                context.load_cert_chain(*map(str, certificate))
            self._socket = context.wrap_socket(self._socket)
        self._socket.settimeout(None)
        self._lock = threading.Lock()
        threading.Thread(target=self._collect, daemon=True).start()
        self.send(f"NICK {nick}", f"USER {nick.strip('[]{}|^_`')} 0 * :{nick}")
        self.next(r" 001 ")
        if account:
            self.identify(*account)
        if bot:
            self.send(f"MODE {nick} +B")
            self.next(r" MODE .*B")
        if channel:
            self.join(channel)

    def _collect(self):
        rest = b""
        while True:
            try:
                got = self._socket.recv(65536)
            except OSError:
                return
            if not got:
                return
            *lines, rest = (rest + got).split(b"\r\n")
            for line in lines:
                text = line.decode(errors="surrogateescape")
                if text.startswith("PING "):
                    self.send("PONG " + text[5:])
                else:
                    self.lines.append(text)

    def send(self, *lines):
        self.raw("".join(line + "\r\n" for line in lines).encode(errors="surrogateescape"))

    def raw(self, data):
        with self._lock:
            self._socket.sendall(data)

    def next(self, pattern, seconds=30):
        """The next line that fits, after the one that next() gave last; skips others."""
        def found():
            for index in range(self._read, len(self.lines)):
                if re.search(pattern, self.lines[index]):
                    self._read = index + 1
                    return self.lines[index]
            return None
        return until(found, f"{self.nick} sees {pattern!r}", seconds)

    def rewind(self):
        """Forgets what was seen so far."""
        self.lines, self._read = [], 0

    def sees(self, pattern):
        return [line for line in self.lines if re.search(pattern, line)]

    def join(self, channel, key=""):
        self.send(f"JOIN {channel} {key}".strip())
        self.next(rf" 366 \S+ {re.escape(channel)} ")

    def say(self, place, text):
        self.send(f"PRIVMSG {place} :{text}")

    def rename(self, nick):
        self.send(f"NICK {nick}")
        self.next(rf" NICK :?{re.escape(nick)}$")
        self.nick = nick

    def identify(self, account, password):
        self.send(f"PRIVMSG NickServ :IDENTIFY {account} {password}")
        self.next(r" 900 |now identified|You are now logged in")

    def quit(self):
        self.send("QUIT :bye")
        self.close()

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
