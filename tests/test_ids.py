import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122, UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import ids

NOON = datetime(2019, 11, 21, 4, 3, 20, 123_456, tzinfo=UTC)


def at(*moments, noise=b"\xa5"):
    """A maker whose clock reads these moments, the last one for ever."""
    left = list(moments)
    return ids.Ids(lambda: left.pop(0) if len(left) > 1 else left[0], lambda count: noise * count)


def grow(made):
    return all(earlier < later for earlier, later in pairwise(made))


def test_an_id_has_the_version_the_variant_and_the_millisecond():
    made = at(NOON).new()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert ids.time_of(made) == NOON.replace(microsecond=123_000)


def test_the_layout_bit_by_bit():
    milliseconds = 1_574_309_000_123
    fraction = 456 * 4096 // 1000
    noise = int.from_bytes(b"\xa5" * 8, "big") >> 2
    assert at(NOON).new().int == milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | noise


@pytest.mark.parametrize("noise", [b"\x00", b"\xff"])
def test_no_randomness_touches_version_or_variant(noise):
    made = at(NOON, noise=noise).new()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_a_clock_that_stands_still_gives_growing_ids():
    maker = at(NOON)
    made = [maker.new() for _ in range(10_000)]
    assert grow(made)
    assert ids.time_of(made[-1]) > ids.time_of(made[0])  # the fraction ran over into the next milliseconds


@given(st.lists(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)), min_size=2, max_size=50))  # noqa: DTZ001 - hypothesis wants it naive
def test_whatever_the_clock_does_ids_grow(moments):
    maker = at(*moments)
    assert grow([maker.new() for _ in moments])


def test_the_clock_rules_again_once_it_has_caught_up():
    later = NOON + timedelta(milliseconds=5)
    maker = at(NOON, NOON - timedelta(seconds=1), later)
    made = [maker.new() for _ in range(3)]
    assert ids.time_of(made[0]) == ids.time_of(made[1])
    assert ids.time_of(made[2]) == later.replace(microsecond=128_000)


def test_threads_never_get_the_same_id():
    maker, made = at(NOON), []
    threads = [
        threading.Thread(target=lambda: made.extend([maker.new() for _ in range(500)])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({made.int >> 64 for made in made}) == 4000


def test_real_randomness_stands_behind_the_default():
    first, second = ids.Ids(lambda: NOON).new(), ids.Ids(lambda: NOON).new()
    assert first != second
    assert first.int >> 64 == second.int >> 64


def test_only_version_7_carries_a_time():
    with pytest.raises(ValueError, match="no UUIDv7"):
        ids.time_of(uuid4())
    with pytest.raises(ValueError, match="no UUIDv7"):
        ids.time_of(UUID(int=0))


def test_no_two_ids_share_their_random_bits():
    maker = ids.Ids(lambda: NOON)
    assert len({maker.new().int & (1 << 62) - 1 for _ in range(1_000)}) == 1_000
