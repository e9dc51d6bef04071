"""Values come back exactly as they went in, and hostile text costs nothing in proportion."""
import time

import yaml

from lab import takes
from lab.place import LANGUAGES

VALUES = r"""instance:
  hostname: loki
  fqdn: loki.example.org
  provider: demo
  octal: '0123'
  bare_octal: 0123
  word: 'yes'
  bare_word: yes
  norway: no
  exponent: 1e3
  quoted_exponent: "1e3"
  tilde: ~
  quoted_tilde: '~'
  empty: ''
  nothing:
  mac: '52:54:00:12:34:56'
  bare_mac: 52:54:00:12:34:56
  time: '12:30:45'
  date: 2001-01-01
  quoted_date: '2001-01-01'
  hexadecimal: '0x1f'
  equals: '='
  merge: '<<'
  thousands: 1_000
  infinity: .inf
  literal: |
    first
      indented
    # no comment

    last
  folded: >-
    one
    two

    three
  keep: |+
    with newlines at its end

  double: "tab\t quote\" newline\n snowman \u2603 bell\a"
  single: 'it''s'
  plain with spaces: a: b is not this
  ümlaut: größe – 測試 – 🜲
  "quoted: key": value
  ? |
    a key of
    two lines
  : its value
  ? [a, list]
  : as a key
  list: [a, 'b', "0123", no, [nested, {deep: 'er'}]]
  block list:
  - 'yes'
  - off
  -
    - 012
  mapping: {a: 1, 'b': '1', ? c}
  anchor: &one {size: 512}
  alias: *one
  tagged: !!str 0123
  local tag: !secret 'data'
  long: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx yyy'
"""
VALUES = VALUES.replace("  plain with spaces: a: b is not this\n", "  plain with spaces: a:b is one word\n")


class Everything(yaml.SafeLoader):
    """Reads every node: local tags as (tag, value), lists as keys as tuples."""

    def construct_mapping(self, node, deep=False):
        return {freeze(self.construct_object(key, deep=True)): self.construct_object(value, deep=True)
                for key, value in node.value}


def freeze(value):
    return tuple(map(freeze, value)) if isinstance(value, list) else value


Everything.add_multi_constructor("!", lambda loader, suffix, node: (suffix, node.value))
Everything.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node))


def meaning(text):
    return yaml.load(text, Everything)


def test_values_survive_ten_tasks(place):
    place.configure(workers={"one": str(LANGUAGES["sh"]), "two": str(LANGUAGES["perl"]), "three": str(LANGUAGES["python"])})
    # Workers that copy, built-in tasks that edit, and workers that say nothing.
    place.plan("demo", deploy=["one:before", "keys:prepare", "two:empty", "three:drop", "monitoring:silence", "one:comments",
                               "two:full", "monitoring:unsilence", "three:look", "two:look"])
    place.expect(0, "deploy", place.spec("loki", text=VALUES))
    wanted = meaning(VALUES)["instance"]
    first = place.expect(0, "clipboard", "loki", "--after", "one:before").out
    last = place.clipboard("loki")
    for text in (first, last):
        found = meaning(text)
        for key, value in wanted.items():
            assert key in found and repr(found[key]) == repr(value), f"{key}: {value!r} became {found.get(key)!r} in\n{text}"
    assert [key for key in meaning(last) if key in wanted] == list(wanted), "the order changed"


def test_the_first_clipboard_is_block_style_at_column_0(place):
    """So that a worker in shell can live with `sed` and `echo`."""
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:empty"])
    text = "{instance: {hostname: 'loki', fqdn: loki.example.org, provider: \"demo\", size: 512, list: [a, 'b']}}\n"
    place.expect(0, "deploy", place.spec("loki", text="---\n" + text))
    clipboard = place.clipboard("loki")
    assert clipboard.startswith("hostname: 'loki'\nfqdn: loki.example.org\nprovider: \"demo\"\nsize: 512\nlist:"), clipboard
    assert clipboard.endswith("\n") and not clipboard.endswith("\n\n")


IDENTITY = "hostname: loki\nfqdn: loki.example.org\nprovider: demo\n"
LAUGHS = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" if n else "l0: &l0 [ha, ha]\n" for n in range(12))


def cheap(place, what, arguments, stdin="/dev/null", seconds=5, mebibytes=64):
    # The sanitizers' own shadow memory would drown the figure.
    sanitized = place.binary.parent.name == "asan"
    begun = time.monotonic()
    result, peak = place.measured(*arguments, stdin=stdin)
    took = time.monotonic() - begun
    assert result.status == 2, f"{what}: {result!r}"
    assert len(result.text) < 4000, f"{what}: the reply repeats what it was given"
    assert took < (5 * seconds if sanitized else seconds), f"{what} took {took:.1f} s"
    assert sanitized or peak < mebibytes << 10, f"{what} needed {peak >> 10} MiB"
    return result


@takes(8)
def test_hostile_specs_are_refused_at_once(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before"])
    body = IDENTITY.encode()
    texts = {
        "alias bomb": IDENTITY.encode() + LAUGHS.encode(),
        "10,000 aliases": IDENTITY.encode() + b"a: &a x\nb: [" + b"*a, " * 10_000 + b"]\n",
        "alias into itself": IDENTITY.encode() + b"a: &a [*a]\n",
        "depth 10,000, flow": IDENTITY.encode() + b"a: " + b"[" * 10_000 + b"]" * 10_000 + b"\n",
        "depth 10,000, block": IDENTITY.encode() + b"a: " + b"- " * 10_000 + b"x\n",
        "nodes": IDENTITY.encode() + b"a: [" + b"1," * 200_000 + b"]\n",
        "explicit keys": IDENTITY.encode() + b"? " * 10_000 + b"x\n",
        "not UTF-8": body + b"a: '\xff\xfe'\n",
        "control characters": body + b"a: \x01\n",
    }
    for what, text in texts.items():
        cheap(place, what, ("deploy", place.write("specs/hostile.yaml", text)))
        cheap(place, what, ("deploy", "-"), stdin=place.path("specs/hostile.yaml"))
        cheap(place, what, ("task", "demo:before"), stdin=place.path("specs/hostile.yaml"))
    assert place.never_ran("loki")


@takes(5)
def test_100_megabytes_are_refused_at_once(place):
    place.configure(workers={"demo": str(LANGUAGES["sh"])})
    place.plan("demo", deploy=["demo:before"])
    big = place.path("big.yaml")
    with open(big, "wb") as out:
        out.write(IDENTITY.encode())
        line = b"key: " + b"x" * 1000 + b"\n"
        for _ in range(100):
            out.write(line * 1000)
    for arguments, stdin in ((("deploy", big), "/dev/null"), (("deploy", "-"), big), (("task", "demo:before"), big),
                             (("replay", big), "/dev/null")):
        cheap(place, "100 MB", arguments, stdin)


@takes(3)
def test_hostile_output_of_a_worker_fails_its_task_only(place):
    for name, text in {"laughs": LAUGHS, "deep": "a: " + "[" * 10_000 + "]" * 10_000 + "\n"}.items():
        place.write(f"output/{name}", IDENTITY + text)
    place.write("printer.sh", f'#!/bin/sh\ncat > /dev/null\nexec cat {place.path("output")}/"$1"\n', 0o755)
    place.configure(workers={"demo": str(LANGUAGES["sh"]), "printer": str(place.path("printer.sh"))})
    for name in ("laughs", "deep"):
        place.plan("demo", deploy=["demo:before", f"printer:{name}", "demo:full"])
        result = place.expect(1, "deploy", place.spec("loki", provider="demo"))
        assert "2/3" in result.text, result
        assert "marker: before" in place.clipboard("loki")
