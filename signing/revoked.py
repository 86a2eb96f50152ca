"""What revocation lists say of a certificate in itself (thu hồi), for inventories: no letter and no moment is judged.

Whether a signature holds is `revocation.check`'s to say; here somebody only asks what became of a certificate.
"""

from datetime import datetime

from cryptography import x509
from cryptography.x509 import ocsp

from signing import revocation
from signing.trust import Trust


def since(der: bytes, trust: Trust) -> datetime | None:
    """Since when the lists at hand call a certificate (DER) revoked; None: none of its trusted issuers' lists does.

    Raises ValueError for bytes that are no certificate.
    """
    certificate = x509.load_der_x509_certificate(der)
    issuers = [one for one in (*trust.intermediates, *trust.anchors) if one.subject == certificate.issuer]
    moments = [revocation.named(certificate, issuer, trust.revocation) for issuer in issuers]
    return min((moment for moment in moments if moment), default=None)


def made(kind: str, der: bytes) -> datetime | None:
    """When evidence of revocation was made: thisUpdate of a `crl` or `ocsp` response; None for anything else."""
    try:
        if kind == "crl":
            return x509.load_der_x509_crl(der).last_update_utc
        return ocsp.load_der_ocsp_response(der).this_update_utc if kind == "ocsp" else None
    except ValueError:
        return None
