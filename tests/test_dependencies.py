"""R26: licences that allow what we do, and no format that runs code when it is read."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from index.model_files import PINNED

ROOT = Path(__file__).parent.parent
PACKAGES = ("corpus", "index", "service", "eval")

COPYLEFT = re.compile(r"\b(?:A?GPL|GNU (?:Affero )?General Public)", re.IGNORECASE)
WEAKER = re.compile(r"LGPL|Lesser General", re.IGNORECASE)
SBOM = ROOT / "deploy" / "sbom.py"


def bill(*options: str) -> dict[str, Any]:
    """Return the bill of materials of this installation."""
    done = subprocess.run([sys.executable, SBOM, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def licence_of(package: dict[str, Any]) -> str:
    """Return what the bill says of one package's licence."""
    found = [one.get("expression") or one["license"].get("id") or one["license"]["name"] for one in package["licenses"]]
    return "; ".join(found)


@pytest.mark.drill("R26")
def test_the_bill_of_materials_is_one_and_names_what_is_installed_and_the_model() -> None:
    made = bill()
    version = SchemaVersion.from_version(made["specVersion"])
    assert JsonStrictValidator(version).validate_str(json.dumps(made)) is None
    packages = {one["name"]: one for one in made["components"]}
    assert packages["fastapi"]["version"] == distribution("fastapi").version
    assert packages["fastapi"]["purl"] == f"pkg:pypi/fastapi@{distribution('fastapi').version}"
    weights = packages["all-MiniLM-L6-v2"]
    assert weights["type"] == "machine-learning-model"
    assert weights["hashes"] == [{"alg": "SHA-256", "content": PINNED["model.safetensors"]}]
    needs = {one["ref"]: one.get("dependsOn", []) for one in made["dependencies"]}
    assert packages["starlette"]["bom-ref"] in needs[packages["fastapi"]["bom-ref"]]
    image = {one["name"] for one in bill("--image")["components"]}
    assert {"torch", "sentence-transformers"} <= packages.keys() - image
    assert {"onnxruntime", "faiss-cpu"} <= image


@pytest.mark.drill("R26")
def test_nothing_that_runs_is_under_the_gpl_or_without_a_licence() -> None:
    packages = [one for one in bill()["components"] if one["type"] == "library"]
    assert len(packages) > 40
    licences = {one["name"]: licence_of(one) if "licenses" in one else "" for one in packages}
    bad = {n: text for n, text in licences.items() if COPYLEFT.search(WEAKER.sub("", text)) and " OR " not in text}
    assert bad == {}
    assert [name for name, text in licences.items() if not text] == []


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.drill("R26")
@pytest.mark.parametrize("package", PACKAGES)
def test_no_format_that_runs_code_is_read(package: str) -> None:
    found = []
    for path in (ROOT / package).rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {alias.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
        imported |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        found += [
            (path.name, name) for name in imported & {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
        ]
        for name, call in calls(tree):
            words = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            risky = name in {"torch.load", "yaml.load", "eval", "exec", "pickle.load", "pickle.loads"}
            risky |= words.get("allow_pickle") == "True" or words.get("trust_remote_code") == "True"
            if risky:
                found.append((path.name, name))
    assert found == []


_WITHOUT_EXTRAS = """
import importlib, pkgutil, sys
refused = set(sys.argv.pop(1).split())
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refusing())
import service.application, service.http.app, service.cli
for found in pkgutil.iter_modules(service.cli.__path__, "service.cli."):
    importlib.import_module(found.name)
from service.cli import main
main()
"""


def modules_of_extras() -> set[str]:
    """Return the modules that a plain installation lacks, of every extra but the one for developers."""
    own = [Requirement(text) for text in requires("backline") or ()]
    extras = set(distribution("backline").metadata.get_all("Provides-Extra") or ()) - {"dev"}
    named = {
        canonicalize_name(one.name)
        for one in own
        if one.marker and any(one.marker.evaluate({"extra": e}) for e in extras)
    }
    always = {"backline"}
    waiting = [
        (canonicalize_name(one.name), frozenset(one.extras))
        for one in own
        if not one.marker or one.marker.evaluate({"extra": ""})
    ]
    seen = set()
    while waiting:
        name, wanted = waiting.pop()
        always.add(name)
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue
        waiting += [
            (canonicalize_name(one.name), frozenset(one.extras))
            for one in needed
            if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in (wanted or {""}))
        ]
    modules = packages_distributions()
    return {
        module for module, owners in modules.items() if {canonicalize_name(owner) for owner in owners} <= named - always
    }


def test_a_plain_installation_starts_without_the_libraries_of_any_extra(tmp_path: Path) -> None:
    refused = modules_of_extras()
    assert {"obstore", "redis", "psycopg", "pymilvus", "mcp"} <= refused
    assert {"numpy", "httptools", "sqlalchemy"}.isdisjoint(refused)
    for command in (["index", "--if-needed", "--help"], ["ask", "--help"], ["doctor", "--offline"]):
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_EXTRAS, " ".join(sorted(refused)), *command],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "BACKLINE_HOME": str(tmp_path)},
        )
        assert "Traceback" not in done.stderr, done.stderr
