"""Certificates of the tests' own: an authority and what it signs, by openssl."""
import subprocess


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode(errors='replace')}"


class Authority:
    """`ca` is its certificate; sign() makes key and certificate of a server."""

    def __init__(self, directory, name="authority"):
        self.directory, self.name = directory, name
        directory.mkdir(parents=True, exist_ok=True)
        self.ca, self.key = directory / f"{name}.pem", directory / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.ca)

    def sign(self, name, *hosts):
        """(certificate, key) for these host names and addresses."""
        request, certificate, key = (self.directory / f"{name}.{ending}" for ending in ("csr", "crt", "key"))
        names = ",".join(("IP:" if host.replace(".", "").isdigit() or ":" in host else "DNS:") + host for host in hosts)
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n", encoding="ascii")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                 "-extfile", extensions, "-out", certificate)
        return certificate, key
