"""The action lists that jarvis brings along, every step of them, from a spec to a login: the machines are simulated, the sshd that
they lead to and all that is done over it is real (lab/bodies.py)."""
import re

from lab import each, takes
from lab.bodies import Bodies
from lab.clouds import WITH_API, cloud, fqdn_of
from lab.moto import preloaded
from lab.ssh_person import host_keys_of, login, public_key

SHARED = [preloaded]


def check_host(place, it, bodies):
    """Somebody logs in as the clipboard says, and finds what the spec asked for. What the machine was told at its first boot."""
    board = place.facts()
    assert login(place, board, "hostname") == "loki\n"
    keys = login(place, board, "cat", "/root/.ssh/authorized_keys")
    assert public_key(place).split()[1] in keys
    assert login(place, board, "cat", "/root/.ssh/id_ed25519.pub").split()[1] == board["remote_ssh_pubkey"].split()[1]
    assert login(place, board, "getent", "hosts", fqdn_of("loki"))
    shadow = login(place, board, "grep", "^root:", "/etc/shadow").split(":")[1]
    assert shadow.startswith("$"), shadow
    handed_over = bodies.made[it.at(board["ipaddress"][0])[0]]
    # The key that stands in the user data serves the first login only.
    given = handed_over["ssh_keys"]["ed25519_public"].split()[1]
    answers = host_keys_of(board)
    assert answers and given not in answers and given not in "\n".join(board["ssh_host_keys"]), (given, answers)
    assert "ssh_host_private_key" not in board
    assert board["sshfp"] and all(re.fullmatch(r"\d \d [0-9a-f]+", one) for one in board["sshfp"]), board["sshfp"]
    return handed_over


@each(*WITH_API)
@takes(20)
def test_a_host_from_its_spec_to_a_login_and_anew(place, provider):
    with cloud(provider, place) as it, Bodies(it) as bodies:
        it.built_in()
        spec = it.spec("loki", ssh_port=bodies.port, sshpubkey=public_key(place))
        place.serve()
        asked = place.expect(5, "plan", spec).text
        assert "ssh:own_keys" in asked, asked
        said = place.expect(0, "deploy", spec, seconds=120)
        assert said.out.endswith("\nloki is ready\n"), said
        first, told = it.machine(), check_host(place, it, bodies)
        board = place.facts()

        place.expect(0, "deploy", spec, seconds=120)  # nothing anew
        assert it.machine().id == first.id and place.facts()["ssh_host_keys"] == board["ssh_host_keys"]
        assert len(bodies.made) == 1
        for task in ("keys:prepare", f"{provider}:get_address"):  # it shows its own keys, not those of then
            place.expect(0, "retry", "loki", "from", task, seconds=120)
            assert it.machine().id == first.id and place.facts()["ssh_host_keys"] == board["ssh_host_keys"]

        place.confirmed(0, "redeploy", spec)
        assert check_host(place, it, bodies) != told and len(bodies.made) == 2
        again = place.facts()
        assert set(again["ssh_host_keys"]).isdisjoint(board["ssh_host_keys"])
        assert again["remote_ssh_pubkey"] != board["remote_ssh_pubkey"]

        # Its keys are gone with a machine that somebody deletes; another one has others.
        it.end_outside(it.machine())
        said = place.expect(1, "deploy", spec)
        assert "is gone" in said.text and "redeploy" in said.text and not it.machines("loki"), said
        place.confirmed(0, "redeploy", spec)
        check_host(place, it, bodies)

        place.confirmed(0, "destroy", "loki")
        assert not it.machines("loki")
