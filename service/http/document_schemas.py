"""What goes over the wire when documents are brought, listed and deleted."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from corpus.reading.read_document import iso_date, public_url
from service.deleting import Pending, RemovedFrom
from service.http.schemas import Strict, Text
from service.ingesting import Origin
from service.rebuilding import State
from service.storage.documents import Outcome

MAX_PAGE = 200


def _is_public(url: str) -> str:
    if url and public_url(url) != url:
        raise ValueError("must be an http or https address without a user name")
    return url


def _is_date(date: str) -> str:
    if date and iso_date(date) != date:
        raise ValueError("must be a date such as 2024, 2024-05 or 2024-05-31")
    return date


class UploadOptions(Strict):
    """What the sender says of a document; for a single one it goes before what the file says of itself."""

    title: Text = Field(default="", max_length=300)
    url: Annotated[Text, AfterValidator(_is_public)] = Field(default="", max_length=2_000)
    publisher: Text = Field(default="", max_length=300)
    licence: Text = Field(default="", max_length=300)
    published: Annotated[Text, AfterValidator(_is_date)] = Field(default="", max_length=10)
    collection: Text = Field(default="default", min_length=1, max_length=64)
    external_id: Text = Field(
        default="", max_length=300, description="Id in your system: sent again under it, a document is a new version."
    )

    def origin(self) -> Origin:
        """Return the record that these fields fill."""
        return Origin(
            collection=self.collection,
            publisher=self.publisher,
            url=self.url,
            licence=self.licence,
            title=self.title,
            published=self.published,
            external_id=self.external_id,
        )


class UploadRequest(UploadOptions):
    """A document as JSON: exactly one of ``text`` and ``markdown``."""

    text: str | None = Field(default=None, min_length=1, description="Plain text.")
    markdown: str | None = Field(default=None, min_length=1, description="Markdown; headings become sections.")

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if (self.text is None) == (self.markdown is None):
            raise ValueError("send either text or markdown")
        return self


class StoredSchema(BaseModel):
    """What became of one document."""

    id: str
    version: str
    outcome: Outcome


class RefusedSchema(BaseModel):
    """A document of the upload that cannot be read."""

    name: str
    reason: str


class SnapshotStateSchema(BaseModel):
    """What answers now, and whether it holds everything that is stored."""

    id: str
    state: State


class UploadSchema(BaseModel):
    """What became of an upload; with the state ``building`` its documents are found soon."""

    data: list[StoredSchema]
    refused: list[RefusedSchema]
    snapshot: SnapshotStateSchema


class ListedSchema(BaseModel):
    """A document without its text."""

    id: str
    source_id: str
    collection: str
    version: str
    title: str
    digest: bool
    created: str | None
    searchable: bool = Field(description="Whether this version is in the snapshot that answers now.")


class DocumentsSchema(BaseModel):
    """Documents, by id."""

    data: list[ListedSchema]
    next_cursor: str | None
    has_more: bool


class ReceiptSchema(BaseModel):
    """What was deleted, and from where."""

    document_id: str
    removed_from: list[RemovedFrom] = Field(description="Done before this receipt was written.")
    pending: list[Pending] = Field(
        description="Removed from the disk in the background: the new snapshot and the new cache lack it, older "
        "snapshots with it go."
    )
    quoted_in_answers: int = Field(
        description="Kept answers that quote it: `backline affected ID` lists them; they go as all kept answers do."
    )
    at: str
