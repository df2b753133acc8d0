"""R24: what was backed up comes back as it was, and nothing that is damaged does."""

import random
import sqlite3
import zipfile
from pathlib import Path

import pytest

from corpus.records import Document, Section, Source, Span
from service.storage.backing_up import BackupError, back_up, restore
from service.storage.database import indexed, indexing_jobs, open_database
from service.storage.documents import load_documents, store_documents
from service.storage.indexing import begin_generation, load_installation, sizes, waiting
from service.storage.keys import create_key, list_keys


def filled(path: Path, count: int = 3) -> Path:
    engine = open_database(path)
    documents = []
    for number in range(count):
        text = f"Note {number}. The clinic opens at {number}."
        source = Source(f"s{number}", f"Note {number}", "Clinic", "Clinic", "")
        documents.append(Document(f"doc_{number}", source, f"Note {number}", text, (Section((), Span(0, len(text))),)))
    store_documents(engine, documents)
    create_key(engine, "desk", {"ask"})
    engine.dispose()
    return path


def contents(path: Path) -> tuple[list[Document], list[str]]:
    engine = open_database(path)
    try:
        return sorted(load_documents(engine), key=lambda d: d.id), [key.id for key in list_keys(engine)]
    finally:
        engine.dispose()


@pytest.mark.drill("R24")
def test_what_was_backed_up_comes_back(tmp_path: Path) -> None:
    database = filled(tmp_path / "home" / "backline.sqlite")
    made = back_up(database, tmp_path / "one.backup")
    assert made.documents == 3
    restored = restore(tmp_path / "one.backup", tmp_path / "new" / "backline.sqlite")
    assert restored == made
    assert contents(tmp_path / "new" / "backline.sqlite") == contents(database)


def test_a_backup_is_taken_while_others_write(tmp_path: Path) -> None:
    database = filled(tmp_path / "backline.sqlite")
    with sqlite3.connect(database) as writer:
        writer.execute("INSERT INTO withdrawals (id, count) VALUES (77, 1)")
        made = back_up(database, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", tmp_path / "new" / "backline.sqlite")
    assert made.documents == 3
    with sqlite3.connect(tmp_path / "new" / "backline.sqlite") as reader:
        assert reader.execute("SELECT count(*) FROM withdrawals WHERE id = 77").fetchone() == (0,)


def test_a_restored_database_has_a_name_of_its_own_elsewhere_and_everything_is_brought_anew(tmp_path: Path) -> None:
    database = open_database(filled(tmp_path / "backline.sqlite"))
    begin_generation(database)
    with database.begin() as connection:
        row = {"document_id": "doc_0", "collection": "ward", "version": "v", "recipe": "r", "words": "{}"}
        connection.execute(indexed.insert(), {**row, "passages": 1, "sentences": 1})
        connection.execute(indexing_jobs.insert(), {"document_id": "doc_1", "worker": "w", "until": 4e9})
    back_up(tmp_path / "backline.sqlite", tmp_path / "one.backup")
    restore(tmp_path / "one.backup", tmp_path / "new.sqlite")
    restored, before = open_database(tmp_path / "new.sqlite"), load_installation(database)
    assert (before.generation, load_installation(restored).generation) == (1, 0)
    assert load_installation(restored).name != before.name
    assert (sizes(restored, "r"), waiting(restored)) == ({}, 0)
    assert (sizes(database, "r")["ward"].documents, waiting(database)) == (1, 1)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    database = filled(tmp_path / "backline.sqlite")
    back_up(database, tmp_path / "one.backup")
    with pytest.raises(BackupError, match="is there already; choose another name"):
        back_up(database, tmp_path / "one.backup")
    other = filled(tmp_path / "other.sqlite", count=1)
    with pytest.raises(BackupError, match="--replace"):
        restore(tmp_path / "one.backup", other)
    assert len(contents(other)[0]) == 1
    restore(tmp_path / "one.backup", other, replace=True)
    assert len(contents(other)[0]) == 3


def test_an_empty_home_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="nothing to back up"):
        back_up(tmp_path / "backline.sqlite", tmp_path / "one.backup")
    with pytest.raises(BackupError, match="there is no file"):
        restore(tmp_path / "missing.backup", tmp_path / "backline.sqlite")


@pytest.mark.drill("R24")
@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_backup_is_refused_and_what_is_there_stays(tmp_path: Path, seed: int) -> None:
    database = filled(tmp_path / "backline.sqlite")
    backup = tmp_path / "one.backup"
    back_up(database, backup)
    content = bytearray(backup.read_bytes())
    chance = random.Random(seed)  # noqa: S311 - which bit is flipped
    with zipfile.ZipFile(backup) as archive:
        (entry,) = (info for info in archive.infolist() if info.filename.endswith(".sqlite"))
    at = entry.header_offset + 60 + chance.randrange(entry.compress_size - 60)
    content[at] ^= 0xFF  # of a single bit the packing may make no use
    backup.write_bytes(content if seed % 2 else content[:at])
    before = contents(database)
    with pytest.raises(BackupError, match="damaged"):
        restore(backup, database, replace=True)
    assert contents(database) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".restore")] == []


def test_a_backup_of_another_database_under_an_old_hash_is_refused(tmp_path: Path) -> None:
    back_up(filled(tmp_path / "a.sqlite"), tmp_path / "a.backup")
    other = filled(tmp_path / "b.sqlite", count=1)
    with zipfile.ZipFile(tmp_path / "a.backup") as archive:
        manifest = archive.read("manifest.json")
    with zipfile.ZipFile(tmp_path / "forged.backup", "w") as archive:
        archive.writestr("manifest.json", manifest)
        archive.write(other, "backline.sqlite")
    with pytest.raises(BackupError, match="not the one that was backed up"):
        restore(tmp_path / "forged.backup", tmp_path / "new.sqlite")
