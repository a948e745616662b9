from reconciler.desired.page import Page, Place, dotted
from reconciler.errors import Where

PAGE = Page(
    "f.yaml", {"a": {"b": 1}}, {(): Place(1, 1), ("a",): Place(2, 1), ("a", "b"): Place(3, 3)}
)


def test_a_path_is_written_as_people_write_it():
    assert dotted(("remedy", "params", "unit")) == "remedy.params.unit"
    assert dotted(("rules", 3, "id")) == "rules[3].id"
    assert dotted((0,)) == "[0]"
    assert dotted(()) == ""


def test_a_value_is_found_at_its_line():
    assert PAGE.where(("a", "b")) == Where("f.yaml", 3, "a.b")


def test_a_missing_field_is_placed_at_what_should_hold_it():
    assert PAGE.where(("a", "c", "d")) == Where("f.yaml", 2, "a.c.d")


def test_the_document_itself_has_no_field():
    assert PAGE.where() == Where("f.yaml", 1, None)


def test_an_empty_page_still_names_its_file():
    assert Page("f.yaml", None, {}).where(("a",)) == Where("f.yaml", None, "a")
