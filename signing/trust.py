"""What a deployment trusts (kho tin cậy): authorities for signers, authorities for timestamps, revocation data.

Nothing is trusted without configuration: an empty `Trust` never lets a signature pass. The stores are separate: an
authority for signers vouches for no timestamp and the other way round. Revocation lists and OCSP responses are no
store of trust: each counts only where the issuer of the certificate in question signed it or let it be signed.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from signing import crl, keys, ocsp, policies

_CRL_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_T = TypeVar("_T")
_DER = serialization.Encoding.DER
_UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm)


@dataclass(frozen=True, kw_only=True, eq=False)
class Authorities:
    """Certification authorities (tổ chức chứng thực) that are trusted for one purpose: roots and those below them.

    `demand` is what certificates' policies must be; usually nothing is demanded.
    """

    anchors: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    demand: policies.Demand = policies.NOTHING


@dataclass(frozen=True, kw_only=True, eq=False)
class Trust(Authorities):
    """The authorities of signers, and beside them all else (kho tin cậy); `sha256` names this very set in records.

    `remembered` is `signing.judge`'s: judgements by this set, which end with it.
    """

    timestamping: Authorities = field(default_factory=Authorities)
    revocation: crl.Lists = field(default_factory=crl.Lists)
    responses: ocsp.Responses = field(default_factory=ocsp.Responses)
    sha256: bytes = hashlib.sha256(b"").digest()
    remembered: dict[tuple[object, ...], Any] = field(default_factory=dict, init=False, repr=False)


class Material(NamedTuple):
    """A trust set as bytes that can travel to another process, each kind apart."""

    certificates: tuple[bytes, ...]
    lists: tuple[bytes, ...]
    timestamping: tuple[bytes, ...]
    responses: tuple[bytes, ...]
    demand: policies.Demand = policies.NOTHING


def load(
    trust_files: Iterable[bytes],
    crl_files: Iterable[bytes],
    *,
    timestamp_files: Iterable[bytes] = (),
    ocsp_files: Iterable[bytes] = (),
    demand: policies.Demand = policies.NOTHING,
) -> Trust:
    """Trust from PEM (several in a file) or DER files: self-signed authorities are roots, others intermediates.

    `timestamp_files` are the authorities of timestamps; `ocsp_files` hold one OCSP response each, in DER; `demand` is
    what the policies of signers' certificates must be.
    Raises ValueError that says which file of its kind, counted from 0, and what is wrong with it.
    """
    signers = tuple(dict.fromkeys(_each(trust_files, "certificate", _certificates)))
    stampers = tuple(dict.fromkeys(_each(timestamp_files, "timestamp certificate", _certificates)))
    lists = tuple(_each(crl_files, "revocation list", _lists))
    responses = tuple(_each(ocsp_files, "OCSP response", lambda raw: [ocsp.read(raw)]))
    signing, timestamping = _told_apart(signers), _told_apart(stampers)
    return Trust(
        anchors=signing.anchors,
        intermediates=signing.intermediates,
        demand=demand,
        timestamping=timestamping,
        revocation=crl.collect(lists),
        responses=ocsp.collect(responses),
        sha256=_digest({"": signers, "timestamp": stampers}, lists, responses, demand),
    )


def documents(trust: Trust) -> Mapping[str, tuple[str, bytes]]:
    """Everything in the set, for keeping as evidence: hex SHA-256 -> (`certificate`, `crl` or `ocsp`, DER bytes)."""
    certificates = {
        keys.fingerprint(certificate).hex(): ("certificate", certificate.public_bytes(_DER))
        for certificate in (*_all(trust), *_all(trust.timestamping))
    }
    lists = {one.sha256: ("crl", one.der) for one in trust.revocation.all}
    responses = {one.sha256: ("ocsp", one.der) for one in trust.responses.all}
    return certificates | lists | responses


def material(trust: Trust) -> Material:
    """The set as bytes; `of` makes the same set of them, with the same digest."""
    return Material(
        certificates=tuple(certificate.public_bytes(_DER) for certificate in _all(trust)),
        lists=tuple(one.der for one in trust.revocation.all),
        timestamping=tuple(certificate.public_bytes(_DER) for certificate in _all(trust.timestamping)),
        responses=tuple(one.der for one in trust.responses.all),
        demand=trust.demand,
    )


def of(material: Material) -> Trust:
    """The trust set that was made into `material`."""
    return load(
        material.certificates,
        material.lists,
        timestamp_files=material.timestamping,
        ocsp_files=material.responses,
        demand=material.demand,
    )


def _all(authorities: Authorities) -> tuple[x509.Certificate, ...]:
    return (*authorities.anchors, *authorities.intermediates)


def _told_apart(certificates: Iterable[x509.Certificate]) -> Authorities:
    own = {certificate: _self_signed(certificate) for certificate in certificates}
    return Authorities(
        anchors=tuple(certificate for certificate, signed in own.items() if signed),
        intermediates=tuple(certificate for certificate, signed in own.items() if not signed),
    )


def _each(files: Iterable[bytes], what: str, parse: Callable[[bytes], Iterable[_T]]) -> Iterator[_T]:
    for position, raw in enumerate(files):
        try:
            yield from parse(raw)
        except _UNREADABLE as problem:
            raise ValueError(f"{what} file {position}: {problem}") from problem


def _certificates(raw: bytes) -> list[x509.Certificate]:
    certificates = (
        x509.load_pem_x509_certificates(raw)
        if b"-----BEGIN" in raw
        else [x509.load_der_x509_certificate(raw)]
    )
    for certificate in certificates:
        certificate.public_key()
        if not _is_authority(certificate):
            raise ValueError(f"not an authority's certificate: {certificate.subject.rfc4514_string()}")
    return certificates


def _lists(raw: bytes) -> list[crl.List]:
    if b"-----BEGIN" not in raw:
        return [crl.read(raw)]
    blocks = _CRL_BLOCK.findall(raw)
    if not blocks:
        raise ValueError("no revocation list inside")
    return [crl.read(x509.load_pem_x509_crl(block).public_bytes(_DER)) for block in blocks]


def _is_authority(certificate: x509.Certificate) -> bool:
    values = [extension.value for extension in certificate.extensions]
    return any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)


def _self_signed(certificate: x509.Certificate) -> bool:
    if certificate.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _digest(
    certificates: Mapping[str, Iterable[x509.Certificate]],
    lists: Iterable[crl.List],
    responses: Iterable[ocsp.Response],
    demand: policies.Demand,
) -> bytes:
    """One digest over all members, whatever their order; each store's certificates are told from the others'."""
    members = {
        store.encode() + keys.fingerprint(certificate)
        for store, held in certificates.items()
        for certificate in held
    }
    members |= {bytes.fromhex(one.sha256) for one in lists}
    members |= {bytes.fromhex(one.sha256) for one in responses}
    if demand != policies.NOTHING:
        members.add(policies.named(demand))
    return hashlib.sha256(b"".join(sorted(members))).digest()
