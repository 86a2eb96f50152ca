"""Certificates that a sheet names, read: what its line says is completed by what the certificate says of itself.

A cell holds a file's name, base64 of DER, or only the hex SHA-256 of a certificate that we do not have.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exchange.errors import Finding
from exchange.rules import directory_csv, paper_class
from exchange.rules.directory_csv import Row, Sheet
from exchange.rules.directory_entries import CERTIFICATES
from signing import certificates

MAX_FILE_NAME = 255
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def file_names(sheet: Sheet) -> tuple[str, ...]:
    """The files that the lines of a sheet name, each once; they stand beside the sheet."""
    cells = [str(row.given.get("certificate", "")) for row in sheet.rows]
    return tuple(dict.fromkeys(cell for cell in cells if cell and _in_file(cell)))


def completed(sheet: Sheet, files: Mapping[str, bytes]) -> Sheet:
    """The sheet with each certificate's digest, names and, where a line gives none, first and last day."""
    rows, findings = [], list(sheet.findings)
    for row in sheet.rows:
        read = _completed(row, files)
        if isinstance(read, Finding):
            findings.append(read)
            read = replace(row, bad=row.bad | {"certificate", "valid_from"})
        rows.append(read)
    return Sheet(rows=tuple(rows), findings=tuple(findings))


def bodies(sheet: Sheet, files: Mapping[str, bytes]) -> dict[bytes, bytes]:
    """The certificates (DER, by SHA-256) that a sheet gives whole; what cannot be read is told by `completed`."""
    found = {}
    for row in sheet.rows:
        cell = str(row.given.get("certificate", ""))
        with contextlib.suppress(ValueError, KeyError):
            if cell and not _SHA256.fullmatch(cell):
                said = certificates.describe(files[cell] if _in_file(cell) else _decoded(cell))
                found[said.sha256] = said.der
    return found


def _completed(row: Row, files: Mapping[str, bytes]) -> Row | Finding:
    cell = row.given.get("certificate")
    if cell is None:
        return row
    if _SHA256.fullmatch(cell):
        return replace(row, given={**row.given, "certificate": cell.lower()})
    if _in_file(cell) and cell not in files:
        return directory_csv.finding(CERTIFICATES, "sheet_no_file", row.line, "certificate", cell=cell)
    try:
        said = certificates.describe(files[cell] if _in_file(cell) else _decoded(cell))
    except ValueError:
        return directory_csv.finding(
            CERTIFICATES, "sheet_bad_certificate", row.line, "certificate", cell=cell
        )
    return replace(row, given={**_own_facts(said), **_stated(row.given), "certificate": said.sha256.hex()})


def _own_facts(said: certificates.Description) -> dict[str, Any]:
    return {
        "subject": said.subject,
        "issuer": said.issuer,
        "valid_from": paper_class.local_day(said.valid_from),
        "valid_to": paper_class.local_day(said.valid_to),
    }


def _stated(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the line says; empty dates are left to the certificate."""
    dates = ("valid_from", "valid_to")
    return {name: value for name, value in given.items() if value is not None or name not in dates}


def _in_file(cell: str) -> bool:
    return len(cell) <= MAX_FILE_NAME and not _SHA256.fullmatch(cell)


def _decoded(cell: str) -> bytes:
    try:
        return base64.b64decode(cell.replace(" ", ""), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
