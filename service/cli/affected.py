"""``backline affected``."""

from typing import Annotated

import typer

from service.cli.common import app, printing


@app.command()
def affected(
    source: Annotated[str, typer.Argument(help="Id of a source or of a document.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List kept answers that cite words which a source does not have any more."""
    import json

    from corpus.sources import load_shipped_documents
    from service.affected import find_affected
    from service.keeping import AnswerKeeper
    from service.settings import load_settings
    from service.storage.answers import load_answers
    from service.storage.database import open_database
    from service.storage.documents import load_documents

    settings = load_settings()
    engine = open_database(settings.database)
    kept = load_answers(engine, AnswerKeeper(engine, settings.keep_answers).since)
    found = list(find_affected(source, kept, [*load_shipped_documents(), *load_documents(engine)]))
    with printing():
        if as_json:
            rows = [
                {
                    "answer_id": one.answer.id,
                    "created": one.answer.created,
                    "question": one.answer.question,
                    "withdrawn": one.withdrawn,
                    "gone": list(one.gone),
                }
                for one in found
            ]
            print(json.dumps({"source": source, "data": rows}, ensure_ascii=False))
            return
        for one in found:
            what = "withdrawn" if one.withdrawn else "changed"
            print(f"{one.answer.id}  {one.answer.created}  {what}  {one.answer.question}")
            for quote in one.gone:
                print(f"      {quote}")
        print(f"{len(found)} kept answers rest on words that are not there any more")
