"""Is this the receipt of what we sent? Digest and size, and with the exchange's public key its signature too.

Source: contract.md, "Receipt statement": the signature covers the exact bytes of the `receipt` member, after a context.
"""

import base64
import hashlib
import json

from signing import keys, seal

CONTEXT = b"congvan-receipt-v1\n"
_OPENING = '{"receipt":'


def fault(raw: bytes, sent: bytes, key: keys.StatementPublicKey | None = None) -> str:
    """Why a statement proves nothing about the bytes sent, as a code; empty if all is well.

    `not_a_receipt` · `other_bytes` (digest or size are not those sent) · `other_key` · `bad_signature`
    """
    member = _member(raw)
    if member is None:
        return "not_a_receipt"
    receipt, signature = json.loads(member), json.loads(raw).get("signature")
    if (receipt.get("sha256"), receipt.get("size")) != (hashlib.sha256(sent).hexdigest(), len(sent)):
        return "other_bytes"
    if key is None:
        return ""
    if not isinstance(signature, dict) or signature.get("key_id") != keys.public_key_id(key):
        return "other_key"
    return "" if _signed(member, str(signature.get("value")), key) else "bad_signature"


def _member(raw: bytes) -> str | None:
    """The text of the receipt member, which is what was signed; None if a reader of JSON would find another one."""
    try:
        text = raw.decode()
        whole, (receipt, end) = json.loads(text), json.JSONDecoder().raw_decode(text, len(_OPENING))
    except (ValueError, RecursionError):
        return None
    sound = text.startswith(_OPENING) and isinstance(whole, dict) and isinstance(receipt, dict)
    return text[len(_OPENING) : end] if sound and whole["receipt"] == receipt else None


def _signed(member: str, value: str, key: keys.StatementPublicKey) -> bool:
    try:
        signature = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return seal.check_statement(member.encode(), signature, key, context=CONTEXT)
