"""Progress bars on standard error, where a person watches; elsewhere nothing is drawn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from exchange import texts
from exchange.cli import screen
from exchange.links.upload import Progress as Told

LEAST_BYTES = 1 << 18
"""What is smaller is through before a bar could be read."""


@contextmanager
def counted(key: str, language: str) -> Iterator[Callable[[int], None]]:
    """Something that is told how many `rows` are done, and shows it in the sentence `key`."""
    console = screen.console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        console=screen.console(stderr=True),
        transient=True,
        disable=not console.is_interactive,
    ) as progress:
        task = progress.add_task(texts.say(key, language, rows="0"))

        def tell(rows: int) -> None:
            said = texts.say(key, language, rows=f"{rows:,}".replace(",", "."))
            progress.update(task, description=said)

        yield tell


@contextmanager
def stages(topic: str, language: str) -> Iterator[Callable[[str, int, int], None]]:
    """Something that is told how much of which stage is done, and draws a bar for each, named by `<topic>_bar.<stage>`."""
    console = screen.console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(
        *columns, console=screen.console(stderr=True), disable=not console.is_interactive
    ) as progress:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(texts.say(f"{topic}_bar.{stage}", language), total=total)
            progress.update(tasks[stage], completed=done)

        yield tell


@contextmanager
def shown(*, watched: bool) -> Iterator[Progress]:
    """The place where bars are drawn while the block lasts."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(
        *columns, console=screen.console(stderr=True), transient=True, disable=not watched
    ) as progress:
        yield progress


def bar(progress: Progress, name: str) -> Told:
    """A bar for one file; it appears with the first word about a file that is worth one."""
    tasks: list[TaskID] = []

    def tell(done: int, total: int) -> None:
        if total < LEAST_BYTES:
            return
        if not tasks:
            tasks.append(progress.add_task(texts.clean(name), total=total))
        progress.update(tasks[0], completed=done, visible=done < total)

    return tell
