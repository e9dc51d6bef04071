"""InspIRCd with atheme services: accounts, SASL PLAIN and EXTERNAL, account-tag, playback, certificate fingerprints."""
from .irc_client import IrcClient
from .irc_server import IrcServer
from .waiting import until
from .wire import Wire

MODULES = """alias ssl_gnutls sslinfo cap ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_chghost ircv3_ctctags ircv3_echomessage
 ircv3_labeledresponse ircv3_msgid ircv3_servertime services_account sasl spanningtree monitor botmode chanhistory sajoin satopic
 sanick samode"""

INSPIRCD = """
<server name="{name}" description="test" network="Test" id="{id}">
<admin name="a" nick="a" email="a@irc.test">
<bind address="{address}" port="{port}" type="clients">
<bind address="{address}" port="{tls_port}" type="clients" sslprofile="C">
<bind address="{address}" port="{link_port}" type="servers">
<sslprofile name="C" provider="gnutls" certfile="{certificate}" keyfile="{key}" cafile="{ca}" hash="sha256" requestclientcert="yes">
<connect name="main" allow="*" commandrate="100000" fakelag="no" threshold="100000" localmax="5000" globalmax="5000"
 recvq="65536" hardsendq="1M" softsendq="64K" resolvehostnames="no" useident="no" pingfreq="120" {password}>
<class name="All" commands="*" privs="*" usermodes="*" chanmodes="*">
<type name="Oper" classes="All">
<oper name="root" password="root" host="*@*" type="Oper">
<path configdir="{directory}" datadir="{directory}" logdir="{directory}" moduledir="/usr/lib/inspircd/modules">
<pid file="{directory}/inspircd.pid">
<options casemapping="{casemapping}" prefixquit="" nosnoticestack="yes">
<limits maxnick="30" maxchan="64">
<chanhistory maxlines="50" maxduration="1w" prefixmsg="no">
<sasl target="services.test" requiressl="no">
<uline server="services.test">
<link name="services.test" ipaddr="127.0.0.1" port="{link_port}" allowmask="127.0.0.0/8" recvpass="linkpass" sendpass="linkpass">
{links}
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="inspircd.log">
"""

LINK = """<link name="{name}" ipaddr="{address}" port="{port}" allowmask="127.0.0.0/8" recvpass="linkpass" sendpass="linkpass"
 statshidden="no">
"""

ATHEME = """
loadmodule "modules/protocol/inspircd";
loadmodule "modules/backend/opensex";
loadmodule "modules/crypto/pbkdf2v2";
loadmodule "modules/nickserv/main";
loadmodule "modules/nickserv/register";
loadmodule "modules/nickserv/identify";
loadmodule "modules/nickserv/logout";
loadmodule "modules/nickserv/cert";
loadmodule "modules/saslserv/main";
loadmodule "modules/saslserv/plain";
loadmodule "modules/saslserv/external";
serverinfo {{
  name = "services.test"; desc = "services"; numeric = "00A"; recontime = 1; netname = "Test"; hidehostsuffix = "users.test";
  adminname = "a"; adminemail = "a@irc.test"; registeremail = "a@irc.test"; auth = none; loglevel = {{ error; info; }};
  maxlogins = 50; maxusers = 0; mdlimit = 30; emaillimit = 10; emailtime = 300; maxcertfp = 10; casemapping = rfc1459;
}};
crypto {{ pbkdf2v2_rounds = 10000; }};
general {{ commit_interval = 5; }};
uplink "irc.test" {{ host = "{address}"; port = {link_port}; send_password = "linkpass"; receive_password = "linkpass"; }};
nickserv {{ nick = "NickServ"; user = "services"; host = "services.test"; real = "services"; }};
saslserv {{ nick = "SaslServ"; user = "services"; host = "services.test"; real = "services"; }};
"""


class Inspircd(IrcServer):
    def __init__(self, place, services=True, without=(), password=None, casemapping="rfc1459", address=None, names=(), hub=None):
        """`without`: modules that are left out, so that capabilities are missing. `hub`: another one; this is then leaf.test, linked to it by `wire`."""
        super().__init__(place, address, names)
        self.wire = Wire(hub.address, hub.link_port) if hub else None
        self.name, self._hub, self._linker = ("leaf.test" if hub else "irc.test"), hub, None
        self._services, self._without, self._password, self._casemapping = services, without, password, casemapping

    def configure(self):
        modules = [name for name in MODULES.split() if name not in self._without]
        self.write("inspircd.conf", INSPIRCD.format(
            name=self.name, id="02B" if self._hub else "01A",
            links=LINK.format(name="irc.test", address=self.wire.address, port=self.wire.port)
            if self._hub else LINK.format(name="leaf.test", address="127.0.0.1", port=1),
            address=self.address, port=self.port, tls_port=self.tls_port, link_port=self.link_port, certificate=self.certificate,
            key=self.key, ca=self.ca_file, directory=self.directory, casemapping=self._casemapping,
            password=f'password="{self._password}"' if self._password else "")
            + "".join(f'<module name="{name}">\n' for name in modules))
        self.write("atheme.conf", ATHEME.format(address=self.address, link_port=self.link_port))

    def command(self):
        return ["inspircd", "--config", self.directory / "inspircd.conf", "--nofork"]

    def ports(self):
        return *super().ports(), self.link_port

    def start(self):
        super().start()
        if self._hub:
            self.join_hub()
        elif self._services:
            self.start_services()

    def __exit__(self, *error):
        super().__exit__(*error)
        if self.wire:
            self.wire.close()

    def join_hub(self):
        """Links this server to its hub, until both see each other."""
        self._linker = root = self._linker or self.oper("linker")
        root.rewind()
        root.send("CONNECT irc.test")

        def there():
            root.send("LINKS")
            root.next(r" 365 ")
            return root.sees(r" 364 .* irc\.test ")
        until(there, "the two servers are linked")

    def start_services(self):
        atheme = self.spawn("atheme-services", "-n", "-c", self.directory / "atheme.conf", "-D", self.directory, "-l",
                            self.directory / "atheme.log", "-p", self.directory / "atheme.pid")
        with_sasl = IrcClient(self, "probe")

        def offered():
            assert atheme.poll() is None, self.log()
            with_sasl.send("CAP LS 302")
            return "sasl=" in with_sasl.next(r" CAP \S+ LS :")
        until(offered, "services offer SASL")
        with_sasl.quit()

    def account(self, name, password="secret", certificate=None):
        """Makes an account, which the certificate logs in as well."""
        client = IrcClient(self, name, certificate=certificate)
        client.send(f"PRIVMSG NickServ :REGISTER {password} {name}@irc.test")
        client.next(r" 900 |is now registered")
        if certificate:
            client.send(f"PRIVMSG NickServ :CERT ADD {self.fingerprint(certificate[0])}")
            client.next(r"[Aa]dded fingerprint")
        client.quit()

    def oper(self, nick="root"):
        client = IrcClient(self, nick)
        client.send("OPER root root")
        client.next(r" 381 ")
        return client
