"""Addresses and reverse DNS of the machines at the fake of Linode."""
import ipaddress

from .linode_events import refuse


class Addresses:
    """A part of Account. IPv4 addresses come from the test's pool in its order; one that was given back is given again first."""

    def __init__(self, pool):
        """A network, or a list of addresses."""
        self.forward = None  # {name: [address]} that reverse DNS is checked against; None: every name is good
        self._pool = (str(address) for address in (ipaddress.ip_network(pool).hosts() if isinstance(pool, str) else pool))
        self._released = []

    def _address(self, machine):
        address = self._released.pop() if self._released else next(self._pool, None)
        if address is None:
            refuse("No addresses are left in this region", "region")
        machine.rdns[address] = f"{address.replace('.', '-')}.ip.linodeusercontent.com"
        return address

    def owner(self, address):
        """The machine that has it, or None."""
        address = str(address).lower()
        return next((machine for machine in self.machines.values()
                     if address in machine.ipv4 + machine.private or address == machine.ipv6), None)

    @staticmethod
    def address(machine, address):
        base = {"address": address, "linode_id": machine.id, "region": machine.region}
        if ":" in address:
            said = {**base, "type": "ipv6", "public": True, "prefix": 64, "gateway": "fe80::1", "subnet_mask": "ffff:ffff:ffff:ffff::"}
        elif address in machine.private:
            return {**base, "type": "ipv4", "public": False, "prefix": 17, "subnet_mask": "255.255.128.0"}
        else:
            said = {**base, "type": "ipv4", "public": True, "prefix": 24, "subnet_mask": "255.255.255.0",
                    "gateway": address.rsplit(".", 1)[0] + ".1"}
        if machine.rdns.get(address):
            said["rdns"] = machine.rdns[address]
        return said

    def addresses(self, machine):
        local = "fe80::" + machine.ipv6.split("::")[1]
        return {"ipv4": {"public": [self.address(machine, address) for address in machine.ipv4],
                         "private": [self.address(machine, address) for address in machine.private],
                         "shared": [], "reserved": [], "vpc": []},
                "ipv6": {"slaac": self.address(machine, machine.ipv6), "global": [],
                         "link_local": {**self.address(machine, local), "public": False}}}

    def add_address(self, machine, asked):
        if asked.get("type") != "ipv4":
            refuse("Must be ipv4", "type")
        if asked.get("public", True):
            refuse("Additional IPv4 addresses require technical justification. Please contact support describing your requirement.")
        if machine.private:
            refuse("Linode already has a private IP")
        machine.private.append(f"192.168.{machine.id >> 8 & 127 | 128}.{machine.id & 255}")
        self.event("linode_addip", machine, at_once=True)
        return self.address(machine, machine.private[0])

    def set_rdns(self, machine, address, name):
        address = str(address).lower()
        if address in machine.private:
            refuse("Unable to set reverse DNS for a private address", "rdns")
        if name is None:
            machine.rdns[address] = None if ":" in address else f"{address.replace('.', '-')}.ip.linodeusercontent.com"
        else:
            if self.forward is not None and address not in self.forward.get(name.rstrip("."), []):
                refuse("Unable to perform a lookup for this name: forward DNS must have this address first", "rdns")
            machine.rdns[address] = name.rstrip(".")
        self.event("ipaddress_update", machine, at_once=True)
        return {"rdns": None, **self.address(machine, address)}
