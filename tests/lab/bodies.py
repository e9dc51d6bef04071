"""What simulated machines lack: something inside. Whoever connects to the ssh port of a machine that is on reaches a real sshd, in a
thin host of jarvis-local that was set up from that machine's user data at its first boot, as cloud-init does it.

    with cloud("ec2", place) as it, Bodies(it) as bodies:
        it.built_in()
        place.expect(0, "deploy", it.spec("loki", ssh_port=bodies.port))

A body is made when somebody first connects, belongs to one machine and its root disk, and refuses connections while that is off.
"""
import contextlib
import socket
import threading

import yaml

from .wire import carry


class Bodies:
    """`port`: where they answer, at the addresses that their simulators say. `made`: {key of a machine: how its body was set up}."""

    def __init__(self, cloud):
        self.cloud, self.place, self.made = cloud, cloud.place, {}
        self._hosts, self._lock, self._over, self._faults = {}, threading.Lock(), False, []
        self._listener = socket.create_server(("0.0.0.0", 0), backlog=64)  # noqa: S104, the address asked for says which machine
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for key in list(self._hosts):
            self._end(key)
        assert not self._faults, self._faults

    def _accept(self):
        while not self._over:
            try:
                client, peer = self._listener.accept()
            except OSError:
                return
            if not peer[0].startswith("127."):
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            machine = self.cloud.at(client.getsockname()[0])
            if machine is None:
                return
            try:
                place = self._body(*machine)
            except Exception as fault:  # of any kind: a thread has nobody else to tell
                self._faults.append(repr(fault))
                return
            try:
                host = socket.create_connection(place)
            except OSError:  # its sshd reads its keys anew
                return
            with host:
                back = threading.Thread(target=carry, args=(host, client), daemon=True)
                back.start()
                carry(client, host)
                back.join()

    def _body(self, key, user_data):
        """Address and port of its host, which is made if there is none."""
        with self._lock:
            if key not in self._hosts:
                self._hosts[key] = self._make(key, user_data)
            return self._hosts[key]

    def _make(self, key, user_data):
        said = yaml.safe_load(user_data)
        assert user_data.startswith("#cloud-config\n"), user_data
        self.made[key] = said
        keys = said["ssh_authorized_keys"]
        board = {"hostname": said["hostname"], "fqdn": said["fqdn"], "ssh_port": 2222,
                 "ssh_host_private_key": said["ssh_keys"]["ed25519_private"], "ssh_host_keys": [said["ssh_keys"]["ed25519_public"]],
                 "sshpubkey": keys[0], "ssh_login_pubkey": keys[-1]}
        made = yaml.safe_load(self._task(key, "deploy", board))
        return made["ipaddress"][0], made["ssh_port"]

    def _end(self, key):
        del self._hosts[key]
        self._task(key, "destroy", {"fqdn": self.made[key]["fqdn"]})

    def _task(self, key, task, board):
        # Hosts of one name after each other, a directory each.
        return self.place.local_task(task, board, self.place.path(f"bodies/{key}"), self.place.addresses.replace(".0/24", ".64/26"))
