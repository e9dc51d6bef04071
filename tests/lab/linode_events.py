"""The events of the fake of Linode: what takes the real service seconds, and how time goes by for it. No HTTP here."""
import datetime
import itertools
import time


class Refusal(Exception):
    """What the API answers when it does not do what was asked."""

    def __init__(self, status, reason, field=None, headers=None):
        super().__init__(reason)
        self.status, self.reason, self.field, self.headers = status, reason, field, headers or {}


def refuse(reason, field=None):
    raise Refusal(400, reason, field)


def now():
    return datetime.datetime.utcnow().isoformat(timespec="seconds")


class Event:
    def __init__(self, number, action, machine, entity, secondary, username):
        self.id, self.action, self.machine = number, action, machine
        self.entity, self.secondary, self.username = entity, secondary, username
        self.status, self.percent, self.message = "scheduled", 0, ""
        self.created, self.born, self.shown = now(), time.monotonic(), 0
        self.begin = self.finish = self.undo = None  # what happens when it starts, when it ends well, and when it fails
        self.after = None  # the event that may start only when this one has ended

    def open(self):
        return self.status in ("scheduled", "started")

    def reply(self):
        said = {"id": self.id, "action": self.action, "created": self.created, "entity": self.entity, "status": self.status,
                "percent_complete": self.percent, "username": self.username, "message": self.message, "read": False, "seen": False,
                "time_remaining": None, "duration": round(time.monotonic() - self.born, 3)}
        if self.secondary:
            said["secondary_entity"] = self.secondary
        return said


class Events:
    """The events of an account, and what moves them.

    How time goes by: `polls` is how many replies that show an event, or the machine or volume that it is about, it takes to
    end (0: it has ended before anybody can look; math.inf: it waits for finish()); `seconds`, if set, is its real length instead.
    """

    def __init__(self):
        self.events, self.username = [], "deployer"
        self.polls, self.seconds = 0, None
        self._failing = []
        self._ids = itertools.count(62000001)

    def fail_event(self, action, message=None):
        """The next event of this action ends as `failed`: what it was to do is not done."""
        self._failing.append((action, message or f"{action} failed"))

    def event(self, action, subject, entity=None, secondary=None, begin=None, finish=None, undo=None, after=None, at_once=False):
        """Adds one about a machine or volume; `at_once`: one that only says that something was done."""
        machine = subject if not isinstance(subject, dict) else None
        if entity is None:
            entity = {"id": subject.id, "label": subject.label, "type": "linode", "url": f"/v4/linode/instances/{subject.id}"} \
                if machine else {"id": subject["id"], "label": subject["label"], "type": "volume", "url": f"/v4/volumes/{subject['id']}"}
        event = Event(next(self._ids), action, machine, entity, secondary, self.username)
        event.begin, event.finish, event.undo, event.after = begin, finish, undo, after
        self.events.append(event)
        if at_once:
            event.status, event.percent = "notification", 100
        return event

    def open_events(self, machine=None, volume=None):
        return [event for event in self.events if event.open() and
                (machine is None or event.machine is machine) and
                (volume is None or (event.entity["type"] == "volume" and event.entity["id"] == volume["id"]))]

    def busy(self, machine):
        return any(event.open() for event in self.events if event.machine is machine)

    def tick(self):
        """Moves what time moves."""
        for event in [event for event in self.events if event.open()]:
            if event.after and event.after.open():
                event.born = time.monotonic()
            elif self.seconds is not None:
                self._move(event, (time.monotonic() - event.born) / self.seconds if self.seconds else 1)
            else:
                self._move(event, event.shown / self.polls if self.polls else 1)

    def shown(self, events):
        """These were in a reply, or what they are about was: one step on. The next one in a row does not step with it."""
        for event in events:
            if not (event.after and event.after.open()):
                event.shown += 1

    def finish(self, *actions, machine=None):
        """Ends everything under way, or only these actions or this machine's, whatever `polls` says."""
        while True:
            ready = [event for event in self.open_events(machine) if (not actions or event.action in actions) and
                     not (event.after and event.after.open())]
            if not ready:
                return
            for event in ready:
                self._move(event, 1)

    def _move(self, event, part):
        if part > 0:
            self._start(event)
            event.percent = min(99, int(100 * part))
        if part < 1:
            return
        doomed = next((entry for entry in self._failing if entry[0] == event.action), None)
        if doomed:
            self._failing.remove(doomed)
            self._fail(event, doomed[1])
            return
        event.status, event.percent = "finished", 100
        if event.finish:
            event.finish()
        for other in self.open_events():
            if other.after is event:
                self._start(other)

    @staticmethod
    def _start(event):
        if event.status == "scheduled":
            event.status = "started"
            if event.begin:
                event.begin()

    def _fail(self, event, message):
        event.status, event.message = "failed", message
        if event.undo:
            event.undo()
        for other in self.open_events():
            if other.after is event:
                self._fail(other, f"{event.action} failed")
