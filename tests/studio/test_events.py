"""What changes is told to every open page."""

from __future__ import annotations

import asyncio
import json

from c2e_video.studio.events import WAITING, EventHub


def test_every_page_hears_every_event() -> None:
    async def scenario() -> list[list[str]]:
        hub = EventHub()

        async def listen() -> list[str]:
            kinds = []
            async for chunk in hub.stream():
                for line in chunk.decode().splitlines():
                    if line.startswith("data: "):
                        kinds.append(json.loads(line[6:])["kind"])
            return kinds

        pages = [asyncio.create_task(listen()) for _ in range(2)]
        while len(hub.listeners) < 2:
            await asyncio.sleep(0)
        await asyncio.to_thread(hub.publish, "table", film="a")
        await asyncio.to_thread(hub.publish, "queue")
        await asyncio.sleep(0)
        await asyncio.to_thread(hub.close)
        return list(await asyncio.gather(*pages))

    assert asyncio.run(scenario()) == [["table", "queue"]] * 2


def test_a_page_that_does_not_read_is_told_to_load_anew() -> None:
    async def scenario() -> list[str]:
        hub = EventHub()
        stream = hub.stream()
        await anext(stream)
        for _ in range(WAITING + 10):
            hub.publish("table")
        await asyncio.sleep(0.05)
        kinds = []
        hub.close()
        async for chunk in stream:
            kinds.append(json.loads(chunk.decode()[6:])["kind"])
        return kinds

    kinds = asyncio.run(scenario())
    assert kinds[0] == "reload"
    assert len(kinds) < WAITING
