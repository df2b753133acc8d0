from service.answering.deep_links import deep_link

PAGE = "https://example.org/page"


def test_a_digest_links_to_the_page_alone() -> None:
    assert deep_link(PAGE, "Our words.", digest=True, anchor="rest") == PAGE


def test_a_short_quote_is_carried_whole() -> None:
    assert deep_link(PAGE, "Rest, then move.", digest=False, anchor=None) == f"{PAGE}#:~:text=Rest%2C%20then%20move."


def test_signs_with_a_meaning_are_encoded() -> None:
    assert deep_link(PAGE, "a-b & c", digest=False, anchor=None) == f"{PAGE}#:~:text=a%2Db%20%26%20c"


def test_a_long_quote_is_carried_by_its_ends() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen"
    assert deep_link(PAGE, text, digest=False, anchor="h") == (
        f"{PAGE}#h:~:text=one%20two%20three%20four%20five,nine%20ten%20eleven%20twelve%20thirteen"
    )


def test_a_fragment_of_the_address_is_kept() -> None:
    assert deep_link(f"{PAGE}#top", "Rest.", digest=False, anchor="h") == f"{PAGE}#top:~:text=Rest."


def test_other_schemes_are_dropped() -> None:
    assert deep_link("javascript:alert(1)", "Rest.", digest=True, anchor=None) == ""
    assert deep_link("", "Rest.", digest=False, anchor=None) == ""
