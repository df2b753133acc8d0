"""``backline-eval benchmark beir | trec`` and ``backline-eval load``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.cli.entry import EXIT_USAGE, app, read_headers, stop

if TYPE_CHECKING:
    from index.embedding import Embedder

benchmarks = typer.Typer(help="Measure the search on public test collections.", no_args_is_help=True)
app.add_typer(benchmarks, name="benchmark")


@benchmarks.command("beir")
def benchmark_beir(
    folder: Annotated[Path, typer.Argument(help="corpus.jsonl, queries.jsonl (either may end in .gz), qrels/test.tsv")],
    searcher: Annotated[list[str] | None, typer.Option(help="bm25, dense or fused; may be given several times")] = None,
    out: Annotated[Path, typer.Option(help="folder for the TREC runs")] = Path("var/eval/beir"),
) -> None:
    """Run a BEIR folder through the real index, splitting off, and print its measures."""
    from eval.benchmarks.beir import SEARCHERS, load_collection, search_collection
    from eval.benchmarks.trec import judge_run, write_trec_run
    from eval.errors import EvaluationError
    from eval.reporting.table import render_judged

    chosen = tuple(searcher or SEARCHERS)
    if set(chosen) - set(SEARCHERS):
        stop(f"--searcher is one of {', '.join(SEARCHERS)}", EXIT_USAGE)
    try:
        collection = load_collection(folder)
    except EvaluationError as fault:
        stop(str(fault))
    for name, rankings in search_collection(collection, chosen, _embedder(chosen)).items():
        write_trec_run(rankings, out / f"{folder.name}.{name}.run", name)
        typer.echo(render_judged(f"{folder.name}, {name}", judge_run(rankings, collection.grades)))


@benchmarks.command("pairs")
def benchmark_pairs(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines (may end in .gz) with _id, title: a question, text: its answer")
    ],
    sample: Annotated[int, typer.Option(help="questions that are asked, a fixed sample", min=1)] = 2_000,
    out: Annotated[Path, typer.Option(help="folder for the index and the TREC runs")] = Path("var/eval/pairs"),
) -> None:
    """Ask for the answers to questions that are not indexed with them; as asked, misspelt, and inside a ramble."""
    from eval.benchmarks.pairs import (
        VARIANTS,
        better_alone,
        grade_pairs,
        load_pairs,
        open_retriever,
        sample_pairs,
        search_pairs,
    )
    from eval.benchmarks.trec import judge_run, write_trec_run
    from eval.errors import EvaluationError
    from eval.reporting.table import render_judged
    from service.printing import progress_bar

    try:
        pairs = load_pairs(file)
    except EvaluationError as fault:
        stop(str(fault))
    embedder = _embedder(("dense",))
    assert embedder is not None  # noqa: S101 - for the types
    with progress_bar("Embedding") as progress:
        retriever = open_retriever(pairs, embedder, out, progress)
    asked = sample_pairs(pairs, sample)
    grades = grade_pairs(pairs, asked)
    for variant, change in VARIANTS.items():
        found = search_pairs(retriever, asked, change)
        for searcher, rankings in found.items():
            write_trec_run(rankings, out / f"{variant.replace(' ', '-')}.{searcher}.run", searcher)
            typer.echo(render_judged(f"{variant}, {searcher}", judge_run(rankings, grades)))
        best, held = better_alone(found, grades)
        typer.echo(
            f"{variant}: nDCG@10 {held.shipped:.3f} shipped, {held.alone:.3f} {best} alone;"
            f" {held.test.wins} better, {held.test.losses} worse, p {held.test.p_value:.4f}"
        )


@benchmarks.command("peers")
def benchmark_peers(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="JSON Lines (may end in .gz) with _id, title: a question, text; default: the shipped corpus"
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="passages, about; 0 takes all", min=0)] = 2_000,
    requests: Annotated[int, typer.Option(help="questions of one asker, and of 32, a route", min=1)] = 400,
    out: Annotated[Path, typer.Option(help="folder of the environments, the indexes and the figures")] = Path(
        "var/bench"
    ),
    peer: Annotated[list[str] | None, typer.Option(help="langchain or txtai; may be given several times")] = None,
) -> None:
    """Measure Backline beside LangChain and txtai: same passages, questions and client. `make bench` installs them."""
    from eval.benchmarks.comparing_peers import compare_peers
    from eval.benchmarks.side_by_side import PEERS
    from eval.errors import EvaluationError

    chosen = tuple(peer or PEERS)
    if set(chosen) - set(PEERS):
        stop(f"--peer is one of {', '.join(PEERS)}", EXIT_USAGE)
    try:
        typer.echo(compare_peers(file, limit, requests, out, chosen, lambda told: typer.echo(told, err=True)))
    except EvaluationError as fault:
        stop(str(fault))


@benchmarks.command("growth")
def benchmark_growth(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines (may end in .gz) with _id, title: a question, text: its answer")
    ],
    sizes: Annotated[str, typer.Option(help="passages, rising")] = "16000,100000,1000000",
    embedded: Annotated[int, typer.Option(help="sentences whose vectors are the model's own", min=1)] = 50_000,
    questions: Annotated[int, typer.Option(help="questions that are asked, a fixed sample", min=1)] = 500,
    out: Annotated[Path, typer.Option(help="folder for embeddings, growth.json and growth.svg")] = Path(
        "var/eval/growth"
    ),
) -> None:
    """Build both indexes over more and more passages, and say what they cost and what they still find."""
    from eval.benchmarks.growth import as_json, measure_growth, render
    from eval.benchmarks.pairs import load_pairs, sample_pairs
    from eval.errors import EvaluationError
    from eval.reporting.growth_plot import growth_plot
    from service.printing import progress_bar

    try:
        wanted = [int(size) for size in sizes.split(",")]
        pairs = load_pairs(file)
    except ValueError:
        stop("--sizes wants numbers with commas between them", EXIT_USAGE)
    except EvaluationError as fault:
        stop(str(fault))
    embedder = _embedder(("dense",))
    assert embedder is not None  # noqa: S101 - for the types
    asked = [pair.question for pair in sample_pairs(pairs, questions)]
    with progress_bar("Embedding") as progress:
        measured = measure_growth(
            pairs, asked, wanted, embedder, embedded, out, lambda told: typer.echo(told, err=True), progress
        )
    (out / "growth.json").write_text(as_json(measured), encoding="utf-8")
    (out / "growth.svg").write_text(growth_plot(measured), encoding="utf-8")
    typer.echo(render(measured))


@benchmarks.command("large")
def benchmark_large(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines (may end in .gz) with _id, title: a question, text: its answer")
    ],
    passages: Annotated[int, typer.Option(help="passages of the collection", min=1)] = 1_000_000,
    embedded: Annotated[int, typer.Option(help="sentences whose vectors are the model's own", min=1)] = 50_000,
    questions: Annotated[int, typer.Option(help="questions that are asked, a fixed sample", min=1)] = 300,
    out: Annotated[Path, typer.Option(help="folder for the home, which takes gigabytes, and the figures")] = Path(
        "var/eval/growth"
    ),
) -> None:
    """Serve a large collection, and say how it starts, what it takes and how long questions wait."""
    from eval.benchmarks.large import as_json, make_large_home, measure_served, render
    from eval.benchmarks.pairs import load_pairs, sample_pairs
    from eval.errors import EvaluationError
    from service.printing import progress_bar

    def told(step: str) -> None:
        typer.echo(step, err=True)

    try:
        pairs = load_pairs(file)
        embedder = _embedder(("dense",))
        assert embedder is not None  # noqa: S101 - for the types
        with progress_bar("Embedding") as progress:
            settings = make_large_home(pairs, passages, embedder, embedded, out, told, progress)
        served = measure_served(settings, [pair.question for pair in sample_pairs(pairs, questions)])
    except EvaluationError as fault:
        stop(str(fault))
    (out / f"large-{passages}.json").write_text(as_json(served), encoding="utf-8")
    typer.echo(render(served))


@benchmarks.command("trec")
def benchmark_trec(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="a TREC run of six columns")],
    qrels: Annotated[Path, typer.Argument(help="judgements, grades may go beyond 1")],
    worst: Annotated[int, typer.Option(help="the grade that is worth nothing: 1 on a scale from 1 to 4")] = 0,
    relevant_from: Annotated[
        int | None, typer.Option(help="lowest grade that counts as relevant (default: the one after the worst)")
    ] = None,
) -> None:
    """Measure any TREC run against judgements."""
    from eval.benchmarks.trec import Scale, judge_run, load_qrels, load_trec_run
    from eval.errors import EvaluationError
    from eval.reporting.table import render_judged

    scale = Scale(worst, worst + 1 if relevant_from is None else relevant_from)
    if scale.relevant_from <= scale.worst:
        stop("--relevant-from must lie above --worst", EXIT_USAGE)
    try:
        judged = judge_run(load_trec_run(path), load_qrels(qrels), scale)
    except EvaluationError as fault:
        stop(str(fault))
    typer.echo(render_judged(path.name, judged))


@benchmarks.command("engines")
def benchmark_engines(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines (may end in .gz) with _id, title: a question, text: its answer")
    ],
    uri: Annotated[str, typer.Option(help="a Milvus, such as http://127.0.0.1:19530; a collection is made and stays")],
    passages: Annotated[int, typer.Option(help="passages in both", min=1)] = 16_000,
    questions: Annotated[int, typer.Option(help="questions that are asked, a fixed sample", min=1)] = 1_000,
    out: Annotated[Path, typer.Option(help="folder for the embeddings")] = Path("var/eval/engines"),
) -> None:
    """Ask Milvus and the indexes of this process the same, over the same passages, and compare what they find."""
    from eval.benchmarks.engines import compare_engines, first_passages
    from eval.benchmarks.pairs import load_pairs, sample_pairs
    from eval.errors import EvaluationError
    from index.caching import view_cached
    from index.engines.embedded import EmbeddedPassages
    from index.engines.milvus import MilvusServer
    from service.printing import progress_bar

    try:
        pairs = load_pairs(file)
    except EvaluationError as fault:
        stop(str(fault))
    embedder = _embedder(("dense",))
    assert embedder is not None  # noqa: S101 - for the types
    kept = first_passages(pairs, embedder, passages)
    with progress_bar("Embedding") as progress:
        viewed = view_cached(kept, embedder, out, progress)
    here = EmbeddedPassages(embedder.dimension)
    here.add(viewed)
    server = MilvusServer(uri, "", embedder.model_id, embedder.dimension, "benchmark")
    there = server.open(file.stem, make=True)
    with there.replacing() as filling:
        filling.add(viewed)
    server.settle(file.stem)
    answers = {passage.document_id for passage in kept}
    asked = sample_pairs([pair for pair in pairs if pair.id in answers], questions)
    texts = [pair.question for pair in asked]
    relevant = [pair.id for pair in asked]
    found = compare_engines({"embedded": here, "milvus": there}, texts, embedder.embed(texts), relevant)
    typer.echo(f"{found.passages} passages, {found.questions} questions")
    typer.echo(f"same ten nearest: {found.same_dense:.4f}, in the same order: {found.same_order:.4f}")
    for name in found.ndcg:
        typer.echo(
            f"{name}: fused nDCG@10 {found.ndcg[name]:.4f}, dense {found.dense_ms[name]:.1f} ms, "
            f"fused {found.fused_ms[name]:.1f} ms (median)"
        )


@app.command()
def load(
    url: Annotated[str, typer.Option(help="a running service")] = "http://127.0.0.1:8000",
    rates: Annotated[str, typer.Option(help="questions a second, level by level, rising")] = "1,2,5,10,20,40",
    seconds: Annotated[float, typer.Option(help="how long each level lasts")] = 10.0,
    even: Annotated[bool, typer.Option("--even", help="space evenly instead of by chance")] = False,  # noqa: FBT002 (a command-line flag)
    seed: Annotated[int, typer.Option(help="of the times by chance and of the order")] = 1,
    pid: Annotated[int | None, typer.Option(help="process of the service on this machine, for its memory")] = None,
    header: Annotated[list[str] | None, typer.Option(help="sent with each request, as 'Name: value'")] = None,
    file: Annotated[
        Path | None, typer.Option(help="a set whose questions are asked (default: the shipped one)")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for load.json, load.svg and answered.svg")] = Path("var/eval/load"),
    anywhere: Annotated[bool, typer.Option("--anywhere", help="another machine may be put under load")] = False,  # noqa: FBT002 (a command-line flag)
) -> None:
    """Put a rising load on a service and say how long people wait, and what it carries."""
    from eval.benchmarks.load import Plan, check_address, levels_as_json, run_load
    from eval.datasets import load_set, shipped_path
    from eval.errors import EvaluationError
    from eval.records import TriageItem
    from eval.reporting.load_plot import answered_plot, load_plot, render_load

    try:
        plan = Plan(tuple(float(rate) for rate in rates.split(",")), seconds, None if even else seed)
        check_address(url, anywhere=anywhere)
        items = load_set(file or shipped_path("answers", "dev")).items
        questions = [item.question for item in items if not isinstance(item, TriageItem) and not item.history]
        if not questions:
            stop("the set has no question to ask")
        levels = run_load(
            url,
            plan,
            questions,
            read_headers(header or []),
            pid,
            watch=lambda level: typer.echo(f"{level.offered:g} a second: done", err=True),
        )
    except ValueError:
        stop("--rates wants numbers with commas between them, such as 1,2,5,10", EXIT_USAGE)
    except EvaluationError as fault:
        stop(str(fault))
    out.mkdir(parents=True, exist_ok=True)
    about = {"url": url, "arrivals": "even" if even else f"by chance, seed {seed}", "connections": plan.connections}
    body = json.dumps(levels_as_json(levels, about), indent=1)
    (out / "load.json").write_text(body + "\n", encoding="utf-8")
    (out / "load.svg").write_text(load_plot(levels), encoding="utf-8")
    (out / "answered.svg").write_text(answered_plot(levels), encoding="utf-8")
    typer.echo(render_load(levels))
    typer.echo(f"\nFigures and drawings: {out / 'load.json'}, {out / 'load.svg'}, {out / 'answered.svg'}")


def _embedder(searchers: tuple[str, ...]) -> "Embedder | None":
    if searchers == ("bm25",):
        return None
    from index.model_files import check_model_files
    from service.building import load_embedder
    from service.settings import load_settings

    settings = load_settings()
    return load_embedder(check_model_files(settings.model), settings)[0]
