"""Sources by title: people know their own documents by title, replies name them by id."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from eval.errors import SetError
from eval.records import AnswerItem, Exchange, Item, QuestionSet
from eval.running import NamesSources, Target


def source_titles(target: Target) -> Mapping[str, str]:
    """Return the title of each source by id; empty where the target does not say."""
    return target.source_titles() if isinstance(target, NamesSources) else {}


def set_in_titles(part: QuestionSet, titles: Mapping[str, str]) -> QuestionSet:
    """Return the set with each source, given by id or by title, named by its title; unchanged without titles.

    A source that the target does not have is a fault, not a question that nothing answers: a mistyped title would look
    like a bad system.

    Raises:
        SetError: a source is neither an id nor a title of the collection.
    """
    if not titles:
        return part
    names = {_plain(name): title for pair in titles.items() for name, title in ((pair[0], pair[1]), (pair[1], pair[1]))}
    missing = _missing(part.items, names)
    if missing:
        known = ", ".join(f'"{title}"' for title in sorted(set(titles.values()))[:20])
        raise SetError(
            tuple(
                f'{part.name}: {item}: the collection has no source "{name}"; its sources are {known}'
                for item, name in missing
            )
        )
    return replace(part, items=tuple(_item_in_titles(item, names) for item in part.items))


def exchange_in_titles(exchange: Exchange, titles: Mapping[str, str]) -> Exchange:
    """Return the exchange with the sources of the reply named by their titles, ids where there is none."""
    reply = exchange.reply
    named = replace(
        reply,
        citations=tuple(replace(one, source_id=titles.get(one.source_id, one.source_id)) for one in reply.citations),
        passage_sources=tuple(titles.get(name, name) for name in reply.passage_sources),
    )
    apart = {name: tuple(titles.get(one, one) for one in found) for name, found in exchange.by_searcher.items()}
    return replace(exchange, reply=named, by_searcher=apart)


def _missing(items: Sequence[Item], names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (item.id, name)
        for item in items
        if isinstance(item, AnswerItem)
        for name in item.sources
        if _plain(name) not in names
    ]


def _item_in_titles(item: Item, names: Mapping[str, str]) -> Item:
    if not isinstance(item, AnswerItem):
        return item
    return replace(item, sources=tuple(dict.fromkeys(names[_plain(name)] for name in item.sources)))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
