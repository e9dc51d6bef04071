"""The specification of the mission as people paste it from the web, and what is said about its faults."""
import re

from lab.place import LANGUAGES

# As printed by the web page: nothing is indented under `instance:`, and the quote on gitosis-admin is never closed.
PASTED = """instance:
hostname: loki
fqdn: loki.websages.com
provider: {provider}
guestid: Debian 12
datacenter: Atlanta
size: 512
gitosis-admin: '{gitosis}
sshpubkey: {key} someone@example.org
"""
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFRZwOMgKj7yKSXy/JlBh7c3fVMeUk6IXSAM7RZNJyT4"
DSS = "ssh-dss AAAAB3NzaC1kc3MAAACBALa6xIb9VqCmop2II9/ni4DEo5X5X7MAV9L"


def set_up(place):
    """The provider's name is matched without case; its lists are replaced whole by a file of ours."""
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("linode", deploy=["demo:before", "demo:full"])


def pasted(place, provider="Linode", gitosis="git@git.websages.com:gitosis-admin.git'", key=ED25519):
    return place.spec("loki", text=PASTED.format(provider=provider, gitosis=gitosis, key=key))


def test_unclosed_quote_is_named_where_it_opens(place):
    set_up(place)
    result = place.expect(2, "deploy", pasted(place, gitosis="git@git.websages.com:gitosis-admin.git"))
    # Line 8, and the quote is its 16th column.
    assert re.search(r"\b(line )?8\b.{0,12}\b16\b", result.text), result
    assert re.search("quot", result.text, re.I), result
    assert place.never_ran("loki"), "a run was made of it"


def test_keys_not_indented_under_instance_deploy(place):
    set_up(place)
    result = place.expect(0, "deploy", pasted(place))
    assert re.search(r"^loki(\.websages\.com)? is ready$", result.text, re.M), result
    clipboard = place.clipboard("loki")
    assert clipboard.startswith("hostname: loki\nfqdn: loki.websages.com\nprovider: Linode\n"), clipboard
    assert "gitosis-admin: 'git@git.websages.com:gitosis-admin.git'\n" in clipboard, "the quotes are gone"


def test_a_mapping_without_instance_deploys(place):
    set_up(place)
    text = PASTED.format(provider="Linode", gitosis="git@git.websages.com:gitosis-admin.git'", key=ED25519)
    place.expect(0, "deploy", place.spec("loki", text=text.replace("instance:\n", "")))


def test_from_standard_input(place):
    set_up(place)
    text = PASTED.format(provider="Linode", gitosis="git@git.websages.com:gitosis-admin.git'", key=ED25519)
    place.expect(0, "deploy", "-", input=text)


def test_keys_beside_a_filled_instance_are_refused(place):
    set_up(place)
    text = "instance:\n  hostname: loki\n  fqdn: loki.websages.com\n  provider: linode\nsize: 512\n"
    result = place.expect(2, "deploy", place.spec("loki", text=text))
    assert "size" in result.text and "5" in result.text, result


def test_ssh_dss_is_refused_with_the_reason(place):
    set_up(place)
    result = place.expect(2, "deploy", pasted(place, key=DSS))
    assert "ssh-dss" in result.text and "sshpubkey" in result.text and "ssh-ed25519" in result.text, result
    assert re.search(r"\b9\b", result.text), f"no line number: {result!r}"


def test_odd_capitals_are_understood(place):
    set_up(place)
    for provider in ("Linode", "LINODE", "liNode"):
        place.expect(0, "plan", pasted(place, provider=provider))
    result = place.run("plan", pasted(place, provider="LoCaL"))
    assert result.status in (0, 5), result


def test_unknown_provider_is_told_which_there_are(place):
    set_up(place)
    result = place.expect(2, "deploy", pasted(place, provider="Lniode"))
    assert "Lniode" in result.text and "linode" in result.text.replace("Lniode", "") and "local" in result.text, result
    assert re.search(r"\b4\b", result.text), f"no line number: {result!r}"


def test_a_key_that_a_task_gives_is_refused(place):
    set_up(place)
    for key, value in (("password", "open-sesame"), ("ssh_host_keys", "[]"), ("instance_id", "local-1")):
        text = f"instance:\n  hostname: loki\n  fqdn: loki.websages.com\n  provider: local\n  {key}: {value}\n"
        result = place.expect(2, "deploy", place.spec("loki", text=text))
        assert key in result.text and re.search(r"\b5\b", result.text), result
        assert "open-sesame" not in result.text, f"a secret was echoed: {result!r}"


def test_every_fault_is_said_at_once(place):
    set_up(place)
    text = f"instance:\n  hostname: loki\n  fqdn: loki_x.websages.com\n  provider: Lniode\n  password: open-sesame\n  sshpubkey: {DSS} x\n"
    result = place.expect(2, "deploy", place.spec("loki", text=text))
    for word in ("fqdn", "Lniode", "password", "ssh-dss"):
        assert word in result.text, f"{word} is not mentioned: {result!r}"


def test_fqdn_is_required(place):
    set_up(place)
    result = place.expect(2, "deploy", place.spec("loki", text="instance:\n  hostname: loki\n  provider: linode\n"))
    assert "fqdn" in result.text, result
    place.configure(workers={"demo": str(LANGUAGES["sh"])}, domain="example.org")
    place.expect(0, "deploy", place.spec("loki", text="instance:\n  hostname: loki\n  provider: linode\n"))
    assert "fqdn: loki.example.org\n" in place.clipboard("loki")


def test_nothing_was_changed_by_a_refused_spec(place):
    set_up(place)
    for text in ("", "# nothing\n", "just words\n", "- a\n- list\n", "instance: loki\n", "a: b\n---\na: b\n", "a: b\na: c\n"):
        place.expect(2, "deploy", place.spec("loki", text=text))
    assert place.never_ran("loki")
