"""Files of fetched letters: hostile names, crashes, other files in the way, two runs at once."""

import hashlib
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.links import keep

ID = "01900000-0000-7000-8000-000000000001"
RAW = b"<edXML/>"


def item(raw=RAW, **changes):
    return {
        "id": ID,
        "number": "12",
        "notation": "UBND-VP",
        "sha256": hashlib.sha256(raw).hexdigest(),
    } | changes


def store(folder, one, raw=RAW):
    with keep.part(folder, one) as file:
        file.seek(0)
        file.truncate()
        file.write(raw)
        return keep.finish(folder, one, file)


@pytest.mark.parametrize(
    "number, notation, stem",
    [
        ("12", "UBND-VP", "12-UBND-VP_"),
        ("12", "QĐ-UBND", "12-QĐ-UBND_"),
        ("12", "Q\u0110-Ho\u0300a", "12-QĐ-Hòa_"),
        ("", "", ""),
        (None, None, ""),
        ("../../etc", "passwd", "etc-passwd_"),
        ("..", "..", ""),
        ("/", "\\", ""),
        ("C:\\Windows", "x", "C-Windows-x_"),
        ("CON", "", "CON_"),
        ("a\x00b", "\x1b[2J", "a-b-2J_"),
        ("12\u202ecod", "exe.", "12-cod-exe_"),
        ("１２", "／", ""),
        ("-rf", "~", "rf_"),
        ("$(reboot)", "`x`", "reboot-x_"),
        ("١٢", "שלום", ""),
        (12, {"a": 1}, "12-a-1_"),
        ("\ud800", "a\n", "a_"),
    ],
)
def test_names(number, notation, stem):
    assert keep.name(item(number=number, notation=notation)) == f"{stem}{ID}.edxml"


@given(st.text(), st.text())
def test_no_name_leaves_the_folder_or_hides(number, notation):
    name = keep.name(item(number=number, notation=notation))
    assert os.path.basename(name) == name  # noqa: PTH119 - the rule itself
    assert len(name.encode()) < 200
    assert name.isprintable()
    assert name[0] not in ".-_"
    assert name.endswith(f"{ID}.edxml")


@given(st.text(max_size=40))
def test_what_is_no_id_has_no_name(text):
    with pytest.raises(ValueError):  # noqa: PT011 - UUID's words
        keep.name(item(id=text))


def test_a_letter_is_kept_whole_under_its_name(tmp_path):
    place = store(tmp_path, item())
    assert place == tmp_path / f"12-UBND-VP_{ID}.edxml"
    assert place.read_bytes() == RAW
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert keep.kept(tmp_path, item()) == place
    assert keep.kept(tmp_path, item(b"other")) is None


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling", "unreadable"])
def test_what_is_in_the_way_stays(tmp_path, kind):
    place = tmp_path / keep.name(item())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    if kind in {"file", "unreadable"}:
        place.write_bytes(b"precious")
        place.chmod(0o000 if kind == "unreadable" else 0o644)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(elsewhere if kind == "link" else tmp_path / "nowhere")
    before = stat.S_IFMT(place.lstat().st_mode)
    other = store(tmp_path, item())
    assert other.name == f"12-UBND-VP_{ID}.2.edxml"
    assert (other.read_bytes(), elsewhere.read_bytes()) == (RAW, b"precious")
    assert stat.S_IFMT(place.lstat().st_mode) == before
    if kind == "file":
        assert place.read_bytes() == b"precious"
        assert keep.kept(tmp_path, item()) == other


def test_a_part_that_is_a_link_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f".{ID}.part").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"), keep.part(tmp_path, item()):
        pass
    assert victim.read_bytes() == b"precious"


def test_a_part_is_gone_on_with(tmp_path):
    with keep.part(tmp_path, item()) as file:
        file.write(RAW[:3])
    with keep.part(tmp_path, item()) as file:
        assert file.read() == RAW[:3]


def test_two_runs_do_not_write_one_part(tmp_path):
    with keep.part(tmp_path, item()) as file:
        with pytest.raises(keep.BusyError), keep.part(tmp_path, item()):
            pass
        file.write(RAW)
        keep.finish(tmp_path, item(), file)


def test_a_part_that_got_its_name_between_opening_and_locking_is_left_alone(tmp_path, monkeypatch):
    """The other run ends in between: what we opened is now the letter itself, and must not be written to."""
    with keep.part(tmp_path, item()) as file:
        file.write(RAW)
        flock = keep.fcntl.flock

        def late(opened, how):
            keep.finish(tmp_path, item(), file)
            file.close()
            flock(opened, how)

        monkeypatch.setattr(keep.fcntl, "flock", late)
        with pytest.raises(keep.BusyError), keep.part(tmp_path, item()) as other:
            other.truncate(0)
    assert (tmp_path / keep.name(item())).read_bytes() == RAW


def test_a_crash_between_name_and_end_leaves_the_letter(tmp_path):
    """The part is still another name of the letter then; the next run must not empty it."""
    place = store(tmp_path, item())
    os.link(place, tmp_path / f".{ID}.part")
    assert keep.kept(tmp_path, item()) == place
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert place.read_bytes() == RAW


def test_a_small_file_is_written_over_nothing_else(tmp_path):
    path = tmp_path / "receipt.json"
    keep.write(path, b"one")
    keep.write(path, b"one")
    with pytest.raises(FileExistsError):
        keep.write(path, b"two")
    assert path.read_bytes() == b"one"
    assert [one.name for one in tmp_path.iterdir()] == ["receipt.json"]
    with pytest.raises(OSError, match="No such file"):
        keep.write(tmp_path / "no" / "receipt.json", b"one")
