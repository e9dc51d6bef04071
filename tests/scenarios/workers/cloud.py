#!/usr/bin/python3
"""A provider of external workers, whose machines are files: CLOUD (of its env_file) is a directory with NAME.json for each, and
`down` while it cannot be reached. With CLOUD_SPEAKS=yaml its lists are block style, else JSON."""
import json
import os
import pathlib
import sys

import yaml

task, cloud = sys.argv[1], pathlib.Path(os.environ["CLOUD"])
clipboard = yaml.load(sys.stdin, Loader=yaml.BaseLoader) or {}
plan = os.environ["JARVIS_MODE"] == "plan"


def say(line):
    print(line, file=sys.stderr)


def leave(**keys):
    clipboard.update(keys)
    if os.environ.get("CLOUD_SPEAKS") == "yaml":
        yaml.safe_dump(clipboard, sys.stdout, sort_keys=False)
    else:
        json.dump(clipboard, sys.stdout)


def machines():
    return [json.loads(path.read_text()) for path in sorted(cloud.glob("*.json"))]


def mine():
    found = [one for one in machines() if one["kind"] == "machine" and one["name"] == clipboard["fqdn"]]
    return found[0] if found else None


def write(thing):
    (cloud / f"{thing['id']}.json").write_text(json.dumps(thing))


def refuse_foreign(machine):
    if machine and not machine["run"]:
        say(f"{machine['name']} ({machine['id']}) is not jarvis's: `adopt {machine['name']}` takes it over")
        sys.exit(3)


if (cloud / "down").exists():
    say("cannot be reached")
    sys.exit(1)
if task in ("deploy", "can_deploy"):
    machine = mine()
    refuse_foreign(machine)
    if plan and (not machine or task == "can_deploy"):
        say(f"change: create {clipboard['fqdn']}, {clipboard.get('price', '5.00')} USD a month")
        say(f"cost: {clipboard.get('price', '5.00')} USD")
    if not plan and task == "deploy":
        if not machine:
            machine = {"kind": "machine", "id": f"m-{os.environ['JARVIS_RUN']}", "name": clipboard["fqdn"], "fqdn": clipboard["fqdn"],
                       "run": os.environ["JARVIS_RUN"], "step": os.environ["JARVIS_STEP"], "created": "2026-11-20T10:00:00Z",
                       "shown": "small in the cellar", "machine": None, "monthly": float(clipboard.get("price", 5))}
            write(machine)
        if clipboard.get("fails"):
            say("no disk space")
            sys.exit(1)
        leave(instance_id=machine["id"])
elif task == "destroy":
    machine = mine()
    refuse_foreign(machine)
    if plan and machine:
        say(f"change: delete {machine['name']} ({machine['id']})")
    if not plan:
        if machine:
            (cloud / f"{machine['id']}.json").unlink()
        clipboard.pop("instance_id", None)
        leave()
elif task == "adopt":
    machine = mine()
    if plan and machine:
        say(f"change: take over {machine['name']} ({machine['id']}), {machine['shown']}")
    if not plan:
        machine.update(fqdn=clipboard["fqdn"], run=machine["run"] or os.environ["JARVIS_RUN"])
        write(machine)
        leave(instance_id=machine["id"], size=512)
elif task == "machines":
    leave(machines=[one for one in machines() if one["run"]])
elif task == "offers":
    leave(offers=[
        {"kind": "region", "id": "cellar", "label": "The cellar", "shown": "below the stairs", "monthly": None},
        {"kind": "type", "id": "small", "label": "Small", "shown": "1 CPU, 1024 MB", "monthly": 5},
        {"kind": "type", "id": "large", "label": "Large", "shown": "4 CPU, 2048 MB", "monthly": 20.5},
        *({"kind": "image", "id": f"img-{number}", "label": f"Debian {number}", "shown": "amd64"} for number in range(1, 13))])
else:
    say(f"cloud.py: {task}: no such task")
    sys.exit(64)
