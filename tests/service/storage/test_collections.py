import pytest
from sqlalchemy import Engine

from service.storage.collections import (
    Collection,
    confirm_licence,
    describe_collection,
    list_collections,
    load_collection,
    note_fetched,
    publishable,
    unpublishable_collections,
)


def test_what_is_said_of_a_collection_is_kept_and_what_is_not_said_stays(engine: Engine) -> None:
    assert load_collection(engine, "beds") == Collection("beds")
    describe_collection(engine, "beds", scope="I know our beds.", questions=("How firm is it?",))
    told = describe_collection(engine, "beds", disclaimer="No promise.")
    assert told == Collection("beds", 0, "I know our beds.", ("How firm is it?",), "No promise.")
    assert describe_collection(engine, "beds", scope="").scope == ""
    assert [row.name for row in list_collections(engine)] == ["beds", "default"]


def test_fetched_pages_are_publishable_once_confirmed(engine: Engine) -> None:
    describe_collection(engine, "own", scope="Ours.")
    note_fetched(engine, "pages")
    assert (load_collection(engine, "own").publishable, load_collection(engine, "pages").publishable) == (True, False)
    assert unpublishable_collections(engine) == {"pages"}
    confirmed = confirm_licence(engine, "pages")
    assert confirmed.publishable
    note_fetched(engine, "pages")
    assert load_collection(engine, "pages") == confirmed
    assert unpublishable_collections(engine) == frozenset()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("default", {"scope": "Mine."}),
        ("", {"scope": "x"}),
        ("n" * 65, {"scope": "x"}),
        ("beds", {"disclaimer": "x" * 321}),
        ("beds", {"questions": ("x",) * 13}),
    ],
)
def test_the_shipped_collection_and_what_is_too_long_are_refused(
    name: str, said: dict[str, str], engine: Engine
) -> None:
    with pytest.raises(ValueError, match=r"describes itself|at most 320"):
        describe_collection(engine, name, **said)  # type: ignore[arg-type] # one case has questions
    assert [row.name for row in list_collections(engine)] == ["default"]


def test_what_may_not_leave_the_machine_is_no_collection_to_a_help_desk(engine: Engine) -> None:
    note_fetched(engine, "pages")
    assert (publishable(engine, "pages"), publishable(engine, "notes")) == ("", "notes")
    confirm_licence(engine, "pages")
    assert publishable(engine, "pages") == "pages"
    engine.dispose()
