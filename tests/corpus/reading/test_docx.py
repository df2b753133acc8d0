import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from corpus.errors import UnreadableDocumentError
from corpus.reading.docx import read_docx
from tests.corpus.reading.invariants import check_document, outline


def _saved(document: WordDocument) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _built(build: Callable[[WordDocument], object]) -> bytes:
    document = docx.Document()
    build(document)
    return _saved(document)


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return buffer.getvalue()


def _manual(document: WordDocument) -> None:
    document.core_properties.title = "Title of the properties"
    document.add_heading("Desk manual", 0)
    document.add_paragraph("The desk comes in two boxes.")
    document.add_heading("Parts", 1)
    document.add_paragraph("In the first box:")
    document.add_paragraph("the top", style="List Bullet")
    document.add_paragraph("four legs", style="List Bullet")
    document.add_heading("Steps", 1)
    for step in ["Turn the top over.", "Screw on the legs.", "Turn it back."]:
        document.add_paragraph(step, style="List Number")
    document.add_heading("Height", 2)
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip(
        [c for row in table.rows for c in row.cells], ["Leg", "Min", "Max", "A", "60", "75"], strict=True
    ):
        cell.text = text
    document.add_paragraph("After the table.")
    document.sections[0].header.paragraphs[0].text = "Running head"
    document.sections[0].footer.paragraphs[0].text = "Page 1"


def test_headings_lists_and_tables_of_a_manual() -> None:
    document = read_docx(_built(_manual), "manual.docx")
    check_document(document)
    assert document.title == "Desk manual"
    assert outline(document) == [((), None), (("Parts",), None), (("Steps",), None), (("Steps", "Height"), None)]
    assert document.marked.text == (
        "Desk manual\n\nThe desk comes in two boxes.\n\nParts\n\nIn the first box:\n\n- the top\n- four legs\n\nSteps\n\n"
        "1. Turn the top over.\n2. Screw on the legs.\n3. Turn it back.\n\nHeight\n\n"
        "Leg | Min | Max\nA | 60 | 75\n\nAfter the table."
    )


def test_a_manual_written_by_an_office_program(files: Path) -> None:
    document = read_docx((files / "office_manual.docx").read_bytes(), "office_manual.docx")
    check_document(document)
    assert document.title == "Looking after your desk"
    assert [path for path, _ in outline(document)] == [
        (),
        ("Every week",),
        ("Every year", "Oiling"),
        ("Every year", "Screws"),
        ("Spare parts",),
    ]
    texts = [section.span.slice(document.marked.text) for section in document.marked.sections]
    assert texts[0].startswith("The top of the desk is oiled wood.")
    assert texts[1].endswith("- Leave the drawers open for a quarter of an hour.")
    assert texts[4].startswith("Part | Number\nDrawer runner | D-204\nFoot | D-311\n")


def test_the_title_of_the_properties_helps_where_the_text_has_none() -> None:
    def build(document: WordDocument) -> None:
        document.core_properties.title = "Title of the properties"
        document.add_heading("One", 1)
        document.add_paragraph("a")
        document.add_heading("Two", 1)
        document.add_paragraph("b")

    document = read_docx(_built(build), "a.docx")
    assert document.title == "Title of the properties"
    assert outline(document) == [(("One",), None), (("Two",), None)]


def test_merged_cells_come_once() -> None:
    def build(document: WordDocument) -> None:
        table = document.add_table(rows=2, cols=2)
        table.cell(0, 0).merge(table.cell(0, 1)).text = "Both"
        table.cell(1, 0).text, table.cell(1, 1).text = "left", "right"

    assert read_docx(_built(build), "a.docx").marked.text == "Both\nleft | right"


_W = nsdecls("w")
_BOX = (
    f"<w:p {_W}><w:r><w:t>beside</w:t><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p>"
    "</w:txbxContent></w:pict></w:r></w:p>"
)
_CONTENTS = (
    f'<w:sdt {_W}><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
    "<w:sdtContent><w:p><w:r><w:t>Contents 1</w:t></w:r></w:p></w:sdtContent></w:sdt>"
)


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        (f"<w:p {_W}><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins></w:p>", "inserted"),
        (f"<w:p {_W}><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>", "kept"),
        (f"<w:p {_W}><w:r><w:t>shown</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>", "shown"),
        (f'<w:p {_W}><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>shown</w:t></w:r></w:p>', "shown"),
        (f"<w:sdt {_W}><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>", "control"),
        (f"<w:p {_W}><w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:tab/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>", "a\nb c-d"),
        (f"<w:p {_W}><w:hyperlink><w:r><w:t>link words</w:t></w:r></w:hyperlink></w:p>", "link words"),
        (_BOX, "beside\n\nboxed"),
        (_CONTENTS, ""),
    ],
)  # fmt: skip
def test_what_is_on_the_page_is_read_and_nothing_else(xml: str, text: str) -> None:
    def build(document: WordDocument) -> None:
        document.element.body.insert(0, parse_xml(xml))
        document.add_paragraph("End.")

    document = read_docx(_built(build), "a.docx")
    check_document(document)
    assert document.marked.text == (f"{text}\n\nEnd." if text else "End.")


def test_a_style_of_ones_own_with_an_outline_level_is_a_heading() -> None:
    def build(document: WordDocument) -> None:
        style = document.styles.add_style("House head", 1)
        style.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {_W} w:val="1"/>'))
        document.add_paragraph("Before.")
        document.add_paragraph("My heading", style="House head")
        document.add_paragraph("After.")

    assert outline(read_docx(_built(build), "a.docx")) == [((), None), (("My heading",), None)]


def test_styles_based_on_each_other_in_a_ring_end() -> None:
    def build(document: WordDocument) -> None:
        one, two = document.styles.add_style("One", 1), document.styles.add_style("Two", 1)
        one.base_style, two.base_style = two, one
        document.add_paragraph("Words.", style="One")

    assert read_docx(_built(build), "a.docx").marked.text == "Words."


def test_a_document_without_text_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match="run text recognition"):
        read_docx(_built(lambda document: document.add_paragraph("")), "a.docx")


_BODY = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"word/document.xml": _BODY, "word/media/a.bin": b"\0" * 3_000_000}, "its part word/media/a.bin unpacks to too much"),
        ({f"p{n}": b"" for n in range(5_001)}, "it unpacks to more than 120 MB or 5000 parts"),
        ({"a.txt": b"text"}, "it is a zip package but no Word document"),
        ({"word/document.xml": _BODY, "../../etc/passwd": b"x"}, "its part ../../etc/passwd has a name that leads out"),
        ({"word/document.xml": _BODY, "/etc/passwd": b"x"}, "its part /etc/passwd has a name that leads out"),
        ({"word/document.xml": _BODY, "a\\..\\..\\b": b"x"}, "has a name that leads out"),
        ({"word/document.xml": _BODY}, "it is a damaged DOCX file"),
        ({"word/document.xml": b"<a", "[Content_Types].xml": b"<a"}, "it is a damaged DOCX file"),
    ],
)  # fmt: skip
def test_a_package_is_examined_before_it_is_unpacked(members: dict[str, bytes], reason: str) -> None:
    with pytest.raises(UnreadableDocumentError) as caught:
        read_docx(_zip(members), "a.docx")
    assert reason in caught.value.reason


def test_a_package_of_many_large_parts_is_refused() -> None:
    members = {f"word/{n}.bin": bytes(900_000) for n in range(150)}
    with pytest.raises(UnreadableDocumentError, match="unpacks to more than 120 MB"):
        read_docx(_zip(members), "a.docx")


def test_an_encrypted_part_is_named(tmp_path: Path) -> None:
    content = bytearray(_zip({"word/document.xml": _BODY}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UnreadableDocumentError, match="is encrypted; save it without a password"):
        read_docx(bytes(content), "a.docx")
