"""The sidebar app: what Zendesk checks when a folder is uploaded, and that no secret reaches a browser."""

import json
from pathlib import Path

APP = Path(__file__).parents[3] / "deploy/zendesk-app"


def test_the_folder_holds_what_its_manifest_names() -> None:
    manifest = json.loads((APP / "manifest.json").read_text())
    assert (APP / manifest["location"]["support"]["ticket_sidebar"]["url"]).is_file()
    texts = json.loads((APP / f"translations/{manifest['defaultLocale']}.json").read_text())["app"]
    assert set(texts["parameters"]) == {one["name"] for one in manifest["parameters"]}
    assert manifest["frameworkVersion"] == "2.0"


def test_the_key_stays_on_the_server() -> None:
    manifest = json.loads((APP / "manifest.json").read_text())
    assert [one["name"] for one in manifest["parameters"] if one.get("secure")] == ["key"]
    script = (APP / "assets/sidebar.js").read_text()
    assert '"Bearer {{setting.key}}"' in script
    assert "secure: true" in script
    for never in ("innerHTML", "eval(", "settings.key", "insertAdjacentHTML", "document.write"):
        assert never not in script
