"""boot_trigger.py PORT DIRECTORY: what `dhcplinks` asks, on 127.0.0.1. Each GET adds a line to DIRECTORY/asked and runs DIRECTORY/linker,
whose output is the answer."""
import http.server
import pathlib
import subprocess
import sys

port, directory = int(sys.argv[1]), pathlib.Path(sys.argv[2])


class Request(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802, the library's name
        with open(directory / "asked", "a", encoding="utf-8") as asked:
            asked.write(self.path + "\n")
        done = subprocess.run([directory / "linker"], capture_output=True, check=False)
        self.send_response(200 if done.returncode == 0 else 503)
        self.send_header("Content-Length", str(len(done.stdout)))
        self.end_headers()
        self.wfile.write(done.stdout)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", port), Request).serve_forever()
