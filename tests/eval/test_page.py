"""The page in text, and in a real browser."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.evaluating import Request, evaluate
from eval.failures import list_failures
from eval.gates import judge, load_gates
from eval.records import AnswerItem, Item, KeyFact
from eval.reporting.page import render_page
from eval.reporting.scales import Scale, nice_ceiling, share_axis
from eval.running import ask_all, document_reader
from eval.runs import load_run, measure_all
from tests.eval.fakes import ITEMS, FakeTarget, always_abstain, always_answer

HOSTILE = '<script>alert("x")</script> & "quotes"'


def half_wrong(item: Item, place: int, body: dict[str, Any]) -> dict[str, Any]:
    """Every third question goes wrong, by turns."""
    if place % 3 == 0:
        return always_abstain(item, place, body)
    return always_answer(item, place, body) if place % 3 == 1 else body


def page_of(target: FakeTarget, items: tuple[Item, ...] = ITEMS) -> str:
    exchanges, _ = ask_all(target, items)
    about = {"created": "2026-01-01T00:00:00", "sets": [{"name": "s", "sha256": "1", "items": 1, "asked": 1}]}
    run = measure_all(exchanges, document_reader(target), about)
    # A dozen questions are too few for the exact bound to pass, however good the answers.
    gates = tuple(gate for gate in load_gates() if gate.measure != "wrong_answers_upper")
    return render_page(run, list_failures(exchanges), judge(run, gates, skip_absent=True))


def test_the_page_says_how_the_gates_went() -> None:
    assert "all gates passed" in page_of(FakeTarget())
    assert "Nothing went wrong." in page_of(FakeTarget())
    spoilt = page_of(FakeTarget(spoil=always_abstain))
    assert re.search(r"\d+ gates failed", spoilt)
    assert "✗ Fail" in spoilt


def test_the_page_holds_no_address_that_a_browser_would_fetch() -> None:
    page = page_of(FakeTarget(spoil=half_wrong))
    assert not re.search(r"""(?:src|srcset|xlink:href|action|@import)\s*=?\s*["'(]?\s*https?:""", page)
    assert "<link" not in page.replace('<link rel="icon" href="data:,">', "")
    assert "default-src 'none'" in page
    assert "style=" not in page


def test_what_people_typed_stays_text() -> None:
    item = AnswerItem("a1", HOSTILE, "plain", ("s",), (KeyFact((), (HOSTILE.lower(),)),))
    page = page_of(FakeTarget((item,), spoil=always_abstain), (item,))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_test_case_can_be_read_again() -> None:
    exchanges, _ = ask_all(FakeTarget(spoil=always_abstain), ITEMS)
    cases = [json.loads(failure.test_case) for failure in list_failures(exchanges)]
    assert {case["kind"] for case in cases} == {"answer", "alarm"}


def test_scales_place_values() -> None:
    across = Scale(0, 10, 100, 200)
    assert [across.place(value) for value in (-1, 0, 5, 10, 99)] == [100, 100, 150, 200, 200]
    assert Scale(1, 100, 0, 100, log=True).place(10) == 50
    assert Scale(0, 1, 220, 20).place(0.5) == 120
    assert share_axis([0.93, 1.0]) == (0.5, 1.0)
    assert share_axis([0.31]) == (0.3, 1.0)
    assert [nice_ceiling(value) for value in (0.0, 0.12, 0.3, 37, 100)] == [
        pytest.approx(v) for v in (0.05, 0.2, 0.5, 50, 100)
    ]


def test_a_run_is_shown_beside_the_one_before(tmp_path: Path) -> None:
    rows = [
        {"id": f"d{n}", "kind": "decline", "reason": "unclear", "category": "nonsense", "question": f"q{n}"}
        for n in range(9)
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    request = Request("own", tmp_path / "one", files=(path,))
    evaluate(request, _decliner(path))
    later = replace(request, out=tmp_path / "two", baseline=tmp_path / "one")
    evaluate(later, _decliner(path, always_answer))
    page = (tmp_path / "two" / "report.html").read_text(encoding="utf-8")
    assert "New since last run <b>9</b>" in page
    assert "Won and lost since the last run" in page
    assert len(load_run(tmp_path / "two").failed) == 9


def _decliner(path: Path, spoil: Any = half_wrong) -> FakeTarget:
    from eval.datasets import load_set

    items = load_set(path).items
    return FakeTarget(items, spoil) if spoil is always_answer else FakeTarget(items)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_works_in_a_browser_and_asks_nobody(tmp_path: Path, scheme: str) -> None:
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(page_of(FakeTarget(spoil=half_wrong)), encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        shown = page.locator(".failure:not([hidden])")
        every = shown.count()
        page.click('[data-kind-filter="should_abstain"]')
        assert 0 < shown.count() < every
        assert page.inner_text("#shown") == f"{shown.count()} of {every} shown"
        page.keyboard.press("j")
        assert page.url.startswith(path.as_uri() + "#q=")
        assert page.inner_text(".pane h3") == page.locator(".failure.chosen summary span").first.inner_text()
        page.fill("#words", "no question has this in it")
        assert shown.count() == 0
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert said == []
    assert asked == [path.as_uri()]
