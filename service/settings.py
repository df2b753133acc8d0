"""Every setting, and the only place that reads the environment."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from corpus.fetching.addresses import check_url
from corpus.fetching.refusals import FetchError
from index.manifest import MOST_SENTENCES
from service.signing import secret_bytes


class Settings(BaseSettings):
    """Settings of the service; each comes from ``BACKLINE_<NAME>`` or keeps its default."""

    model_config = SettingsConfigDict(env_prefix="BACKLINE_", extra="ignore", frozen=True)

    home: Path = Field(default=Path("var"), description="Folder of everything that the service keeps.")
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="Address of a PostgreSQL that several machines share, postgresql://…; without one: SQLite.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="Address of a Redis in which several machines count together, redis://…; without one: a file.",
    )
    snapshots_url: str = Field(
        default="",
        description="Where several machines hand each other the index: file:///shared/folder or s3://bucket/prefix.",
    )
    engine: Literal["embedded", "milvus"] = Field(
        default="embedded",
        description="Where large collections are searched: embedded (in this process) or milvus.",
    )
    milvus_uri: str = Field(default="", validate_default=True, description="Address of the Milvus, http://host:19530.")
    milvus_token: SecretStr = Field(default=SecretStr(""), description="user:password of the Milvus, if it wants one.")
    most_sentences: int = Field(
        default=MOST_SENTENCES,
        ge=0,
        description="Sentences of a collection up to which each is searched; above, passages alone are.",
    )
    model: Path | None = Field(
        default=None, description="A sentence-transformers folder instead of the packaged model."
    )
    reranker: Path | None = Field(
        default=None, description="A cross-encoder's folder that looks at the best passages again; none by default."
    )
    host: str = Field(default="127.0.0.1", description="Address that `backline serve` binds.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that `backline serve` binds.")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Host names that are served beside the loopback interface's own, divided by spaces."
    )
    public_collections: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("default",), description="Collections that are open to widgets and under --public-ask, by spaces."
    )
    widget_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Sites that may show the widget, such as https://clinic.example, divided by spaces."
    )
    widget_rate: int = Field(default=20, ge=1, description="Requests a minute of one visitor of the widget.")
    widget_daily: int = Field(default=1_000, ge=1, description="Questions a day (UTC) from one site's widget.")
    widget_daily_total: int = Field(default=3_000, ge=1, description="Questions a day (UTC) from all widgets.")
    max_waiting: int = Field(
        default=9, ge=0, description="Questions that may wait in one process while others are answered."
    )
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
    drain_seconds: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="Seconds from SIGTERM, when /readyz turns 503, to taking no more requests.",
    )
    keep_answers: int = Field(
        default=30, ge=0, le=3_650, description="Days for which questions and their answers are kept; 0 keeps none."
    )
    handoff_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="host:port inside the network that hand-overs may be sent to, by spaces."
    )
    handoff_secret: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="Secret that signs hand-overs (whsec_…); two, by a space, while it is replaced."
    )
    handoff_url: str = Field(default="", description="Address that gets hand-overs to a person, as signed hooks.")
    handoff_email: str = Field(default="", description="Address to write to, named where nothing delivers hand-overs.")
    handoff_team: str = Field(default="", description="Who reads hand-overs, as askers are told.")
    handoff_channel: str = Field(default="", description="How they answer, as askers are told.")
    helpdesk_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="host:port of help desks inside the network that may be called, by spaces."
    )
    llm: str = Field(
        default="", description="Language model that may word answers, as LangChain's init_chat_model takes it."
    )
    llm_url: str = Field(default="", description="Address of its interface, where it is not the provider's own.")
    llm_key: SecretStr = Field(default=SecretStr(""), description="Its key.")
    llm_seconds: float = Field(
        default=15.0, gt=0, le=45, description="Longest wait for it; then the answer is in the sources' own words."
    )
    log_questions: int = Field(
        default=0, ge=0, le=3_650, description="Days for which questions are logged, without identifiers; 0 logs none."
    )
    traces_url: str = Field(
        default="", description="Collector of traces (OTLP over HTTP), such as http://127.0.0.1:4318/v1/traces."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )

    @field_validator(
        *("emergency_numbers", "fetch_allow", "handoff_allow", "handoff_secret", "helpdesk_allow"),
        *("hosts", "public_collections", "widget_origins"),
        mode="before",
    )
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("crisis_lines", mode="before")
    @classmethod
    def _split_lines(cls, value: object) -> object:
        return tuple(line.strip() for line in value.split(",") if line.strip()) if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"(postgres(ql)?://.+)?$", value.get_secret_value(), re.DOTALL):
            raise ValueError("write it as postgresql://user:password@host:port/name")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"(rediss?://.+)?$", value.get_secret_value(), re.DOTALL):
            raise ValueError("write it as redis://:password@host:port/0, or rediss:// for TLS")
        return value

    @field_validator("snapshots_url")
    @classmethod
    def _check_snapshots(cls, value: str, others: ValidationInfo) -> str:
        if value and not re.match(r"(file:///|s3://).+", value):
            raise ValueError("write it as file:///shared/folder or s3://bucket/prefix")
        shared = others.data.get("database_url")
        if value and not (shared is not None and shared.get_secret_value()):
            raise ValueError("machines that share the index share the database too: set BACKLINE_DATABASE_URL")
        return value

    @field_validator("milvus_uri")
    @classmethod
    def _check_milvus(cls, value: str, others: ValidationInfo) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise ValueError("write it as http://host:19530, or https:// for TLS")
        if others.data.get("engine") == "milvus" and not value:
            raise ValueError("BACKLINE_ENGINE=milvus needs the address of the Milvus, http://host:19530")
        return value

    @field_validator("traces_url")
    @classmethod
    def _check_traces_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise ValueError("write the collector's whole address, such as http://127.0.0.1:4318/v1/traces")
        return value

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(
            not re.fullmatch(r"[A-Za-z0-9.-]+|\[?[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\]?", host) for host in value
        ):
            raise ValueError("write host names without scheme, port and wildcards, such as ask.clinic.example")
        return tuple(host.lower().strip("[]") for host in value)

    @field_validator("widget_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", one) for one in value):
            raise ValueError("write each site as https://name or https://name:port, without path and wildcards")
        return tuple(normalise_origin(one) for one in value)

    @property
    def counters(self) -> Path | str:
        """File of the counters that all processes share, or the address of the Redis that all machines share."""
        return self.redis_url.get_secret_value() or self.home / "counters.sqlite"

    @field_validator("handoff_secret")
    @classmethod
    def _check_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in value:
            secret_bytes(secret.get_secret_value())
        return value

    @field_validator("handoff_url")
    @classmethod
    def _check_handoff(cls, value: str, others: ValidationInfo) -> str:
        if not value:
            return value
        if not others.data.get("handoff_secret"):
            raise ValueError("hand-overs are signed; set BACKLINE_HANDOFF_SECRET too")
        allow = frozenset(others.data.get("handoff_allow", ()))
        try:
            target = check_url(value, allow)
        except FetchError as error:
            raise ValueError(f"{error.refusal.detail}; inside the network, set BACKLINE_HANDOFF_ALLOW") from None
        if target.scheme != "https" and f"{target.host}:{target.port}" not in allow:
            raise ValueError("use https, or set BACKLINE_HANDOFF_ALLOW for a machine inside the network")
        return value

    @property
    def handoff_secrets(self) -> str:
        """The secrets that sign hand-overs, divided by spaces."""
        return " ".join(secret.get_secret_value() for secret in self.handoff_secret)

    @property
    def question_log(self) -> Path:
        """Folder of the logged questions."""
        return self.home / "questions"

    @property
    def snapshots(self) -> Path:
        """Folder of the published snapshots."""
        return self.home / "snapshots"

    @property
    def exports(self) -> Path:
        """Folder of exported models."""
        return self.home / "models"

    @property
    def pages(self) -> Path:
        """Folder of fetched pages."""
        return self.home / "pages"

    @property
    def database(self) -> Path | str:
        """File of the embedded database, or the address of the shared one."""
        return self.database_url.get_secret_value() or self.home / "backline.sqlite"


def normalise_origin(origin: str) -> str:
    """Return an origin as browsers send it: lower case, without the scheme's own port."""
    lowered = origin.lower()
    scheme, _, _ = lowered.partition("://")
    return lowered.removesuffix({"http": ":80", "https": ":443"}.get(scheme, "\0"))


@cache
def load_settings() -> Settings:
    """Read the environment once."""
    return Settings()


def environment_text(name: str) -> str | None:
    """Return an environment variable: how ``make ask`` hands a question over unharmed by the shell."""
    return os.environ.get(name)
