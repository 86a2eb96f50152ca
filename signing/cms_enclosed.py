# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""What came along in a CMS signature to judge its certificate by: revocation lists, OCSP responses, certificates.

    SignedData.crls                        lists, and OCSP responses as another format (RFC 5652 10.2.1, RFC 5940)
    revocation-values, certificate-values  unsigned attributes (CAdES-X-L, ETSI TS 101 733 6.3)
    adbe-revocationInfoArchival            a signed attribute (ISO 32000-2 12.8.3.3.2)

None of it is believed for standing here; what cannot be read is passed over.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from asn1crypto import cms, core, crl, ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from signing import cms_data, revocation

_REVOCATION_VALUES, _CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.24", "1.2.840.113549.1.9.16.2.23"
_BAD = (ValueError, TypeError, KeyError, AttributeError)


class _Lists(core.SequenceOf):
    _child_spec = crl.CertificateList


class _Responses(core.SequenceOf):
    _child_spec = ocsp.BasicOCSPResponse


class _Certificates(core.SequenceOf):
    _child_spec = asn1_x509.Certificate


class _RevocationValues(core.Sequence):
    _fields = [  # noqa: RUF012 - as asn1crypto declares it
        ("crls", _Lists, {"explicit": 0, "optional": True}),
        ("responses", _Responses, {"explicit": 1, "optional": True}),
        ("other", core.Any, {"explicit": 2, "optional": True}),
    ]


def enclosed(
    data: cms.SignedData, signer: cms.SignerInfo, signed: Mapping[str, list[Any]]
) -> revocation.Enclosed:
    """Lists and responses in DER; `signed` are the signed attributes' values by name."""
    lists: list[bytes] = []
    responses: list[bytes] = []
    for gather in (_beside, _archived, _among_unsigned):
        with suppress(*_BAD):
            for is_list, raw in islice(gather(data, signer, signed), revocation.MOST_ENCLOSED):
                (lists if is_list else responses).append(raw)
    return revocation.Enclosed(crls=tuple(lists), responses=tuple(responses))


def certificates(signer: cms.SignerInfo) -> tuple[x509.Certificate, ...]:
    """Certificates among the unsigned attributes."""
    found: list[x509.Certificate] = []
    with suppress(*_BAD):
        for value in _unsigned(signer, _CERTIFICATE_VALUES):
            bag = _Certificates.load(value.dump())
            found.extend(cms_data.readable(islice(bag, cms_data.MOST_CERTIFICATES)))
    return tuple(found[: cms_data.MOST_CERTIFICATES])


_Found = Iterator[tuple[bool, bytes]]
_Gather = Callable[[cms.SignedData, cms.SignerInfo, Mapping[str, list[Any]]], _Found]


def _beside(data: cms.SignedData, _signer: cms.SignerInfo, _signed: Mapping[str, list[Any]]) -> _Found:
    for choice in () if data["crls"] is core.VOID else data["crls"]:
        if choice.name == "crl":
            yield True, choice.chosen.dump()
        elif choice.chosen["other_rev_info_format"].native == "ocsp_response":
            yield False, choice.chosen["other_rev_info"].dump()


def _archived(_data: cms.SignedData, _signer: cms.SignerInfo, signed: Mapping[str, list[Any]]) -> _Found:
    for archive in signed.get("adobe_revocation_info_archival", ()):
        for name, is_list in (("crl", True), ("ocsp", False)):
            for one in () if archive[name] is core.VOID else archive[name]:
                yield is_list, one.dump()


def _among_unsigned(
    _data: cms.SignedData, signer: cms.SignerInfo, _signed: Mapping[str, list[Any]]
) -> _Found:
    for value in _unsigned(signer, _REVOCATION_VALUES):
        held = _RevocationValues.load(value.dump())
        for one in () if held["crls"] is core.VOID else held["crls"]:
            yield True, one.dump()
        for one in () if held["responses"] is core.VOID else held["responses"]:
            yield False, _whole(one).dump()


def _whole(basic: ocsp.BasicOCSPResponse) -> ocsp.OCSPResponse:
    """A basic response in the frame that a server would send it in (RFC 6960 4.2.1)."""
    body = {"response_type": "basic_ocsp_response", "response": basic}
    return ocsp.OCSPResponse({"response_status": "successful", "response_bytes": body})


def _unsigned(signer: cms.SignerInfo, name: str) -> Iterator[Any]:
    for attribute in cms_data.unsigned(signer, name):
        yield from attribute["values"]
