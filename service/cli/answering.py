"""``backline ask``."""

import json
import sys
from typing import Annotated

import typer

from service.cli.common import EXIT_USAGE, app, fail, open_for_command, printing


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question; - reads standard input.")] = None,
    *,
    from_env: Annotated[
        str | None, typer.Option("--from-env", help="Take the question from this environment variable.")
    ] = None,
    collection: Annotated[str, typer.Option(help="The collection that is asked.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the object of POST /v1/ask.")] = False,
) -> None:
    """Print one cited answer."""
    from pydantic import ValidationError

    from service.http.schemas import AskRequest
    from service.settings import environment_text

    text = environment_text(from_env) if from_env else sys.stdin.read() if question == "-" else question
    if text is None or not text.strip():
        fail('write a question, such as: backline ask "How long does a back spasm last?"', EXIT_USAGE)
    try:
        request = AskRequest(question=text.strip())
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        fail(f"the question is refused: {fault['msg']}", EXIT_USAGE)
    application = open_for_command()
    snapshot = application.replier.answerer.retriever.snapshot
    known = {"default", *snapshot.parts, *snapshot.remote}
    if collection not in known:
        fail(f"there is no collection {collection!r} in the index; there are {', '.join(sorted(known))}", EXIT_USAGE)
    reply = application.ask(request.question, collection=collection)
    with printing():
        if as_json:
            print(json.dumps(reply, ensure_ascii=False, indent=2))
        else:
            from service.printing import print_reply

            print_reply(reply, application.settings.emergency_numbers)
