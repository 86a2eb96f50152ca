"""BC-11, inventory of certificates (danh mục chứng thư), and what was issued in the period, by issuer (cấp trong kỳ, theo nơi cấp)."""

from collections import Counter
from collections.abc import Iterable, Sequence

from exchange.rules import certificate_use, paper_class
from exchange.rules.certificate_use import NEVER, STATES, Held
from exchange.rules.signature_measures import Usage
from exchange.tracker.reports.report import Column, Line, Report, Table, Value, Word
from exchange.tracker.signature_usage import Asked

COLUMNS = (
    Column(name="serial", keeps=True),
    Column(name="subject"),
    Column(name="kind"),
    Column(name="agency"),
    Column(name="position"),
    Column(name="issuer"),
    Column(name="from"),
    Column(name="to"),
    Column(name="days_left", numeric=True),
    Column(name="state"),
    Column(name="revoked"),
    Column(name="purpose"),
    Column(name="last_use"),
    Column(name="uses", numeric=True),
)
ISSUED = (
    Column(name="issuer", keeps=True),
    Column(name="organisation", numeric=True),
    Column(name="individual", numeric=True),
    Column(name="all", numeric=True),
)
ALWAYS = ("valid", "revoked", "expired")
"""States that the check line always names; the others only where there are any."""


def report(usage: Usage, asked: Asked, scope: Sequence[str]) -> Report:
    """One row a certificate that the agencies hold, own or shared, issued by the end of the period."""
    mine = [one for one in usage.certificates if one.issued <= usage.on]
    return Report(
        code="BC-11",
        asked=asked,
        scope=scope,
        table=Table(name="BC-11", columns=COLUMNS, rows=[_row(usage, one) for one in mine]),
        annex=_issued(usage, mine),
        lines=(balance(usage, mine),),
    )


def balance(usage: Usage, held: Iterable[Held]) -> Line:
    """The check line: issued = valid + revoked + expired (+ what the directory alone keeps out of use)."""
    counts = states(usage, held)
    shown = [state for state in STATES if counts[state] or state in ALWAYS]
    return Line(
        key="balance", facts={"issued": sum(counts.values()), **{state: counts[state] for state in shown}}
    )


def states(usage: Usage, held: Iterable[Held]) -> Counter[str]:
    """How many certificates are in each state."""
    return Counter(certificate_use.state(one, usage.at, usage.on) for one in held)


def _row(usage: Usage, one: Held) -> list[Value]:
    use = usage.uses.get(one.sha256, NEVER)
    state = certificate_use.state(one, usage.at, usage.on)
    revoked = one.own.revoked if one.own and state == "revoked" else None
    last = one.last if state != "revoked" else None
    return [
        one.own.serial if one.own else None,
        one.latest.officer_name or one.subject,
        Word(f"certificate_kind.{one.kind}"),
        "; ".join(usage.agencies[agency].code for agency in (one.owner, *one.shared)),
        one.latest.position or None,
        one.issuer,
        one.issued,
        one.last,
        max((last - usage.on).days, 0) if last else None,
        Word(f"certificate_state.{state}"),
        paper_class.local_day(revoked) if revoked else None,
        Word(f"certificate_purpose.{one.latest.purpose}"),
        use.last,
        use.documents,
    ]


def _issued(usage: Usage, held: Iterable[Held]) -> Table:
    """Certificates issued within the period, by issuer and kind of holder."""
    counts = Counter((one.issuer, one.kind) for one in held if usage.first <= one.issued)
    issuers = sorted({issuer for issuer, _ in counts})
    rows = [_issuer(counts, issuer, [issuer]) for issuer in issuers]
    return Table(name="issued", columns=ISSUED, rows=rows, total=_issuer(counts, "", issuers))


def _issuer(counts: Counter[tuple[str, str]], name: str, issuers: Sequence[str]) -> list[Value]:
    kinds = [sum(counts[(issuer, kind)] for issuer in issuers) for kind in ("organisation", "individual")]
    return [name, *kinds, sum(n for (issuer, _), n in counts.items() if issuer in issuers)]
