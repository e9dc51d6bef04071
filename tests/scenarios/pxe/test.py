"""Booting from the network: ISC dhcpd reads what ldapworker writes into slapd, tftpd-hpa serves the links that pxe makes, a client is
offered the one loader and then the other. All of it in a network namespace of the test's own."""
import gzip
import os
import pathlib
import re
import subprocess
import sys

import yaml

from lab import takes, until
from lab.bodies import Bodies
from lab.certificates import Authority
from lab.clouds import VmwareCloud
from lab.island import Island
from lab.marks import Skip
from lab.ports import free_port
from lab.processes import Process
from lab.slapd import ADMIN, ADMIN_PASSWORD, BASE, READER, READER_PASSWORD, TREE, Slapd
from lab.ssh_person import login, public_key

MAC, SECOND_MAC = "52:54:00:0a:0b:01", "52:54:00:0a:0b:02"
LOKI = {"hostname": "loki", "fqdn": "loki.websages.com", "os": "Debian 12", "ipaddress": ["10.20.0.7"], "macaddrs": ["52:54:0:A:b:1"]}
LOKI_DN = f"cn=loki.websages.com,cn=DHCP,{BASE}"
SETS = f"ou=Operating Systems,ou=Sets,{BASE}"
EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "config/examples"
TRIGGER = pathlib.Path(__file__).resolve().parents[2] / "lab/boot_trigger.py"
SCHEMA = "/usr/share/doc/isc-dhcp-server-ldap/dhcp.schema.gz"

DHCP_TREE = TREE + f"""
dn: cn=dhcpd,{BASE}
objectClass: dhcpServer
cn: dhcpd
dhcpServiceDN: cn=DHCP,{BASE}

dn: cn=DHCP,{BASE}
objectClass: dhcpService
cn: DHCP
dhcpPrimaryDN: cn=dhcpd,{BASE}
dhcpStatements: ddns-update-style none
dhcpOption: option-233 code 233 = text

dn: cn=10.20.0.0,cn=DHCP,{BASE}
objectClass: dhcpSubnet
cn: 10.20.0.0
dhcpNetMask: 24
"""

OS_TREE = f"""
dn: ou=Sets,{BASE}
objectClass: organizationalUnit
ou: Sets

dn: {SETS}
objectClass: organizationalUnit
ou: Operating Systems

dn: cn=Debian 12,{SETS}
objectClass: groupOfUniqueNames
cn: Debian 12
uniqueMember: cn=thor,ou=Hosts,{BASE}

dn: cn=CentOS\\, 6,{SETS}
objectClass: groupOfUniqueNames
cn: CentOS, 6
uniqueMember: cn=odin,ou=Hosts,{BASE}
uniqueMember: CN=Loki, ou=Hosts, {BASE}

dn: cn=Plan 9,{SETS}
objectClass: groupOfUniqueNames
cn: Plan 9
uniqueMember: cn=freya,ou=Hosts,{BASE}
"""


class Net:
    """A slapd with the schema of ISC DHCP, on the island if there is one, and a configuration that names it."""

    def __init__(self, place, island=None, many_cards=False, ldif=DHCP_TREE, name="slapd", **more):
        self.place, self.island = place, island
        self.authority = Authority(place.path(f"{name}-tls"))
        schema = gzip.decompress(pathlib.Path(SCHEMA).read_bytes()).decode()
        if many_cards:  # as the schema was before
            schema, count = re.subn(r"(NAME 'dhcpHWAddress'[^)]*?) SINGLE-VALUE", r"\1", schema)
            assert count == 1
        file = place.write(f"{name}-dhcp.schema", schema)
        address = "127.0.0.1" if island else place.addresses.replace(".0/24", ".5")
        self.slapd = Slapd(place, address, name, authority=self.authority, extra=f"include {file}\n", ldif=ldif,
                           enter=island.enter if island else (), **more)
        self.ldap = {"uri": self.slapd.uri, "base": BASE, "ca_file": str(self.authority.certificate), "bind_dn": READER,
                     "password_file": str(place.write("reader", READER_PASSWORD, 0o600)), "writer_dn": ADMIN,
                     "writer_password_file": str(place.write("writer", ADMIN_PASSWORD, 0o600))}
        self.pxe = {"next_servers": [Island.address], "subnets": {Island.network: {"router": "10.20.0.254"}}}
        self.configure()

    def configure(self, ldap=None, **pxe):
        self.pxe.update(pxe)
        self.place.configure(ldap={**self.ldap, **(ldap or {})}, pxe={key: value for key, value in self.pxe.items() if value})

    def task(self, name, status=0, said="", **keys):
        """One attempt; what it says on stderr."""
        board = {**LOKI, **keys}
        text = yaml.safe_dump(board).encode()
        command = [*(self.island.enter if self.island else []), *self.place.arguments("task", name)]
        done = subprocess.run(command, input=text, capture_output=True, check=False, timeout=60, env=self.place.environment(),
                              cwd=self.place.directory)
        err = done.stderr.decode()
        assert done.returncode == status, f"{name}: exit status {done.returncode}, not {status}:\n{err}"
        assert yaml.safe_load(done.stdout) == (None if status else board), done.stdout
        assert re.search(said, err), f"{name} did not say /{said}/:\n{err}"
        assert ADMIN_PASSWORD not in err and READER_PASSWORD not in err, err
        return err

    def planned(self, name, family, **more):
        """The changes that it says in plan mode."""
        environment = self.place.environment(JARVIS_MODE="plan", JARVIS_TASK=name, **more)
        done = subprocess.run([*(self.island.enter if self.island else []), str(self.place.binary.parent / f"jarvis-{family}"), "--task", name],
                              input=yaml.safe_dump(LOKI).encode(), capture_output=True, check=False, timeout=60, env=environment)
        assert done.returncode == 0 and not done.stdout, done
        return re.findall(r"^change: (.*)$", done.stderr.decode(), re.M)

    def ldap_environment(self):
        return {"LDAPWORKER_LDAP_URI": self.slapd.uri, "LDAPWORKER_LDAP_BASE": BASE, "LDAPWORKER_LDAP_CA_FILE": self.ldap["ca_file"],
                "LDAPWORKER_LDAP_BIND_DN": ADMIN, "LDAPWORKER_LDAP_PASSWORD": ADMIN_PASSWORD,
                "LDAPWORKER_NEXT_SERVERS": Island.address, "LDAPWORKER_SUBNETS": f"{Island.network}=10.20.0.254"}

    def entry(self, dn, attribute):
        return self.slapd.values(dn, attribute)


# The directory and dhcpd

def test_a_client_is_offered_the_installer_and_then_its_disk(place):
    island = Island(place, MAC)
    net = Net(place, island)
    dhcpd = island.dhcpd(net.slapd, "dhcpd")
    want = {"address": "10.20.0.7", "next_server": Island.address, "hostname": "loki.websages.com", "option_233": "loki",
            "mask": "255.255.255.0", "router": "10.20.0.254"}

    changes = net.planned("ldapworker:dhcp_install", "ldap", **net.ldap_environment())
    assert len(changes) == 1 and changes[0].startswith(f"add {LOKI_DN}: ethernet {MAC}, "), changes
    net.task("ldapworker:dhcp_install", said=f"{LOKI_DN} added: pxelinux.install")
    assert island.dhcp_offer() == {**want, "filename": "pxelinux.install"}, island.dhcp_offer()
    net.task("ldapworker:dhcp_install", said="says so already")
    assert not net.planned("ldapworker:dhcp_install", "ldap", **net.ldap_environment())

    changes = net.planned("ldapworker:dhcp_local", "ldap", **net.ldap_environment())
    assert changes == [f'change {LOKI_DN}, dhcpStatements: -filename "pxelinux.install" +filename "pxelinux.0"'], changes
    net.task("ldapworker:dhcp_local", said="changed: pxelinux.0")
    assert island.dhcp_offer() == {**want, "filename": "pxelinux.0"}, island.dhcp_offer()
    net.task("ldapworker:dhcp_install", said="changed: pxelinux.install")
    assert island.dhcp_offer()["filename"] == "pxelinux.install"
    dhcpd.kill()  # it takes its time on SIGTERM
    net.task("ldapworker:dhcp_remove", said="removed")
    net.task("ldapworker:dhcp_remove", said="is not there")
    assert net.entry(LOKI_DN, "cn") == []


def test_loaders_and_places_are_the_operators(place):
    net = Net(place)
    net.slapd.add(f"dn: ou=Boot,{BASE}\nobjectClass: organizationalUnit\nou: Boot\n")
    net.configure(ldap={"dhcp": "ou=Boot"}, install_loader="efi/shim.efi", local_loader="efi/local.efi",
                  subnets={"10.0.0.0/8": {"router": "10.1.1.1"}, "10.20.0.0/23": {"router": "10.20.1.254"}})
    dn = LOKI_DN.replace("cn=DHCP", "ou=Boot")
    for task, loader in (("dhcp_install", "efi/shim.efi"), ("dhcp_local", "efi/local.efi")):
        net.task(f"ldapworker:{task}")
        assert f'filename "{loader}"' in net.entry(dn, "dhcpStatements")
        assert set(net.entry(dn, "dhcpOption")) == {'option-233 = "loki"', "routers 10.20.1.254", "subnet-mask 255.255.254.0"}
    net.task("ldapworker:dhcp_install", 1, "10.30.0.1 lies in no subnet|pxe.subnets", ipaddress=["172.16.0.1"])
    net.task("ldapworker:dhcp_install", 1, "refused: .*is none of the configuration's .pxe.next_servers.: 10.20.0.1", **{"next-server": "10.66.6.6"})


def test_what_an_operator_put_into_the_entry_stays(place):
    net = Net(place)
    net.slapd.add(f"""dn: {LOKI_DN}
objectClass: dhcpHost
cn: loki.websages.com
dhcpHWAddress: ethernet 52:54:00:ff:ff:ff
dhcpStatements: filename "old"
dhcpStatements: FIXED-ADDRESS 10.20.0.99
dhcpStatements: default-lease-time 600
dhcpComments: rack 7
""")
    net.task("ldapworker:dhcp_local")
    assert set(net.entry(LOKI_DN, "dhcpStatements")) == {'filename "pxelinux.0"', "fixed-address 10.20.0.7", "next-server 10.20.0.1",
                                                         "use-host-decl-names on", "default-lease-time 600"}
    assert net.entry(LOKI_DN, "dhcpHWAddress") == [f"ethernet {MAC}"]
    assert net.entry(LOKI_DN, "dhcpComments") == ["rack 7"]
    net.task("ldapworker:dhcp_local", said="says so already")


def test_several_cards(place):
    cards = {"macaddrs": [MAC, SECOND_MAC.replace(":", "-")]}
    net = Net(place)
    net.task("ldapworker:dhcp_install", said=f"one card per host: {MAC}", **cards)
    assert net.entry(LOKI_DN, "dhcpHWAddress") == [f"ethernet {MAC}"]
    older = Net(place, many_cards=True, name="older")
    older.task("ldapworker:dhcp_install", **cards)
    assert set(older.entry(LOKI_DN, "dhcpHWAddress")) == {f"ethernet {MAC}", f"ethernet {SECOND_MAC}"}
    older.task("ldapworker:dhcp_install", said="says so already", **cards)


def test_an_entry_of_another_name_is_refused(place):
    net = Net(place)
    for other in ("dhcpHWAddress: ethernet 52:54:0:a:b:1", f"dhcpHWAddress: ethernet {MAC.upper()}",
                  "dhcpStatements: fixed-address 10.20.0.7"):
        dn = f"cn=thor.websages.com,cn=10.20.0.0,cn=DHCP,{BASE}"
        net.slapd.add(f"dn: {dn}\nobjectClass: dhcpHost\ncn: thor.websages.com\n{other}\n")
        net.task("ldapworker:dhcp_install", 1, f"also in {dn}; remove what is stale")
        assert net.entry(LOKI_DN, "cn") == []
        net.slapd.remove(dn)
    twin = f"cn=loki.websages.com,cn=10.20.0.0,cn=DHCP,{BASE}"
    net.slapd.add(f"dn: {twin}\nobjectClass: dhcpHost\ncn: loki.websages.com\n")
    net.task("ldapworker:dhcp_install", 1, f"also in {twin}")
    net.slapd.remove(twin)
    net.slapd.add(f"dn: {LOKI_DN}\nobjectClass: dhcpGroup\ncn: loki.websages.com\n")
    for task in ("dhcp_install", "dhcp_remove"):
        net.task(f"ldapworker:{task}", 1, f"{LOKI_DN} is there, but is no dhcpHost")


def test_who_may_not_write_is_told(place):
    net = Net(place)
    net.configure(ldap={"writer_dn": READER, "writer_password_file": net.ldap["password_file"]})
    net.task("ldapworker:dhcp_install", 1, f"adding {LOKI_DN}: .*Insufficient access")
    net.configure(ldap={"writer_password_file": str(place.write("wrong", "wrong-password", 0o600))})
    net.task("ldapworker:dhcp_install", 1, f"wrong credentials for {ADMIN}")
    net.configure(ldap={"dhcp": "ou=Nowhere"})
    net.task("ldapworker:dhcp_install", 1, "the entry above it is not there")
    net.configure()
    net.slapd.stop()
    net.task("ldapworker:dhcp_install", 75, "retry-after: 2")


def test_what_a_referral_names_is_written_to_only_if_it_is_configured(place):
    behind = Net(place, name="behind")
    front = Net(place, name="front", ldif=TREE + f"\ndn: cn=DHCP,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: DHCP\n"
                f"ref: {behind.slapd.uri}/cn=DHCP,{BASE}\n")
    both = place.write("both.pem", front.authority.certificate.read_text() + behind.authority.certificate.read_text())
    front.configure(ldap={"ca_file": str(both)})
    front.task("ldapworker:dhcp_install", 1, f"takes no writes and refers to {behind.slapd.uri}, which is not in the configuration")
    assert behind.entry(LOKI_DN, "cn") == []
    front.configure(ldap={"ca_file": str(both), "uri": [front.slapd.uri, behind.slapd.uri]})
    front.task("ldapworker:dhcp_install", said="added")
    assert behind.entry(LOKI_DN, "cn") == ["loki.websages.com"]
    front.task("ldapworker:dhcp_local", said="changed")
    front.task("ldapworker:dhcp_remove", said="removed")
    assert behind.entry(LOKI_DN, "cn") == []


def test_the_operating_system_set(place):
    net = Net(place, ldif=TREE + OS_TREE)
    loki = f"cn=loki,ou=Hosts,{BASE}"
    debian, centos = f"cn=Debian 12,{SETS}", f"cn=CentOS\\, 6,{SETS}"
    changes = net.planned("ldapworker:join_os_set", "ldap", **net.ldap_environment())
    assert changes == [f"add {loki} to {debian}", f"take {loki} out of " + centos.replace("\\,", "\\2C")], changes
    net.task("ldapworker:join_os_set", said="in cn=Debian 12")
    assert set(net.entry(debian, "uniqueMember")) == {f"cn=thor,ou=Hosts,{BASE}", loki}
    assert net.entry(centos, "uniqueMember") == [f"cn=odin,ou=Hosts,{BASE}"]
    net.task("ldapworker:join_os_set", said="already")
    net.task("ldapworker:join_os_set", said="in cn=CentOS", os="CentOS, 6")
    assert loki in net.entry(centos, "uniqueMember") and loki not in net.entry(debian, "uniqueMember")
    net.task("ldapworker:join_os_set", 1, "no group cn=Debain 12,.*there are: CentOS, 6, Debian 12, Plan 9", os="Debain 12")
    net.task("ldapworker:join_os_set", 1, "only member of cn=Plan 9", hostname="freya")
    net.task("ldapworker:join_os_set", 1, r"no group cn=x\\2Cou\\3DHosts", os="x,ou=Hosts")


# The links and tftpd

MAIN_MENU = "# MAIN MENU #\nDEFAULT local\n"
TEMPLATE = "DEFAULT install_[% hostname %]\nAPPEND host=[% fqdn %] domain=[%domainname%] nfs=[% next_server %]:/srv ip=[% ip %]\n"


def boot_place(place, main_menu=MAIN_MENU):
    root = place.path("tftp")
    (root / "pxelinux.menus").mkdir(parents=True)
    for directory in (root, root / "pxelinux.menus"):
        directory.chmod(0o755)
    place.write("templates/install_debian_12.tpl", TEMPLATE)
    if main_menu:
        place.write("tftp/pxelinux.menus/main_menu", main_menu)
    return root


def links_of(root):
    return {path.name: os.readlink(path) for path in (root / "pxelinux.cfg").iterdir()}


def chain(menu, *macs):
    return {"0A140007": f"../pxelinux.menus/{menu}", "10.20.0.7": "0A140007", "loki.websages.com": "10.20.0.7",
            **{"01-" + mac.replace(":", "-"): "loki.websages.com" for mac in macs or [MAC]}}


def test_jarvis_makes_the_links(place):
    island, root = Island(place, MAC), boot_place(place)
    net = Net(place, island)
    net.configure(tftp_root=str(root), templates=str(place.path("templates")))
    net.task("pxe:links_install", 75, r"tftp://10.20.0.1:69/.* the TFTP server does not answer")
    island.tftpd(root)
    environment = {"PXE_TFTP_ROOT": str(root), "PXE_TEMPLATES": str(place.path("templates")), "PXE_NEXT_SERVERS": Island.address}
    net.task("pxe:links_install", said="the install menu is there")
    assert links_of(root) == chain("install_loki.websages.com")
    assert (root / "pxelinux.menus/install_loki.websages.com").read_text() == (
        "# INSTALL MENU #\nDEFAULT install_loki\nAPPEND host=loki.websages.com domain=websages.com nfs=10.20.0.1:/srv ip=10.20.0.7\n")
    assert not net.planned("pxe:links_install", "http", **environment)
    changes = net.planned("pxe:links_menu", "http", **environment)
    assert changes == [f"link {root}/pxelinux.cfg/0A140007 -> ../pxelinux.menus/main_menu"], changes
    net.task("pxe:links_menu", said="the main menu is there")
    assert links_of(root) == chain("main_menu")
    net.task("pxe:links_install", said="the install menu is there", macaddrs=[MAC, SECOND_MAC], ipaddress="10.20.0.7")
    assert links_of(root) == chain("install_loki.websages.com", MAC, SECOND_MAC)
    net.task("pxe:links_remove", macaddrs=[MAC, SECOND_MAC])
    assert not links_of(root) and [path.name for path in (root / "pxelinux.menus").iterdir()] == ["main_menu"]


def test_what_stands_in_the_way_stays(place):
    island, root = Island(place, MAC), boot_place(place)
    net = Net(place, island)
    net.configure(tftp_root=str(root), templates=str(place.path("templates")))
    links = root / "pxelinux.cfg"
    links.mkdir(mode=0o755)
    card = "01-" + MAC.replace(":", "-")
    for name, target in ((card, None), (card, "thor.websages.com"), ("0A140007", None), ("10.20.0.7", "elsewhere"),
                         ("0A140007", "../pxelinux.menus/install_thor.websages.com"), ("thor.websages.com", "10.20.0.7"),
                         ("loki.websages.com", "/etc/passwd")):
        path = links / name
        if target is None:
            path.write_text("mine\n")
        else:
            path.symlink_to(target)
        for task in ("links_install", "links_menu"):
            net.task(f"pxe:{task}", 1, f"{re.escape(str(path))} (is in the way|leads to)")
        assert [one.name for one in links.iterdir()] == [name], list(links.iterdir())
        path.unlink()
    (links / "loki.websages.com").symlink_to("10.20.0.99")  # an address that it had
    island.tftpd(root)
    net.task("pxe:links_install")
    assert links_of(root) == chain("install_loki.websages.com")


def test_menus_that_are_not_right(place):
    root = boot_place(place, main_menu=None)
    net = Net(place)
    net.configure(tftp_root=str(root), templates=str(place.path("templates")))
    net.task("pxe:links_menu", 1, "pxelinux.menus/main_menu: is not there")
    place.write("tftp/pxelinux.menus/main_menu", "DEFAULT local\n")
    net.task("pxe:links_menu", 1, "main_menu: has no line `# MAIN MENU #`")
    net.task("pxe:links_install", 1, "install_plan_9.tpl: No such file", os="Plan 9")
    net.task("pxe:links_install", 1, "os: `../../etc/x`", os="../../etc/x")
    place.write("templates/install_debian_12.tpl", "a\nb [% secret %]\n")
    net.task("pxe:links_install", 1, r"install_debian_12.tpl: line 2: `\[% secret %\]` has no value; there are: hostname, ")
    assert not (root / "pxelinux.cfg").exists()


def test_others_make_the_links(place):
    island, root = Island(place, MAC), boot_place(place)
    net = Net(place, island)
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}/cgi-bin/dhcplinks"
    net.configure(dhcplinks=[url])
    links = root / "pxelinux.cfg"
    links.mkdir(mode=0o755)
    card = links / ("01-" + MAC.replace(":", "-"))
    island.tftpd(root)
    net.task("pxe:links_install", 75, "cannot be reached")
    place.write("linker", "#!/bin/sh\necho 'the watcher is not running'\n", 0o755)
    trigger = island.start("trigger", sys.executable, TRIGGER, port, place.directory)
    island.until_bound(trigger, port, "tcp")
    asked = place.path("asked")

    net.task("pxe:links_install", 75, "says: the watcher is not running(.|\n)*is not there")
    assert asked.read_text() == "/cgi-bin/dhcplinks\n"
    card.write_text(MAIN_MENU)
    net.task("pxe:links_install", 75, "is still the # MAIN MENU #")
    place.write("linker", f"#!/bin/sh\nprintf '# INSTALL MENU #\\n' > {card}; echo done\n", 0o755)
    net.task("pxe:links_install", said="the install menu is there")
    asked.unlink()
    net.task("pxe:links_install", said="is there already")
    assert not asked.exists()
    net.task("pxe:links_menu", 75, "is still the # INSTALL MENU #")  # the original waited for the other one, for ever
    environment = {"PXE_DHCPLINKS": url, "PXE_NEXT_SERVERS": Island.address}
    changes = net.planned("pxe:links_menu", "http", **environment)
    assert len(changes) == 1 and changes[0].startswith(f"ask {url} for the main menu: "), changes
    place.write("linker", "#!/bin/sh\ncp '{}' '{}'\n".format(root / "pxelinux.menus/main_menu", card), 0o755)
    net.task("pxe:links_menu", said="the main menu is there")
    place.write("linker", "#!/bin/sh\nexit 1\n", 0o755)
    net.task("pxe:links_install", 75, "answers 503")
    card.write_text("x" * (2 << 20))
    net.task("pxe:links_menu", 1, "is larger than 1048576 bytes")
    card.write_text(MAIN_MENU)
    card.chmod(0o600)
    net.task("pxe:links_menu", 1, "the server does not give it out")
    card.chmod(0o644)
    # What a spec may name.
    net.task("pxe:links_install", 1, "refused: http://127.0.0.1:1/x is none of the configuration's .pxe.dhcplinks.", dhcplinks="http://127.0.0.1:1/x")
    net.task("pxe:links_menu", said="is there already", dhcplinks=url)
    net.task("pxe:links_install", 1, "refused: next-server `evil.example.org`", **{"next-server": "evil.example.org"})


def test_without_a_pxe_section(place):
    net = Net(place)
    net.pxe.clear()
    net.configure()
    net.task("ldapworker:dhcp_install", 1, "pxe.next_servers")
    net.task("pxe:links_install", 1, "pxe.next_servers")
    place.configure(pxe={"next_servers": [Island.address], "subnets": {Island.network: {"router": "10.20.0.254"}}})
    net.task("ldapworker:dhcp_install", 1, "no `ldap:` section")
    net.task("pxe:links_install", 1, "neither where boot links are made")


# In an action list

def test_a_run_that_fails_leaves_a_host_that_boots_from_its_disk(place):
    island, root = Island(place, MAC), boot_place(place)
    net = Net(place, island, ldif=DHCP_TREE + OS_TREE)
    dhcpd = island.dhcpd(net.slapd, "dhcpd")
    island.tftpd(root)
    # As a provider would: gives the address and the card. `power` does not come on.
    place.write("machine", f"""#!/bin/sh
case $1 in
  make) sed '/^ipaddress:/d;/^macaddrs:/d'; printf 'ipaddress: [10.20.0.7]\\nmacaddrs: [{MAC}]\\n' ;;
  power) echo 'no power' >&2; exit 1 ;;
esac
""", 0o755)
    net.pxe.update(tftp_root=str(root), templates=str(place.path("templates")))
    place.configure(ldap=net.ldap, pxe=net.pxe, workers={"machine": {"run": str(place.path("machine")), "tasks": {
        "make": {"gives": ["ipaddress", "macaddrs"]}, "power": {}}}})
    steps = ["machine:make", "ldapworker:join_os_set", "ldapworker:dhcp_install", "pxe:links_install"]
    end = ["ldapworker:dhcp_local", "pxe:links_menu"]
    place.plan("demo", deploy=[*steps, "machine:power", *end])
    spec = place.spec("loki", fqdn="loki.websages.com", provider="demo", os="Debian 12")

    def jarvis(*arguments, status):
        done = subprocess.run([*island.enter, *place.arguments(*arguments)], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=60, env=place.environment(), cwd=place.directory)
        assert done.returncode == status, done
        return (done.stdout + done.stderr).decode()

    assert f"to cn=Debian 12,{SETS}" in jarvis("plan", spec, status=5)
    said = jarvis("deploy", spec, status=1)
    assert "failed at" in said and "no power" in said, said
    assert links_of(root)["0A140007"] == "../pxelinux.menus/main_menu"
    assert island.dhcp_offer()["filename"] == "pxelinux.0"
    place.plan("demo", deploy=[*steps, *end])
    jarvis("deploy", spec, status=0)
    assert island.dhcp_offer()["filename"] == "pxelinux.0" and links_of(root) == chain("main_menu")
    log = jarvis("logs", "loki", status=0)
    assert "added: pxelinux.install" not in log and "changed: pxelinux.install" in log, log
    dhcpd.kill()  # it takes its time on SIGTERM


class BareMetal(VmwareCloud):
    """Machines whose guests say an address once something is installed."""

    with_tools = False
    keys = {"guestid": "debian11_64Guest", "os": "Debian 12", "disksize": 1048576, "size": 512, "num_cpus": 2, "vmhost": "DC0_H0",
            "nic_network": "VM Network", "datastore": "LocalDS_0"}


def boots(net, root, card):
    """What DHCP and TFTP have for this card: the loader's name, and the kind of its menu."""
    dn = f"cn=loki.example.org,cn=DHCP,{BASE}"
    assert [one.lower() for one in net.entry(dn, "dhcpHWAddress")] == [f"ethernet {card}"]
    loader = [one for one in net.entry(dn, "dhcpStatements") if one.startswith("filename")]
    menu = (root / "pxelinux.cfg" / ("01-" + card.replace(":", "-"))).resolve().read_text(encoding="ascii")
    return loader[0].split('"')[1], menu.splitlines()[0]


@takes(30)
def test_the_whole_list_from_an_empty_machine_to_a_login(place):
    """config/examples/plans/vmware-pxe.yaml. The installer is the test: it does its work once the network says so, and switches off."""
    if os.geteuid() != 0:
        raise Skip("a TFTP server beside the vSphere simulator wants port 69, and that wants root")
    tree = DHCP_TREE.replace("10.20.0.0", place.addresses.partition("/")[0]) + OS_TREE
    net, root = Net(place, ldif=tree), boot_place(place)
    address, server = place.addresses.replace(".0/24", ".200"), place.host
    tftpd = place.background(Process(["/usr/sbin/in.tftpd", "-L", "-a", f"{server}:69", "-u", "nobody", "-s", str(root)],
                                     place.path("tftpd.log"), place.directory, dict(os.environ)))
    net.pxe.update(next_servers=[server], subnets={place.addresses: {"router": place.addresses.replace(".0/24", ".254")}},
                   tftp_root=str(root), templates=str(place.path("templates")))
    with BareMetal(place) as it, Bodies(it) as bodies:
        it.built_in(EXAMPLES / "plans/vmware-pxe.yaml", ldap=net.ldap, pxe=net.pxe)
        spec = it.spec("loki", ipaddress=[address], ssh_port=bodies.port,
                       sshpubkey=public_key(place))
        place.serve()

        def installed(told):
            """Waits for the machine that boots to install, and does it; its id."""
            until(lambda: any(one.on and one.id not in told for one in it.machines("loki")) or place.status("loki")["state"] == "failed",
                  "a new machine is on")
            machine = it.machine()
            assert machine.on, place.run("logs", "loki").text
            card = it.vcsim.machines(machine.name)[0]["macs"][0].lower()
            assert boots(net, root, card) == ("pxelinux.install", "# INSTALL MENU #")
            it.vcsim.power_outside(machine.id, False)
            it.vcsim.address(machine.id, address)
            return machine.id, card

        def ready(card):
            place.until_state("loki", "succeeded", "failed", seconds=120)
            assert place.status("loki")["state"] == "succeeded", place.run("logs", "loki").text
            assert boots(net, root, card) == ("pxelinux.0", "# MAIN MENU #")
            board = place.facts()
            assert login(place, board, "hostname") == "loki\n"
            assert login(place, board, "stat", "-c", "%a,%s", "/etc/ldap/ldap.secret") == "400,25\n"
            assert f"cn=loki,ou=Hosts,{BASE}" in net.entry(f"cn=Debian 12,{SETS}", "uniqueMember")
            assert len(bodies.made) == len(seen)

        seen = []
        place.expect(0, "deploy", spec, "--detach")
        machine, card = installed(seen)
        seen.append(machine)
        ready(card)

        place.start("confirm", place.expect(6, "redeploy", spec).code)
        machine, card = installed(seen)
        seen.append(machine)
        ready(card)

        place.confirmed(0, "destroy", "loki")
        assert not it.machines("loki") and not net.entry(f"cn=loki.example.org,cn=DHCP,{BASE}", "cn")
        assert not links_of(root) and tftpd.running()
