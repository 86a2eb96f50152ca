"""Signing with a key that stays in a token or HSM (thiết bị lưu khóa bí mật), through PKCS #11 (OASIS, v2.40).

Theory of operation. `opened` logs in to one token; `key` answers a private key that `signing.seal`, `pdf_write` and
`p7_write` use as any other, for it is one by `cryptography`'s interface. It can do one thing, sign: the token signs
inside, and nothing else of the key can be had. What the token answers is checked with the certificate's public key
before anybody gets it, so that a wrong key or a broken token is an error here and not a bad signature elsewhere.

The PIN is handed to the token and kept nowhere.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn, cast

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, Mechanism, ObjectClass
from pkcs11.types import Session, SignMixin

from signing import keys

_RSA = {
    "sha256": (Mechanism.SHA256_RSA_PKCS, Mechanism.SHA256_RSA_PKCS_PSS, Mechanism.SHA256, pkcs11.MGF.SHA256),
    "sha384": (Mechanism.SHA384_RSA_PKCS, Mechanism.SHA384_RSA_PKCS_PSS, Mechanism.SHA384, pkcs11.MGF.SHA384),
    "sha512": (Mechanism.SHA512_RSA_PKCS, Mechanism.SHA512_RSA_PKCS_PSS, Mechanism.SHA512, pkcs11.MGF.SHA512),
}
"""Hash -> how a token signs with RSA: PKCS #1 v1.5, PSS, and the two parts of PSS's parameters."""
_PSS = padding.PSS.name


class _Held(pkcs11.types.PrivateKey, SignMixin):
    """What a session answers for a private key."""


class TokenError(ValueError):
    """The token cannot do what is asked. `code` is that of the sentence `sign.<code>`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@contextmanager
def opened(module: str, label: str, pin: str) -> Iterator[Session]:
    """A session on the token with this label, through the maker's library `module`. Raises TokenError."""
    try:
        library = pkcs11.lib(module)
    except (RuntimeError, OSError) as problem:
        raise TokenError("token_module", module) from problem
    try:
        with library.get_token(token_label=label).open(user_pin=pin) as session:
            yield session
    except (pkcs11.NoSuchToken, pkcs11.TokenNotPresent, pkcs11.MultipleTokensReturned) as problem:
        raise TokenError("token_absent", label) from problem
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLocked, pkcs11.PinLenRange) as problem:
        raise TokenError("token_pin", type(problem).__name__) from problem
    except pkcs11.PKCS11Error as problem:
        raise TokenError("token_failed", type(problem).__name__) from problem


def certificate(session: Session, label: str) -> x509.Certificate:
    """The certificate of the key with this label: the one that has the key's id, else its label. Raises TokenError."""
    found = _private(session, label)
    for wanted in ({Attribute.ID: found.id}, {Attribute.LABEL: label}):
        for one in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **wanted}):
            return x509.load_der_x509_certificate(bytes(one[Attribute.VALUE]))
    raise TokenError("token_no_certificate", label)


def key(session: Session, label: str, certificate: x509.Certificate) -> keys.PrivateKey:
    """The key with this label as one that signs; it must be `certificate`'s. Raises TokenError."""
    held, public = _private(session, label), certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return _RsaKey(held, public)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _EcKey(held, public)
    raise TokenError("token_key", label)


def _private(session: Session, label: str) -> _Held:
    try:
        return cast("_Held", session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=label))
    except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned) as problem:
        raise TokenError("token_key", label) from problem


def _refused(*_arguments: object, **_named: object) -> NoReturn:
    raise TokenError("token_key_stays")


class _RsaKey(rsa.RSAPrivateKey):
    """An RSA key in a token."""

    def __init__(self, held: _Held, public: rsa.RSAPublicKey) -> None:
        self._held = held
        self._public = public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:  # noqa: ANN401 - cryptography's interface
        """As `cryptography` signs; the token hashes and signs."""
        simple, pss, hash_, mask = _RSA[algorithm.name]
        how: dict[str, Any] = {"mechanism": simple}
        if padding.name == _PSS:
            how = {"mechanism": pss, "mechanism_param": (hash_, mask, algorithm.digest_size)}
        value: bytes = self._held.sign(bytes(data), **how)
        _check(partial(self._public.verify, value, data, padding, algorithm))
        return value

    def public_key(self) -> rsa.RSAPublicKey:
        """The certificate's."""
        return self._public

    @property
    def key_size(self) -> int:
        """In bits."""
        return self._public.key_size

    decrypt = private_numbers = private_bytes = __copy__ = __deepcopy__ = _refused


class _EcKey(ec.EllipticCurvePrivateKey):
    """An elliptic-curve key in a token."""

    def __init__(self, held: _Held, public: ec.EllipticCurvePublicKey) -> None:
        self._held = held
        self._public = public

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:  # noqa: ANN401 - cryptography's interface
        """As `cryptography` signs; the token signs the digest, for few can hash for a curve."""
        digest = hashlib.new(signature_algorithm.algorithm.name, data).digest()
        raw: bytes = self._held.sign(digest, mechanism=Mechanism.ECDSA)
        half = len(raw) // 2
        value = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
        _check(partial(self._public.verify, value, data, signature_algorithm))
        return value

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The certificate's."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """As the certificate says."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """In bits."""
        return self._public.key_size

    exchange = private_numbers = private_bytes = __copy__ = __deepcopy__ = _refused


def _check(verify: Callable[[], None]) -> None:
    try:
        verify()
    except InvalidSignature as problem:
        raise TokenError("key_not_of_certificate") from problem
