import pytest

from eval.errors import MappingError
from eval.json_paths import parse_path

REPLY = {"chat": {"choices": [{"text": "first"}, {"text": "second"}], "odd name": 0}, "rows": [[1, 2], [3]]}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.chat.choices[0].text", ["first"]),
        ("$.chat.choices[-1].text", ["second"]),
        ("$.chat.choices[*].text", ["first", "second"]),
        ("$.chat['odd name']", [0]),
        ("$.rows[*][*]", [1, 2, 3]),
        ("$.rows[5]", []),
        ("$.rows.name", []),
        ("$.chat[0]", []),
        ("$", [REPLY]),
    ],
)
def test_a_path_finds_what_stands_there(path: str, values: list[object]) -> None:
    assert parse_path(path).values(REPLY) == values


def test_a_path_may_start_at_the_element_at_hand() -> None:
    path = parse_path("@.text")
    assert path.first(REPLY, {"text": "here"}) == "here"
    assert path.first(REPLY, {}) is None


@pytest.mark.parametrize("text", ["", "chat.text", "$..text", "$.a[?(@.b)]", "$.a[1:2]", "$.a b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(MappingError, match="is no path"):
        parse_path(text)
