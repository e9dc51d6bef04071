"""The metadata service that a machine of EC2 asks for the credentials of its instance profile (IMDSv2: a session first)."""
import http.server
import json
import threading
import time
import uuid

from .ports import free_port


class _Answer(http.server.BaseHTTPRequestHandler):
    service = None  # set by the service, in a subclass of its own

    def _say(self, status, text=""):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):  # noqa: N802, the library's name
        self.service.requests.append(("PUT", self.path))
        lives = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not lives.isdigit() or not 1 <= int(lives) <= 21600:
            return self._say(400)
        self.service.tokens.append(str(uuid.uuid4()))
        return self._say(200, self.service.tokens[-1])

    def do_GET(self):  # noqa: N802
        self.service.requests.append(("GET", self.path))
        if self.headers.get("X-aws-ec2-metadata-token") not in self.service.tokens:
            return self._say(401)
        roles, key = "/latest/meta-data/iam/security-credentials/", self.service.key
        if key is None or not self.path.startswith(roles):
            return self._say(404)
        if self.path == roles:
            return self._say(200, self.service.role)
        if self.path != roles + self.service.role:
            return self._say(404)
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.service.lives))
        return self._say(200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key.id,
                                          "SecretAccessKey": key.secret, "Token": key.token or "", "Expiration": until}))

    def log_message(self, *_):
        pass


class MetadataService:
    """`url`. `key`: the credentials (moto.Key) of the machine's role, None when it has none; `lives`: for so many seconds."""

    def __init__(self, address, key, role="jarvis", lives=3600):
        self.key, self.role, self.lives, self.tokens, self.requests = key, role, lives, [], []
        handler = type("MetadataAnswer", (_Answer,), {"service": self})
        self._server = http.server.ThreadingHTTPServer((address, free_port(address)), handler)
        self._server.daemon_threads = True
        self.url = f"http://{address}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
