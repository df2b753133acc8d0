from pathlib import Path

import pytest

from index import errors


def test_every_error_is_a_retrieval_error_with_its_facts_as_fields() -> None:
    raised = [
        errors.DimensionMismatchError(384, 3),
        errors.ModelFileError(Path("model/config.json"), "is missing"),
        errors.NoSnapshotError(Path("home")),
        errors.DamagedSnapshotError("snap_1", "passages.faiss", "is missing"),
        errors.ForeignSnapshotError("snap_1", "the model a", "the model b"),
    ]
    assert all(isinstance(error, errors.RetrievalError) for error in raised)
    assert [isinstance(error, errors.SnapshotError) for error in raised] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.NoSnapshotError(Path("h")), "there is no index yet; make one with `backline index`"),
        (errors.NoSnapshotError(Path("h"), "snap_0"), "there is no snapshot 'snap_0'"),
        (
            errors.DamagedSnapshotError("snap_0", "a.faiss", "is missing"),
            "snapshot snap_0 is damaged: a.faiss is missing; make a new one with `backline index --rebuild`",
        ),
        (
            errors.ForeignSnapshotError("snap_0", "the model a@1", "the model b@2"),
            (
                "snapshot snap_0 was made with the model a@1, but this process runs the model b@2; "
                "rebuild it with `backline index --rebuild` or run with the model that made it"
            ),
        ),
        (errors.ModelFileError(Path("x/config.json"), "is missing"), "config.json: is missing"),
    ],
)
def test_messages_say_what_to_do(error: errors.RetrievalError, message: str) -> None:
    assert str(error) == message
