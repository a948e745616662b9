"""No identifier of a person gets through, whatever stands around it; and nothing stops a run."""

import json
import string

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.evidence import canonical
from reconciler.model.quotable import Own
from reconciler.model.scrub import scrub, scrub_value
from reconciler.model.values import LONGEST_REASON
from reconciler.model.vocabulary import WORDS

DIGITS = string.digits
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=1500)
KNOWN = sorted(word for word in WORDS if word.isalpha())
MARKS = st.sampled_from(
    ["{}", "'{}'", '"{}"', "({})", "{}:", "{},", "[{}]", "id={}", "/srv/{}", "<{}>"]
)


def digits(*sizes: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(*(st.text(DIGITS, min_size=size, max_size=size) for size in sizes))


def joined(parts: st.SearchStrategy[tuple[str, ...]], marks: str) -> st.SearchStrategy[str]:
    return st.builds(lambda found, mark: mark.join(found), parts, st.sampled_from(marks))


NAME = st.text(string.ascii_lowercase, min_size=3, max_size=12).filter(
    lambda word: word not in WORDS and word not in ("ssh",)
)
DAY = st.dates().map(lambda day: day.isoformat())
IDENTIFIERS = {
    "name": NAME,
    "capitalised name": st.sampled_from(KNOWN).map(lambda word: f"a {word.capitalize()}"),
    "e-mail": st.builds(lambda who, where: f"{who}@{where}.example", NAME, NAME),
    "phone": joined(digits(3, 3, 4), "-. "),
    "phone with brackets": digits(3, 3, 4).map(lambda d: f"({d[0]}) {d[1]}-{d[2]}"),
    "local phone": joined(digits(3, 4), "-."),
    "fax abroad": digits(2, 2, 6).map(lambda d: "+" + " ".join(d)),
    "ssn": joined(digits(3, 2, 4), "- "),
    "ssn with marks": joined(digits(3, 2, 4), "/,_:"),
    "ssn in pieces": digits(3, 2, 4).map(" / ".join),
    "record": st.text(DIGITS, min_size=5, max_size=12),
    "plan": st.text(string.ascii_uppercase + DIGITS, min_size=9, max_size=12).filter(
        lambda word: sum(map(str.isdigit, word)) > 3
    ),
    "date": DAY,
    "date by a clerk": st.dates().map(lambda day: f"{day.month}/{day.day}/{day.year}"),
    "date without marks": st.dates().map(lambda day: f"{day:%Y%m%d}").filter(lambda d: len(d) == 8),
    "url": NAME.map(lambda word: f"https://{word}.example/x"),
    "url with user": NAME.map(lambda word: f"ftp://{word}:{word}@host/x"),
    "ipv4": st.ip_addresses(v=4).map(str).filter(lambda ip: ip not in ("0.0.0.0", "127.0.0.1")),
    "ipv6": st.ip_addresses(v=6).map(str).filter(lambda ip: len(ip) > 12),
    "mac": digits(2, 2, 2, 2, 2, 2).map(":".join),
}
ONE = st.one_of(*(st.tuples(st.just(kind), values) for kind, values in IDENTIFIERS.items()))
WITH_A_FORM = {
    "e-mail", "phone", "phone with brackets", "fax abroad", "ssn", "date", "date by a clerk",
    "url", "url with user", "ipv4", "mac",
}  # fmt: skip
"""Without known words around it, only what has a form can be told from what a machine says."""
AROUND = st.lists(st.sampled_from(KNOWN), max_size=6).map(" ".join)


@given(ONE, AROUND, AROUND, MARKS)
@example(("name", "gonzalez"), "no such file", "", "/srv/{}")
def test_no_identifier_gets_through_between_known_words(
    what: tuple[str, str], before: str, after: str, mark: str
) -> None:
    kind, identifier = what
    said = scrub(f"{before} {mark.format(identifier)} {after}")

    shown = identifier.split()[-1] if kind == "capitalised name" else identifier
    assert shown not in said, kind
    assert "[withheld: " in said


@given(st.lists(ONE, min_size=2, max_size=5), AROUND)
def test_identifiers_beside_one_another_do_not_hide_one_another(
    found: list[tuple[str, str]], words: str
) -> None:
    said = scrub(" ".join([words, *(identifier for _kind, identifier in found)]))

    assert [i for kind, i in found if i in said and kind != "capitalised name"] == []


@given(
    ONE.filter(lambda one: one[0] in WITH_A_FORM),
    st.sampled_from(["{}", "of {}", "{} of", "id={}", "<{}>", "-k {}"]),
)
def test_no_identifier_that_has_a_form_gets_through_as_a_value(
    what: tuple[str, str], around: str
) -> None:
    kind, identifier = what
    kept = scrub_value(("active", around.format(identifier)))

    assert isinstance(kept, tuple)
    assert identifier not in str(kept[1]), kind
    assert scrub_value(kept) == kept


@given(ANY_TEXT)
@example("\udcff\udcfe failed")
@example("[withheld: 9999 words that may identify a person] " * 19)
def test_any_text_can_be_signed_and_scrubbing_again_changes_nothing(text: str) -> None:
    said = scrub(text)

    assert json.loads(canonical.encode(said)) == said
    assert len(said) <= LONGEST_REASON
    assert scrub(said) == said


@given(
    st.lists(
        st.one_of(
            st.sampled_from(KNOWN),
            ONE.map(lambda one: one[1]),
            st.integers(0, 99_999).map(str),
            st.sampled_from(
                ["…", "bytes", "commit", "exit", "2026-01-01T00:00:00Z", "of:", "/etc"]
            ),
        ),
        max_size=200,
    ).map(" ".join)
)
def test_a_text_of_words_may_be_scrubbed_again(text: str) -> None:
    said = scrub(text)

    assert scrub(said) == said
    assert len(said) <= LONGEST_REASON


@given(st.lists(st.sampled_from(KNOWN), max_size=30).map(" ".join))
def test_known_words_alone_stay_unless_they_speak_of_a_patient(text: str) -> None:
    said = scrub(text)

    assert said == text or any(word in text for word in ("age", "may", "ssn", "mark"))


@given(ANY_TEXT, st.frozensets(st.text(min_size=1, max_size=8), max_size=4))
def test_own_words_never_make_a_text_longer_than_it_may_be(
    text: str, names: frozenset[str]
) -> None:
    own = Own(names=names, words=names)

    assert len(scrub(text, own)) <= LONGEST_REASON
    assert scrub(scrub(text, own), own) == scrub(text, own)


@given(st.lists(ANY_TEXT | st.integers(), max_size=4))
def test_values_keep_their_kind(values: list[str | int]) -> None:
    kept = scrub_value(tuple(values))

    assert isinstance(kept, tuple)
    assert [type(one) for one in kept] == [type(one) for one in values]
    assert scrub_value(kept) == kept
