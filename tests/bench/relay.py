"""Between one bot and the server: passes every line on, says a PING as the server does, and takes the time until its PONG.

To the bot the relay is the server, in TLS if it gets a certificate; it goes on to the server in clear text.
"""
import asyncio
import contextlib
import itertools
import re
import ssl
import threading
import time

EVERY = 0.1  # seconds from one PING to the next
PONG = re.compile(rb"(?:@\S+ )?(?::\S+ )?PONG .*\bbench-(\d+)\s*$")


class Relay:
    def __init__(self, server, certificate=None):
        """`certificate`: (certificate, key)."""
        self._server, self._context = server, None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._bot, self._ends, self._pinging, self._tasks = None, [], None, set()
        self._sent, self._taken = {}, {}  # by number: when, and the microseconds until the PONG
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener = self._do(asyncio.start_server(self._serve, server.address, 0, ssl=self._context))
        self.address, self.port = self._listener.sockets[0].getsockname()[:2]

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _serve(self, bot_reader, bot):
        reader, server = await asyncio.open_connection(self._server.address, self._server.port)
        self._bot, self._ends = bot, [bot, server]
        carriers = [asyncio.create_task(one) for one in (self._carry(bot_reader, server, self._is_pong), self._carry(reader, bot))]
        self._tasks.update(carriers)
        await asyncio.wait(carriers, return_when=asyncio.FIRST_COMPLETED)
        for end in (bot, server):
            end.close()

    async def _carry(self, reader, writer, swallows=lambda line: False):
        """Whole lines, so that a PING never stands within one."""
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                if not swallows(line):
                    writer.write(line)

    def _is_pong(self, line):
        """An answer to one of ours; the server knows nothing of it."""
        if not (answer := PONG.match(line)):
            return False
        number = int(answer[1])
        if number in self._sent:
            self._taken.setdefault(number, (time.perf_counter_ns() - self._sent[number]) / 1000)
        return True

    async def _ping(self):
        for number in itertools.count():
            self._sent[number] = time.perf_counter_ns()
            self._bot.write(b"PING :bench-%d\r\n" % number)
            await asyncio.sleep(EVERY)

    async def _end(self, seconds):
        if self._pinging:
            self._pinging.cancel()
        deadline = time.monotonic() + seconds
        while len(self._taken) < len(self._sent) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def begin(self):
        async def start():
            self._pinging = self._loop.create_task(self._ping())
        self._do(start())

    def end(self, seconds=20):
        """No more PINGs, time for the last answers; (how many were said, the microseconds of those that were answered)."""
        self._do(self._end(seconds))
        return len(self._sent), list(self._taken.values())

    def close(self):
        async def stop():
            self._listener.close()
            for end in self._ends:
                end.close()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5)
        self._do(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
