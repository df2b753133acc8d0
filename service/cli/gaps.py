"""``backline gaps``."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import app, fail, open_for_command, printing


@app.command()
def gaps(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write each question as a line of JSON, for the writer and the evaluation.")
    ] = None,
    in_scope: Annotated[bool, typer.Option("--in-scope", help="Leave out what was out of scope.")] = False,
) -> None:
    """Group what people asked in vain: no answer, an open part, or an answer that they disliked."""
    import json
    from dataclasses import asdict

    from service.gaps import REASONS, cluster_gaps, collect_gaps, export_lines
    from service.keeping import AnswerKeeper
    from service.storage.database import open_database

    application = open_for_command()
    settings = application.settings
    engine = open_database(settings.database)
    since = AnswerKeeper(engine, settings.keep_answers).since
    found = collect_gaps(engine, since, REASONS - {"out_of_scope"} if in_scope else REASONS)
    clusters = cluster_gaps(found, application.replier.answerer.retriever)
    if export is not None:
        try:
            export.write_text("".join(f"{line}\n" for line in export_lines(clusters)), encoding="utf-8")
        except OSError as error:
            fail(f"cannot write the export: {error.strerror}")
    with printing():
        if as_json:
            print(json.dumps({"since": since, "data": [asdict(cluster) for cluster in clusters]}, ensure_ascii=False))
        else:
            from service.printing import print_gaps

            print_gaps(clusters)
