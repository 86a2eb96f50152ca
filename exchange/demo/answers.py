"""What recipients say of some letters, and that the senders' systems hear it: notices, there and back.

say    each line of `SAID` through the JSON shortcut, by the recipient's system
hear   every sender's system takes the notices open for it, compares each byte for byte, acknowledges
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.demo import agencies
from exchange.demo.summary import Received, Sent, accepted
from exchange.links import sdk

PAGE = 200


@dataclass(frozen=True, kw_only=True)
class Said:
    """One notice: about the letter of that number, by its recipient at that position."""

    number: int
    position: int
    code: str
    reason: str = ""


SAID = (
    *(Said(number=101, position=0, code=code) for code in ("01", "03", "04", "05", "06")),
    Said(number=101, position=1, code="03"),
    *(Said(number=105, position=0, code=code) for code in ("03", "06")),
    Said(number=119, position=0, code="02", reason="Không thuộc thẩm quyền, đề nghị gửi đúng nơi nhận"),
)
"""One recipient goes through all of it, one registers, one skips what lies between, one refuses."""


async def exchanged(clients: Mapping[str, sdk.Client], sent: Iterable[Sent], received: Received) -> int:
    """Say everything, and let the senders take it; how many notices they took as they were receipted."""
    letters = {one.draft.number: one.answer.body["receipt"] for one in accepted(sent)}
    kinds = {entry.code: entry.kind for entry in agencies.agencies()}
    digests: dict[str, str] = {}
    for said in SAID:
        receipt = letters[said.number]
        recipient = receipt["recipients"][said.position]
        delivery = received.deliveries[(receipt["letter"], recipient)]
        answer = await clients[kinds[recipient]].status(delivery, said.code, reason=said.reason)
        if not answer.problem:
            digests[answer.body["receipt"]["letter"]] = answer.body["receipt"]["sha256"]
    return sum([await _heard(client, digests) for client in dict.fromkeys(clients.values())])


async def _heard(client: sdk.Client, digests: Mapping[str, str]) -> int:
    taken = []
    async for item in client.pending(limit=PAGE):
        raw = (await client.body(item["letter"])).raw
        if hashlib.sha256(raw).hexdigest() == digests.get(item["letter"]):
            taken.append(item["id"])
    return len((await client.ack(taken)).body["acknowledged"])
