"""The file of `congvan new --facts`: what `congvan show` printed, as facts with the files' bytes."""

import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exchange.cli import answers

Facts = dict[str, Any]


def read(path: Path | None, folder: Path | None) -> Facts:
    """The facts in the file of `--facts`, with the bytes of the files it tells of, out of a folder; without one, none."""
    if path is None:
        return {}
    try:
        facts = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        answers.fail(answers.USAGE, "cli.unreadable", file=path, why=error)
    if not isinstance(facts, dict) or facts.get("readable") is False:
        answers.fail(answers.USAGE, "new.no_facts", file=path)
    return facts | _files(facts, folder)


def _files(facts: Facts, folder: Path | None) -> Facts:
    """Files embedded in the facts, or those that the facts tell of, out of a folder."""
    if isinstance(facts.get("files"), list):
        return {"files": [_decoded(one) for one in facts["files"]]}
    attached = facts.get("attachments")
    if folder is None or not isinstance(attached, list):
        return {}
    return {"files": [_from_folder(one, folder) for one in attached if isinstance(one, dict)]}


def _decoded(file: object) -> object:
    """A file with its bytes; what is no base64 is left for the draft to refuse."""
    if not isinstance(file, dict) or not isinstance(file.get("data"), str):
        return file
    try:
        return {**file, "data": binascii.a2b_base64("".join(file["data"].split()), strict_mode=True)}
    except ValueError:
        return file


def _from_folder(attached: Mapping[str, Any], folder: Path) -> Facts:
    name = str(attached.get("name", ""))
    try:
        data = (folder / Path(name).name).read_bytes()
    except OSError as error:
        answers.fail(answers.USAGE, "cli.unreadable", file=folder / name, why=error.strerror or error)
    kept = {fact: attached.get(fact) for fact in ("name", "content_type", "description", "content_id")}
    return {**kept, "data": data}
