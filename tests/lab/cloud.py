"""Providers made of one external worker (scenarios/workers/cloud.py), whose machines are files that a test can lay down."""
import json

from .place import WORKERS

ROWS = {"can_deploy": {"plan": True, "stage": "ask the cloud"}, "deploy": {"plan": True, "gives": ["instance_id"]},
        "destroy": {"plan": True, "destroys": True}, "adopt": {"plan": True, "destroys": True, "gives": ["instance_id"]},
        "machines": {"gives": ["machines"]}, "offers": {"gives": ["offers"]}}


class Cloud:
    """One provider of that name; `worker` belongs under workers:NAME."""

    def __init__(self, place, name, speaks="json"):
        self.place, self.name, self.directory = place, name, place.path(f"cloud-{name}")
        self.directory.mkdir()
        place.write(f"{name}.env", f"CLOUD={self.directory}\nCLOUD_SPEAKS={speaks}\n", 0o600)
        self.worker = {"run": str(WORKERS / "cloud.py"), "env_file": f"{name}.env", "tasks": ROWS}
        place.plan(name, deploy=[f"{name}:deploy"], destroy=[f"{name}:destroy"], adopt=[f"{name}:adopt"],
                   redeploy=[f"{name}:can_deploy", f"{name}:destroy", f"{name}:deploy"])

    def lay(self, name, run="", kind="machine", **more):
        """Something that is there; without a run it is foreign."""
        thing = {"kind": kind, "id": f"x-{name.partition('.')[0]}-{kind}", "name": name, "fqdn": name, "run": run, "step": f"{run}.0",
                 "created": "2026-11-01T00:00:00Z", "shown": "small in the cellar", "machine": None, "monthly": 2.5, **more}
        (self.directory / f"{thing['id']}.json").write_text(json.dumps(thing))
        return thing

    def things(self):
        return [json.loads(path.read_text()) for path in self.directory.glob("*.json")]

    def down(self):
        (self.directory / "down").touch()

    def up(self):
        (self.directory / "down").unlink()


def clouds(place, *names, **more):
    """A configuration with these providers."""
    made = [Cloud(place, name, speaks="yaml" if number else "json") for number, name in enumerate(names)]
    place.configure(workers={cloud.name: cloud.worker for cloud in made}, **more)
    return made
