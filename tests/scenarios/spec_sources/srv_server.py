"""The network of one scenario, in namespaces of its own: a DNS server and the slapd that its SRV records name.

srv_server.py RESOLV_CONF DNS_ADDRESS SLAPD_CONF HOST_ADDRESS NAME "PRIORITY WEIGHT PORT TARGET"... -- COMMAND...

Answers SRV of NAME and A of the targets, says "no such name" to everything else. slapd listens on the last record's port.
Runs the command, ends what it started, and exits as the command did.
"""
import pathlib
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True

from lab import until  # noqa: E402


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def question_of(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], packet[12:at + 5]


def answer(packet, address, name, records):
    asked, kind, question = question_of(packet)
    targets = {record.split()[3] for record in records}
    data = []
    if asked == name and kind == 33:
        for record in records:
            priority, weight, port, target = record.split()
            data.append(struct.pack("!HHH", int(priority), int(weight), int(port)) + encoded(target))
    elif asked in targets and kind == 1:
        data.append(socket.inet_aton(address))
    known = asked == name or asked in targets
    header = packet[:2] + struct.pack("!HHHHH", 0x8580 | (0 if known else 3), 1, len(data), 0, 0)
    return header + question + b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(one)) + one for one in data)


def main():
    at = sys.argv.index("--")
    resolv_conf, dns, slapd_conf, address, name, *records = sys.argv[1:at]
    port = int(records[-1].split()[2])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((dns, 53))

    def serve():
        while True:
            packet, sender = udp.recvfrom(4096)
            udp.sendto(answer(packet, address, name, records), sender)
    threading.Thread(target=serve, daemon=True).start()

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex((address, port)) == 0
    with subprocess.Popen(["/usr/sbin/slapd", "-f", slapd_conf, "-h", f"ldap://{address}:{port}", "-d", "0"]) as slapd:
        try:
            until(answers, "slapd answers")
            return subprocess.run(sys.argv[at + 1:], check=False).returncode
        finally:
            slapd.terminate()


if __name__ == "__main__":
    sys.exit(main())
