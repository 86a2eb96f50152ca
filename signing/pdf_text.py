"""The text of a PDF's first page, as far as it can be had: to hold a header against what was signed.

pypdf reads the file; scans, odd fonts and damaged files have no text, and that is an answer, not an error. The work
is not bounded here: strangers' files are read in a worker process, under its limits of time and memory.
"""

import io
import logging
import unicodedata
import warnings
from pathlib import Path
from typing import IO

import pypdf

# What pypdf dislikes about a file goes to its log and to warnings; ours is the text.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def first_page(raw: bytes | Path, most: int = 20_000) -> str:
    """Of a PDF, in memory or in a file, at most `most` letters of the first page's text, NFC, lines as they stand; empty where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = _first_page(raw)
    except Exception:  # noqa: BLE001 - whatever a stranger's file makes that library raise, there is no text
        return ""
    return unicodedata.normalize("NFC", text[:most])


def _first_page(raw: bytes | Path) -> str:
    with io.BytesIO(raw) if isinstance(raw, bytes) else raw.open("rb") as stream:
        return _text(stream)


def _text(stream: IO[bytes]) -> str:
    reader = pypdf.PdfReader(stream, strict=False)
    return reader.pages[0].extract_text() if not reader.is_encrypted and reader.pages else ""
