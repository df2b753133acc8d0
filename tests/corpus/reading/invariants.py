"""What must hold of every document that a reader hands over."""

from corpus.normalising import normalise
from corpus.reading.read_document import ReadDocument


def check_document(document: ReadDocument) -> None:
    marked = document.marked
    assert normalise(marked.text) == marked.text
    assert marked.sections
    end = 0
    for section in marked.sections:
        assert end <= section.span.start < section.span.end <= len(marked.text)
        assert section.span.slice(marked.text).strip() == section.span.slice(marked.text)
        end = section.span.end
    assert document.name.isprintable()
    assert document.title.isprintable()
    assert document.url == "" or document.url.startswith(("http://", "https://"))
    assert marked.text.encode("utf-8")


def outline(document: ReadDocument) -> list[tuple[tuple[str, ...], int | None]]:
    return [(section.heading_path, section.page) for section in document.marked.sections]
