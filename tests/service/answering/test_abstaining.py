import json
from pathlib import Path

import pytest

from service.answering.abstaining import Calibration, load_calibration
from service.answering.errors import CalibrationError

ROW = {
    "model_id": "m@1",
    "features": ["best_sentence"],
    "mean": [0.5],
    "scale": [0.25],
    "weights": [2.0],
    "intercept": 0.0,
    "threshold": 0.5,
    "calibrated_on": "set",
}


def write(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps({**ROW, **changes}), encoding="utf-8")
    return path


def test_the_probability_is_the_logistic_of_the_standardised_features(tmp_path: Path) -> None:
    calibration = load_calibration("m@1", write(tmp_path / "c.json"))
    assert calibration.probability({"best_sentence": 0.5}) == pytest.approx(0.5)
    # One standard deviation above the mean: 1 / (1 + e^-2).
    assert calibration.probability({"best_sentence": 0.75}) == pytest.approx(0.8807970779778823)


def test_a_calibration_of_another_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"m@1.*other@2"):
        load_calibration("other@2", write(tmp_path / "c.json"))


def test_a_malformed_calibration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError):
        load_calibration("m@1", write(tmp_path / "c.json", weights=[1.0, 2.0]))
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(CalibrationError):
        load_calibration("m@1", tmp_path / "broken.json")


def test_extreme_features_stay_probabilities() -> None:
    calibration = Calibration("m", ("a",), (0.0,), (1e-6,), (1.0,), 0.0, 0.5, "set")
    assert 0.0 < calibration.probability({"a": -1e9}) < calibration.probability({"a": 1e9}) <= 1.0
