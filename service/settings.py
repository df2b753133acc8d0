"""Every setting, and the only place that reads the environment."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the service; each comes from ``BACKLINE_<NAME>`` or keeps its default."""

    model_config = SettingsConfigDict(env_prefix="BACKLINE_", extra="ignore", frozen=True)

    home: Path = Field(default=Path("var"), description="Folder of everything that the service keeps.")
    model: Path | None = Field(
        default=None, description="A sentence-transformers folder instead of the packaged model."
    )
    host: str = Field(default="127.0.0.1", description="Address that `backline serve` binds.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that `backline serve` binds.")
    emergency_numbers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("112", "911", "999"),
        description="Emergency numbers in the order in which they are offered, divided by spaces.",
    )
    crisis_lines: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Crisis lines that are offered before the emergency numbers, divided by commas."
    )
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, description="Largest request body, in bytes.")
    max_upload_bytes: int = Field(
        default=20_000_000, ge=1_000, description="Largest body of `POST /v1/documents`, in bytes."
    )
    fetch_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="host:port of machines inside the network that `backline fetch` may ask, by spaces."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )

    @field_validator("emergency_numbers", "fetch_allow", mode="before")
    @classmethod
    def _split_numbers(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("crisis_lines", mode="before")
    @classmethod
    def _split_lines(cls, value: object) -> object:
        return tuple(line.strip() for line in value.split(",") if line.strip()) if isinstance(value, str) else value

    @property
    def snapshots(self) -> Path:
        """Folder of the published snapshots."""
        return self.home / "snapshots"

    @property
    def exports(self) -> Path:
        """Folder of exported models."""
        return self.home / "models"

    @property
    def database(self) -> Path:
        """File of the embedded database."""
        return self.home / "backline.sqlite"


@cache
def load_settings() -> Settings:
    """Read the environment once."""
    return Settings()


def environment_text(name: str) -> str | None:
    """Return an environment variable: how ``make ask`` hands a question over unharmed by the shell."""
    return os.environ.get(name)
