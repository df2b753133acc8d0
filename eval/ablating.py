"""Ablation: what is each part of the engine worth? The service answers the development half with one part switched off.

A part is switched off by putting something simpler in the place of a function or a weight, in this process and for the
length of one run: the service itself has no such switches. Two figures are taken with the threshold of silence off, so
that they show what would be answered and not how the threshold, which was fitted with every part on, happens to fall.

Source: the word and the method come from the comparison of systems in A. Newell (1975), A tutorial on speech
understanding systems.
"""

import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.datasets import load_set, shipped_path
from eval.measures.key_fact import measure_key_facts
from eval.measures.retrieval import measure_retrieval
from eval.measures.right_source import measure_right_source
from eval.measures.silence import measure_silence
from eval.records import AnswerItem, Item, Measured
from eval.running import InProcessTarget, ask_all
from eval.significance import paired_randomisation
from index.teaching import Taught

if TYPE_CHECKING:
    from service.application import Application
    from service.settings import Settings

FIGURES = ("ndcg_at_10", "key_facts_all", "right_source_first", "silence_f1")
"""In the order of the table; the two in the middle with the threshold off."""

WHOLE = "nothing: the whole engine"


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing put in the place of another.

    Attributes:
        place: Module and attribute, such as ``index.retrieving:Retriever.repair``.
        replacement: What stands there meanwhile.
    """

    place: str
    replacement: Any


@dataclass(frozen=True, slots=True)
class Ablation:
    """One part of the engine.

    Attributes:
        name: What is off, as the table says it.
        switches: How.
        rebuilds: Whether the snapshot has to be built anew for it.
    """

    name: str
    switches: tuple[Switch, ...]
    rebuilds: bool = False


@dataclass(frozen=True, slots=True)
class Ablated:
    """What came of one ablation.

    Attributes:
        name: What was off.
        values: By figure.
        p_values: Chance of so large a difference to the whole engine if the part did nothing, by figure that can be
            paired.
    """

    name: str
    values: Mapping[str, float]
    p_values: Mapping[str, float]


def _nothing_found(*_: Any, **__: Any) -> list[Any]:
    return []


def _as_it_stands(_retriever: Any, query: str, _collection: str = "") -> str:
    return query


def _passages_alone(_in_context: Any, _plain: Any, passages: Any, _headings: Any, owners: Sequence[int]) -> Any:
    return passages[list(owners)]


def _as_they_are(_draft: Any, sentences: Any, *_: Any) -> Any:
    return Taught(sentences)


def _as_it_was_embedded(_part: Any, vector: Any, _query: str) -> Any:
    return vector


ABLATIONS: tuple[Ablation, ...] = (
    Ablation("repair of spelling", (Switch("index.retrieving:Retriever.repair", _as_it_stands),)),
    Ablation(
        "condensing of long questions", (Switch("service.answering.understanding:condense", lambda question: question),)
    ),
    Ablation(
        "cutting into parts", (Switch("service.answering.understanding:split_parts", lambda question: (question,)),)
    ),
    Ablation(
        "BM25",
        (
            Switch("index.retrieving:SENTENCE_LEXICAL_SHARE", 0.0),
            Switch("index.lexical:LexicalIndex.search", _nothing_found),
        ),
    ),
    Ablation(
        "preferring by the kind of detail asked for",
        (Switch("service.answering.answerer:prefer", lambda _question, hits: hits),),
    ),
    Ablation("headings in sentence vectors", (Switch("index.building:HEADING_SHARE", 0.0),), rebuilds=True),
    Ablation("passages in sentence vectors", (Switch("index.building:SECTION_SHARE", 0.0),), rebuilds=True),
    Ablation("the bare sentence in its vector", (Switch("index.building:PLAIN_SHARE", 0.0),), rebuilds=True),
    Ablation(
        "sentence vectors: each has its passage's", (Switch("index.building:combine", _passages_alone),), rebuilds=True
    ),
    Ablation("reading questions as the known ones taught", (Switch("index.parts:Part.read", _as_it_was_embedded),)),
    Ablation("learning from known questions", (Switch("index.building:_Draft._taught", _as_they_are),), rebuilds=True),
)

RERANKING = Ablation(
    "the reranker", (Switch("index.retrieving:Retriever._rerank", lambda _self, _query, _part, fused: fused),)
)
"""Only where one is set: without it there is nothing to switch off."""

_THRESHOLD_OFF = Switch("service.answering.answerer:_too_unlikely", lambda *_: False)


def ablate(watch: Callable[[str], None] | None = None, limit: int | None = None) -> list[Ablated]:
    """Answer the development half whole, and with each part off.

    Args:
        watch: Told of what is off before each run.
        limit: Questions, evenly spread; None for all.
    """
    from eval.evaluating import spread
    from service.settings import load_settings

    items = spread(load_set(shipped_path("answers", "dev")).items, limit)
    settings = load_settings()
    rows: list[tuple[str, dict[str, Measured]]] = []
    for ablation in (Ablation(WHOLE, ()), *ABLATIONS, *(() if settings.reranker is None else (RERANKING,))):
        if watch is not None:
            watch(ablation.name)
        with switched(ablation.switches), _opened(settings, rebuilt=ablation.rebuilds) as application:
            rows.append((ablation.name, _measured(application, items)))
    whole = rows[0][1]
    return [
        Ablated(
            name,
            {figure: measured[figure].figure.value or 0.0 for figure in FIGURES},
            {figure: _p_value(whole[figure], measured[figure]) for figure in FIGURES if whole[figure].scores}
            if measured is not whole
            else {},
        )
        for name, measured in rows
    ]


@contextmanager
def switched(switches: Sequence[Switch]) -> Iterator[None]:
    """Put each replacement in its place, and back what stood there.

    Raises:
        AttributeError: there is no such place: the engine has changed, and the table of ablations must follow.
    """
    with ExitStack() as stack:
        for switch in switches:
            module, _, path = switch.place.partition(":")
            owner: Any = importlib.import_module(module)
            *outer, name = path.split(".")
            for one in outer:
                owner = getattr(owner, one)
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, switch.replacement)
        yield


@contextmanager
def _opened(settings: "Settings", *, rebuilt: bool) -> Iterator["Application"]:
    """Open the service, on a snapshot of its own in a folder that goes away where one must be built."""
    from service.application import open_application
    from service.building import build_index

    if not rebuilt:
        yield open_application(settings)
        return
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = settings.model_copy(update={"home": Path(folder)})
        # Every text has its vector already: only their weights change.
        for kept, there in ((settings.home / "cache", elsewhere.home / "cache"), (settings.exports, elsewhere.exports)):
            if kept.exists():
                shutil.copytree(kept, there)
        build_index(elsewhere)
        yield open_application(elsewhere)


def _measured(application: "Application", items: Sequence[Item]) -> dict[str, Measured]:
    target = InProcessTarget(application)
    exchanges, _ = ask_all(target, items)
    with switched([_THRESHOLD_OFF]):
        answered, _ = ask_all(target, [item for item in items if isinstance(item, AnswerItem)])
    return {
        one.figure.name: one
        for one in (
            *measure_retrieval(exchanges),
            *measure_silence(exchanges),
            *measure_key_facts(answered),
            *measure_right_source(answered),
        )
    }


def _p_value(whole: Measured, without: Measured) -> float:
    names = list(whole.scores)
    return paired_randomisation(
        [whole.scores[name] for name in names], [without.scores[name] for name in names]
    ).p_value
