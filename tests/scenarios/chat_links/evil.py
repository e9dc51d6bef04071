#!/usr/bin/python3
"""A link that speaks as the test says: whatever comes on its port goes to jarvis as it is; what jarvis says goes to a file."""
import json
import os
import selectors
import socket
import sys

configuration = json.loads(sys.stdin.readline())
listener = socket.create_server((configuration["address"], configuration["port"]))
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ, "listener")
selector.register(0, selectors.EVENT_READ, "jarvis")
with open(configuration["heard"], "ab", buffering=0) as heard:
    while True:
        for key, _ in selector.select():
            if key.data == "listener":
                selector.register(listener.accept()[0], selectors.EVENT_READ, "test")
                continue
            data = os.read(0, 65536) if key.data == "jarvis" else key.fileobj.recv(65536)
            if key.data == "jarvis":
                heard.write(data)
                if not data or b'"stop"' in data:
                    sys.exit(0)
            elif not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
            while key.data == "test" and data:
                data = data[os.write(1, data):]
