# mypy: allow-untyped-calls
# asn1crypto and pyHanko ship no complete types.

"""A CMS SignedData (RFC 5652) taken apart: its signers, certificates, attributes, timestamps, validation data.

Nothing is judged here (`signing.cms` does). asn1crypto parses lazily and raises ValueError, TypeError or KeyError on
hostile bytes, wherever it is first looked at them; the caller catches them.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, parser
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko.sign import general

from signing import algorithms, certificate_facts

MOST_CERTIFICATES = 32
MOST_TIMESTAMPS = 4
_SET_OF = b"\x31"  # signed attributes are signed as SET OF, not under their tag [0] (RFC 5652 5.4)

METHODS: Mapping[str, algorithms.Method] = {
    **{f"{digest}_rsa": algorithms.Method("pkcs1", digest) for digest in algorithms.HASHES},
    **{f"{digest}_ecdsa": algorithms.Method("ecdsa", digest) for digest in algorithms.HASHES},
}
"""Signature algorithms that name their hash; `rsassa_pkcs1v15` and `rsassa_pss` leave it to other fields."""


def content(contents: bytes) -> cms.SignedData:
    """The SignedData. Bytes behind it must be the padding that PDF reserves: no signature covers them."""
    if any(contents[parser.peek(contents) :]):
        raise ValueError("bytes behind the signature")
    information = cms.ContentInfo.load(contents)
    if information["content_type"].native != "signed_data":
        raise ValueError("not SignedData")
    data: cms.SignedData = information["content"]
    return data


def inside(data: cms.SignedData) -> bytes | None:
    """The content that a signature carries within itself, or None for one that signs something beside it."""
    carried = data["encap_content_info"]["content"]
    return None if carried.native is None else bytes(carried)


def attributes(signer: cms.SignerInfo) -> bytes:
    """The signed attributes as they were signed; taken before anything reads, hence may rewrite, them."""
    if signer["signed_attrs"] is core.VOID or not len(signer["signed_attrs"]):
        raise ValueError("no signed attributes")
    return _SET_OF + bytes(signer["signed_attrs"].dump())[1:]


def certificates(data: cms.SignedData) -> list[asn1_x509.Certificate]:
    """X.509 certificates that came along, the first few."""
    choices = [] if data["certificates"] is core.VOID else list(data["certificates"])
    return [one.chosen for one in choices if one.name == "certificate"][:MOST_CERTIFICATES]


def values(signer: cms.SignerInfo) -> Mapping[str, list[Any]]:
    """Values of signed attributes by the attribute's name, over all its occurrences."""
    found: dict[str, list[Any]] = {}
    for attribute in signer["signed_attrs"]:
        found.setdefault(attribute["type"].native, []).extend(attribute["values"])
    return found


def names(signer: cms.SignerInfo, certificate: asn1_x509.Certificate) -> bool:
    """Whether the signer's identifier means this certificate (RFC 5652 5.3)."""
    identifier = signer["sid"]
    if identifier.name == "subject_key_identifier":
        return bool(certificate.key_identifier == identifier.chosen.native)
    # Numbers first: comparing names costs a thousand times as much.
    numbered = identifier.chosen["serial_number"].native == certificate.serial_number
    return numbered and general.match_issuer_serial(identifier.chosen, certificate)


def timestamps(signer: cms.SignerInfo) -> tuple[bytes, ...]:
    """The timestamp tokens over the signature value (RFC 3161 appendix A), the first few; unreadable ones are none."""
    tokens: list[bytes] = []
    with suppress(ValueError, TypeError, KeyError):
        for attribute in unsigned(signer, "signature_time_stamp_token"):
            tokens.extend(bytes(token.dump()) for token in attribute["values"])
    return tuple(tokens[:MOST_TIMESTAMPS])


def method(signer: cms.SignerInfo) -> algorithms.Method | None:
    """How the value was made, or None when hash or method are not on our list or do not agree."""
    digest = signer["digest_algorithm"]["algorithm"].native
    if digest not in algorithms.HASHES:
        return None
    name = signer["signature_algorithm"].native["algorithm"]  # parameters are read, too: nothing covers them
    if name == "rsassa_pkcs1v15":
        return algorithms.Method("pkcs1", digest)
    if name == "rsassa_pss":
        return algorithms.Method("pss", digest) if _pss_agrees(signer, digest) else None
    known = METHODS.get(name)
    return known if known and known.hash_name == digest else None


def rsa_padding(signer: cms.SignerInfo, how: algorithms.Method) -> padding.AsymmetricPadding:
    """The padding of an RSA signature made in this way."""
    if how.family == "pkcs1":
        return padding.PKCS1v15()
    salt = signer["signature_algorithm"]["parameters"]["salt_length"].native
    return padding.PSS(mgf=padding.MGF1(algorithms.HASHES[how.hash_name]), salt_length=salt)


def certificate(parsed: asn1_x509.Certificate) -> x509.Certificate:
    """The same certificate as `cryptography` knows it. Raises ValueError."""
    return certificate_facts.load(parsed.dump())


def readable(bag: Iterable[asn1_x509.Certificate]) -> Iterator[x509.Certificate]:
    """Certificates beside the signer's; one that cannot be read helps nobody and harms nobody."""
    for one in bag:
        with suppress(ValueError):
            yield certificate(one)


def signing_time(of: Mapping[str, list[Any]]) -> datetime | None:
    """The moment that the signed attributes claim."""
    times = of.get("signing_time", ())
    moment = times[0].native if times else None
    return moment if isinstance(moment, datetime) and moment.tzinfo else None


def unsigned(signer: cms.SignerInfo, name: str) -> list[Any]:
    """The unsigned attributes of this name."""
    found = signer["unsigned_attrs"]
    return [] if found is core.VOID else [one for one in found if one["type"].native == name]


def _pss_agrees(signer: cms.SignerInfo, digest: str) -> bool:
    """Whether hash and mask generation use the digest's hash too (RFC 4056 3)."""
    parameters = signer["signature_algorithm"]["parameters"]
    mask = parameters["mask_gen_algorithm"]
    used = (parameters["hash_algorithm"]["algorithm"].native, mask["parameters"]["algorithm"].native)
    return used == (digest, digest) and mask["algorithm"].native == "mgf1"
