# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""What became of a PDF after a signature: the kinds of later changes that a reader could see.

Theory of operation. A signature covers its revision; later revisions append objects. The revision signed and the
file as received are laid out in parts (`signing.pdf_layout`). A part changed when its own text differs, or when
an object below it was written again with another content. Which part changed tells the kind:

    signature     a signature field came with its value, or an empty one was signed
    form          other fields: new or filled; an empty signature field
    annotation    notes, drawings, links on a page
    validation    validation material (`/DSS`), document timestamps that draw nothing
    page_stamp    something little drawn upon a page whose own content is untouched (`signing.pdf_stamp`)
    page_content  pages, what is drawn on them, the fonts and images used there
    other         everything else: attached files, actions, layers, a *signed* field altered or gone, loose bytes

Only the net effect counts; objects that nothing refers to have none. When we found signatures only, pyHanko's
difference analysis, which clears each change against a list of harmless ones, is asked too: what it cannot
explain is "other". Two ways of looking must agree before a change is called harmless.
"""

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.diff_analysis.policies import DEFAULT_DIFF_POLICY
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing import pdf_layout, pdf_stamp
from signing.pdf_form import Key

KINDS = ("signature", "form", "annotation", "validation", "page_stamp", "page_content", "other")


def after(embedded: EmbeddedPdfSignature) -> tuple[str, ...]:
    """Kinds of changes after the signature's revision, in the order of KINDS.

    For a signature that does not reach the end of the file. Raises TooComplexError, pyHanko's errors on damage.
    """
    reader, revision = embedded.reader, embedded.signed_revision
    last = reader.total_revisions - 1
    if revision == last:
        return ("other",)
    old, new = reader.get_historical_resolver(revision), reader.get_historical_resolver(last)
    rewritten = _rewritten(old, new)
    kinds = _kinds(pdf_layout.lay_out(old), pdf_layout.lay_out(new), rewritten)
    if "page_content" in kinds and pdf_stamp.only(old, new, rewritten):
        kinds = kinds - {"page_content"} | {"page_stamp"}
    # An object stream written again changes objects that no revision lists.
    if rewritten & _containers(old) or (kinds <= {"signature", "validation"} and not _explained(embedded)):
        kinds |= {"other"}
    return tuple(kind for kind in KINDS if kind in kinds)


def _kinds(old: pdf_layout.Layout, new: pdf_layout.Layout, rewritten: frozenset[Key]) -> set[str]:
    kinds = {name for name in pdf_layout.PARTS if _differs(old.parts[name], new.parts[name], rewritten)}
    for key, part in new.seals.items():
        if key not in old.signed and (key in new.signed or key not in old.seals):
            kinds.add(_came(new, key))
        elif _differs(old.seals[key], part, rewritten):
            kinds.add("other" if key in old.signed else "form")
    return kinds | ({"other"} if old.seals.keys() - new.seals.keys() else set())


def _came(new: pdf_layout.Layout, key: Key) -> str:
    """What kind of change a new or newly signed field is."""
    if key in new.unseen:
        return "validation"
    return "signature" if key in new.signed else "form"


def _differs(old: pdf_layout.Part, new: pdf_layout.Part, rewritten: frozenset[Key]) -> bool:
    return old.own != new.own or not rewritten.isdisjoint(old.below | new.below)


def _rewritten(old: HistoricalResolver, new: HistoricalResolver) -> frozenset[Key]:
    """Objects written or freed after `old` whose content differs from then."""
    xrefs = old.reader.xrefs
    touched: set[generic.Reference] = set()
    for revision in range(old.revision + 1, new.revision + 1):
        touched |= xrefs.explicit_refs_in_revision(revision) | xrefs.refs_freed_in_revision(revision)
    keys = {(reference.idnum, reference.generation) for reference in touched}
    return frozenset(key for key in keys if pdf_layout.content(old, key) != pdf_layout.content(new, key))


def _containers(handler: HistoricalResolver) -> frozenset[Key]:
    """Object streams that the revision or one before it reads objects from."""
    sections = [handler.reader.xrefs.get_xref_data(revision) for revision in range(handler.revision + 1)]
    sections += [section.hybrid.xref_data for section in sections if section.hybrid]
    return frozenset((number, 0) for section in sections for number in section.obj_streams_used)


def _explained(embedded: EmbeddedPdfSignature) -> bool:
    """Whether pyHanko, too, knows every later change as harmless or as the filling of a form."""
    result = DEFAULT_DIFF_POLICY.review_file(
        embedded.reader,
        embedded.signed_revision,
        field_mdp_spec=embedded.fieldmdp,
        doc_mdp=embedded.docmdp_level,
    )
    return isinstance(result, DiffResult) and result.modification_level is not ModificationLevel.OTHER
