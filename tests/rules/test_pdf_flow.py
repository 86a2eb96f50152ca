"""The usual flow on real files: person, clerk, organisation; and what the rules make of every way to leave it."""

from dataclasses import replace

import pdf_cases as cases
import pdf_lasting as lasting
import pdf_stamps as stamps
import pytest
from pdf_stamps import NAME, dictionary, numbers
from pyhanko.pdf_utils import generic

from signing import pdf_write

SIGNERS = {"Trần Thị Thử": b"department person", "UBND phường Thử": b"department seal"}


def annotated(page):
    note = dictionary(
        Type=NAME("/Annot"),
        Subtype=NAME("/FreeText"),
        Rect=numbers(100, 715, 260, 735),
        Contents=generic.pdf_string("12/UBND-VP"),
    )
    page.writer.register_annotation(page.reference, page.writer.add_object(note))


def filled_in(page):
    field = dictionary(FT=NAME("/Tx"), T=generic.pdf_string("So"), V=generic.pdf_string("12/UBND-VP"))
    fields = page.writer.root["/AcroForm"]["/Fields"]
    fields.append(page.writer.add_object(field))
    page.writer.update_container(fields)


def drawn(page):
    page.name().put()


def wrapped(page):
    page.name().put((b"q",), (b"Q", stamps.NUMBERED))


WAYS = {"annotation": annotated, "form": filled_in, "drawn": drawn, "drawn around": wrapped}


def said(world, raw, trusted=cases.TRUST):
    """What the rules say about a file: its signers are the department's person and seal."""
    verdicts = [
        replace(verdict, certificate=SIGNERS[verdict.signer_name], where="letter.pdf")
        for verdict in cases.judged(raw, trusted).verdicts
    ]
    judgement = world.judge(world.letter(), *verdicts)
    return judgement.requirement, judgement.reason


@pytest.mark.parametrize("way", WAYS)
def test_person_clerk_organisation(world, way):
    raw = cases.by_organisation(stamps.drawn(cases.by_person(), WAYS[way]), box=(60, 60, 260, 110))
    assert said(world, raw) == ("met", "")


@pytest.mark.parametrize("way", WAYS)
def test_without_a_signature_over_the_whole_it_does_not_pass(world, way):
    stamped_last = stamps.drawn(cases.by_both(), WAYS[way])
    assert said(world, stamped_last) == ("not_met", "coverage")
    assert said(world, stamps.drawn(cases.by_person(), WAYS[way]))[0] == "not_met"


@pytest.mark.parametrize("change", [stamps.replaced, stamps.whited_out])
def test_changed_content_does_not_pass_whoever_signs_it(world, change):
    raw = cases.by_organisation(stamps.drawn(cases.by_person(), change))
    assert said(world, raw) == ("not_met", "changed_after_signing")


def test_a_stamp_and_a_change_in_another_revision_do_not_pass(world):
    raw = stamps.drawn(stamps.drawn(cases.by_person(), drawn), stamps.whited_out)
    assert said(world, cases.by_organisation(raw)) == ("not_met", "changed_after_signing")


def test_our_own_stamp(world):
    raw = cases.by_organisation(pdf_write.stamp(cases.by_person(), "Số: 12/UBND-VP ngày 05/01/2026"))
    assert said(world, raw) == ("met", "")
    assert said(world, raw + b"\n") == ("not_met", "coverage")


@pytest.mark.parametrize("level", ["LT", "LTA"])
def test_material_that_lasts_may_follow_the_organisations_signature(world, level):
    raw = lasting.signed(level)
    assert said(world, raw, lasting.trusted(cases.AT)) == ("met", "")
    assert said(world, stamps.drawn(raw, annotated), lasting.trusted(cases.AT)) == ("not_met", "coverage")
