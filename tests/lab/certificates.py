"""A certificate authority of a test's own, by the openssl command."""
import pathlib
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, directory, name="test authority"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate, self._key = self.directory / "ca.pem", self.directory / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30,
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)

    def issue(self, *names, stem=None, days=30):
        """(certificate, key) files for these DNS names or IP addresses; negative days: expired already."""
        stem = self.directory / (stem or names[0])
        certificate, key, request, extra = (stem.with_name(stem.name + end) for end in (".pem", ".key", ".csr", ".ext"))
        kinds = [("IP" if name.replace(".", "").isdigit() or ":" in name else "DNS") + f":{name}" for name in names]
        extra.write_text(f"subjectAltName={','.join(kinds)}\n", encoding="ascii")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={names[0]}",
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-days", days, "-extfile", extra, "-out", certificate)
        return certificate, key
