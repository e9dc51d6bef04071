"""Ports for the servers of tests."""
import os
import socket


def free_port(address):
    """Below 32768, where no dial can take it by chance."""
    for _ in range(200):
        port = 12000 + int.from_bytes(os.urandom(2), "big") % 20000
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            try:
                probe.bind((address, port))
                return port
            except OSError:
                continue
    raise AssertionError(f"no free port on {address}")
