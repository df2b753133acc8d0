import pytest

from service.redacting import redact


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to jo.bloggs+back@mail.example.co.uk please", "write to [e-mail] please"),
        ("call me on 020 7946 0958", "call me on [number]"),
        ("call +49 (30) 901820 now", "call [number] now"),
        ("my number is 555-867-5309.", "my number is [number]."),
        ("NHS number 943 476 5919", "NHS number [number]"),
        ("member AB-1234567", "member [number]"),
        ("key bl_Zm9vYmFyYmF6cXV4Zm9v", "key [key]"),
        ("sk-proj1234567890abcdef", "[key]"),
        ("token 9f86d081884c7d659a2feaa0c55ad015", "token [key]"),
    ],
)
def test_identifiers_are_replaced(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "back pain since 2019, at L4-L5 and S1",
        "I took 400 mg twice, 8 hours apart",
        "better after 6-12 weeks, pain 7/10",
        "is it rf05 or HLA-B27?",
        "musculoskeletal-rehabilitation-physiotherapist",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert redact(text) == text
