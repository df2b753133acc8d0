"""The shapes of widget tokens on the wire."""

from pydantic import BaseModel, Field

from service.http.schemas import Strict, Text


class WidgetTokenRequest(Strict):
    """What a page may choose. Its origin is not among it: that is what the browser says."""

    collection: Text = Field(default="default", max_length=64)


class WidgetTokenSchema(BaseModel):
    """A token, to be sent as ``Authorization: Bearer …`` from pages of the same origin."""

    token: str
    expires_in: int = Field(description="Seconds until it ends.")
    expires_at: str
    collection: str
