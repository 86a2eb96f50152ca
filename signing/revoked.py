"""What became of a certificate in itself (thu hồi), for inventories: no letter and no moment is judged.

Whether a signature holds is `judge.certificate`'s to say; here somebody only asks since when it is called revoked.
"""

from datetime import datetime

from cryptography import x509
from cryptography.x509 import ocsp

from signing import certificate_facts, path, revocation
from signing.moment import Moment
from signing.trust import Trust


def since(der: bytes, trust: Trust) -> datetime | None:
    """Since when the lists and answers at hand call a certificate (DER) revoked; None: none that may speak of it does.

    It must have, or have had, a path to a root of signers. Raises ValueError for bytes that are no certificate.
    """
    signer = certificate_facts.read(x509.load_der_x509_certificate(der))
    if signer is None:
        return None
    for day in (signer.valid_to, signer.valid_from):
        chain = path.search(signer, (), trust, Moment(day), purpose="signer")
        if not isinstance(chain, path.Failure):
            sources = revocation.Sources(
                lists=(trust.revocation,), answers=(trust.responses,), authorities=trust, others=()
            )
            return revocation.since(chain, sources)
    return None


def made(kind: str, der: bytes) -> datetime | None:
    """When evidence of revocation was made: thisUpdate of a `crl` or `ocsp` response; None for anything else."""
    try:
        if kind == "crl":
            return x509.load_der_x509_crl(der).last_update_utc
        return ocsp.load_der_ocsp_response(der).this_update_utc if kind == "ocsp" else None
    except ValueError:
        return None
