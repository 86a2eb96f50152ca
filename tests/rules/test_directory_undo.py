from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import directory_images, directory_undo
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_history import Held, Statement
from exchange.rules.directory_images import Beside
from exchange.rules.directory_plan import State
from exchange.rules.directory_systems import ActsEntry, SystemEntry
from exchange.rules.directory_undo import Obstacle, Version

SINCE = date(2019, 1, 1)
SYSTEM = str(UUID(int=1))


def agency(code="H13", **facts):
    return AgencyEntry(**{"code": code, "name": code, "kind": "x", "level": 2, "valid_from": SINCE, **facts})


def officer(agency_code="H13", code="01", **facts):
    return OfficerEntry(
        **{"agency": agency_code, "code": code, "name": "Lê An", "valid_from": SINCE, **facts}
    )


def certificate(agency_code="H13", **facts):
    fixed = {
        "agency": agency_code,
        "kind": "individual",
        "certificate": "ab" * 32,
        "valid_from": SINCE,
        "basis": "QĐ",
    }
    return CertificateEntry(**{**fixed, "officer": "01", **facts})


def images(*entries, codes=(), statements=()):
    """Images of a directory that holds these entries; every agency has its own code, and those of `codes`."""
    by_kind = {
        kind: [one for one in entries if isinstance(one, made)]
        for kind, made in directory_images.KINDS.items()
    }
    held = {
        one.code: (
            Held(code=one.code, agency=one.code, valid_from=one.valid_from),
            *(code for code in codes if code.agency == one.code),
        )
        for one in by_kind["agency"]
    }
    stated = {
        one.code: tuple(said for said in statements if said.agency == one.code) for one in by_kind["agency"]
    }
    keyed = {kind: {one.key: one for one in ones} for kind, ones in by_kind.items()}
    state = State(
        agencies=keyed["agency"], officers=keyed["officer"], certificates=keyed["certificate"],
        systems=keyed["system"], acts=keyed["acts_for"], codes=held, statements=stated,
    )  # fmt: skip
    ids = {kind: {key: f"{kind} {key}" for key in keyed[kind]} for kind in ("agency", "officer")}
    return directory_images.of(state, Beside(agencies=ids["agency"], officers=ids["officer"]))


def undo(before, after, now=None):
    """Take back the version that led from `before` to `after`, while the directory stands as `now`."""
    made = directory_undo.plan(
        after if now is None else now, list(directory_images.differences(before, after))
    )
    for each in made.obstacles:
        words = {"kind": each.kind, "key": str(each.key), "about": each.about}
        assert all(
            texts.say(f"directory.obstacle_{each.why}", language, **words) for language in ("vi", "en")
        )
    return made


def applied(now, changes):
    then = {**now, **{each.name: each.after for each in changes}}
    return {name: held for name, held in then.items() if held is not None}


ENTRIES = [
    agency(), agency("H13.01", parent="H13"), agency("H13.02", name="Sở"), officer(), officer(code="02"),
    officer("H13.01"), certificate(), certificate("H13.01", kind="organisation", officer=""),
    SystemEntry(id=SYSTEM, name="i-Office", owner="H13"), ActsEntry(system=SYSTEM, agency="H13", valid_from=SINCE),
    ActsEntry(system=SYSTEM, agency="H13.01", valid_from=SINCE),
]  # fmt: skip
CHANGED = {
    agency().key: agency(name="Ủy ban mới", valid_to=date(2027, 1, 1)),
    officer().key: officer(position="Giám đốc"),
}


@st.composite
def directories(draw):
    """A directory that contradicts itself nowhere: some of the entries, some of them changed."""
    chosen = draw(st.lists(st.sampled_from(ENTRIES), unique_by=lambda one: (type(one), one.key)))
    while True:
        there = {(type(one), one.key) for one in chosen}
        kept = [one for one in chosen if all(each in there for each in needs(one))]
        if len(kept) == len(chosen):
            break
        chosen = kept
    changed = draw(st.booleans())
    return images(
        *(
            CHANGED.get(one.key, one) if changed and type(one) is type(CHANGED.get(one.key)) else one
            for one in chosen
        )
    )


def needs(one):
    codes = [code for name in ("agency", "parent", "owner") if (code := getattr(one, name, ""))]
    wanted = [(AgencyEntry, (code,)) for code in codes]
    if isinstance(one, CertificateEntry) and one.officer:
        wanted.append((OfficerEntry, (one.agency, one.officer)))
    if isinstance(one, ActsEntry):
        wanted.append((SystemEntry, (one.system,)))
    return wanted


@given(directories(), directories())
def test_what_is_taken_back_is_as_it_was(before, after):
    made = undo(before, after)
    assert made.obstacles == ()
    assert applied(after, made.changes) == before


@given(directories(), directories(), directories())
def test_whatever_came_between_is_never_overruled_and_never_left_in_contradiction(before, after, now):
    made = undo(before, after, now)
    if made.obstacles:
        return
    then = applied(now, made.changes)
    touched = {each.name for each in directory_images.differences(before, after)}
    assert {name: held for name, held in then.items() if name not in touched} == {
        name: held for name, held in now.items() if name not in touched
    }
    assert all(then.get(name) == before.get(name) for name in touched)
    assert set(directory_undo._contradictions(then)) <= set(directory_undo._contradictions(now))


@given(directories())
def test_an_image_is_the_entry_whole(held):
    for (kind, key), image in held.items():
        entry = directory_images.entry(directory_images.KINDS[kind], image)
        assert entry.key == key
        assert {name: image[name] for name in directory_images.image(entry)} == directory_images.image(entry)


BASE = (agency(), agency("H13.01"))


@pytest.mark.parametrize(
    "before, after, now, expected",
    [
        (
            images(*BASE), images(replace(BASE[0], name="A"), BASE[1]), images(replace(BASE[0], name="B"), BASE[1]),
            [Obstacle("agency", ("H13",), "changed")],
        ),
        (images(BASE[0]), images(*BASE), images(BASE[0]), [Obstacle("agency", ("H13.01",), "changed")]),
        (
            images(BASE[0]), images(*BASE), images(*BASE, officer("H13.01")),
            [Obstacle("officer", ("H13.01", "01"), "needs", "H13.01")],
        ),
        (
            images(BASE[0]), images(*BASE), images(*BASE, agency("H13.01.01", parent="H13.01")),
            [Obstacle("agency", ("H13.01.01",), "needs", "H13.01")],
        ),
        (
            images(BASE[0]), images(BASE[0], officer()), images(BASE[0], officer(), certificate()),
            [Obstacle("certificate", certificate().key, "needs", "H13 01")],
        ),
        (
            images(BASE[0]), images(*BASE),
            images(*BASE, SystemEntry(id=SYSTEM, name="x", owner="H13"), ActsEntry(system=SYSTEM, agency="H13.01", valid_from=SINCE)),
            [Obstacle("acts_for", (SYSTEM, "H13.01", "2019-01-01"), "needs", "H13.01")],
        ),
        (
            images(*BASE, codes=[Held(code="X", agency="H13", valid_from=SINCE)]), images(*BASE),
            images(*BASE, codes=[Held(code="X", agency="H13.01", valid_from=SINCE)]),
            [Obstacle("agency", ("H13",), "code", "X"), Obstacle("agency", ("H13.01",), "code", "X")],
        ),
        (
            images(replace(BASE[0], parent="H13.01"), BASE[1]), images(*BASE), images(BASE[0], replace(BASE[1], parent="H13")),
            [Obstacle("agency", ("H13",), "circle", "H13.01"), Obstacle("agency", ("H13.01",), "circle", "H13")],
        ),
    ],
    ids=["changed since", "gone since", "an officer since", "a child since", "a certificate since", "acted for since", "code taken", "circle"],
)  # fmt: skip
def test_what_stands_in_the_way_is_named(before, after, now, expected):
    made = undo(before, after, now)
    assert list(made.obstacles) == expected


def test_a_contradiction_that_was_there_before_stands_in_nobodys_way():
    lost = officer("H99")
    before, after = images(*BASE, lost), images(replace(BASE[0], name="A"), BASE[1], lost)
    assert undo(before, after).obstacles == ()


def test_codes_and_statements_are_parts_of_their_agency():
    before = images(
        agency(), statements=[Statement(agency="H13", kind="no_paper", valid_from=SINCE, basis="QĐ")]
    )
    (change,) = undo(before, images(agency())).changes
    assert directory_images.statements(change.after)[0].basis == "QĐ"
    assert directory_images.codes(change.after)[0].code == "H13"


def versions(*events):
    """Versions 1, 2, …: the name of an event, or the number of the version that is taken back."""
    return [
        Version(version=number, event="undo", undoes=event)
        if isinstance(event, int)
        else Version(version=number, event=event)
        for number, event in enumerate(events, 1)
    ]


@pytest.mark.parametrize(
    "events, standing, last",
    [
        ([], [], None),
        (["sheets", "workbook"], [1, 2], 2),
        (["sheets", "acts_for", "system_added"], [1, 2, 3], 1),
        (["sheets", "workbook", 2], [1, 3], 1),
        (["sheets", "workbook", 2, 1], [3, 4], None),
        (["sheets", "workbook", 2, 3], [1, 2, 4], 2),
        (["sheets", 1, 2, 3, 4], [1, 3, 5], 1),
    ],
    ids=str,
)
def test_which_versions_are_in_effect(events, standing, last):
    listed = versions(*events)
    assert sorted(directory_undo.in_effect(listed)) == standing
    assert directory_undo.last_import(listed) == last
