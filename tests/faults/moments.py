"""Waiting for something that other processes do, with an end."""

import asyncio
import inspect
import time


async def until(condition, seconds=30.0):
    """Whether the condition, a function or a coroutine function, came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
