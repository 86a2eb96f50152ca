# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""The signature containers of a PDF, checked from the file's bytes alone: each once, before any structure is read.

A container is what fills the hole of a `/ByteRange`. Whether it is anybody's signature only the file's structure
tells; that covered bytes or the signer's statement were altered, no structure can undo.
"""

from collections.abc import Iterator

from signing import cms, pdf_coverage
from signing.pdf_bytes import PdfBytes
from signing.pdf_coverage import Hole
from signing.verdict import SubIndication, TooComplexError

MOST_SIGNATURES = 8
DAMAGED = cms.failed(SubIndication.FORMAT_FAILURE, "pdf_signature_damaged")
_BROKEN = frozenset({SubIndication.HASH_FAILURE, SubIndication.SIG_CRYPTO_FAILURE})


class Containers:
    """The containers of one file. Raises TooComplexError when it has more than 8 in plain sight."""

    def __init__(self, raw: PdfBytes) -> None:
        self.digests = pdf_coverage.Digests(raw)
        self._in_sight = pdf_coverage.holes(raw)
        self._strict: dict[Hole, cms.Checked] = {}
        if len(self._in_sight) > MOST_SIGNATURES:
            raise TooComplexError("signatures", MOST_SIGNATURES)

    def checked(self, hole: Hole, contents: bytes, *, reference_required: bool) -> cms.Checked:
        """What `signing.cms` says about the container in this hole."""
        found = self._strict.get(hole)
        if found is None:
            found = self._strict[hole] = self._check(hole, contents, reference_required=True)
        if not reference_required and found.failure and found.failure.why == "cms_no_reference":
            return self._check(hole, contents, reference_required=False)
        return found

    def broken(self) -> tuple[tuple[Hole, cms.Checked], ...]:
        """Every container in plain sight, in the order of their places, if all are broken; else nothing."""
        found = tuple(self._judged())
        return found if all(one.failure and one.failure.sub_indication in _BROKEN for _, one in found) else ()

    def _judged(self) -> Iterator[tuple[Hole, cms.Checked]]:
        for hole, contents in sorted(self._in_sight.items()):
            yield hole, self.checked(hole, contents, reference_required=True)

    def _check(self, hole: Hole, contents: bytes, *, reference_required: bool) -> cms.Checked:
        try:
            return cms.check(
                contents,
                lambda name: self.digests.of(name, hole),
                reference_required=reference_required,
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return cms.Checked(failure=DAMAGED)
