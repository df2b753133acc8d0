import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval import cli
from eval.errors import MappingError, TargetError
from eval.mapped import MappedTarget, read_reply
from eval.mapping import SHIPPED_TARGETS, filled, load_mapping, read_mapping
from eval.records import reply_from_json
from eval.runs import load_run
from tests.eval.other_systems import ANSWER, FIRST, SECOND, SILENT, Speak, chat, langserve, spoken, txtai

SMALLEST: dict[str, Any] = {"requests": {"ask": {"path": "/ask"}}, "reply": {"answer": "$.ask.text"}}
MARKED = {
    **SMALLEST,
    "reply": {
        "answer": "$.ask.text",
        "markers": r"\[(\d+)\]",
        "citations": {"each": "$.ask.notes[*]", "source": "@.doc", "quote": "@.words"},
    },
}


@pytest.mark.parametrize(
    ("name", "speak", "cited", "passages"),
    [
        # The chain says what was in the prompt and no more: both sentences lean on both documents.
        ("langchain", langserve, [("spasm", "bed-rest"), ("spasm", "bed-rest")], ("spasm", "bed-rest")),
        # txtai names one reference of what it found.
        ("txtai", txtai, [("spasm",), ("spasm",)], ("bed-rest", "spasm")),
        # An annotation says which part of the answer it stands behind.
        ("openai-chat", chat, [("spasm",), ("bed-rest",)], ("spasm", "bed-rest")),
    ],
)
def test_a_shipped_mapping_reads_what_its_system_says(
    name: str, speak: Speak, cited: list[tuple[str, ...]], passages: tuple[str, ...]
) -> None:
    with spoken(speak) as (url, _):
        target = MappedTarget(load_mapping(Path(name)), url)
        reply = reply_from_json(target.ask("How long does a spasm last?"))
        silent = reply_from_json(target.ask(SILENT))
        target.close()
    assert (reply.status, reply.answer) == ("answered", ANSWER)
    assert [sentence.text for sentence in reply.sentences] == [FIRST, SECOND]
    sources = {citation.id: citation.source_id for citation in reply.citations}
    assert [tuple(sources[one] for one in sentence.citation_ids) for sentence in reply.sentences] == cited
    assert reply.passage_sources == passages
    assert (silent.status, silent.answer) == ("abstained", "")


@pytest.mark.parametrize(("name", "speak"), [("langchain", langserve), ("txtai", txtai), ("openai-chat", chat)])
def test_another_system_gets_a_whole_report(tmp_path: Path, name: str, speak: Speak) -> None:
    rows = [
        {
            "id": "a1",
            "kind": "answer",
            "question": "How long does a spasm last?",
            "sources": ["spasm"],
            "key_facts": [{"say": ["hours to several days"]}],
        },
        {"id": "d1", "kind": "decline", "reason": "out_of_scope", "category": "out_of_domain", "question": SILENT},
    ]
    questions = tmp_path / "mine.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with spoken(speak) as (url, _):
        arguments = ["run", "--file", str(questions), "--target", name, "--url", url, "--out", str(tmp_path / "out")]
        result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    run = load_run(tmp_path / "out")
    values = {figure.name: figure.value for figure in run.figures}
    assert (values["key_facts_all"], values["right_source_any"], values["silence_f1"]) == (1.0, 1.0, 1.0)
    # A chat endpoint's annotation has no quote: it proves nothing, and counts so.
    assert values["sentences_verbatim"] == (0.0 if name == "openai-chat" else 1.0)
    assert url in str(run.about["target"])


def test_earlier_questions_go_where_the_mapping_says() -> None:
    with spoken(chat) as (url, sent):
        target = MappedTarget(load_mapping(Path("openai-chat")), url)
        target.ask("And heat?", ["Does {question} help?"])
        target.close()
    assert sent[0]["model"] == "default"
    assert [turn["content"] for turn in sent[0]["messages"]] == ["Does {question} help?", "And heat?"]


def test_what_is_typed_is_text_and_no_template() -> None:
    assert filled({"q": "{question} {other}"}, {"question": "{other}?"}) == {"q": "{other}? {other}"}


def test_marks_in_the_answer_link_sentences_to_citations() -> None:
    notes = [{"doc": "a", "words": "One."}, {"doc": "b", "words": "Two."}]
    body = read_reply(
        read_mapping(MARKED), {"ask": {"text": "Heat helps [1][2]. Cold helps. [2] Rest.", "notes": notes}}
    )
    assert [(one["text"], one["citation_ids"]) for one in body["sentences"]] == [
        ("Heat helps.", ["c1", "c2"]),
        ("Cold helps.", ["c2"]),
        ("Rest.", []),
    ]


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_answer_is_an_abstention(text: str) -> None:
    assert read_reply(read_mapping(SMALLEST), {"ask": {"text": text}})["status"] == "abstained"


def test_no_answer_where_the_mapping_says_is_a_failure() -> None:
    with pytest.raises(TargetError, match=r"no text stands at \$\.ask\.text"):
        read_reply(read_mapping(SMALLEST), {"ask": {"message": "elsewhere"}})


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"reply": {"answer": "$.a"}}, "the mapping lacks requests"),
        ({**SMALLEST, "request": {}}, "request is unknown"),
        ({**SMALLEST, "requests": {}}, "at least one request"),
        ({**SMALLEST, "requests": {"ask": {"path": "ask"}}}, r"\[requests.ask\]: path starts with /"),
        ({**SMALLEST, "requests": {"ask": {"path": "/ask", "method": "PUT"}}}, "method is GET or POST"),
        ({**SMALLEST, "reply": {"answer": "ask.text"}}, "is no path"),
        ({**SMALLEST, "reply": {"answer": "$.a", "markers": "["}}, "no regular expression"),
        ({**SMALLEST, "reply": {"answer": "$.a", "markers": "x"}}, "exactly one group"),
        ({**SMALLEST, "reply": {"answer": "$.a", "abstained_phrases": []}}, "a list of texts"),
        ({**SMALLEST, "reply": {"answer": "$.a", "citations": {"each": "$.b"}}}, "lacks source"),
        (
            {**SMALLEST, "reply": {"answer": "$.a", "citations": {"each": "$.b", "source": "@.s", "where": ["@.x"]}}},
            "two",
        ),
        ([], "is no table"),
    ],
)
def test_a_faulty_mapping_is_explained(body: Any, complaint: str) -> None:
    with pytest.raises(MappingError, match=complaint):
        read_mapping(body)


def test_a_mapping_may_be_json_and_a_missing_one_names_the_shipped(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SMALLEST), encoding="utf-8")
    assert load_mapping(path) == read_mapping(SMALLEST)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(MappingError, match="is no TOML or JSON"):
        load_mapping(path)
    with pytest.raises(MappingError, match="langchain, openai-chat, txtai"):
        load_mapping(tmp_path / "absent.toml")


def test_a_mapping_needs_an_address(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["run", "--target", "txtai", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "add --url" in result.output


def test_the_page_on_targets_shows_a_mapping_that_can_be_read_and_every_shipped_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "targets.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    mapping = read_mapping(tomllib.loads(example))
    assert mapping.citations is not None
    assert mapping.citations.fields.keys() == {"source", "quote", "title", "url", "start", "end"}
    assert filled(mapping.requests[0].body, {"question": "q", "model": "m"}, ("p",)) == {
        "q": "q",
        "model": "m",
        "before": ["p"],
    }
    for path in SHIPPED_TARGETS.glob("*.toml"):
        assert f"| `{path.stem}` |" in page
