"""Specs from gists and other https URLs (spec:fetch) and from a directory (spec:ldap): every task run by hand, as one attempt."""
import pathlib
import re
import socket
import subprocess
import threading

import yaml

from lab import each, takes
from lab.gist_site import GistSite
from lab.ports import free_port
from lab.slapd import ADMIN, BASE, READER, READER_PASSWORD, Slapd
from lab.certificates import Authority

SPEC = "instance:\n  hostname: loki\n  fqdn: 'loki.websages.com'\n  size: '0512'   # MB\n\n  provider: Linode\n"
GIST = "912450"


# spec:fetch

class Fetching:
    """A site on a loopback address of this test's own, which the configuration allows."""

    def __init__(self, place, certificate_for=None, **fetch):
        self.place = place
        self.address = place.addresses.replace(".0/24", ".5")
        self.authority = Authority(place.path("tls"))
        self.site = GistSite(self.address, self.authority.issue(certificate_for or self.address, stem="site"))
        self.fetch = {"allow": [f"{self.site.url}/*", f"{self.site.raw_url}/*"], "private": [place.addresses],
                      "ca_file": str(self.authority.certificate), **fetch}
        place.configure(fetch=self.fetch)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.site.close()

    def configure(self, **fetch):
        self.place.configure(fetch={**self.fetch, **fetch})

    def run(self, url, **more):
        return self.place.run("task", "spec:fetch", input=yaml.safe_dump({"kept": "0123", "spec_url": url}), **more)

    def text(self, url, **more):
        """The text that it gets, and the URL it came from."""
        result = self.run(url, **more)
        assert result.status == 0, result
        clipboard = yaml.safe_load(result.out)
        assert clipboard["kept"] == "0123" and clipboard["spec_url"] == url, clipboard
        return clipboard["spec_text"], clipboard["spec_source"]

    def refused(self, url, *reasons, status=1, **more):
        """It fails with this status, and its last line says why."""
        result = self.run(url, **more)
        assert result.status == status and not result.out, f"expected exit status {status}:\n{result!r}"
        last = result.err.strip().splitlines()[-1]
        for reason in reasons:
            assert re.search(reason, last), f"no /{reason}/ in the last line:\n{result!r}"
        assert re.fullmatch(r"[\x20-\x7e\n]*", result.err), f"control characters were echoed: {result.err!r}"
        return result

    def later(self, url, *reasons, after=None, **more):
        """Temporary: exit 75, and when to ask again."""
        result = self.refused(url, *reasons, status=75, **more)
        found = re.search(r"^retry-after: ([0-9.]+)$", result.err, re.M)
        assert found, f"no retry-after: {result!r}"
        assert after is None or after[0] <= float(found[1]) <= after[1], result
        return result


def test_a_gist_page_gives_its_text(place):
    with Fetching(place) as net:
        page = net.site.gist(GIST, **{"loki.yaml": SPEC})
        for url in (page, f"{net.site.url}/thor/{GIST}", page + "/"):
            text, source = net.text(url)
            assert text == SPEC, repr(text)
            assert source == f"{net.site.raw_url}/thor/{GIST}/raw", source
        assert f"/{GIST}/raw" in net.site.paths(), net.site.requests


def test_a_raw_gist_and_any_other_url_are_fetched_as_they_are(place):
    with Fetching(place) as net:
        net.site.gist(GIST, **{"loki.yaml": SPEC})
        net.site.answers["/specs/loki.yaml?v=2"] = lambda request: request.say(200, SPEC, Content_Type="application/yaml")
        for url in (f"{net.site.raw_url}/thor/{GIST}/raw/loki.yaml", f"{net.site.url}/specs/loki.yaml?v=2"):
            net.site.requests.clear()
            assert net.text(url) == (SPEC, url)
            assert len(net.site.requests) == 1, net.site.requests
        headers = net.site.requests[0][2]
        assert "Cookie" not in headers and "Authorization" not in headers and headers["User-Agent"].startswith("jarvis/"), headers


@each("SPEC", "no newline at the end", "tabs\tand ümlauts ☃\n", "a\r\nb\r\n", "'quotes' \"too\"\n\n\n", "  indented\nless\n", "# only a comment\n", "\ufeffx: y\n")
def test_the_text_is_handed_on_byte_by_byte(place, text):
    text = SPEC if text == "SPEC" else text
    with Fetching(place) as net:
        assert net.text(net.site.gist(GIST, **{"loki.yaml": text}))[0] == text


def test_of_several_files_the_yaml_one_is_meant(place):
    with Fetching(place) as net:
        page = net.site.gist(GIST, **{"README.md": "x: not the spec\n", "a host's spec&.yml": SPEC, "z.txt": "z: z\n"})
        assert net.text(page)[0] == SPEC
        assert net.text(page + "#z.txt")[0] == "z: z\n"
        assert net.text(page + "#README.md") == ("x: not the spec\n", f"{net.site.raw_url}/thor/{GIST}/raw/README.md")
        assert net.text(page + "#file-readme-md")[0] == "x: not the spec\n"
        assert net.text(page + "#a%20host's%20spec&.yml")[0] == SPEC
        net.refused(page + "#loki.yaml", "no file `loki.yaml`", "README.md, a host's spec&.yml, z.txt")


def test_several_files_that_could_be_meant_are_named(place):
    with Fetching(place) as net:
        page = net.site.gist(GIST, **{"loki.yaml": SPEC, "odin.yaml": SPEC, "notes.txt": "n"})
        net.refused(page, "several", "URL#NAME", "loki.yaml, odin.yaml$")
        assert net.text(page + "#odin.yaml")[0] == SPEC
        page = net.site.gist("912451", **{"a.txt": "n", "b.txt": "n"})
        net.refused(page, "none of them is .yaml", "a.txt, b.txt")


def test_a_site_that_has_only_raw_texts_will_do(place):
    with Fetching(place) as net:
        net.site.gist(GIST, **{"loki.yaml": SPEC})
        net.site.answers[f"/{GIST}"] = lambda request: request.say(404, "no page")
        assert net.text(f"{net.site.url}/{GIST}")[0] == SPEC


def test_what_is_not_there_or_no_text_is_refused_for_good(place):
    with Fetching(place) as net:
        url, say = net.site.url, net.site.answers
        net.refused(f"{url}/{GIST}", "404 Not Found")
        net.refused(f"{url}/specs/loki.yaml", "404 Not Found")
        for status in (400, 401, 403, 410, 204, 206, 304):
            say["/status"] = lambda request, status=status: request.say(status)
            net.refused(f"{url}/status", f"answers {status}")
        say["/page"] = lambda request: request.say(200, "<html>\n", Content_Type="text/html")
        say["/disguised"] = lambda request: request.say(200, " \n<!DOCTYPE html>\n<p>")
        say["/picture"] = lambda request: request.say(200, b"\x89PNG", Content_Type="image/png\x1b[31m")
        say["/binary"] = lambda request: request.say(200, b"a\0b", Content_Type="application/octet-stream")
        say["/latin"] = lambda request: request.say(200, b"a: \xfc\n")
        say["/nothing"] = lambda request: request.say(200, "\n")
        for path, reason in (("page", "web page"), ("disguised", "web page"), ("picture", "image/png"), ("binary", "not text"),
                             ("latin", "not text"), ("nothing", "empty")):
            net.refused(f"{url}/{path}", reason)


def test_urls_that_are_none_or_carry_credentials(place):
    with Fetching(place, allow=["https://*/*"]) as net:
        for url, reason in (("loki", "no URL"), ("https://", "no URL"), ("https://a b/", "blanks"), ("", "spec_url|no URL"),
                            ("https://me:planted-secret@127.0.0.1/x", "user name or password"), ("https://a/\x1b[31m", "control"),
                            ("https://" + "a" * 3000, "2000 bytes"), ("file:///etc/passwd", "only https"), ("ftp://a/b", "only https"),
                            ("gopher://127.0.0.1/x", "only https"), ("dict://127.0.0.1/x", "only https")):
            result = net.refused(url, reason)
            assert "planted-secret" not in result.text, result


def test_only_what_the_list_allows(place):
    with Fetching(place) as net:
        net.site.gist(GIST, **{"loki.yaml": SPEC})
        net.configure(allow=[f"{net.site.url}/thor/*", f"{net.site.raw_url}/thor/*"])
        assert net.text(f"{net.site.url}/thor/{GIST}")[0] == SPEC
        net.site.requests.clear()
        for url in (f"{net.site.url}/{GIST}", f"{net.site.url}/odin/{GIST}", f"{net.site.url}/thor/../odin/x", "https://example.org/",
                    net.site.url.replace("https", "http") + "/thor/x", f"{net.site.url}.example.org/thor/x"):
            net.refused(url, "refused: .*(fetch.allow|no URL)|no URL")
        assert not net.site.requests, net.site.requests


def test_every_redirect_is_checked(place):
    with Fetching(place) as net:
        other = GistSite(net.address, net.authority.issue(net.address, stem="other"))
        try:
            other.answers["/inner"] = lambda request: request.say(200, SPEC)
            say, url = net.site.answers, f"{net.site.url}/r"
            for to, reason in ((f"{other.url}/inner", "fetch.allow"), ("file:///etc/passwd", "only https"),
                               ("ftp://127.0.0.1/x", "only https"), ("http://169.254.169.254/latest/meta-data/", "fetch.allow"),
                               ("https://me:planted-secret@127.0.0.1/", "user name"), ("//:x", "no URL"),
                               ("https://a/\x7f", "control"), ("/r", "redirects more than 5 times")):
                say["/r"] = lambda request, to=to: request.redirect(to)
                result = net.refused(url, reason)
                assert "planted-secret" not in result.text and "root:" not in result.text, result
            assert not other.requests, other.requests
            for number in range(5):
                say[f"/{number}x"] = lambda request, number=number: request.redirect(f"{number + 1}x", (301, 302, 303, 307, 308)[number])
            say["/5x"] = lambda request: request.say(200, SPEC)
            assert net.text(f"{net.site.url}/0x") == (SPEC, f"{net.site.url}/5x")
        finally:
            other.close()


def test_addresses_inside_are_refused_whatever_the_list_says(place):
    with Fetching(place, allow=["https://*/*", "http://127.0.0.1:*/*"]) as net:
        with GistSite("127.0.0.1", net.authority.issue("127.0.0.1", "localhost", stem="inner")) as inner:
            inner.answers["/inner"] = lambda request: request.say(200, SPEC)
            port = inner.port
            net.site.answers["/r"] = lambda request: request.redirect(f"https://127.0.0.1:{port}/inner")
            for url, reason in ((f"{net.site.url}/r", "this machine"), (f"https://127.0.0.1:{port}/inner", "this machine"),
                                (f"https://localhost:{port}/inner", "this machine"), (f"https://0x7f.1:{port}/inner", "127.0.0.1"),
                                (f"https://2130706433:{port}/inner", "127.0.0.1"), (f"https://0:{port}/inner", "this network"),
                                (f"https://[::ffff:127.0.0.1]:{port}/inner", "this machine"), ("https://169.254.169.254/", "link-local"),
                                (f"https://[::1]:{port}/inner", "this machine"), ("https://10.0.0.1/", "private"),
                                ("https://192.168.1.1/", "private"), ("https://100.64.0.1/", "carrier"), ("https://[fd00::1]/", "private"),
                                ("https://[fe80::1]/", "link-local"), ("https://[64:ff9b::10.0.0.1]/", "private"),
                                (f"http://127.0.0.1:{port}/inner", "this machine")):
                net.refused(url, "^refused: ", reason, "fetch.private")
            assert not inner.requests, inner.requests
            net.configure(private=[place.addresses, "127.0.0.1"])
            assert net.text(f"https://127.0.0.1:{port}/inner")[0] == SPEC


def test_http_is_for_this_machine_where_the_list_says_so(place):
    with Fetching(place) as net, GistSite(net.address, None, tls=False) as plain:
        plain.answers["/inner"] = lambda request: request.say(200, SPEC)
        net.refused(f"{plain.url}/inner", "fetch.allow")
        net.configure(allow=[f"{plain.url}/*"])
        assert net.text(f"{plain.url}/inner")[0] == SPEC
        result = place.run("check")
        assert result.status == 0, result
        net.configure(allow=["http://example.org/*"])
        result = place.expect(2, "check")
        assert "fetch.allow[1]: http:// is for this machine only" in result.text, result


def test_temporary_answers_are_asked_again(place):
    with Fetching(place) as net:
        url, say = f"{net.site.url}/later", net.site.answers
        say["/later"] = lambda request: request.say(429, "slow down", Retry_After="7")
        net.later(url, "429 Too Many Requests", after=(7, 7))
        say["/later"] = lambda request: request.say(503)
        net.later(url, "503 Service Unavailable", after=(0.5, 5))
        for status in (500, 502, 504, 408):
            say["/later"] = lambda request, status=status: request.say(status)
            net.later(url, str(status))
        say["/later"] = lambda request: request.say(403, Retry_After="60")
        net.later(url, "403", after=(60, 60))
        say["/later"] = lambda request: request.say(429, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT")
        net.later(url, "429", after=(0, 0))
        # The page of a gist: without it nobody knows which file is meant.
        page = net.site.gist(GIST, **{"loki.yaml": SPEC})
        say[f"/{GIST}"] = lambda request: request.say(429, Retry_After="3")
        net.later(page, "429", after=(3, 3))


def test_a_site_that_is_down_or_breaks_off(place):
    with Fetching(place, allow=["https://*/*"]) as net:
        net.later(f"https://{net.address}:{free_port(net.address)}/x", "cannot be reached")
        net.later("https://no-such-host.invalid/x", "does not resolve")

        def cut(request):
            request.send_response(200)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            request.wfile.write(b"a: b\n")
            request.close_connection = True
        net.site.answers["/cut"] = cut
        net.later(f"{net.site.url}/cut", "broke off")


@takes(5)
def test_slow_answers_end_in_time(place):
    with Fetching(place, timeout="700ms") as net:
        def slow(request):
            request.send_response(200)
            request.end_headers()
            while not net.site.stopped.wait(0.05):
                request.wfile.write(b"#")
        net.site.answers["/slow"] = slow
        net.later(f"{net.site.url}/slow", "does not answer in time")
        net.site.answers["/r"] = lambda request: (net.site.stopped.wait(0.3), request.redirect("/r2"))
        net.site.answers["/r2"] = lambda request: (net.site.stopped.wait(0.6), request.say(200, SPEC))
        net.later(f"{net.site.url}/r", "in time|time is up")


def test_large_answers_are_cut(place):
    with Fetching(place, max_bytes="8KiB") as net:
        def endless(request):
            request.send_response(200)
            request.end_headers()
            while True:
                request.wfile.write(b"# endless\n" * 1000)

        def headers(request):
            request.send_response(200)
            for number in range(1000):
                request.send_header(f"X-{number}", "x" * 900)
            request.end_headers()
        net.site.answers.update({"/endless": endless, "/headers": headers, "/full": lambda request: request.say(200, "#" * 8191 + "\n"),
                                 "/large": lambda request: request.say(200, "#" * 8193)})
        net.refused(f"{net.site.url}/endless", "more than 8192 bytes")
        net.refused(f"{net.site.url}/large", "more than 8192 bytes")
        net.refused(f"{net.site.url}/headers", "headers")
        assert len(net.text(f"{net.site.url}/full")[0]) == 8192


def test_certificates_are_verified_against_the_file_named(place):
    with Fetching(place) as net:
        net.site.answers["/x"] = lambda request: request.say(200, SPEC)
        url = f"{net.site.url}/x"
        assert net.text(url)[0] == SPEC
        stranger = Authority(place.path("stranger"), "stranger")
        # What the environment says does not count, neither for nor against.
        for ca, fits in ((stranger.certificate, False), (net.authority.certificate, True)):
            other = str(stranger.certificate if fits else net.authority.certificate)
            net.configure(ca_file=str(ca))
            environment = place.environment(SSL_CERT_FILE=other, CURL_CA_BUNDLE=other, SSL_CERT_DIR="/nowhere",
                                            https_proxy="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")
            if fits:
                assert net.text(url, environment=environment)[0] == SPEC
            else:
                net.refused(url, "certificate is not accepted", environment=environment)
        del net.fetch["ca_file"]
        net.configure()
        net.refused(url, "certificate is not accepted")


def test_a_certificate_for_another_name(place):
    with Fetching(place, certificate_for="loki.example.org") as net:
        net.site.answers["/x"] = lambda request: request.say(200, SPEC)
        net.refused(f"{net.site.url}/x", "certificate is not accepted")
    assert not net.site.requests


def test_control_characters_of_a_server_are_not_echoed(place):
    with Fetching(place) as net:
        net.site.answers["/r"] = lambda request: request.redirect("/\x1b]0;owned\x07\x1b[31m")
        net.refused(f"{net.site.url}/r", ".")

        def rubbish(request):
            request.wfile.write(b"\x1b[31mnothing like HTTP\x07\n\n")
            request.close_connection = True
        net.site.answers["/rubbish"] = rubbish
        net.refused(f"{net.site.url}/rubbish", ".")


# spec:ldap

class Looking:
    """A directory with TLS, and a configuration that asks it."""

    def __init__(self, place, directory=None, **ldap):
        self.place = place
        self.address = place.addresses.replace(".0/24", ".6")
        self.authority = Authority(place.path("tls"))
        self.slapd = Slapd(place, self.address, authority=self.authority, **(directory or {}))
        self.ldap = {"uri": self.slapd.uri, "base": BASE, "ca_file": str(self.authority.certificate), **ldap}
        self.configure()

    def configure(self, **ldap):
        ldap = {**self.ldap, **ldap}
        self.place.configure(domain="websages.com", ldap={key: value for key, value in ldap.items() if value is not None})

    def password(self, text=READER_PASSWORD, mode=0o600):
        return str(self.place.write("ldap.password", text + "\n", mode))

    def run(self, name, **more):
        return self.place.run("task", "spec:ldap", input=yaml.safe_dump({"kept": "0123", "spec_name": name}), **more)

    def spec(self, name, **more):
        result = self.run(name, **more)
        assert result.status == 0, result
        clipboard = yaml.safe_load(result.out)
        assert clipboard["kept"] == "0123" and clipboard["spec_name"] == name, clipboard
        self.source = clipboard["spec_source"]
        return yaml.safe_load(clipboard["spec_text"])["instance"]

    def refused(self, name, *reasons, status=1, **more):
        result = self.run(name, **more)
        assert result.status == status and not result.out, f"expected exit status {status}:\n{result!r}"
        for reason in reasons:
            assert re.search(reason, result.err.strip().splitlines()[-1]), f"no /{reason}/ in the last line:\n{result!r}"
        assert re.fullmatch(r"[\x20-\x7e\n]*", result.err), f"control characters were echoed: {result.err!r}"
        assert READER_PASSWORD not in result.text, result
        return result


LOKI = {"hostname": "loki", "fqdn": "loki.websages.com", "provider": "local"}


def test_an_entry_by_its_short_name_and_by_its_whole_name(place):
    net = Looking(place)
    dn = net.slapd.host(jarvisSize="0512", jarvisSshpubkey="ssh-ed25519 AAAA x@y", jarvisGitosisAdmin="git@git:x.git",
                        jarvisIpaddress=["192.0.2.7"], jarvisSpec=["next-thing: yes", "note:  'a: b' # c"], jarvisGuestid="Debian 12")
    for name in ("cn=loki", "CN=LOKI", dn, f"cn = loki , ou=hosts , {BASE.upper()}"):
        assert net.spec(name) == {**LOKI, "guestid": "Debian 12", "size": "0512", "gitosis-admin": "git@git:x.git",
                                  "sshpubkey": "ssh-ed25519 AAAA x@y", "ipaddress": ["192.0.2.7"], "next-thing": "yes",
                                  "note": "'a: b' # c"}, name
        assert net.source == dn


def test_the_example_that_comes_with_jarvis(place):
    net = Looking(place)
    examples = pathlib.Path(__file__).resolve().parents[3] / "config/examples"
    net.slapd.add((examples / "loki.ldif").read_text(encoding="utf-8"))
    spec = net.spec("cn=loki")
    written = yaml.safe_load((examples / "loki.yaml").read_text(encoding="utf-8"))["instance"]
    assert {key: str(value) for key, value in {**written, "flavour": "thin"}.items()} == spec, spec


def test_what_the_full_name_is_made_of(place):
    net = Looking(place)
    net.slapd.host("plain")
    net.slapd.host("given", jarvisFqdn="given.example.org", jarvisHostname="g")
    net.slapd.host("associated", associatedDomain="a.example.net")
    net.slapd.host("whole.example.com")
    for name, hostname, fqdn in (("plain", "plain", "plain.websages.com"), ("given", "g", "given.example.org"),
                                 ("associated", "associated", "a.example.net"), ("whole.example.com", "whole", "whole.example.com")):
        spec = net.spec(f"cn={name}")
        assert (spec["hostname"], spec["fqdn"]) == (hostname, fqdn), spec


def test_missing_and_ambiguous_entries(place):
    net = Looking(place)
    net.refused("cn=loki", f"no entry cn=loki under ou=Hosts,{BASE}$")
    net.refused(f"cn=loki,ou=Hosts,{BASE}", f"no entry cn=loki,ou=Hosts,{BASE}$")
    net.slapd.add("".join(f"dn: ou={site},ou=Hosts,{BASE}\nobjectClass: organizationalUnit\nou: {site}\n\n" for site in "abcdefgh"))
    first = net.slapd.host("loki", under=f"ou=a,ou=Hosts,{BASE}")
    assert net.spec("cn=loki") == LOKI
    second = net.slapd.host("loki", under=f"ou=b,ou=Hosts,{BASE}")
    net.refused("cn=loki", "ambiguous", re.escape(first), re.escape(second), "whole name")
    assert net.spec(second) == LOKI and net.source == second
    for site in "cdefgh":
        net.slapd.host("loki", under=f"ou={site},ou=Hosts,{BASE}")
    result = net.refused("cn=loki", "ambiguous", r"; \.\.\.;")
    assert len(result.err.strip().splitlines()[-1]) < 700, result


def test_values_that_fit_no_spec(place):
    net = Looking(place)
    net.slapd.host("twice", associatedDomain=["a.example.org", "b.example.org"])
    net.refused("cn=twice", "associatedDomain is ambiguous", "a.example.org and b.example.org")
    net.slapd.host("both", jarvisSize="512", jarvisSpec="size: 1024")
    net.refused("cn=both", "`size` is given twice")
    net.slapd.host("keys", jarvisSpec=["x: 1", "x: 2"])
    net.refused("cn=keys", "jarvisSpec is ambiguous", "`x`")
    net.slapd.host("bare", jarvisSpec="no key")
    net.refused("cn=bare", "KEY: VALUE")
    net.slapd.host("bell", jarvisSize="512\x07\x1b[31m")
    net.refused("cn=bell", "jarvisSize is no text")


def test_names_with_characters_that_mean_something(place):
    net = Looking(place)
    net.slapd.host("loki")
    for name in ("cn=*", "cn=l*", "cn=loki)(cn=*", r"cn=\2a", "cn=loki(", r"cn=\00", "objectClass=*", r"cn=lo\ki"):
        net.refused(name, "no entry|no LDAP name")
    net.slapd.add(f"dn: cn=star*\\+(x)\\\\,ou=Hosts,{BASE}\nobjectClass: device\nobjectClass: jarvisHost\ncn: star*+(x)\\\n"
                  "jarvisFqdn: star.example.org\njarvisHostname: star\n")
    assert net.spec(r"cn=star*\+(x)\\")["hostname"] == "star"
    assert net.spec(r"cn=star*\2b\28x)\5c")["hostname"] == "star"
    for name in ("loki", "", "=loki", "cn=", "cn=loki,", "cn", "cn=#0404", "cn=a;b\n"):
        net.refused(name, "no LDAP name|spec_name")
    for name in (f"cn=loki,ou=Hosts,{BASE},dc=org", "cn=loki,ou=Hosts", "cn=loki,dc=example,dc=org", "cn=config,cn=x"):
        net.refused(name, "^refused: .*does not lie under")


def test_binding_with_a_password(place):
    net = Looking(place, directory={"anonymous": False})
    net.slapd.host()
    net.refused("cn=loki", "Insufficient access")
    net.configure(bind_dn=READER, password_file=net.password())
    assert net.spec("cn=loki") == LOKI
    net.configure(bind_dn=READER, password_file=net.password("wrong"))
    net.refused("cn=loki", f"wrong credentials for {READER}")
    net.password(mode=0o644)
    result = net.run("cn=loki")
    assert result.status != 0 and "open to other users" in result.text, result


def test_tls_is_verified(place):
    stranger = Authority(place.path("stranger"), "stranger")
    net = Looking(place)
    net.slapd.host()
    environment = place.environment(LDAPTLS_CACERT=str(stranger.certificate), LDAPTLS_REQCERT="never", LDAPURI="ldap://127.0.0.1:1")
    place.write(".ldaprc", f"TLS_REQCERT never\nURI ldap://127.0.0.1:1\nTLS_CACERT {stranger.certificate}\n")
    place.write("ldaprc", "TLS_REQCERT never\n")
    for uri in (net.slapd.uri, net.slapd.ldaps):
        net.configure(uri=uri)
        assert net.spec("cn=loki", environment=environment) == LOKI
        net.configure(uri=uri, ca_file=str(stranger.certificate))
        net.refused("cn=loki", "certificate is not accepted", environment=environment)
        net.configure(uri=uri, ca_file=None)
        net.refused("cn=loki", "certificate is not accepted")
    # The right authority, the wrong name.
    other = Slapd(place, place.addresses.replace(".0/24", ".7"), name="other", authority=net.authority)
    other.stop()
    (other.directory / "slapd.conf").write_text((other.directory / "slapd.conf").read_text().replace("tls/other.", "tls/slapd."))
    other.start()
    for uri in (other.uri, other.ldaps):
        net.configure(uri=uri)
        net.refused("cn=loki", "certificate is not accepted")


def test_without_tls_only_when_it_is_said(place):
    net = Looking(place)
    plain = Slapd(place, net.address, name="plain")
    plain.host()
    net.configure(uri=plain.uri)
    net.refused("cn=loki", "StartTLS|not supported|TLS")
    net.configure(uri=plain.uri, starttls=False)
    assert net.spec("cn=loki") == LOKI
    # A password over it: on this machine only.
    net.configure(uri=plain.uri, starttls=False, bind_dn=READER, password_file=net.password())
    assert net.spec("cn=loki") == LOKI
    net.configure(uri="ldap://ldap.example.org", starttls=False, bind_dn=READER, password_file=net.password())
    result = place.expect(2, "check")
    assert "would send the password in clear" in result.text, result


def test_a_directory_that_is_down(place):
    net = Looking(place)
    net.slapd.host()
    dead = f"ldap://{net.address}:{free_port(net.address)}"
    net.configure(uri=dead)
    result = net.refused("cn=loki", "Can't contact LDAP server", status=75)
    assert re.search(r"^retry-after: [0-9.]+$", result.err, re.M), result
    net.configure(uri=[dead, net.slapd.uri])
    assert net.spec("cn=loki") == LOKI
    net.slapd.stop()
    net.refused("cn=loki", "Can't contact LDAP server", status=75)
    net.slapd.start()
    assert net.spec("cn=loki") == LOKI


class Silent:
    """A server that accepts and says nothing, for ever; or the right thing once (`first`) and nothing then."""

    def __init__(self, address, first=b""):
        self.listener = socket.create_server((address, free_port(address)))
        self.port = self.listener.getsockname()[1]
        self.held = []
        self.first = first
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(connection)
            if self.first:
                connection.recv(4096)
                connection.sendall(self.first)


# An extended response with message id 1 and the result success (RFC 4511): StartTLS may begin.
START_TLS_SUCCESS = bytes.fromhex("300c02010178070a010004000400")


@takes(12)
@each("ldaps", "starttls", "handshake")
def test_a_silent_server_is_given_up_for_the_next_one(place, how):
    net = Looking(place)
    net.slapd.host()
    silent = Silent(net.address, START_TLS_SUCCESS if how == "handshake" else b"")
    net.configure(uri=[f"{'ldaps' if how == 'ldaps' else 'ldap'}://{net.address}:{silent.port}", net.slapd.uri])
    assert net.spec("cn=loki", seconds=15) == LOKI
    assert silent.held, "the silent server was not asked"
    net.configure(uri=f"{'ldaps' if how == 'ldaps' else 'ldap'}://{net.address}:{silent.port}")
    net.refused("cn=loki", ".", status=75, seconds=15)


def referral(name, *refs):
    return (f"dn: {name}\nobjectClass: referral\nobjectClass: extensibleObject\n{name.split(',')[0].replace('=', ': ')}\n" +
            "".join(f"ref: {ref}\n" for ref in refs))


def test_referrals_are_followed(place):
    net = Looking(place)
    other = Slapd(place, net.address, name="other", authority=net.authority)
    other.add(f"dn: ou=far,ou=Hosts,{BASE}\nobjectClass: organizationalUnit\nou: far\n")
    far = other.host("far", under=f"ou=far,ou=Hosts,{BASE}")
    dead = f"ldap://{net.address}:{free_port(net.address)}"
    net.slapd.add(referral(f"ou=far,ou=Hosts,{BASE}", f"{dead}/ou=far,ou=Hosts,{BASE}", f"{other.uri}/ou=far,ou=Hosts,{BASE}"))
    assert net.spec("cn=far")["hostname"] == "far" and net.source == far
    assert net.spec(far)["hostname"] == "far", "by its whole name"
    net.configure(uri=net.slapd.ldaps)
    assert net.spec("cn=far")["hostname"] == "far"
    # Back to where it came from: once around, and no further.
    other.add(referral(f"ou=round,ou=Hosts,{BASE}", f"{net.slapd.uri}/ou=round,ou=Hosts,{BASE}"))
    net.slapd.add(referral(f"ou=round,ou=Hosts,{BASE}", f"{other.uri}/ou=round,ou=Hosts,{BASE}"))
    net.refused(f"cn=x,ou=round,ou=Hosts,{BASE}", "referral", "twice|too many")


def test_a_referral_gets_no_password_and_no_plain_connection(place):
    net = Looking(place)
    other = Slapd(place, net.address, name="other", authority=net.authority, anonymous=False)
    far = other.host("far")
    plain = Slapd(place, net.address, name="plain")
    plain.host("far")
    net.slapd.add(referral(far, f"{other.uri}/{far}"))
    net.configure(bind_dn=READER, password_file=net.password())
    net.refused(far, "following a referral: .*Insufficient access")  # other lets the reader see it, but was asked anonymously
    net.configure(bind_dn=READER, password_file=net.password(), uri=[net.slapd.uri, other.uri])
    assert net.spec(far)["hostname"] == "far"
    near = net.slapd.host("near")
    net.slapd.add(referral(f"cn=clear,ou=Hosts,{BASE}", f"{plain.uri}/{far}"))
    net.configure(starttls=False, uri=net.slapd.uri)
    assert net.spec(near)["hostname"] == "near"
    net.refused(f"cn=clear,ou=Hosts,{BASE}", "following a referral", "StartTLS|TLS")


NETWORK = pathlib.Path(__file__).with_name("srv_server.py")


@takes(5)
def test_servers_are_found_by_srv_records(place):
    """In namespaces of its own, whose resolv.conf names a DNS server of the test's own."""
    net = Looking(place)
    net.slapd.host()
    dead = free_port(net.address)
    resolver = net.address.replace(".6", ".53")
    place.write("resolv.conf", f"nameserver {resolver}\noptions timeout:1 attempts:1\n")
    records = [f"10 0 {dead} ldap.websages.com", f"20 0 {net.slapd.port} ldap.websages.com"]
    certificate, key = net.authority.issue("ldap.websages.com", stem="named")
    net.slapd.stop()
    configuration = net.slapd.directory / "slapd.conf"
    configuration.write_text(re.sub(r"TLSCertificateKeyFile .*", f"TLSCertificateKeyFile {key}",
                                    re.sub(r"TLSCertificateFile .*", f"TLSCertificateFile {certificate}", configuration.read_text())))
    world = ["unshare", "--map-root-user", "--mount", "--net", "/usr/bin/python3", str(NETWORK), str(place.path("resolv.conf")), resolver,
             str(configuration), net.address, "_ldap._tcp.websages.com", *records, "--"]
    for uri in (None, "ldap:///dc=websages,dc=com", "ldap:///"):
        net.configure(uri=uri)
        done = subprocess.run(world + place.arguments("task", "spec:ldap"), input=b"spec_name: cn=loki\n", capture_output=True, check=False,
                              env=place.environment(), cwd=place.directory, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        assert yaml.safe_load(yaml.safe_load(done.stdout)["spec_text"])["instance"] == LOKI
    # Nobody serves such records.
    net.configure(uri=None, base="dc=nowhere,dc=invalid")
    net.refused("cn=loki", "SRV record _ldap._tcp.nowhere.invalid", status=75)


def test_check_tells_of_every_server(place):
    net = Looking(place)
    dead = f"ldap://{net.address}:{free_port(net.address)}"
    net.configure(uri=[net.slapd.uri, dead])
    result = place.expect(2, "check")
    assert re.search(rf"^ldap {re.escape(net.slapd.uri)}: ok$", result.out, re.M), result
    assert re.search(rf"^ldap {re.escape(dead)}: .*Can't contact", result.out, re.M), result
    net.configure()
    result = place.expect(0, "check")
    assert re.search(rf"^ldap {re.escape(net.slapd.uri)}: ok$", result.out, re.M), result
    net.configure(hosts="ou=Elsewhere")
    result = place.expect(2, "check")
    assert f"no entry ou=Elsewhere,{BASE}" in result.out, result
    net.configure(bind_dn=ADMIN, password_file=net.password("wrong"))
    assert "wrong credentials" in place.expect(2, "check").out


def test_without_an_ldap_section(place):
    result = place.run("task", "spec:ldap", input="spec_name: cn=loki\n")
    assert result.status == 1 and "no `ldap:` section" in result.err, result
