"""Print the bill of materials of an installation (CycloneDX 1.6, JSON): every package with its licence, and the model.

Usage: python deploy/sbom.py [--image] > backline.cdx.json, in an environment in which Backline and
``cyclonedx-python-lib`` are installed. ``--image`` leaves out what the image leaves out.
"""

import re
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement

from index.model_files import PINNED, check_model_files

sys.path.insert(0, str(Path(__file__).parent / "image"))
from serving_packages import closure  # beside it, and needed where this file is not


def licence_of(package: Distribution) -> str:
    """Return what a package says of its licence: the expression, else the classifiers, else the first line."""
    facts = package.metadata
    if "License-Expression" in facts:
        return facts["License-Expression"]
    classifiers = [line for line in facts.get_all("Classifier") or () if line.startswith("License ::")]
    return "; ".join(classifiers) or " ".join(facts.get_all("License") or ()).strip().split("\n")[0]


def component(package: Distribution) -> Component:
    """Return one package."""
    name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
    address = PackageURL("pypi", None, name, package.version)
    said = licence_of(package)
    licence = LicenseExpression(said) if "License-Expression" in package.metadata else DisjunctiveLicense(name=said)
    return Component(
        name=name, version=package.version, purl=address, bom_ref=str(address), licenses=[licence] if said else []
    )


def model() -> Component:
    """Return the embedding model with the sha256 of its weights, which is checked whenever it is loaded."""
    files = check_model_files()
    name, _, version = files.model_id.partition("@")
    weights = HashType(alg=HashAlgorithm.SHA_256, content=PINNED["model.safetensors"])
    return Component(
        name=name, version=version, type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref=files.model_id, hashes=[weights]
    )


def bill(*, image: bool) -> Bom:
    """Return the bill of what is installed and needed, with what needs what."""
    names = closure("backline", building=not image)
    packages = {name: component(distribution(name)) for name in sorted(names - {"backline"})}
    root = component(distribution("backline"))
    root.type = ComponentType.APPLICATION
    weights = model()
    bom = Bom(components=[*packages.values(), weights])
    bom.metadata.component = root
    for name, one in {**packages, "backline": root}.items():
        wanted = {re.sub(r"[-_.]+", "-", Requirement(line).name).lower() for line in distribution(name).requires or ()}
        bom.register_dependency(one, [packages[other] for other in sorted(wanted & packages.keys() - {name})])
    bom.register_dependency(root, [weights])
    return bom


if __name__ == "__main__":
    made = bill(image="--image" in sys.argv[1:])
    print(make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1))
