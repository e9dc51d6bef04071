"""A machine whose name servers take every question and never answer: `world(place)` is what to put before a command.

It runs in namespaces of its own, where 127.0.0.53 is such a server and nothing else can be reached.
"""
import os
import pathlib
import socket
import subprocess
import sys

ADDRESS = "127.0.0.53"


def world(place):
    resolv_conf = place.write("resolv.conf", f"nameserver {ADDRESS}\n")
    return ["unshare", "--map-root-user", "--mount", "--net", "/usr/bin/python3", str(pathlib.Path(__file__).resolve()), str(resolv_conf)]


def main():
    resolv_conf, *command = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((ADDRESS, 53))
    os.set_inheritable(udp.fileno(), True)  # the command has it, and does not know
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
