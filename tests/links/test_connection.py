"""Where a key may go: addresses, certificates of authorities and of ourselves."""

import pytest
import tls
from cryptography.hazmat.primitives import serialization

from exchange.links import connection, sdk
from signing import keys

GOOD = [
    ("https://truc.example", "https://truc.example"),
    ("https://truc.example:8470/", "https://truc.example:8470"),
    (" https://10.1.2.3:8470 ", "https://10.1.2.3:8470"),
    ("HTTPS://truc.example", "https://truc.example"),
    ("http://127.0.0.1:8470", "http://127.0.0.1:8470"),
    ("http://127.9.9.9", "http://127.9.9.9"),
    ("http://localhost:8470", "http://localhost:8470"),
    ("http://[::1]:8470", "http://[::1]:8470"),
]
BAD = [
    "", "truc.example", "//truc.example", "ftp://truc.example", "https://", "https://:8470", "file:///etc/passwd",
    "https://truc.example/v1", "https://truc.example/?a=b", "https://truc.example/#a", "https://truc.example:port",
    "https://truc.example:99999", "https://truc.example:0", "https://user:secret@truc.example", "https://user@truc.example",
    "https://[::1", "https://a b", "https://a\nb", "https://a\x00b", "https://\u202eexample",
]  # fmt: skip
FAR = [
    "http://truc.example",
    "http://10.1.2.3",
    "http://0.0.0.0",
    "http://localhost.example",
    "http://[::2]",
    "http://127.0.0.1.example",
]


@pytest.mark.parametrize("given, wanted", GOOD)
def test_good_addresses(given, wanted):
    assert connection.address(given) == wanted


@pytest.mark.parametrize("given", BAD)
def test_bad_addresses(given):
    with pytest.raises(sdk.AddressError) as error:
        connection.address(given, insecure_http=True)
    assert error.value.code == "bad_server"
    assert "secret" not in error.value.what


@pytest.mark.parametrize("given", FAR)
async def test_plain_http_only_to_this_machine(given):
    with pytest.raises(sdk.AddressError) as error:
        async with sdk.connected(given, "cv_a_b"):
            pass
    assert error.value.code == "insecure_http"
    assert connection.address(given, insecure_http=True) == given


def test_files_of_tls(tmp_path):
    key, bad = tmp_path / "key.pem", tmp_path / "bad.pem"
    key.write_bytes(keys.private_pem(keys.new_key()))
    bad.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for authorities in (key, bad, tmp_path, tmp_path / "missing"):
        with pytest.raises(sdk.AddressError) as error:
            connection.tls_context(authorities=authorities)
        assert error.value.code == "bad_authorities"
    for certificate, its_key in ((key, None), (bad, key), (tmp_path / "missing", None)):
        with pytest.raises(sdk.AddressError) as error:
            connection.tls_context(certificate=certificate, key=its_key)
        assert error.value.code == "bad_certificate"


def test_an_encrypted_key_asks_nobody(tmp_path):
    ours = tls.issue(tmp_path, "ours")
    connection.tls_context(certificate=ours.certificate, key=ours.key)
    key = serialization.load_pem_private_key(ours.key.read_bytes(), None)
    form, locked = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ours.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    with pytest.raises(sdk.AddressError):
        connection.tls_context(certificate=ours.certificate, key=ours.key)
