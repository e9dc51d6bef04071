"""A local https site that answers as the gist site does: pages of HTML, /raw by redirect to another host, raw text there.

What it answers besides is for the test to add: `site.answers[path] = function(request)`.
"""
import hashlib
import http.server
import ssl
import threading
import urllib.parse

from .ports import free_port


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site = None  # set by the site, in a subclass of its own

    def say(self, status, body=b"", **headers):
        """Answers; header names with _ for -."""
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content_Type": "text/plain; charset=utf-8", "Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, to, status=302):
        self.say(status, "<html><body>You are being redirected.</body></html>", Location=to, Content_Type="text/html")

    def do_GET(self):  # noqa: N802, the library's name
        port = self.server.server_address[1]
        self.site.requests.append((port, self.path, dict(self.headers)))
        try:
            answer = self.site.answers.get(self.path)
            if answer:
                answer(self)
            elif port == self.site.raw_port:
                self.site.answer_raw(self)
            else:
                self.site.answer_page(self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    tls = None

    def finish_request(self, request, client_address):
        # In the connection's own thread, so that one client cannot hold up the others.
        with self.tls.wrap_socket(request, server_side=True) if self.tls else request as connection:
            self.RequestHandlerClass(connection, client_address, self)

    def handle_error(self, request, client_address):
        pass  # a client that does not accept the certificate


class GistSite:
    """`url` shows pages, `raw_url` the texts; both answer until close(). `requests`: (port, path, headers) of all."""

    def __init__(self, address, certificate, tls=True):
        self.gists, self.answers, self.requests = {}, {}, []
        self.stopped = threading.Event()
        self._servers, ports = [], []
        handler = type("SiteRequest", (Request,), {"site": self})
        for _ in range(2):
            server = _Server((address, free_port(address)), handler)
            if tls:
                server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                server.tls.load_cert_chain(*certificate)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self._servers.append(server)
            ports.append(server.server_address[1])
        self.address, (self.port, self.raw_port) = address, ports
        scheme = "https" if tls else "http"
        self.url, self.raw_url = (f"{scheme}://{address}:{port}" for port in ports)

    def close(self):
        self.stopped.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def gist(self, number, user="thor", **files):
        """Adds one; file names as keywords or by `files` in a mapping. The URL of its page, as people copy it."""
        self.gists[number] = (user, files)
        return f"{self.url}/{number}"

    def paths(self):
        return [path for _, path, _ in self.requests]

    def _found(self, parts):
        """(user, id, files) of /ID... or /USER/ID..., and what follows."""
        for count in (1, 2):
            number = parts[count - 1] if len(parts) >= count else None
            if number in self.gists and (count == 1 or self.gists[number][0] == parts[0]):
                return number, *self.gists[number], parts[count:], count == 1
        return None

    def answer_page(self, request):
        found = self._found(request.path.strip("/").split("/"))
        if not found:
            return request.say(404, "<html>Not Found</html>", Content_Type="text/html")
        number, user, files, rest, short = found
        if rest[:1] == ["raw"]:
            return request.redirect(f"{self.raw_url}/{user}/{number}/" + "/".join(rest))
        if short:
            return request.redirect(f"{self.url}/{user}/{number}", 301)
        links = "".join(
            f'<a href="/{user}/{number}/raw/{hashlib.sha1(text.encode()).hexdigest()}/{urllib.parse.quote(name)}" '
            f'class="Button">Raw</a>\n<pre>{text.replace("&", "&amp;").replace("<", "&lt;")}</pre>\n'
            for name, text in sorted(files.items()))
        return request.say(200, f"<!DOCTYPE html>\n<html><body>{links}</body></html>\n", Content_Type="text/html; charset=utf-8")

    def answer_raw(self, request):
        found = self._found(request.path.strip("/").split("/"))
        if not found or found[3][:1] != ["raw"]:
            return request.say(404, "404: Not Found")
        files, rest = found[2], found[3][1:]
        name = urllib.parse.unquote(rest[-1]) if rest else sorted(files)[0]
        if name not in files:
            return request.say(404, "404: Not Found")
        return request.say(200, files[name])
