"""PDF files whose signatures last: timestamps, validation material and document timestamps, made by pyHanko and by us."""

import hashlib
import io
from datetime import timedelta
from functools import cache

import pdf_cases as cases
from asn1crypto import keys as asn1_keys
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.timestamps import DummyTimeStamper

from signing import keys, keys_timestamp, pdf_write, trust

DAY = timedelta(days=1)
TSA_ROOT = keys.root("Gốc dấu thời gian thử nghiệm", key=keys.new_key(), at=cases.ISSUED)
TSA_KEY = keys.new_key("rsa2048")  # pyHanko's own knows no other kind


def authority(issuer=TSA_ROOT, serial=7, days=3600):
    """An authority for timestamps."""
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    how = {"at": cases.ISSUED, "serial": serial, "days": days}
    certificate = keys.special(issuer, "Dấu thời gian thử", TSA_KEY.public_key(), [(purpose, True)], **how)
    return keys.Holder(certificate=certificate, key=TSA_KEY)


TSA = authority()
KEY = keys.new_key()
ORGANISATION = keys.certificate(
    cases.AUTHORITY, "UBND phường Thử", KEY.public_key(), at=cases.ISSUED, serial=5, days=400
)
YEARS_LATER = cases.SIGNED_AT + 700 * DAY
"""When the organisation's certificate is over."""


def lists(at, revoked=None):
    """Revocation lists of everybody at one moment."""
    return [*cases.lists(revoked, at=at), keys.revocation_list(TSA_ROOT, {}, at=at)]


def trusted(at, revoked=None):
    """Our trust set, timestamps included, with the revocation lists of a moment."""
    return trust.load(
        cases.TRUSTED, lists(at, revoked), timestamp_files=[TSA_ROOT.certificate.public_bytes(Encoding.DER)]
    )


def context(at, **how):
    """What pyHanko is given at that moment."""
    return cases.ValidationContext(
        **{
            "trust_roots": [cases.asn1(cases.ROOT.certificate), cases.asn1(TSA_ROOT.certificate)],
            "other_certs": [cases.asn1(cases.AUTHORITY.certificate)],
            "crls": lists(at),
            "allow_fetching": False,
            "revocation_mode": "require",
            "moment": at,
            **how,
        }
    )


def stamper(at, holder=TSA):
    """pyHanko's timestamp authority, whose clock stands still."""
    der = holder.key.private_bytes(
        Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return DummyTimeStamper(cases.asn1(holder.certificate), asn1_keys.PrivateKeyInfo.load(der), fixed_dt=at)


@cache
def signed(level, at=cases.SIGNED_AT):
    """A file signed by the organisation at one of the levels B, T, LT, LTA, by pyHanko."""
    how = {
        "B": {},
        "T": {"timestamper": stamper(at)},
        "LT": {"timestamper": stamper(at), "embed_validation_info": True, "validation_context": context(at)},
        "LTA": {
            "timestamper": stamper(at),
            "embed_validation_info": True,
            "validation_context": context(at),
            "use_pades_lta": True,
        },
    }[level]
    return cases.pyhanko_signed(cases.by_person(), "Co quan", KEY, ORGANISATION, **how)


def stamped_again(raw, at=cases.SIGNED_AT + 100 * DAY):
    """`raw` with a document timestamp more, and the material for those before."""
    output = signers.PdfTimeStamper(stamper(at)).update_archival_timestamp_chain(
        PdfFileReader(io.BytesIO(raw)), context(at), in_place=False
    )
    return output.getvalue()


def document_stamp(raw, at=cases.SIGNED_AT, holder=TSA, **how):
    """`raw` with a document timestamp and nothing else."""
    stamping = signers.PdfTimeStamper(stamper(at, holder), field_name=f"Dau thoi gian {at:%d %m %Y}", **how)
    return stamping.timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(raw)), "sha256").getvalue()


def by_us(at=cases.SIGNED_AT, holder=TSA):
    """A file signed by the organisation with a timestamp, by us."""

    def token_of(value):
        return keys_timestamp.token(holder, hashlib.sha256(value).digest(), at=at)

    return pdf_write.sign(cases.by_person(), KEY, ORGANISATION, at=at, field="Co quan", token_of=token_of)
