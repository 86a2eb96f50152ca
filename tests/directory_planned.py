"""Sheets of the directory laid over what it holds, without a database."""

from datetime import date

from exchange import texts
from exchange.rules import directory_csv, directory_entries, directory_history, directory_plan
from exchange.rules.directory_plan import State

TODAY = date(2019, 7, 1)


def plan(state=None, on=TODAY, **sheets):
    read = {
        kind: directory_csv.read(directory_entries.LAYOUTS[kind], raw.encode())
        for kind, raw in sheets.items()
    }
    assert all(sheet.findings == () for sheet in read.values())
    return directory_plan.plan(state or State(), {kind: sheet.rows for kind, sheet in read.items()}, on)


def after(state, made):
    """The directory once a plan was written, as the store would read it again."""
    codes, statements = {**state.codes, **made.codes}, {**state.statements, **made.statements}
    agencies = {**state.agencies, **{change.after.key: change.after for change in made.agencies}}
    return State(
        agencies={
            key: directory_history.shown(entry, codes.get(entry.code, ()), statements.get(entry.code, ()))
            for key, entry in agencies.items()
        },
        officers={**state.officers, **{change.after.key: change.after for change in made.officers}},
        certificates={
            **state.certificates,
            **{change.after.key: change.after for change in made.certificates},
        },
        codes=codes,
        statements=statements,
    )


def imported(*sheets, state=None, on=TODAY):
    state = state or State()
    for sheet in sheets:
        made = plan(state, on, agency=sheet)
        assert [found for found in made.findings if found.severity == "error"] == []
        state = after(state, made)
    return state


def wrong(made):
    for found in made.findings:
        assert all(texts.say(f"finding.{found.code}", language, **found.facts) for language in ("vi", "en"))
    return [(found.line, found.code, found.path) for found in made.findings]


def held(state, agency="H13.01"):
    return {(code.code, code.valid_from, code.valid_to) for code in state.codes[agency]}


def stated(state, agency="H13.01"):
    return {(said.kind, said.valid_from, said.valid_to, said.basis) for said in state.statements[agency]}
