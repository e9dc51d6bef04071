"""A person with an XMPP client that is not ours (slixmpp), in a thread of its own."""
import asyncio
import contextlib
import logging
import threading

import slixmpp

from .waiting import until

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
logging.getLogger("asyncio").setLevel(logging.CRITICAL)


class Person:
    """Logs in as `name` (an account of the server) and stays until the `with` block ends. Messages and presences that came
    are in `messages` and `presences`, as slixmpp's stanzas, which read like mappings."""

    def __init__(self, server, name, resource="desk", bot=False, online=True):
        self.jid, self.messages, self.presences = f"{name}@xmpp.test", [], []
        self.ready, self._server, self._online = threading.Event(), server, online
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, args=(server, name, resource, bot), daemon=True)

    def __enter__(self):
        self._thread.start()
        until(self.ready.is_set, f"{self.jid} is online")
        return self

    def __exit__(self, *error):
        self.do(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _live(self, server, name, resource, bot):
        asyncio.set_event_loop(self._loop)
        self.client = client = slixmpp.ClientXMPP(f"{self.jid}/{resource}", server.passwords[name])
        client.ca_certs = server.ca_file
        for plugin in ("xep_0030", "xep_0045", "xep_0199", "xep_0203"):
            client.register_plugin(plugin)
        # Left alone slixmpp calls itself a bot, as soon as it is asked for the second time.
        client["xep_0030"].add_identity(category="client", itype="bot" if bot else "pc", name="a client")
        client.add_event_handler("session_start", self._start)
        client.add_event_handler("message", self.messages.append)
        client.add_event_handler("groupchat_message", lambda _: None)
        client.add_event_handler("presence", self.presences.append)
        client.add_event_handler("groupchat_presence", self.presences.append)
        client.auto_authorize = client.auto_subscribe = True
        client.connect((server.address, server.port))
        self._loop.run_forever()

    async def _start(self, _):
        if self._online:
            self.client.send_presence()
            await self.client.get_roster()
        self.ready.set()

    async def _close(self):
        self.client.disconnect(wait=0.2)
        with contextlib.suppress(asyncio.TimeoutError):  # of a server that was killed nothing comes back
            await asyncio.wait_for(asyncio.shield(self.client.disconnected), 1)

    def do(self, function, *arguments, **more):
        """Runs function in the client's thread, awaits what it returns if need be."""
        async def run():
            value = function(*arguments, **more)
            return await value if asyncio.iscoroutine(value) or asyncio.isfuture(value) else value
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    # Saying

    def say(self, to, text, kind="chat"):
        self.do(self.client.send_message, mto=to, mbody=text, mtype=kind)

    def say_in(self, room, text):
        self.say(room, text, "groupchat")

    def raw(self, xml):
        self.do(self.client.send_raw, xml)

    # Rooms

    def join(self, room, nick, password=None):
        self.do(self.client["xep_0045"].join_muc_wait, room, nick, password=password, maxstanzas=20, timeout=20)

    def leave(self, room, nick):
        self.do(self.client["xep_0045"].leave_muc, room, nick)

    def nicks(self, room):
        return set(self.do(self.client["xep_0045"].get_roster, room))

    def until_in(self, room, nick):
        until(lambda: nick in self.nicks(room), f"{nick} is in {room}")

    def until_out(self, room, nick):
        until(lambda: nick not in self.nicks(room), f"{nick} has left {room}")

    def kick(self, room, nick):
        self.do(self.client["xep_0045"].set_role, room, nick, "none")

    def set_affiliation(self, room, affiliation, jid):
        self.do(self.client["xep_0045"].set_affiliation, room, affiliation, jid=jid)

    def set_password(self, room, password):
        form = self.do(self.client["xep_0045"].get_room_config, room)
        form["type"] = "submit"
        form.get_fields()["muc#roomconfig_roomsecret"]["value"] = password
        self.do(self.client["xep_0045"].set_room_config, room, form)

    # Hearing

    def until_hears(self, text, kind=None, seconds=30):
        """The first message whose body is this."""
        def heard():
            return next((m for m in list(self.messages) if m["body"] == text and kind in (None, m["type"])), None)
        return until(heard, f"{self.jid} hears {text!r}", seconds)

    def until_sees(self, what, condition, seconds=30):
        """The first presence that fits."""
        return until(lambda: next((p for p in list(self.presences) if condition(p)), None), f"{self.jid} sees {what}", seconds)
