"""Where specs come from, as it looks in the channel: a directory, and URLs that are no good. Each fault is one clear line."""
import re

from lab import takes
from lab.channel import Channel, asks, demo, with_demo
from lab.gist_site import GistSite
from lab.slapd import BASE, Slapd
from lab.certificates import Authority


OTHERS = {"thor": "odin: ", "odin": "thor: "}


def one_line(person, text, answer):
    """It is answered by one line that fits, besides that the spec is being read; nothing more came when the next answer does."""
    before = len(person.lines)
    asks(person, text, answer)
    asks(person, "whoami", f"you are {person.nick}")
    heard = [line.partition(" PRIVMSG #ops :")[2] for line in person.lines[before:] if line.startswith(":jarvis!")]
    heard = [line for line in heard if line and not line.startswith(OTHERS[person.nick])]  # who may be answered late
    said = [line.removeprefix(f"{person.nick}: ") for line in heard]
    said = [line for line in said if not line.startswith(("reading ", "you are ", "as operator "))]
    assert len(said) == 1 and re.search(answer, said[0]), said
    assert not re.search(r"[^\x20-\x7e]", said[0]) and len(said[0]) < 400, said


def directory(place):
    """(slapd, the section `ldap:`)."""
    authority = Authority(place.path("ldap-tls"))
    slapd = Slapd(place, place.addresses.replace(".0/24", ".6"), authority=authority)
    return slapd, {"uri": slapd.uri, "starttls": True, "base": BASE, "hosts": "ou=Hosts", "ca_file": str(authority.certificate)}


@takes(8)
def test_a_host_from_the_directory(place):
    """`deploy cn=loki`; entries that are missing or ambiguous are said so."""
    slapd, section = directory(place)
    slapd.host("loki", jarvisGuestid="Debian 12", jarvisDatacenter="Atlanta", jarvisSize="512")
    for site in ("a", "b"):
        slapd.add(f"dn: ou={site},ou=Hosts,{BASE}\nobjectClass: organizationalUnit\nou: {site}\n")
        slapd.host("twin", under=f"ou={site},ou=Hosts,{BASE}")
    with Channel(place, ldap=section) as channel:
        channel.serve()
        thor = channel.person("thor")
        channel.until_there(thor)
        thor.say("#ops", "jarvis: deploy cn=loki")
        thor.next(r" PRIVMSG #ops :thor: reading cn=loki$")
        thor.next(r" PRIVMSG #ops :thor: loki: deploy with local, \d+ stages, run [a-z0-9]{6}$")
        thor.next(r" PRIVMSG #ops :thor: loki is ready$")
        code = asks(thor, "destroy loki", r"jarvis: confirm \w+").split()[-1]
        asks(thor, f"confirm {code}", "loki is destroyed")
        one_line(thor, "deploy cn=nobody", rf"no entry cn=nobody under ou=Hosts,{BASE}$")
        one_line(thor, "deploy cn=twin", rf"ambiguous.*cn=twin,ou=a,ou=Hosts,{BASE}.*cn=twin,ou=b,ou=Hosts,{BASE}")
        one_line(thor, "deploy cn=*", "no entry|no LDAP name")
        one_line(thor, "deploy cn=loki,dc=example,dc=org", "refused: .*does not lie under")
        assert place.never_ran("twin") and place.never_ran("nobody")


@takes(40)
def test_what_does_not_answer(place):
    """A directory that is down and a URL that is slow are asked again for half a minute; jarvis is there for others meanwhile."""
    slapd, section = directory(place)
    slapd.host("loki")
    slapd.stop()
    with Channel(place, ldap=section) as channel:
        def slow(request):
            request.send_response(200)
            request.end_headers()
            while not channel.site.stopped.wait(0.05):
                request.wfile.write(b"#")
        channel.site.answers["/slow"] = slow
        channel.fetch["timeout"] = "1s"
        channel.configure()
        channel.serve()
        thor, odin = channel.person("thor"), channel.person("odin")
        channel.until_there(thor)
        asks(thor, "deploy cn=loki", "reading cn=loki")
        asks(odin, f"deploy {channel.site.url}/slow", "reading https://")
        asks(odin, "whoami", "you are odin")
        thor.next(r":jarvis!\S+ PRIVMSG #ops :thor: .*[Cc]an't contact LDAP server", 60)
        odin.next(r":jarvis!\S+ PRIVMSG #ops :odin: .*(in time|time is up)", 60)
        asks(thor, "whoami", "as operator you may")
        assert len(thor.sees(r":jarvis!\S+ PRIVMSG #ops :thor: ")) == 4, thor.lines
        assert len(thor.sees(r":jarvis!\S+ PRIVMSG #ops :odin: ")) == 4, thor.lines
        assert place.never_ran("loki")


@takes(6)
def test_urls_that_are_no_good(place):
    with with_demo(place) as channel:
        gate, spec = demo(place)
        gate.open(workers=2)
        site = channel.site
        stranger = GistSite(site.address, Authority(place.path("other"), "stranger").issue(site.address, stem="site"))
        stranger.answers["/loki.yaml"] = lambda request: request.say(200, spec)
        channel.fetch["max_bytes"] = "8KiB"
        channel.fetch["allow"] += [f"{stranger.url}/*", "https://127.0.0.1:*/*"]
        channel.configure()

        site.answers["/huge"] = lambda request: request.say(200, "# endless\n" * 2000)
        site.answers["/inside"] = lambda request: request.redirect("https://127.0.0.1:8443/loki.yaml")
        site.answers["/file"] = lambda request: request.redirect("file:///etc/passwd")
        site.answers["/page"] = lambda request: request.say(200, "<html>\x1b[31m\n", Content_Type="text/html\x07")
        channel.serve()
        thor, odin = channel.person("thor"), channel.person("odin")  # nobody may say more than ten things in a row
        channel.until_there(thor)
        with stranger:
            for path, answer in (("huge", "8 ?KiB|8192|larger|more than"), ("inside", "refused: .*127.0.0.1.*this machine"),
                                 ("file", "file.*only https|only https"), ("page", "web page"), ("gone", "404 Not Found")):
                one_line(thor, f"deploy {site.url}/{path}", answer)
            one_line(odin, f"deploy {stranger.url}/loki.yaml", "certificate")
            one_line(odin, f"deploy {site.url.replace('https', 'http')}/loki.yaml", "refused: .*(https|fetch.allow)")
            one_line(odin, "deploy file:///etc/passwd", "never a path|only https")
        assert place.never_ran("loki")
        assert not [line for line in thor.lines if "root:" in line]
        gate.close()
