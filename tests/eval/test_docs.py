"""The page about evaluation and the measures' own words, held to the code."""

import re
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from eval import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
USED = sorted(set(re.findall(r"backline-eval ((?:benchmark )?[a-z-]+)([^`#\n]*)", PAGE)))
MEASURES = sorted(path for path in (ROOT / "eval" / "measures").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize(("command", "rest"), USED)
def test_every_command_and_option_of_the_page_exists(command: str, rest: str) -> None:
    result = CliRunner().invoke(cli.app, [*command.split(), "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, command
    for option in re.findall(r"--[a-z-]+", rest):
        assert option in result.output, f"{command} {option}"


def test_the_page_names_every_command() -> None:
    named = {command.split()[0] for command, _ in USED}
    assert set(getattr(get_command(cli.app), "commands", {})) == named


@pytest.mark.parametrize("path", MEASURES, ids=lambda path: path.stem)
def test_every_measure_states_definition_trap_and_paper(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for part in ("\nDefinition: ", "\nTrap: ", "\nPaper: "):
        assert part in text, part
