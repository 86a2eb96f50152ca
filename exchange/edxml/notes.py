"""What is noticed while a message is read, kept within bounds however bad the message is."""

from dataclasses import dataclass, field

from exchange import errors

MOST = 100
"""Findings kept of each severity; the rest is counted."""


@dataclass
class Notes:
    """A growing list of findings; order of severity error, warning, info, then order of notice."""

    _kept: dict[str, list[errors.Finding]] = field(
        default_factory=lambda: {"error": [], "warning": [], "info": []}
    )
    _dropped: int = 0

    def error(self, code: str, path: str, line: int | None, /, **facts: str) -> None:
        """Something that forbids acting on the message."""
        self._add("error", code, path, line, facts)

    def warning(self, code: str, path: str, line: int | None, /, **facts: str) -> None:
        """Something a person should know."""
        self._add("warning", code, path, line, facts)

    def info(self, code: str, path: str, line: int | None, /, **facts: str) -> None:
        """Something for the makers of the sending system."""
        self._add("info", code, path, line, facts)

    def _add(self, severity: str, code: str, path: str, line: int | None, facts: dict[str, str]) -> None:
        if len(self._kept[severity]) == MOST:
            self._dropped += 1
            return
        self._kept[severity].append(
            errors.Finding(severity=severity, code=code, path=path, line=line, facts=facts)
        )

    def findings(self) -> tuple[errors.Finding, ...]:
        """All that was kept, and how many more there were."""
        kept = [finding for findings in self._kept.values() for finding in findings]
        if self._dropped:
            facts = {"count": str(self._dropped)}
            kept.append(errors.Finding(severity="info", code="more_findings", facts=facts))
        return tuple(kept)
