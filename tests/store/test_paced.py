"""Large files reach the disk in pieces."""

import os

import pytest

from exchange.store import paced


@pytest.fixture
def synced(monkeypatch):
    """How large a file was each time the disk was waited for."""
    sizes, sync = [], os.fdatasync

    def seen(descriptor):
        sizes.append(os.fstat(descriptor).st_size)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", seen)
    return sizes


@pytest.mark.parametrize(
    "step", [1_000_000, paced.PIECE, 5 * paced.PIECE + 1], ids=["small", "piece", "whole"]
)
def test_no_more_than_a_piece_waits_for_the_disk(tmp_path, synced, step):
    content = os.urandom(5 * paced.PIECE + 1)
    with (tmp_path / "file").open("wb") as file:
        writing = paced.Paced(file)
        for start in range(0, len(content), step):
            writing.write(content[start : start + step])
        assert synced == [paced.PIECE * n for n in range(1, 6)]
        writing.end()
    assert synced[-1] == len(content)
    assert (tmp_path / "file").read_bytes() == content
