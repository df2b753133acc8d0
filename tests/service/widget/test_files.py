"""The files as they are served: small, without sinks, with complete tables of strings."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.service.widget.fake_service import WIDGET

STATIC = WIDGET / "static"
SCRIPTS = [WIDGET / "widget.js", *sorted(STATIC.glob("*.js"))]
LATER = {
    "copying.js",
    "differing.js",
    "feedback.js",
    "forms.js",
    "handoff.js",
    "launcher.js",
    "limiting.js",
    "paper.js",
    "silence.js",
    "streaming.js",
    "theming.js",
    "tokens.js",
    "wide.js",
}
LANGUAGES = ("es", "de", "fr")


def loaded_with(script: Path) -> set[Path]:
    """Return a script and everything that it imports at once."""
    found, waiting = set(), [script]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        imports = re.findall(r'^import [^;]*"(\./[^"]+)";', current.read_text("utf-8"), re.MULTILINE)
        waiting += [(current.parent / name).resolve() for name in imports]
    return found


def table(language: str) -> dict[str, str]:
    """Return a table of strings; plurals count by their ``other`` form."""
    text = (STATIC / f"strings.{language}.js").read_text("utf-8")
    rows = re.findall(r'^  ("[^"]+"): (?:\{.*other: )?("(?:[^"\\]|\\.)*")', text, re.MULTILINE)
    return {json.loads(key): json.loads(value) for key, value in rows}


@pytest.mark.parametrize("more", [(), ("tokens.js",), ("launcher.js",), ("launcher.js", "tokens.js")])
def test_what_a_page_loads_is_at_most_30_kilobytes_compressed(more: tuple[str, ...]) -> None:
    """The widget in each mode, on a page of its own origin and of another."""
    loaded = loaded_with(WIDGET / "widget.js")
    assert not {path.name for path in loaded} & LATER
    loaded |= {STATIC / name for name in more}
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in loaded) <= 30_000


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_parses_markup_or_code(script: Path) -> None:
    text = script.read_text("utf-8")
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
        "localStorage",
        "sessionStorage",
        "document.cookie",
        'setAttribute("style"',
        "http:/" + "/cdn",
    ):
        assert sink not in text, sink


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_stay_readable(script: Path) -> None:
    assert len(script.read_text("utf-8").splitlines()) <= 440


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_string_but_the_urgent_ones(language: str) -> None:
    english = table("en")
    urgent = {key for key in english if key.startswith(("notice.", "cond."))}
    assert set(table(language)) == set(english) - urgent


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_translation_fills_the_same_places(language: str) -> None:
    english = table("en")
    for key, text in table(language).items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


def test_every_string_that_the_scripts_name_exists() -> None:
    english = table("en")
    code = "".join(path.read_text("utf-8") for path in SCRIPTS if not path.name.startswith("strings."))
    named = set(re.findall(r'say\("([a-z_.0-9]+)"', code)) | set(re.findall(r'mark\("([a-z_.0-9]+)"', code))
    assert named - set(english) == set()


@pytest.mark.parametrize("name", ["page.html.jinja", "embed.html.jinja"])
def test_pages_have_no_inline_style_or_script(name: str) -> None:
    html = (WIDGET / name).read_text("utf-8")
    assert "style=" not in html
    assert re.findall(r"<script(?![^>]* src=)", html) == []
    assert re.findall(r"\son\w+=", html) == []


def test_our_words_reassure_nobody_and_shout_at_nobody() -> None:
    for language in ("en", *LANGUAGES):
        for key, text in table(language).items():
            assert "!" not in text, key
            assert "%" not in text, key
            assert not re.search(r"don't worry|nothing to worry|probably just|confidence", text, re.IGNORECASE), key
