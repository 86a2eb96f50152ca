"""An authority for tests that publishes: certificates that name its addresses, and a real HTTP server at them."""

import contextlib
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID

from signing import keys

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def issued(issuer, name, key, *extensions, serial, authority=False, days=1825, at=BEGIN):
    """A certificate of `issuer` (an `Issuer`), for an authority or a signer, with these extensions."""
    usage = keys._usage(signing=not authority)
    draft = keys._draft(keys._name(name, "Thử"), issuer.certificate.subject, key.public_key(), at, days)
    draft = draft.serial_number(serial).add_extension(
        x509.BasicConstraints(ca=authority, path_length=None), critical=True
    )
    draft = draft.add_extension(usage, critical=True)
    for one in extensions:
        draft = draft.add_extension(one, critical=False)
    return draft.sign(issuer.key, hashes.SHA256())


def lists(*urls):
    names = [x509.UniformResourceIdentifier(one) for one in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def access(*, ocsp=(), issuers=()):
    methods = (
        (AuthorityInformationAccessOID.OCSP, ocsp),
        (AuthorityInformationAccessOID.CA_ISSUERS, issuers),
    )
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
            for method, urls in methods
            for url in urls
        ]
    )


@dataclass
class Site:
    """What an authority's server answers: path -> bytes, or a function of the request; and what it was asked.

    Bytes go out with an ETag, and 304 for whoever knows it. `away`: everything is answered 503.
    """

    files: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    away: bool = False
    url: str = ""

    async def answer(self, request):
        body = await request.read()
        self.requests.append((request.method, request.path, dict(request.headers), body))
        found = self.files.get(request.path)
        if self.away or found is None:
            return web.Response(status=503 if self.away else 404)
        if callable(found):
            return found(request, body)
        tag = f'"{hashlib.sha256(found).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Last-Modified": format_datetime(BEGIN + timedelta(0), usegmt=True)}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=found, headers=headers)

    def asked(self, path):
        """How often a path was asked for."""
        return sum(1 for _, one, _, _ in self.requests if one == path)


@contextlib.asynccontextmanager
async def site(**files):
    """A server on this machine; `crl` as a name is the path `/crl`."""
    found = Site({f"/{name}": body for name, body in files.items()})
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()
