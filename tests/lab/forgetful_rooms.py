"""A room service that can be made to forget, as one that was restarted has."""
import asyncio
import threading

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from .prosody import COMPONENT
from .waiting import until


class ForgetfulRooms:
    """Lets everybody in (XEP-0114), and forgets them when told."""

    def __init__(self, server):
        self.joins, self.heard, self._in = [], [], set()
        self._loop = asyncio.new_event_loop()
        self._server, self._connected = server, threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self):
        self._thread.start()
        until(self._connected.is_set, "the room service is connected")
        return self

    def __exit__(self, *error):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _live(self):
        asyncio.set_event_loop(self._loop)
        self._component = slixmpp.ComponentXMPP(COMPONENT, "secret", self._server.address, self._server.component_port)
        self._component.add_event_handler("session_start", lambda _: self._connected.set())
        self._component.add_event_handler("presence_available", self._join)
        self._component.add_event_handler("message", self._hear)
        self._component.register_handler(Callback("ping", MatchXPath("{jabber:component:accept}iq/{urn:xmpp:ping}ping"), self._pinged))
        self._component.connect()
        self._loop.run_forever()

    def _join(self, presence):
        room, nick, who = presence["to"].bare, presence["to"].resource, presence["from"]
        self.joins.append((room, nick))
        self._in.add(str(presence["to"]))
        self._component.send_raw(
            f"<presence from='{room}/{nick}' to='{who}'><x xmlns='http://jabber.org/protocol/muc#user'>"
            "<item affiliation='none' role='participant'/><status code='110'/></x></presence>")

    def _hear(self, message):
        if not any(occupant.startswith(message["to"].bare) for occupant in self._in):
            self._refuse("message", message)
        else:
            self.heard.append(message["body"])

    def _pinged(self, iq):
        if str(iq["to"]) in self._in:
            self._component.send_raw(f"<iq type='result' id='{iq['id']}' from='{iq['to']}' to='{iq['from']}'/>")
        else:
            self._refuse("iq", iq)

    def _refuse(self, kind, stanza):
        self._component.send_raw(
            f"<{kind} type='error' id='{stanza['id']}' from='{stanza['to']}' to='{stanza['from']}'><error type='cancel'>"
            f"<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{kind}>")

    def forget(self):
        self._in.clear()
