"""``backline widget``."""

from typing import TYPE_CHECKING

import typer

from service.cli.common import app

if TYPE_CHECKING:
    from sqlalchemy import Engine

widget = typer.Typer(help="Pause and resume what other sites show, and see what it used today.", no_args_is_help=True)
app.add_typer(widget, name="widget")


@widget.command("pause")
def pause() -> None:
    """Refuse every request of a widget, from the next one on."""
    from service.storage.widget import set_paused

    set_paused(_database(), paused=True)
    print("the widget is paused; `backline widget resume` lets it go on")


@widget.command("resume")
def resume() -> None:
    """Let widgets ask again."""
    from service.storage.widget import set_paused

    set_paused(_database(), paused=False)
    print("the widget answers")


@widget.command("status")
def status() -> None:
    """Print the switch, the allowed sites and the questions of today."""
    from service.settings import load_settings
    from service.storage.counters import open_counters
    from service.storage.widget import is_paused

    settings = load_settings()
    counters = open_counters(settings.counters)
    print("paused" if is_paused(_database()) else "answering" if settings.widget_origins else "no site is allowed")
    for origin in settings.widget_origins:
        print(f"{origin}  {counters.read(f'day:{origin}')} of {settings.widget_daily} questions today")
    print(f"all  {counters.read('day:*')} of {settings.widget_daily_total} questions today")


@widget.command("rotate")
def rotate() -> None:
    """End every token that was given out; pages get a new one by themselves."""
    from service.storage.widget import drop_signing_keys

    drop_signing_keys(_database())
    print("every token has ended")


def _database() -> "Engine":
    from service.settings import load_settings
    from service.storage.database import open_database

    return open_database(load_settings().database)
