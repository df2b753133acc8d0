"""The page in text, and in a real browser."""

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from eval.evaluating import Request, evaluate
from eval.failures import list_failures
from eval.gates import judge, load_gates
from eval.records import AnswerItem, Item, KeyFact
from eval.replies import tell
from eval.reporting.charts import rank_chart, time_chart
from eval.reporting.page import Earlier, render_page
from eval.reporting.scales import Scale, nice_ceiling, share_axis
from eval.running import ask_all, document_reader
from eval.runs import load_run, measure_all
from tests.conftest import NODE_MODULES
from tests.eval.fakes import ITEMS, FakeTarget, always_abstain, always_answer

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HOSTILE = '<script>alert("x")</script> & "quotes"'


def half_wrong(item: Item, place: int, body: dict[str, Any]) -> dict[str, Any]:
    """Every third question goes wrong, by turns."""
    if place % 3 == 0:
        return always_abstain(item, place, body)
    return always_answer(item, place, body) if place % 3 == 1 else body


def page_of(target: FakeTarget, items: tuple[Item, ...] = ITEMS) -> str:
    """A page that compares the target with one that is faultless."""
    exchanges, _ = ask_all(target, items)
    exchanges = [replace(ex, by_searcher={"dense": ("source-y", *ex.reply.passage_sources)}) for ex in exchanges]
    faultless, _ = ask_all(FakeTarget(items), items)
    about = {"created": "2026-01-01T00:00:00", "sets": [{"name": "s", "sha256": "1", "items": 1, "asked": 1}]}
    earlier = Earlier(
        measure_all(faultless, document_reader(target), about), {ex.item.id: tell(ex) for ex in faultless}
    )
    run = measure_all(exchanges, document_reader(target), about)
    # A dozen questions are too few for the exact bound to pass, however good the answers.
    gates = tuple(gate for gate in load_gates() if gate.measure != "wrong_answers_upper")
    told = {ex.item.id: tell(ex) for ex in exchanges}
    return render_page(run, list_failures(exchanges), judge(run, gates, skip_absent=True), told, earlier)


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


def test_a_failure_shows_ranks_checks_and_the_last_run() -> None:
    page = page_of(FakeTarget(spoil=half_wrong))
    assert "Right source: dense not found, fused not found. Last run: fused 1." in page
    assert '<span>answered <b class="bad">✗ no</b></span>' in page
    assert "<dt>Last run</dt><dd>Do not stay in bed for long. Heat loosens" in page
    assert "questions side by side, losses first" in page


def test_labels_and_searchers_have_lines_of_their_own() -> None:
    svg = rank_chart({"fused": [0.9] * 10, "dense": [0.9] * 10, "bm25": [0.4] * 10}, [0.5] * 10)
    heights = [float(y) for y in re.findall(r'<text x="232[^"]*" y="([^"]+)"', svg)]
    assert len(heights) == 4
    assert all(abs(one - other) >= 15 for one, other in itertools.combinations(heights, 2))
    assert "p50 50 ms" in time_chart([float(value) for value in range(101)])
    assert time_chart([]) == rank_chart({}, []) == ""


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
        page.wait_for_url(path.as_uri() + "#q=*")
        assert page.inner_text(".pane h3") == page.locator(".failure.chosen summary span").first.inner_text()
        page.fill("#words", "no question has this in it")
        assert shown.count() == 0
        page.fill("#words", "")
        page.click('[data-kind-filter=""]')
        assert shown.count() == every
        page.click("#fresh")
        assert shown.count() == every, "the faultless run had none of them"
        page.click('[data-rule="RF01"]')
        assert page.input_value("#slice") == "RF01"
        assert 0 < shown.count() < every
        page.goto(path.as_uri() + "#q=d1")
        page.reload()
        assert page.inner_text(".pane h3") == "Off topic 1?"
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert said == []
    assert {address.partition("#")[0] for address in asked} == {path.as_uri()}


@pytest.mark.needs("chromium", "nodejs", "npm")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_on_the_page(tmp_path: Path, scheme: Literal["light", "dark"], width: int) -> None:
    from playwright.sync_api import sync_playwright

    path = tmp_path / "report.html"
    path.write_text(page_of(FakeTarget(spoil=half_wrong)), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_context(
            bypass_csp=True, viewport={"width": width, "height": 900}, color_scheme=scheme
        ).new_page()
        page.goto(path.as_uri())
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(result => result.violations)", RULES
        )
        page.evaluate("document.querySelector('h1').style.color = 'rgb(128 128 128 / 0.2)'")
        planted = page.evaluate(
            "axe.run(document, {runOnly: ['color-contrast']}).then(result => result.violations.length)"
        )
        browser.close()
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []
    assert planted == 1, "axe looks at contrast"
