"""A review for a terminal: everything, line by line."""

from collections.abc import Iterator

from reconciler.model.review import Remark, Review
from reconciler.report import gate_words as words
from reconciler.report.gate_sections import sections


def render(review: Review) -> str:
    """The verdict first, then what was compared, then every section."""
    lines = [words.verdict(review), *_what(review)]
    for section in sections(review):
        lines += ["", f"{section.title}:", *section.lines]
    return "\n".join(lines)


def render_remarks(remarks: tuple[Remark, ...]) -> str:
    """Remarks alone, as `reconciler check` prints them."""
    lines: list[str] = []
    for found in remarks:
        lines += [f"{found.severity}: {words.remark(found)}", f"  hint: {words.value(found.hint)}"]
    return "\n".join(lines)


def _what(review: Review) -> Iterator[str]:
    for label, named in (("base", review.base), ("head", review.head)):
        yield f"{label} {words.value(named.name)} = commit {named.commit}, tree {named.tree}"
    if review.digest is not None:
        yield f"plan of the head: sha256:{review.digest}"
    yield f"judged at {review.at:%Y-%m-%dT%H:%M:%SZ}"
