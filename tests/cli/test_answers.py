"""What every command shares: the trust set that they all go by is the exchange's own."""

from datetime import UTC, datetime

from exchange import config
from exchange.cli import given_files
from signing import keys

AT = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


def test_commands_trust_what_the_exchange_trusts(tmp_path):
    """Not only signers' roots and lists: reports would tell of other revocations than the exchange acts on."""
    root = keys.root("Gốc", key=keys.new_key("p256"), at=AT)
    der = keys.Holder(certificate=root.certificate, key=root.key).der
    folders = {
        name: tmp_path / name for name in ("CONGVAN_TRUST_DIR", "CONGVAN_TSA_TRUST_DIR", "CONGVAN_CRL_DIR")
    }
    for folder in folders.values():
        folder.mkdir()
    folders["CONGVAN_TSA_TRUST_DIR"].joinpath("root.der").write_bytes(der)
    given = config.read(
        {"CONGVAN_DATA": str(tmp_path / "data"), **{name: str(one) for name, one in folders.items()}}
    )
    trusted = given_files.trust_set(given)
    assert [one.subject for one in trusted.timestamping.anchors] == [root.certificate.subject]
    assert trusted.anchors == ()
