"""A real slapd on a free port of a loopback address, with the schema that jarvis brings."""
import base64
import os
import pathlib
import subprocess

from .ports import free_port
from .processes import Process
from .waiting import until

CONFIG = pathlib.Path(__file__).resolve().parent.parent.parent / "config"
SLAPD = "/usr/sbin/slapd"
BASE = "dc=websages,dc=com"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{BASE}", "admin-password"
READER, READER_PASSWORD = f"cn=jarvis,ou=Services,{BASE}", "reader-password"

TREE = f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: websages
o: websages

dn: ou=Hosts,{BASE}
objectClass: organizationalUnit
ou: Hosts

dn: ou=Services,{BASE}
objectClass: organizationalUnit
ou: Services

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: jarvis
userPassword: {READER_PASSWORD}
"""


class Slapd:
    """`uri` (ldap://), `ldaps`, `ca`. `certificate`: of the authority, for TLS; `extra`: more lines of slapd.conf; `enter`: what
    goes before a command that is to run where the server runs."""

    base = BASE

    def __init__(self, place, address, name="slapd", authority=None, anonymous=True, extra="", ldif=TREE, enter=()):
        self._enter = list(enter)
        self.directory = place.path(name)
        (self.directory / "data").mkdir(parents=True)
        self.address, self.port, self.tls_port = address, free_port(address), free_port(address)
        self.uri, self.ldaps = f"ldap://{address}:{self.port}", f"ldaps://{address}:{self.tls_port}"
        self.ca = authority.certificate if authority else None
        tls = ""
        if authority:
            certificate, key = authority.issue(address, stem=name)
            tls = f"TLSCACertificateFile {authority.certificate}\nTLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"
        readers = "* read" if anonymous else f'dn.exact="{READER}" read'
        (self.directory / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include {CONFIG}/jarvis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.directory}/pid
{tls}{extra}
database mdb
suffix "{BASE}"
rootdn "{ADMIN}"
rootpw {ADMIN_PASSWORD}
directory {self.directory}/data
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by {readers} by anonymous auth
""", encoding="utf-8")
        self._place, self._process = place, None
        self.start()
        self.add(ldif)

    def start(self):
        urls = self.uri + (f" {self.ldaps}" if self.ca else "")
        arguments = [*self._enter, SLAPD, "-f", str(self.directory / "slapd.conf"), "-h", urls, "-d", "0"]
        self._process = Process(arguments, self.directory / "log", self.directory, dict(os.environ))
        self._place.background(self._process)
        until(lambda: self._answers() or not self._process.running(), "slapd answers")
        assert self._process.running(), f"slapd ended:\n{self._process.output()}"

    def stop(self):
        self._process.stop()

    def _answers(self):
        return self._ldap("ldapsearch", "-b", "", "-s", "base").returncode == 0

    def _ldap(self, command, *arguments, ldif=None):
        environment = {"PATH": os.environ["PATH"], "LDAPNOINIT": "1"}
        return subprocess.run([*self._enter, command, "-x", "-H", self.uri, *arguments], input=ldif, capture_output=True, text=True,
                              check=False, env=environment)

    def add(self, ldif):
        """Adds entries, as the administrator."""
        done = self._ldap("ldapadd", "-M", "-D", ADMIN, "-w", ADMIN_PASSWORD, ldif=ldif)
        assert done.returncode == 0, f"ldapadd: {done.stderr}{done.stdout}"

    def remove(self, dn):
        done = self._ldap("ldapdelete", "-M", "-D", ADMIN, "-w", ADMIN_PASSWORD, dn)
        assert done.returncode == 0, f"ldapdelete: {done.stderr}{done.stdout}"

    def values(self, dn, attribute):
        """Of an entry, as the administrator sees them; none when it is not there."""
        done = self._ldap("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-D", ADMIN, "-w", ADMIN_PASSWORD, "-b", dn, "-s", "base", attribute)
        found = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.lower().startswith(f"{attribute.lower()}: ")]
        assert done.returncode in (0, 32), f"ldapsearch: {done.stderr}"
        return found

    def host(self, name="loki", under=f"ou=Hosts,{BASE}", **attributes):
        """Adds a host's entry; lists give several values. Its name."""
        dn = f"cn={name},{under}"
        lines = [f"dn: {dn}", "objectClass: device", "objectClass: jarvisHost", "objectClass: domainRelatedObject" if
                 "associatedDomain" in attributes else "", f"cn: {name}"]
        for key, value in {"jarvisProvider": "local", **attributes}.items():
            lines += [f"{key}:: {base64.b64encode(one.encode()).decode()}" for one in (value if isinstance(value, list) else [value])]
        self.add("\n".join(line for line in lines if line) + "\n")
        return dn
