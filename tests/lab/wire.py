"""A wire between two servers that a test can cut: what one connects to here reaches the other there."""
import contextlib
import socket
import threading


def carry(one, other):
    """What one end says reaches the other, until either is gone; then both see the end."""
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)


class Wire:
    def __init__(self, address, port):
        self._there, self._ends = (address, port), []
        self._listener = socket.create_server((address, 0))
        self.address, self.port = self._listener.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                here, there = self._listener.accept()[0], socket.create_connection(self._there)
                self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=carry, args=(one, other), daemon=True).start()

    def cut(self):
        """Both ends see it; the next connection is carried again."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def close(self):
        self.cut()
        self._listener.close()
