"""What others' XML signatures should be, and what they are to us: `python tests/xml_interop.py` writes the table anew.

The corpora say `accept` or `refuse`. We say `holds` - digests, value and profile hold, and the certificate is asked
about, at the middle of its own time, with no trust at all - or the code of what is wrong. The table
`xml_interop.csv` has a row for every file: what we say and, when a corpus would accept it, because of what we do not.
"""

import csv
import re
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

import corpora
from cryptography import x509
from lxml import etree

from signing import algorithms, xml_document, xml_structure, xmldsig
from signing.algorithms import DS
from signing.trust import Trust
from signing.verdict import TooComplexError

TABLE = Path(__file__).with_name("xml_interop.csv")
SIGNXML_REFUSES = (
    "bad-", "expired", "invalid_enveloped_transform", "md5", "ripemd160", "signature-x509-crt.xml",
    "signature-x509-crt-crl.xml", "signature-keyname.xml", "signature-x509-sn.xml", "signature-retrievalmethod-rawx509crt.xml",
    "merlin-xmldsig-twenty-three/signature.xml", "wsfederation_metadata.xml", "changed content", "altered", "newlines",
    "unsupported-signature-algorithm", "cert-v2-wrong-digest", "wrong-sign-cert-digest", "sigPolStore-noDigest",
)  # fmt: skip
"""Parts of file names for which signxml's own tests demand an error."""

_CALL = re.compile(r'^\s*execDSigTest (\$res_\w+) \\\n\s*"(.*?)" \\\n\s*"(.*?)"', re.MULTILINE)
_BECAUSE = {
    "forbidden_xml": "a DTD, or another encoding than UTF-8",
    "no_certificate": "a bare key, or a certificate that is not inside",
    "target_missing": "another attribute than Id names the target",
    "covers_nothing": "the content stands inside the signature",
    "foreign_content": "an element of KeyInfo or SignedInfo that is not in the grammar",
    "weak_key": "a key below 2048 bits",
    "too_complex": "more than two transforms",
    "placeholder_signature": "a certificate that cannot be read here (GOST, broken extensions), or base64 that is not canonical",
    "content_in_signature": "an element of the content stands inside the signature",
    "profile_not_known": "an Object holds something else than properties",
    "signature_policy": "a signature policy",
    "key_info_differs": "certificates beside the signer's that are not of its chain",
    "xades_other_certificate": "issuer or number in SigningCertificate are not the certificate's",
    "malformed_signature": "the grammar of XMLDSig or XAdES",
    "nested_signature": "a countersignature",
    "xades_not_signed": "the Type of the reference to the properties, or a description of what is not signed",
    "external_reference": "the content is another file",
}


def signxml_files():
    """Every file of signxml's interop and XAdES sets that has a signature, with what its tests expect."""
    base = corpora.path("signxml") / "test"
    for file in sorted([*(base / "interop").rglob("*.xml"), *(base / "xades").glob("*.xml")]):
        raw, name = file.read_bytes(), str(file.relative_to(base))
        if b"SignatureValue" in raw:
            refused = any(part in name for part in SIGNXML_REFUSES) or b"HMACOutputLength" in raw
            yield f"signxml/{name}", "refuse" if refused else "accept", raw


def xmlsec_files():
    """Every file that xmlsec's script verifies; one that it verifies twice is accepted when it is once."""
    base = corpora.path("xmlsec1") / "tests"
    calls = _CALL.findall((base / "testDSig.sh").read_text(encoding="utf-8"))
    wanted = {}
    for result, folder, name in calls:
        file = base / folder / f"{name}.xml"
        if wanted.get(file) != "accept":
            wanted[file] = "accept" if result == "$res_success" else "refuse"
    for file in sorted(wanted):
        if file.is_file():
            yield f"xmlsec1/{file.relative_to(base)}", wanted[file], file.read_bytes()


def files():
    yield from signxml_files()
    yield from xmlsec_files()


def outcome(raw):
    """What we say of a file: the codes of its signatures, each once, and whether all of them hold."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # strange certificates make their library warn
            report = xmldsig.verify(raw, Trust(), _moment(raw))
    except TooComplexError:
        return "too_complex"
    except xml_document.UnreadableXmlError as problem:
        return problem.code
    assert not any(verdict.passed for verdict in report.verdicts)
    said = ["holds" if verdict.certificate else verdict.why for verdict in report.verdicts]
    return " ".join(dict.fromkeys(said)) or " ".join(remark.code for remark in report.remarks) or "nothing"


def _moment(raw):
    """The middle of the first certificate's time, or any moment."""
    try:
        texts = etree.fromstring(raw, xml_document.parser()).iter(f"{{{DS}}}X509Certificate")
        certificate = x509.load_der_x509_certificate(
            xml_structure.xml_key_info.xml_text.decode("".join(next(texts).text.split()))
        )
    except (etree.XMLSyntaxError, StopIteration, ValueError, TypeError, AttributeError):
        return datetime(2020, 1, 1, tzinfo=UTC)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return start + (end - start) / 2


def because(raw, said):
    """Why we do not accept what a corpus accepts: the algorithms that are not on our lists, or the code in words."""
    if said == "holds":
        return ""
    allowed = {*algorithms.METHODS, *algorithms.DIGESTS, *algorithms.CANONICAL_FORMS, algorithms.ENVELOPED}
    info = raw.split(b"SignatureValue")[0].decode("utf-8", "replace")
    if said.split()[0] in {"algorithm_not_allowed", "transform_not_allowed", "canonical_form_not_allowed"}:
        named = dict.fromkeys(re.findall(r"""Algorithm\s*=\s*["']([^"']*)""", info))
        return " ".join(re.split(r"[/#]", one.rstrip("#"))[-1] for one in named if one not in allowed)
    return _BECAUSE[said.split()[0]]


def rows():
    for name, wanted, raw in files():
        said = outcome(raw)
        yield name, wanted, said, because(raw, said) if wanted == "accept" else ""


def known():
    """The table as it stands: file -> (expected, what we say, because)."""
    with TABLE.open(encoding="utf-8", newline="") as opened:
        return {name: (wanted, said, why) for name, wanted, said, why in csv.reader(opened)}


if __name__ == "__main__":
    with TABLE.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows(rows())
    sys.stdout.write(f"{len(known())} files\n")
