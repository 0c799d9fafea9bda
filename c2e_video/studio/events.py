"""Server-sent events: every open page receives what changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from threading import Lock
from typing import Any

WAITING = (
    256  # events kept for a page that does not read; then it gets one event to load its state anew
)
KEEP_ALIVE_SECONDS = 15.0


class EventHub:
    """Publishes from any thread to all pages that listen."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: set[_Listener] = set()
        self._closed = False

    @property
    def listeners(self) -> list[_Listener]:
        """The pages that listen now."""
        with self._lock:
            return list(self._listeners)

    def publish(self, kind: str, **data: Any) -> None:
        """Tell every page that something of ``kind`` happened. ``data`` must be ready for JSON."""
        message = json.dumps({"kind": kind} | data)
        for listener in self.listeners:
            listener.tell(message)

    def close(self) -> None:
        """End every stream: the server stops."""
        self._closed = True
        for listener in self.listeners:
            listener.tell(None)

    async def stream(self) -> AsyncIterator[bytes]:
        """The events from now on, as the body of a ``text/event-stream`` response."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
        try:
            yield b"retry: 1000\n\n"
            while not self._closed or not listener.queue.empty():
                try:
                    message = await asyncio.wait_for(listener.queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if message is None:
                    return
                yield f"data: {message}\n\n".encode()
        finally:
            with self._lock:
                self._listeners.discard(listener)


class _Listener:
    """One page's queue, in the loop that serves it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()

    def tell(self, message: str | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self._put, message)
        except RuntimeError:  # the loop has ended, and its page with it
            return

    def _put(self, message: str | None) -> None:
        if message is not None and self.queue.qsize() > WAITING:
            while not self.queue.empty():
                self.queue.get_nowait()
            message = json.dumps({"kind": "reload"})
        self.queue.put_nowait(message)
