"""Letters too large for memory: made quickly, with any body, and of any size."""

import base64
from pathlib import Path

from province import quick_letter

MB = 1 << 20
_END = b"</edXML:edXMLEnvelope>"


def attached(*files):
    """The parts of a message that carry these files (name, text of their base64 as bytes)."""
    return b"".join(
        b"<Attachment><ContentId>cid:%d</ContentId><AttachmentName>%s</AttachmentName>"
        b"<ContentType>application/octet-stream</ContentType>"
        b"<edXML:ContentTransferEncoded xmlns:edXML='http://www.mic.gov.vn/TBT/QCVN_102_2016'>"
        b"%s</edXML:ContentTransferEncoded></Attachment>" % (number, name.encode(), encoded)
        for number, (name, encoded) in enumerate(files)
    )


def letter(number, *files, encoded=base64.b64encode, **more):
    """A letter with these files (name, bytes)."""
    return with_encoded(quick_letter(number, **more), *((name, encoded(data)) for name, data in files))


def with_encoded(raw, *files):
    """The letter with these files, whose base64 is given."""
    lines = b"".join(
        b"<edXML:Reference><edXML:ContentId>cid:%d</edXML:ContentId><edXML:AttachmentName>%s</edXML:AttachmentName>"
        b"<edXML:ContentType>application/octet-stream</edXML:ContentType></edXML:Reference>"
        % (at, name.encode())
        for at, (name, _) in enumerate(files)
    )
    body = b"<edXML:edXMLBody><edXML:edXMLManifest>" + lines + b"</edXML:edXMLManifest></edXML:edXMLBody>"
    parts = body + _END + b"<AttachmentEncoded>" + attached(*files) + b"</AttachmentEncoded>"
    return raw.replace(_END, parts, 1)


def put(folder: Path, raw: bytes) -> Path:
    """The letter in a file."""
    path = folder / "body"
    path.write_bytes(raw)
    return path
