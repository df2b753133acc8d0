import base64
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.storage import keys as storage
from service.storage.database import open_database
from service.storage.keys import create_key, find_key, list_keys, revoke_key


def test_a_key_is_found_by_its_secret_alone(engine: Engine) -> None:
    secret, key = create_key(engine, "desk", ["ingest", "ask"], ["clinic"])
    other, _ = create_key(engine, "other", ["ask"])
    assert find_key(engine, secret) == key
    assert key.scopes == {"ingest", "ask"}
    assert key.collections == frozenset({"clinic"})
    assert (key.covers("clinic"), key.covers("default")) == (True, False)
    for wrong in (other + "x", secret[:-1], secret.upper(), secret[3:], key.id, "", "bl_", "\ud800"):
        assert find_key(engine, wrong) is None


@pytest.mark.drill("R19")
def test_a_secret_has_at_least_128_random_bits_and_none_comes_twice(engine: Engine) -> None:
    secrets = [create_key(engine, "k", ["ask"])[0] for _ in range(20)]
    assert len(set(secrets)) == 20
    for secret in secrets:
        assert secret.startswith("bl_")
        assert len(base64.urlsafe_b64decode(secret[3:] + "=")) >= 16


@pytest.mark.drill("R19")
def test_only_a_hash_reaches_the_disk(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "b.sqlite")
    secret, key = create_key(engine, "desk", ["ingest"])
    find_key(engine, secret)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key.id.encode() in content
    for part in (secret, secret[3:], secret[3:15], base64.urlsafe_b64decode(secret[3:] + "=").hex()):
        assert part.encode() not in content
    assert base64.urlsafe_b64decode(secret[3:] + "=") not in content
    assert secret not in repr(key)


def test_a_revoked_key_is_found_no_more(engine: Engine) -> None:
    secret, key = create_key(engine, "desk", ["ingest"])
    assert revoke_key(engine, key.id)
    assert find_key(engine, secret) is None
    assert not revoke_key(engine, key.id)
    assert not revoke_key(engine, "key_nothing")
    assert [known.revoked is not None for known in list_keys(engine)] == [True]


@pytest.mark.drill("R19")
def test_a_key_ends(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, key = create_key(engine, "desk", ["ingest"], lifetime=timedelta(days=1))
    assert key.expires is not None
    for before_end, works in ((timedelta(seconds=1), True), (timedelta(), False), (timedelta(days=-30), False)):
        moment = key.expires - before_end
        monkeypatch.setattr(storage, "_now", lambda moment=moment: moment)
        assert (find_key(engine, secret) is not None) is works


@pytest.mark.drill("R19")
def test_two_keys_work_side_by_side_while_one_replaces_the_other(engine: Engine) -> None:
    old, first = create_key(engine, "desk", ["ingest"])
    new, second = create_key(engine, "desk", ["ingest"])
    assert (find_key(engine, old), find_key(engine, new)) == (first, second)
    revoke_key(engine, first.id)
    assert (find_key(engine, old), find_key(engine, new)) == (None, second)


@pytest.mark.drill("R19")
def test_hashes_are_compared_in_constant_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, _ = create_key(engine, "a", ["ask"])
    create_key(engine, "b", ["ask"])
    compared: list[bool] = []

    def compare(one: str, other: str) -> bool:
        compared.append(one == other)
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert find_key(engine, secret) is not None
    assert sorted(compared) == [False, True]


@pytest.mark.parametrize(
    ("scopes", "collections", "lifetime"),
    [([], None, None), (["root"], None, None), (["ask"], [], None), (["ask"], None, timedelta())],
)
def test_a_key_that_makes_no_sense_is_refused(
    engine: Engine, scopes: list[storage.Scope], collections: list[str] | None, lifetime: timedelta | None
) -> None:
    with pytest.raises(ValueError, match=r"."):
        create_key(engine, "k", scopes, collections, lifetime)
    assert list_keys(engine) == []
