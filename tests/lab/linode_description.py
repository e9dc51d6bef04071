"""Linode's published OpenAPI description (v4.189.0), cut down to what the fake answers, for prism.

The description is not part of the repository: it is looked for beside the checkout. Its cut is kept beside the simulators,
so that prism starts in a second. These faults of it are put right in the cut, because no reply of the real service could
pass them; everything else is judged as published:
- its date-times must have a zone by their format; neither its own examples nor the service have one, and the cut wants none
- the pattern of root_device is a sentence in English
- X-Filter is described as an object, but a header is text
"""
import hashlib
import json
import os
import pathlib
import re
import tempfile

from . import linode_routes
from .marks import Skip

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent.parent
NAME = "../shared/data/linode/openapi-v4.189.0.yaml"


def published():
    """The file; the test is skipped where it is not."""
    places = [CHECKOUT]
    if (CHECKOUT / ".git").is_file():  # a work tree: the main checkout's neighbours count too
        git = pathlib.Path((CHECKOUT / ".git").read_text(encoding="utf-8").partition(":")[2].strip())
        places.append(git.parent.parent.parent)
    for place in places:
        if (place / NAME).exists():
            return place / NAME
    raise Skip(f"Linode's published description is not there: {NAME}, seen from the checkout")


def description():
    """The cut; made when there is none yet of this description and by this file."""
    source = published()
    sources = [source, pathlib.Path(__file__), pathlib.Path(linode_routes.__file__)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "jarvis-simulators"
    cut = cache / f"linode-description-{digest}.json"
    if not cut.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for old in sorted(cache.glob("linode-description-*.json"), key=lambda path: path.stat().st_mtime)[:-4]:
            old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache, delete=False, encoding="utf-8") as out:
            json.dump(_cut(_load(source)), out, default=str)
        os.replace(out.name, cut)
    return cut


def _load(path):
    import yaml  # pylint: disable=import-outside-toplevel; only here, it takes a moment
    with open(path, encoding="utf-8") as text:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _answered(path):
    example = re.sub(r"\{[^}]*\}", "1", path.replace("/{apiVersion}", "", 1))
    return any(pattern.fullmatch(example) for _, pattern, _, _ in linode_routes.ROUTES)


def _cut(whole):
    paths = {path: item for path, item in whole["paths"].items() if _answered(path)}
    return _corrected({"openapi": whole["openapi"], "info": {"title": whole["info"]["title"], "version": whole["info"]["version"]},
                       "servers": whole["servers"], "paths": paths, "components": whole["components"]})


def _corrected(node):
    if isinstance(node, list):
        return [_corrected(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("in") == "header" and node.get("name") == "X-Filter":
        node = {**node, "schema": {"type": "string"}}
    # Prose and examples are most of it. A property may have such a name too; that is a mapping then.
    kept = {name: _corrected(value) for name, value in node.items()
            if isinstance(value, dict) or name not in ("description", "example", "summary", "externalDocs", "x-readme")}
    kept.pop("externalDocs", None)
    if kept.get("type") == "string" and kept.get("format") == "date-time":
        del kept["format"]
        kept["pattern"] = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"
    if kept.get("pattern") == "a-z, A-Z, 0-9, /, _, -":
        kept["pattern"] = "^[a-zA-Z0-9/_-]+$"
    return kept
