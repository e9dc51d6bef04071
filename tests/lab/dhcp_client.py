"""dhcp_client.py INTERFACE MAC: asks as a PXE loader would (RFC 2131, 4578), prints the offer as JSON. Takes no lease."""
import json
import os
import select
import socket
import struct
import sys
import time

TRIES = 20


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def discover(mac, xid):
    bootp = struct.pack("!BBBB4sHH4s4s4s4s16s64s128s", 1, 1, 6, 0, xid, 0, 0x8000, *[bytes(4)] * 4, mac, b"", b"")
    # discover; what is asked for: mask, router, host name, loader, server, option 233; who asks
    options = b"\x63\x82\x53\x63" + b"\x35\x01\x01" + b"\x37\x06" + bytes([1, 3, 12, 66, 67, 233]) + b"\x3c\x09PXEClient" + b"\xff"
    udp_body = bootp + options
    udp = struct.pack("!HHHH", 68, 67, 8 + len(udp_body), 0) + udp_body
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + header + udp


def options_of(data):
    found, at = {}, 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        length = data[at + 1]
        found[data[at]] = data[at + 2:at + 2 + length]
        at += 2 + length
    return found


def offer_in(packet, xid):
    if packet[12:14] != b"\x08\x00" or packet[23] != 17:
        return None
    udp = packet[14 + 4 * (packet[14] & 15):]
    bootp = udp[8:]
    if struct.unpack("!H", udp[2:4])[0] != 68 or bootp[4:8] != xid:
        return None
    options = options_of(bootp[240:])
    if options.get(53) != b"\x02":
        return None
    text = {code: value.rstrip(b"\0").decode() for code, value in options.items() if code in (12, 67, 233)}
    address = {code: socket.inet_ntoa(value[:4]) for code, value in options.items() if code in (1, 3)}
    return {"address": socket.inet_ntoa(bootp[16:20]), "next_server": socket.inet_ntoa(bootp[20:24]),
            "filename": bootp[108:236].split(b"\0")[0].decode() or text.get(67, ""), "hostname": text.get(12), "option_233": text.get(233),
            "mask": address.get(1), "router": address.get(3)}


def main():
    interface, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    link.bind((interface, 0))
    xid = os.urandom(4)
    for _ in range(TRIES):
        link.send(discover(mac, xid))
        deadline = time.monotonic() + 1
        while (left := deadline - time.monotonic()) > 0 and select.select([link], [], [], left)[0]:
            offer = offer_in(link.recv(2048), xid)
            if offer:
                print(json.dumps(offer))
                return
    sys.exit(f"no offer after {TRIES} tries")


main()
