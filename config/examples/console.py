#!/usr/bin/python3
"""A link by somebody else: people talk to jarvis over a line-based TCP console (nc 127.0.0.1 4000).

    links: {console: {run: config/examples/console.py, port: 4000, people: {thor: secret-word}}}
    people: {thor: {roles: [operator], links: {console: [thor]}}}

The first line that somebody types is "NAME WORD"; when the word is right, that is his identity from then on. One JSON
object a line, on standard input and output: docs/links.md. Loopback only: words go over it in clear text.
"""
import hmac
import json
import selectors
import socket
import sys

selector = selectors.DefaultSelector()
people = {}  # name -> (connection, identity or None)


def tell(**event):
    print(json.dumps(event), flush=True)


def say(connection, text):
    try:
        connection.sendall((text + "\n").encode())
    except OSError:
        pass  # it left; its end of input comes next


def accept(server):
    connection, _ = server.accept()
    selector.register(connection, selectors.EVENT_READ, [heard, b"", None])
    say(connection, "who are you? NAME WORD")


def leave(connection, name):
    selector.unregister(connection)
    connection.close()
    if name and people.pop(name, (None, None))[1]:
        tell(type="gone", identity=name)


def heard(connection):
    state = selector.get_key(connection).data
    data = connection.recv(4096)
    state[1] += data
    if not data or len(state[1]) > 65536:
        return leave(connection, state[2])
    *lines, state[1] = state[1].split(b"\n")
    for line in (one.decode(errors="replace").strip() for one in lines):
        name = state[2]
        if name is None:
            name, _, word = line.partition(" ")
            if not name or name in people:
                say(connection, "another name, please")
                continue
            known = hmac.compare_digest(configuration.get("people", {}).get(name, "").encode(), word.encode()) and word
            people[name] = (connection, name if known else None)
            state[2] = name
        elif line:
            identity = people[name][1]
            tell(type="message", place=name, direct=True, sender=name, identity=identity, proof="word" if identity else None,
                 text=line, addressed=True, bot=False, history=False)


def obey(order):
    if order.get("type") == "say" and order["place"] in people:
        say(people[order["place"]][0], order["text"])
    if order.get("type") == "ask_identity":
        identity = people.get(order["sender"], (None, None))[1]
        tell(type="identity", sender=order["sender"], identity=identity, proof="word" if identity else None)


configuration = json.loads(sys.stdin.readline())
listener = socket.create_server(("127.0.0.1", configuration.get("port", 4000)))
selector.register(listener, selectors.EVENT_READ, [accept])
selector.register(sys.stdin, selectors.EVENT_READ, None)
tell(type="up", nick="jarvis", limit=1000)
while True:
    for key, _ in selector.select():
        if key.fileobj is sys.stdin:
            line = sys.stdin.readline()
            if not line or json.loads(line).get("type") == "stop":
                sys.exit(0)
            obey(json.loads(line))
        else:
            key.data[0](key.fileobj)
