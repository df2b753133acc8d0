"""Replies and tables on a terminal."""

import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from index.embedding import Progress
from index.snapshot import Snapshot
from service.gaps import Cluster
from service.storage.collections import Collection
from service.storage.keys import Key

_WIDTH = 96

EVIDENCE = {
    "source": "read in the page's own text",
    "copy": "read in a copy of this page",
    "candidate": "from this publisher, but perhaps not the page first cited",
    "edition": "older edition or sister page of the one cited",
    "other": "from another named source",
}


def print_reply(reply: Mapping[str, Any], emergency_numbers: Sequence[str]) -> None:
    """Print one reply: notice first, then the answer, then its sources."""
    if reply["triage"]:
        _print_notice(reply["triage"], emergency_numbers)
    numbers = {citation["id"]: position for position, citation in enumerate(reply["citations"], start=1)}
    if reply["sentences"]:
        print("From the sources" if reply["status"] == "answered" else "Part of your question")
        for sentence in reply["sentences"]:
            marks = "".join(f" [{numbers[name]}]" for name in sentence["citation_ids"])
            print(_wrapped(sentence["text"] + marks))
        for part in reply["missing"]:
            print(_wrapped(f"Not in my sources: {part}"))
        for differing in reply["differences"]:
            print(f"\nThe sources differ: {differing['topic']}")
            for position in differing["positions"]:
                marks = "".join(f" [{numbers[name]}]" for name in position["citation_ids"])
                print(_wrapped(position["text"] + marks, "  - "))
            if differing["care"]:
                print(_wrapped("If they differ on when to get help, go by the earliest time.", "  "))
        print("\nSources")
        for citation in reply["citations"]:
            _print_citation(numbers[citation["id"]], citation)
    if reply["abstention"]:
        _print_abstention(reply["abstention"])
    print(f"\n{reply['disclaimer']}")


def print_gaps(clusters: Sequence[Cluster]) -> None:
    """Print what was asked in vain: groups with their questions, then what was asked by itself."""
    if not clusters:
        print("Nothing was asked in vain, as far as answers are kept.")
    alone = [cluster for cluster in clusters if len(cluster.gaps) == 1]
    for cluster in clusters:
        if len(cluster.gaps) > 1:
            mark = "  A WARNING WAS MISSING" if cluster.lacks_warning else ""
            print(f"{cluster.count:4}  {cluster.name}  (nearest source: {cluster.nearest_source or 'none'}){mark}")
            for gap in cluster.gaps:
                print(_wrapped(f"{gap.count} {gap.kind}, {gap.reason or 'no reason'}: {gap.question}", "      "))
    if alone:
        print("By themselves:")
    for cluster in alone:
        gap = cluster.gaps[0]
        print(_wrapped(f"{gap.count} {gap.kind}, {gap.reason or 'no reason'}: {gap.question}", "      "))


def print_sources(snapshot: Snapshot, collection: str | None = None) -> None:
    """Print one row a source, the shipped ones first; of one collection, or of all."""
    passages = snapshot.passages_by_source()
    for document in sorted(snapshot.documents.values(), key=lambda document: not document.source.digest):
        source = document.source
        if collection not in {None, source.collection}:
            continue
        labels = Counter(attribution.evidence for attribution in document.attributions)
        evidence = ", ".join(f"{count} {label}" for label, count in sorted(labels.items())) or "the document itself"
        print(f"{source.publisher_short or source.publisher}: {source.title}")
        print(f"    {source.id} | {source.licence} | {evidence} | {passages[source.id]} passages")


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show a bar on the error stream, where a person sees it and a pipe does not."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance


@contextmanager
def counter(title: str) -> Iterator[Callable[[int], None]]:
    """Show on the error stream how many there were so far, where nobody knows how many there will be."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:.0f}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(title, total=None)

        def tell(done: int) -> None:
            bar.update(task, completed=done)

        yield tell


def _print_notice(notice: Mapping[str, Any], emergency_numbers: Sequence[str]) -> None:
    print(f"{notice['label'].upper()}: {notice['title']}")
    if notice["level"] == "emergency":
        print(f"  Call {', '.join(emergency_numbers)} or your local emergency number.")
    for line in (notice["message"], notice["how"], *notice["conditional"]):
        if line:
            print(_wrapped(line, "  "))
    matched = ", ".join(f"“{rule['matched']}”" for rule in notice["rules"] if rule["matched"])
    if matched:
        print(_wrapped(f"Why you see this: you wrote {matched}.", "  "))
    for source in notice["sources"]:
        print(_wrapped(f"{source['title']}, {source['publisher']} {source['url']}", "  Source of this warning: "))
    print()


def _print_abstention(abstention: Mapping[str, Any]) -> None:
    print("I can't answer that from my sources")
    print(_wrapped(abstention["message"]))
    if abstention["nearest"]:
        print("\nWhat I did find")
        for position, citation in enumerate(abstention["nearest"], start=1):
            print(_wrapped(citation["quote"], f"  {position}. "))
            print(f"     {citation['title']}, {citation['publisher']} {citation['url']}")


def _print_citation(number: int, citation: Mapping[str, Any]) -> None:
    kind = "our digest" if citation["digest"] else "quote"
    print(f"[{number}] {citation['title']}, {citation['publisher']} ({kind}; {EVIDENCE[citation['evidence']]})")
    if citation["url"]:
        print(f"    {citation['deep_link'] or citation['url']}")
    if citation["credit"]:
        print(_wrapped(citation["credit"], "    "))


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent), break_on_hyphens=False
    )


def collection_lines(collection: Collection) -> Iterator[str]:
    """Yield lines on a collection: name, documents, whether it may be published, and what was said of it."""
    state = "may be published" if collection.publishable else "this machine only: its licence is not confirmed"
    yield f"{collection.name}  {collection.documents} documents  {state}"
    if collection.scope:
        yield f"    about: {collection.scope}"
    yield from (f"    for example: {question}" for question in collection.questions)
    if collection.disclaimer:
        yield f"    disclaimer: {collection.disclaimer}"


def key_line(key: Key, now: datetime) -> str:
    """Return one line on a key: id, whether it works, scopes, collections, end, rate, name."""
    state = "revoked" if key.revoked else "works" if key.works_at(now) else "over"
    collections = "all" if key.collections is None else ",".join(sorted(key.collections))
    end = "no end" if key.expires is None else f"until {key.expires.date().isoformat()}"
    rate = "" if key.rate is None else f"{key.rate} a minute  "
    return f"{key.id}  {state:7}  {','.join(sorted(key.scopes))}  {collections}  {end}  {rate}{key.name}"
