# mypy: allow-untyped-calls
# asn1crypto and pyHanko ship no complete types.

"""Making PDF files for the demo, tests and `congvan sign`: a blank page, a stamp of number and date, a signature.

    blank(lines)            a small one-page PDF, the same bytes for the same lines
    stamp(raw, text)        an incremental update that draws on the first page (what a clerk's tool does)
    sign(raw, key, ...)     an incremental update with a signature, PAdES B-B or B-T (EN 319 142-1)

`raw` is never changed: every function but `blank` answers `raw` with bytes appended, as signatures already there
demand. Page texts are set in Helvetica, which has no Vietnamese letters: what is drawn has no diacritics, what
is selected and searched is the true text (`/ActualText`, ISO 32000-2 14.9.4). No clock and no randomness beyond
the signature value's own.
"""

import hashlib
import io
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NotRequired, Required, TypedDict, Unpack

from asn1crypto import algos, cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, general
from pyhanko.sign.signers import cms_embedder, pdf_byterange

FilledError = general.SigningError
"""A signature field that was to be filled is already."""

UnreadableError = misc.PdfReadError
"""What stands in the file is no PDF that could be added to."""


class LockedError(ValueError):
    """A PDF that is encrypted: nothing can be added to it without its password."""


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Box = tuple[int, int, int, int]
TokenOf = Callable[[bytes], bytes]

_FONT = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica", "/Encoding": "/WinAnsiEncoding"}
_STAMP_AT = (70, 720)
_ROOM_BESIDE_CERTIFICATES = 2048  # bytes for attributes, an RSA-8192 value and DER frames
_TWIN_OF_D = {ord("đ"): "d", ord("Đ"): "D"}  # the only Vietnamese letters that do not decompose


class Signing(TypedDict):
    """How to sign: the moment, the field's name, the name shown, certificates of authorities, a visible box (points).

    `token_of` makes a timestamp token (RFC 3161, DER) over the signature value that it is given: PAdES-T.
    """

    at: Required[datetime]
    field: Required[str]
    name: NotRequired[str]
    chain: NotRequired[Sequence[x509.Certificate]]
    box: NotRequired[Box]
    token_of: NotRequired[TokenOf]


def blank(lines: Sequence[str]) -> bytes:
    """A valid A4 page with these lines (about 1 kB), for tests and the demo; the same lines give the same bytes."""
    content = b"\n".join(
        _drawn(line, _font_name(5), (70, 770 - 22 * row, 12)) for row, line in enumerate(lines)
    )
    font = " ".join(f"{key} {value}" for key, value in _FONT.items()).encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R /Lang (vi-VN) >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << %s 5 0 R >> >> >>" % _font_name(5).encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< %s >>" % font,
    )
    return _file(objects)


def stamp(raw: bytes, text: str) -> bytes:
    """`raw` with number and date (`text`) drawn near the top of its first page. Raises pyHanko's errors on a bad PDF."""
    writer = _Update(io.BytesIO(raw))
    font = writer.add_object(_font())
    drawing = generic.StreamObject(stream_data=_drawn(text, _font_name(font.idnum), (*_STAMP_AT, 12)))
    writer.add_stream_to_page(0, writer.add_object(drawing), resources=_resources(font))
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def sign(raw: bytes, key: PrivateKey, certificate: x509.Certificate, **how: Unpack[Signing]) -> bytes:
    """`raw` with one signature more: SubFilter ETSI.CAdES.detached, SHA-256, RSA PKCS#1 v1.5 or ECDSA.

    Raises FilledError when the field is already filled, LockedError on an encrypted PDF, pyHanko's errors on a bad one.
    """
    certificates = [_asn1(certificate), *(_asn1(authority) for authority in how.get("chain", ()))]

    def contents(digest: bytes) -> bytes:
        return signed_data(
            digest, lambda attributes: _signature(key, attributes), certificates, token_of=how.get("token_of")
        )

    room = _ROOM_BESIDE_CERTIFICATES + sum(map(len, (one.dump() for one in certificates)))
    room += len(how["token_of"](b"")) if "token_of" in how else 0
    return embed(raw, contents, room, **how)


def embed(raw: bytes, contents: Callable[[bytes], bytes], room: int, **how: Unpack[Signing]) -> bytes:
    """`raw` with a signature field whose `/Contents` (at most `room` bytes) is made of the file's SHA-256 by `contents`."""
    writer = _Update(io.BytesIO(raw))
    if writer.prev.encrypted:
        raise LockedError
    specification = fields.SigFieldSpec(how["field"], box=how.get("box"))
    steps = cms_embedder.PdfCMSEmbedder(new_field_spec=specification).write_cms(how["field"], writer)
    field = next(steps)
    if "box" in how:
        _show(writer, field.get_object(), how)
    empty = pdf_byterange.SignatureObject(
        how["at"], fields.SigSeedSubFilter.PADES, how.get("name") or None, bytes_reserved=2 * room
    )
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=empty))
    prepared, output = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256"))
    steps.send(contents(prepared.document_digest))
    signed: bytes = output.getvalue()
    return signed


def signed_data(
    digest: bytes,
    value_of: Callable[[bytes], bytes],
    certificates: Sequence[asn1_x509.Certificate],
    *,
    token_of: TokenOf | None = None,
) -> bytes:
    """CMS SignedData (RFC 5652) in DER over a content with this SHA-256; the first certificate is the signer's.

    `value_of` signs the DER of the signed attributes: content type, digest, ESS certificate (RFC 5035).
    """
    attributes = cms.CMSAttributes(
        [
            general.simple_cms_attribute("content_type", "data"),
            general.simple_cms_attribute("message_digest", digest),
            general.simple_cms_attribute(
                "signing_certificate_v2", general.as_signing_certificate_v2(certificates[0])
            ),
        ]
    )
    signer = _signer_info(certificates[0], attributes, value_of(attributes.dump()))
    if token_of:
        token = cms.ContentInfo.load(token_of(signer["signature"].native))
        signer["unsigned_attrs"] = [general.simple_cms_attribute("signature_time_stamp_token", token)]
    content = {
        "version": "v1",
        "digest_algorithms": [signer["digest_algorithm"]],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices("certificate", one) for one in certificates],
        "signer_infos": [signer],
    }
    whole: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)}).dump()
    return whole


def _signer_info(
    certificate: asn1_x509.Certificate, attributes: cms.CMSAttributes, value: bytes
) -> cms.SignerInfo:
    family = "sha256_rsa" if certificate.public_key.algorithm == "rsa" else "sha256_ecdsa"
    named = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    return cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", named),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": family}),
            "signed_attrs": attributes,
            "signature": value,
        }
    )


def _signature(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    parsed: asn1_x509.Certificate = asn1_x509.Certificate.load(
        certificate.public_bytes(serialization.Encoding.DER)
    )
    return parsed


class _Update(IncrementalPdfFileWriter):
    """pyHanko's incremental writer without its hidden clock (`/ModDate` now) and hidden randomness (`/ID`)."""

    def _update_meta(self) -> None:
        pass

    @classmethod
    def _handle_id(cls, prev: Any) -> generic.ArrayObject:  # noqa: ANN401 - pyHanko's reader
        raw = prev.stream.getvalue()
        first = prev.trailer["/ID"][0].original_bytes if "/ID" in prev.trailer else _identity(raw)
        return generic.ArrayObject([generic.ByteStringObject(one) for one in (first, _identity(raw))])


def _identity(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:16]


def _font() -> generic.DictionaryObject:
    name = generic.pdf_name
    return generic.DictionaryObject({name(key): name(value) for key, value in _FONT.items()})


def _font_name(number: int) -> str:
    """The font's name in page operators, unlike any other in the file: our fonts are named by object number."""
    return f"/CongVan{number}"


def _resources(font: generic.IndirectObject) -> generic.DictionaryObject:
    name = generic.pdf_name
    fonts = generic.DictionaryObject({name(_font_name(font.idnum)): font})
    return generic.DictionaryObject({name("/Font"): fonts})


def _show(writer: _Update, field: generic.DictionaryObject, how: Signing) -> None:
    """Gives the field a picture: the signer's name and the moment, as Decree 30/2020 wants for an organisation."""
    left, bottom, right, top = how["box"]
    font = writer.add_object(_font())
    lines = (how.get("name", ""), how["at"].strftime("%d/%m/%Y %H:%M:%S %z"))
    drawing = b"\n".join(
        _drawn(line, _font_name(font.idnum), (4, top - bottom - 14 * row, 9))
        for row, line in enumerate(lines, start=1)
    )
    name, number = generic.pdf_name, generic.NumberObject
    form = generic.StreamObject(stream_data=drawing)
    form[name("/Type")], form[name("/Subtype")] = name("/XObject"), name("/Form")
    form[name("/BBox")] = generic.ArrayObject(number(edge) for edge in (0, 0, right - left, top - bottom))
    form[name("/Resources")] = _resources(font)
    field[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(form)})


def _drawn(text: str, font: str, place: tuple[int, int, int]) -> bytes:
    """Page operators that draw a line at `place` (left, bottom, size); its true text is kept for search."""
    plain = unicodedata.normalize("NFD", text.translate(_TWIN_OF_D)).encode("ascii", "ignore")
    for special in (b"\\", b"(", b")"):
        plain = plain.replace(special, b"\\" + special)
    true = (b"\xfe\xff" + text.encode("utf-16-be")).hex().encode()
    left, bottom, size = place
    begin = b"%s %d Tf %d %d Td" % (font.encode(), size, left, bottom)
    return b"/Span << /ActualText <%s> >> BDC BT %s (%s) Tj ET EMC" % (true, begin, plain)


def _file(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, numbered from 1, the first being the catalogue; cross-reference table included."""
    body, offsets = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identity = _identity(body).hex().encode()
    trailer = b"<< /Size %d /Root 1 0 R /ID [<%s> <%s>] >>" % (len(objects) + 1, identity, identity)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return body + head + table + b"trailer\n" + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % len(body)
