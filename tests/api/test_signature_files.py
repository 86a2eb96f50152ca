"""A letter whose seal stands in a file of its own, through the real server: taken, judged and classed like a sealed PDF."""

from dataclasses import replace
from datetime import UTC, datetime

from province import quick_letter

from exchange.edxml import attachments, read, write
from signing import p7_write, pdf_write


async def test_a_seal_beside_the_main_document_counts_and_a_wrong_one_refuses(shared_server, province):
    at, seal = datetime.now(UTC), province.ours.seals["H13.01"]
    person = next(one for (agency, _), one in province.ours.persons.items() if agency == "H13.01")
    signed = pdf_write.sign(pdf_write.blank(["x"]), person.key, person.certificate, at=at, field="A")
    signer = p7_write.Signer(key=seal.key, certificate=seal.certificate)

    def letter(number, content):
        beside = p7_write.sign(content, [signer], at=at)
        files = (("main.pdf", signed), ("main.pdf.p7s", beside))
        encoded = tuple(attachments.encode(name, raw, "application/octet-stream") for name, raw in files)
        return write.write(replace(read.read(quick_letter(number)).message, attachments=encoded))

    async with shared_server.client("H13.01") as client:
        good = await client.send(letter(9001, signed))
        assert (good.status, good.body["requirement"], good.body["class_if_electronic"]) == (201, "met", "E")
        told = (await client.about(good.body["receipt"]["letter"], "verdicts")).body["signatures"]
        assert [(one["where"], one["format"], one["signer"]["kind"], one["main"]) for one in told] == [
            ("main.pdf", "pades", "individual", True),
            ("main.pdf", "cades", "organisation", True),
        ]
        assert [one["carrier"] for one in told] == [None, "main.pdf.p7s"]
        bad = await client.send(letter(9002, b"another file"))
        assert (bad.status, bad.body["code"]) == (422, "signature_broken")
