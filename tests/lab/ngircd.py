"""ngIRCd: TLS, but no SASL, no tags, no services."""
from .irc_server import IrcServer

CONFIGURATION = """
[Global]
Name = irc.test
Info = test
Listen = {address}
Ports = {port}
AdminInfo1 = a
AdminEMail = a@irc.test
MotdPhrase = hello
ServerUID = {uid}
ServerGID = {gid}
{password}
[Limits]
ConnectRetry = 1
MaxConnections = 500
MaxConnectionsIP = 0
MaxJoins = 50
MaxNickLength = 20
MaxPenaltyTime = 0
PingTimeout = 120
PongTimeout = 20
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
[SSL]
CertFile = {certificate}
KeyFile = {key}
Ports = {tls_port}
[Operator]
Name = root
Password = root
"""


class Ngircd(IrcServer):
    def __init__(self, place, password=None, address=None, names=()):
        super().__init__(place, address, names)
        self._password = password

    def configure(self):
        self.write("ngircd.conf", CONFIGURATION.format(
            address=self.address, port=self.port, tls_port=self.tls_port, certificate=self.certificate, key=self.key,
            uid=65534, gid=65534, password=f"Password = {self._password}" if self._password else ""))

    def command(self):
        return ["ngircd", "--nodaemon", "--config", self.directory / "ngircd.conf"]
