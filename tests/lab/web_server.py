"""A small web server in the test's own process: threads, keep-alive, http or https."""
import http.server
import ssl
import threading

from .ports import free_port


class WebServer(http.server.ThreadingHTTPServer):
    """Answers by `requests`, a class of http.server's for one connection, until close(). `root` is its URL, `host` what stands in it."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, requests, certificate=None, port=None):
        """`certificate`: (certificate, key) files for https."""
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*map(str, certificate))
        super().__init__((address, port or free_port(address)), requests)
        self.port = self.server_address[1]
        self.host = f"{address}:{self.port}"
        self.root = f"{'https' if certificate else 'http'}://{self.host}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def finish_request(self, request, client_address):
        # In the connection's own thread, so that one client cannot hold up the others.
        with self.tls.wrap_socket(request, server_side=True) if self.tls else request as connection:
            self.RequestHandlerClass(connection, client_address, self)

    def handle_error(self, request, client_address):
        pass  # a client that does not accept the certificate
