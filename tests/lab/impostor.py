"""Servers that say what a test tells them, whatever they are asked."""
import contextlib
import socket
import ssl
import struct
import threading


class Impostor:
    """A server socket: one answer for each thing that it hears, in clear text, then perhaps inside TLS."""

    def __init__(self, address, *answers, tls=None, inside=()):
        """`tls`: (certificate, key); then it goes on encrypted with what is `inside`."""
        self._answers, self._inside, self.heard = list(answers), list(inside), b""
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._socket = socket.create_server((address, 0))
        self.server = f"{address}:{self._socket.getsockname()[1]}"
        self.ca_file = ""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    self._talk(connection, self._answers)
                    if self._context:
                        with self._context.wrap_socket(connection, server_side=True) as secure:
                            self._talk(secure, self._inside)
                            self._listen(secure)
                    self._listen(connection)

    def _talk(self, connection, answers):
        for answer in answers:
            self.heard += connection.recv(65536)
            connection.sendall(answer)

    def _listen(self, connection):
        while more := connection.recv(65536):
            self.heard += more

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class NameServer:
    """Answers every question with these SRV records: (priority, weight, port, target)."""

    def __init__(self, address, records):
        self._records = records
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self.address = f"{address}:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, sender = self._socket.recvfrom(4096)
                end = question.index(b"\0", 12) + 5
                answer = question[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, len(self._records), 0, 0) + question[12:end]
                for priority, weight, port, target in self._records:
                    name = b"".join(bytes([len(label)]) + label.encode() for label in target.split(".") if label) + b"\0"
                    data = struct.pack(">HHH", priority, weight, port) + name
                    answer += b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 60, len(data)) + data
                self._socket.sendto(answer, sender)
