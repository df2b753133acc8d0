"""Broken and hostile files for drill R12, made from sound ones by seed."""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import docx

_SEED = 20_251_122


def sound_files(folder: Path) -> dict[str, bytes]:
    """Return one sound file of every kind."""
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_heading("Desk", 1)
    document.add_paragraph("The desk has four legs and one drawer.")
    document.add_table(rows=2, cols=2).cell(0, 0).text = "cell"
    document.save(buffer)
    lines = [
        json.dumps({"_id": str(n), "title": f"T{n}", "text": f"Rücken {n}."}, ensure_ascii=False) for n in range(9)
    ]
    return {
        "page.html": (folder / "saved_page.html").read_bytes(),
        "print.pdf": (folder / "printed_page.pdf").read_bytes(),
        "desk.docx": buffer.getvalue(),
        "note.md": b"# Desk\n\nText *with* marks.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n" * 20,
        "note.txt": "Plain words – with a dash.\n".encode() * 40,
        "set.jsonl": "\n".join(lines).encode(),
        "export.json": (folder / "zendesk_articles.json").read_bytes(),
    }


def mutated_files(sound: dict[str, bytes], turn: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield each file cut short, with flipped bits, with a zeroed stretch, and with parts of it in a wrong order.

    Each ``turn`` damages other places.
    """
    chance = random.Random(_SEED + turn)  # noqa: S311 - a repeatable draw is wanted
    for name, content in sound.items():
        for share in (0.02, 0.3, 0.6, 0.97) if turn == 0 else (round(chance.random(), 3) for _ in range(4)):
            yield f"cut-{share}-{name}", content[: int(len(content) * share)]
        for flips in (1, 4, 16, 64, 256, 1024):
            damaged = bytearray(content)
            for _ in range(flips):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            yield f"flip-{flips}-{name}", bytes(damaged)
        start = chance.randrange(len(content) // 2)
        yield f"zero-{name}", content[:start] + bytes(len(content) // 4) + content[start + len(content) // 4 :]
        middle = len(content) // 2
        yield f"swap-{name}", content[middle:] + content[:middle]


def wrong_extensions(sound: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield sound content under the names of other kinds."""
    names = list(sound)
    for position, name in enumerate(names):
        for step in (1, 3):
            yield f"as-{name}-{names[(position + step) % len(names)]}", sound[name]


def hostile_files(sound: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield empty files, odd encodings, deep nesting, bombs and binary data."""
    for extension in ("md", "html", "pdf", "docx", "txt", "jsonl", "json", "bin"):
        yield f"empty.{extension}", b""
        yield f"zeros.{extension}", bytes(1000)
    yield "blank.txt", b" \n\t\r\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "utf-7"):
        yield f"{encoding}.txt", "Rücken: it hurts.\n".encode(encoding)
        yield f"{encoding}.html", "<html><body><p>Rücken: it hurts.</p></body></html>".encode(encoding)
    yield "nul.txt", b"a\x00b"
    yield "nul.html", b"<html><body><p>a\x00b</p></body></html>"
    yield "surrogates.jsonl", b'{"text": "\\ud800\\udc00 \\ud800 x"}'
    yield "deep.html", b"<html><body>" + b"<div>" * 20_000 + b"x" + b"</div>" * 20_000
    yield "deep-inline.html", b"<html><body><p>" + b"<b><i>" * 20_000 + b"x"
    yield "deep-list.html", b"<html><body>" + b"<ul><li>" * 20_000 + b"x"
    yield "deep-table.html", b"<html><body>" + b"<table><tr><td>" * 20_000 + b"x"
    yield "deep-quote.md", b"> " * 20_000 + b"x"
    yield "deep-list.md", b"".join(b" " * (2 * n) + b"- x\n" for n in range(1_500))
    yield "deep-bracket.md", b"[" * 20_000 + b"x" + b"]" * 20_000
    yield "deep-star.md", b"*a **b " * 20_000
    yield "ticks.md", b"".join(b"a" + b"`" * n for n in range(1, 1_200))
    yield "deep.json", b'{"articles": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    yield "deep.jsonl", b'{"text": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    yield "wide.html", b"<html><body>" + b"<p>a</p>" * 10_000
    yield "attributes.html", b"<html><body><p " + b"a=1 " * 100_000 + b">x</p>"
    yield "entities.html", b"<!DOCTYPE html [<!ENTITY a 'xxxxxxxxxx'>]><html><body>" + b"&a;&#x110000;&#0;" * 1_000
    yield from _bombs(sound["desk.docx"])
    yield from _pdf_traps()
    for label, magic in {
        "png": b"\x89PNG\r\n\x1a\n",
        "gif": b"GIF89a",
        "exe": b"MZ\x90\x00",
        "gz": b"\x1f\x8b\x08\x00",
    }.items():
        yield f"{label}.pdf", magic + bytes(range(256)) * 8
    yield "old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    yield "letter.rtf", b"{\\rtf1 words}"
    yield "feed.xml", b"<?xml version='1.0'?><urlset><url><loc>https://a.example/</loc></url></urlset>"
    yield "table.csv", b"a,b\n1,2\n"


def _bombs(sound: bytes) -> Iterator[tuple[str, bytes]]:
    parts = {
        name: zipfile.ZipFile(io.BytesIO(sound)).read(name) for name in zipfile.ZipFile(io.BytesIO(sound)).namelist()
    }
    body = parts["word/document.xml"]
    paragraph = b"<w:p><w:r><w:t>" + b"A" * 400 + b"</w:t></w:r></w:p>"
    start = body.index(b"<w:body>") + len(b"<w:body>")
    yield "bomb-large.docx", _packed(parts, body[:start] + paragraph * 200_000 + body[start:])
    yield "bomb-many.docx", _packed(parts, body[:start] + b"<w:p/>" * 1_500_000 + body[start:])
    deep = b"<w:sdt><w:sdtContent>" * 20_000 + b"</w:sdtContent></w:sdt>" * 20_000
    yield "bomb-deep.docx", _packed(parts, body[:start] + deep + body[start:])
    laughs = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
    )
    yield (
        "bomb-entities.docx",
        _packed(parts, laughs + b"]>" + body[body.index(b"<w:document") :].replace(b"four", b"&j;")),
    )
    outside = body.replace(b"four", b"&x;")
    outside = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + outside[outside.index(b"<w:document") :]
    yield "bomb-outside.docx", _packed(parts, outside)
    lying = bytearray(_packed(parts, body[:start] + paragraph * 200_000 + body[start:]))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lying.find(signature)
        while at != -1:
            (size,) = struct.unpack_from("<I", lying, at + offset)
            struct.pack_into("<I", lying, at + offset, min(size, 5_000))
            at = lying.find(signature, at + 4)
    yield "bomb-lying.docx", bytes(lying)
    inner = _packed(parts, body)
    for _ in range(5):
        inner = _packed({"word/document.xml": body, "word/inner.zip": inner}, body)
    yield "bomb-nested.docx", inner


def _packed(parts: dict[str, bytes], body: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {**parts, "word/document.xml": body}.items():
            package.writestr(name, content)
    return buffer.getvalue()


def _pdf_traps() -> Iterator[tuple[str, bytes]]:
    stream = zlib.compress(b"BT /F1 12 Tf 72 700 Td (words words words) Tj ET\n" * 400_000, 9)
    yield "bomb-stream.pdf", _pdf([b"<</Length %d /Filter /FlateDecode>>stream\n%b\nendstream" % (len(stream), stream)])
    yield "loop-pages.pdf", _pdf([b"<<>>"], kids=b"2 0 R 2 0 R 3 0 R")
    yield "loop-form.pdf", _pdf([b"<</Length 6>>stream\n/X Do \nendstream"], resources=b"/XObject<</X 3 0 R>>")
    yield "deep-array.pdf", _pdf([b"[" * 20_000 + b"]" * 20_000])
    yield "many-pages.pdf", _pdf([b"<<>>"], kids=b"3 0 R " * 50_000, count=50_000)
    yield "huge-box.pdf", _pdf([b"<</Length 0>>stream\n\nendstream"], box=b"0 0 99999999999 99999999999")


def _pdf(
    objects: list[bytes], *, kids: bytes = b"3 0 R", count: int = 1, resources: bytes = b"", box: bytes = b"0 0 595 842"
) -> bytes:
    font = b"/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count),
        b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents 4 0 R/Resources<<%b%b>>>>" % (box, font, resources),
        *objects,
    ]
    out, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(parts) + 1, table)
    return out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, start)
