"""Together: questions that many tasks have at the same time are put to the database in one statement.

Theory of operation. The first question is asked at once. What is asked while a statement is on its way waits for it to
come back and goes with the next one, so under load statements grow by themselves and nobody waits for more to come
(as in `store.commit`). The answer a task gets was always asked for after the task came: nothing is remembered.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")

MOST = 64


class Together(Generic[Question, Answer]):
    """One kind of question; `ask` puts several and tells those that have an answer."""

    def __init__(self, ask: Callable[[Collection[Question]], Awaitable[Mapping[Question, Answer]]]) -> None:
        self._ask = ask
        self._waiting: defaultdict[Question, list[asyncio.Future[Answer | None]]] = defaultdict(list)
        self._asking: asyncio.Task[None] | None = None

    async def answer(self, question: Question) -> Answer | None:
        """The answer to one question, None if there is none. Raises what `ask` raised for all it was asked with."""
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[question].append(future)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await future

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                await self._ask_some({one: self._waiting.pop(one) for one in list(self._waiting)[:MOST]})
        finally:
            self._asking = None

    async def _ask_some(self, taken: Mapping[Question, list["asyncio.Future[Answer | None]"]]) -> None:
        found: Mapping[Question, Answer] | Exception
        try:
            found = await self._ask(taken)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is each asker's to deal with
            found = error
        for question, futures in taken.items():
            for future in futures:
                if future.done():  # who asked was cancelled
                    continue
                if isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found.get(question))
