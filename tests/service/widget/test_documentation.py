"""``docs/widget.md`` and ``docs/images`` tell what is there."""

import re
from pathlib import Path

from tests.service.widget.fake_service import WIDGET
from tests.service.widget.screenshots import IMAGES, SHOTS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "widget.md").read_text("utf-8")
CODE = "".join(path.read_text("utf-8") for path in sorted((WIDGET / "static").glob("*.js")))


def test_every_test_that_the_checklist_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    folders = (ROOT / "tests" / "service" / "widget", ROOT / "tests" / "end_to_end")
    written = "".join(path.read_text("utf-8") for folder in folders for path in folder.glob("test_*.py"))
    assert named - set(re.findall(r"^def (test_\w+)\(", written, re.MULTILINE)) == set()
    assert len(named) > 25


def test_every_attribute_that_the_component_reads_is_described() -> None:
    described = set(re.findall(r"^\| `([a-z-]+)` \|", TEXT, re.MULTILINE))
    component = (WIDGET / "static" / "backline-ask.js").read_text("utf-8")
    read = set(re.findall(r'(?:component|this)\.(?:get|has)Attribute\("([a-z-]+)"\)', CODE))
    watched = re.search(r"observedAttributes = \[(.*?)\]", component)
    assert watched is not None
    read |= set(re.findall(r'"([a-z-]+)"', watched[1]))
    read |= set(re.findall(r':host\(\[([a-z]+)="', CODE))
    assert described == read


def test_every_event_that_the_component_sends_is_described() -> None:
    assert (
        set(re.findall(r'emit\((?:reply\.abstention \? )?"(bl:\w+)"', CODE)) - set(re.findall(r"`(bl:\w+)`", TEXT))
        == set()
    )


def test_every_state_has_its_picture_and_every_picture_its_state() -> None:
    assert {path.stem for path in IMAGES.glob("*.png")} == {shot.name for shot in SHOTS}


def test_a_picture_is_as_large_as_its_window() -> None:
    for shot in SHOTS:
        header = (IMAGES / f"{shot.name}.png").read_bytes()[16:24]
        assert (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")) == shot.size, shot.name
