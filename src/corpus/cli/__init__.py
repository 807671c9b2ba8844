"""The command line: parse, call, print. Whatever is slow to import is imported inside a command.

An error that was raised on purpose becomes one line on standard error and its exit code;
``--debug`` shows where it came from.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from corpus import __version__
from corpus.cli import signals, writing
from corpus.cli.options import deduping, exports, inputs, settings_of
from corpus.errors import CorpusError, DiskError, Interrupted


class Stop(click.ClickException):
    """One line for the user, and the exit code of the error that it tells of."""

    def __init__(self, error: CorpusError) -> None:
        super().__init__(str(error))
        vars(self)["exit_code"] = error.exit_code  # click reads it from the instance

    def show(self, file: Any = None) -> None:
        """Print the line, to standard error."""
        click.echo(f"corpus: {self.format_message()}", file=file or sys.stderr)


class Commands(click.Group):
    """The commands, with errors and signals turned into exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was called."""
        signals.install()
        try:
            return super().invoke(ctx)
        except CorpusError as error:
            if ctx.params.get("debug"):
                raise
            raise Stop(error) from error
        except (KeyboardInterrupt, click.Abort):
            raise Stop(Interrupted("stopped; run the same command again to go on")) from None


FIRST = """Build training corpora for alignment from a constitution and story seeds.

\b
corpus init      a commented corpus.toml, an example constitution, example seeds
corpus plan      what a build would ask for and cost; spends nothing
corpus preview   a few documents of each stream, with the prompts behind them
corpus build     the main job; running it again resumes
"""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, help=FIRST)
@click.version_option(__version__, prog_name="corpus")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def cli(debug: bool) -> None:
    """Run a command."""


@cli.command()
@inputs
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(as_json: bool, **flags: Any) -> None:
    """Show section tree, coverage, requests, tokens and price; spend nothing."""
    from corpus.build.forecast import forecast
    from corpus.cli import show

    found = forecast(settings_of(flags))
    show.as_json(found) if as_json else show.plan(found)


@cli.command()
@inputs
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@click.option(
    "--pilot",
    type=click.IntRange(2),
    metavar="N",
    help="Write about N briefs, measure, and tell what the whole will cost.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def build(as_json: bool, yes: bool, pilot: int | None, **flags: Any) -> None:
    """Write, judge, deduplicate, score and export a corpus; run again to resume."""
    from corpus.cli import running

    if pilot is not None:
        running.pilot(settings_of(flags), pilot, yes=yes, as_json=as_json)
    else:
        running.build(settings_of(flags), yes=yes, as_json=as_json)


@cli.group()
def batches() -> None:
    """List, adopt or cancel the Message Batches of a build."""


@batches.command("list")
@click.argument("output", default="output")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def batches_list(output: str, as_json: bool) -> None:
    """Show the batches that an output has sent, and those that were cut off."""
    from corpus.cli import batching, show

    found = batching.listed(Path(output))
    show.as_json(found) if as_json else click.echo(batching.table(found))


@batches.command("adopt")
@click.argument("nonce")
@click.argument("batch")
@click.argument("output", default="output")
def batches_adopt(nonce: str, batch: str, output: str) -> None:
    """Take the provider's BATCH for the intent NONCE, whose answer was lost."""
    from corpus.cli import batching

    click.echo(batching.adopt(Path(output), nonce, batch))


@batches.command("cancel")
@click.argument("nonce")
@click.argument("output", default="output")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--assume-lost", is_flag=True, help="Give it up, whatever the provider has.")
def batches_cancel(nonce: str, output: str, yes: bool, assume_lost: bool) -> None:
    """Cancel the batch NONCE at the provider, or give it up if it is not there."""
    from corpus.cli import batching

    def ask(text: str) -> bool:
        return yes or click.confirm(text, abort=True)

    click.echo(batching.cancel(Path(output), nonce, ask, assume_lost=assume_lost))


@cli.command()
@click.argument("output", default="output")
def salvage(output: str) -> None:
    """Set a damaged journal aside and keep every reply of it that is whole."""
    from corpus.model.salvage import salvage as rescue

    found = rescue(Path(output) / "journal.sqlite")
    click.echo(f"{found.saved:,} replies saved, {found.damaged:,} damaged; was: {found.aside}")


@cli.command()
@click.argument("output", default="output")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(output: str, as_json: bool) -> None:
    """Show how far a running or stopped build is."""
    from corpus.cli import running, show

    found = running.status(Path(output))
    show.as_json(found) if as_json else click.echo(running.status_line(found))


@cli.command()
@click.argument("output", default="output")
@click.option("--compare", "other", metavar="OTHER", help="Another output, or its report.json.")
@click.option(
    "--fail-on",
    type=click.Choice(["warn", "fail", "worse"]),
    help="Exit 3 if a gate says so, or says worse than in OTHER.",
)
@click.option(
    "--fail-under",
    "under",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Exit 3 if a metric, kept or tokens is lower. Repeatable.",
)
@click.option(
    "--fail-over",
    "over",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Exit 3 if it is higher. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def report(**flags: Any) -> None:
    """Write report/index.html and report/report.json of a build."""
    from corpus.cli import reporting

    reporting.run(**flags)


@cli.command()
@click.argument("paths", nargs=-1, metavar="[OUTPUT | FILE...]")
@exports
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export(as_json: bool, **flags: Any) -> None:
    """Write shards for trainers from a build, or from any JSON Lines."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's would spin, with nothing to do
    gc.disable()  # what is made until the tokenizer stands, stays; ``exporting`` sets it aside
    try:
        from corpus.cli import exporting

        found = exporting.run(**flags)
    finally:
        gc.enable()
    exporting.show(found, as_json=as_json)
    if found.get("problems"):
        raise SystemExit(1)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR")
@deduping
@click.option("--json", "as_json", is_flag=True, help="Print counts and seconds as JSON.")
def dedup(files: tuple[Path, ...], output: Path, as_json: bool, **flags: Any) -> None:
    """Drop near-duplicates from any JSON Lines with "id" and "text"."""
    from corpus import dedup as room
    from corpus.cli import show

    found = room.dedup_files(files, output, room.Options(**flags))
    if as_json:
        show.as_json(found)
    else:
        kept, all_of_them = found["kept"], found["documents"]
        click.echo(f"{kept:,} of {all_of_them:,} documents kept; see {output}/duplicates.jsonl")


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--baseline",
    metavar="FILE",
    help="What to compare with: JSON Lines of texts, the --json output of a former score, the "
    "output folder of a build, or the word human.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name that may be everywhere, such as the AI's own. Repeatable.",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A text that says what they are about, such as a constitution: its phrases and the names "
    "in it are no fault. Repeatable.",
)
@click.option("--config", type=click.Path(path_type=Path), help="A corpus.toml, for its [gates].")
@click.option("--pipeline", metavar="NAME", help="A spaCy pipeline with a tagger, for `syntax`.")
@click.option("--parity", is_flag=True, help="Add the figures of the package diversity.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def score(
    files: tuple[Path, ...],
    baseline: str | None,
    names: tuple[str, ...],
    allowed: tuple[Path, ...],
    config: Path | None,
    pipeline: str | None,
    parity: bool,
    as_json: bool,
) -> None:
    """Measure the diversity of any JSON Lines with "text"; exit 3 if a gate fails."""
    from corpus import settings
    from corpus.cli import running, show

    given = settings.load(config).with_flags({"baseline": baseline})
    metrics = running.score(files, given, names, pipeline, allowed=allowed, compare=parity)
    if as_json:
        from corpus import score as room

        show.as_json(room.as_json(metrics))
    else:
        show.metrics(metrics)
    running.raise_for_gates(metrics)


@cli.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a commented corpus.toml, an example constitution and example seeds."""
    from corpus.cli import examples

    for path in examples.write(folder):
        click.echo(path)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8766, show_default=True)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Bill every generation here, durably.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep batches (and the ledger) here, so that a restart finds them.",
)
@click.option(
    "--faults",
    default="",
    metavar="SHARES|FILE",
    help="Such as 429=0.04,529=0.02,cut=0.01, or a file of '<number> <fault>'.",
)
@click.option("--seed", type=int, default=0, help="Of the faults.")
@click.option(
    "--batch-seconds", type=click.FloatRange(0), default=0.0, help="How long a batch takes."
)
@click.option(
    "--latency", type=click.FloatRange(0), default=0.0, help="Seconds that a reply takes."
)
@click.option("--rpm", type=click.FloatRange(0, min_open=True), help="Requests a minute.")
@click.option("--burst", type=click.FloatRange(1), help="Requests that can be saved up.")
@click.option("--itpm", type=click.FloatRange(0, min_open=True), help="Input tokens a minute.")
@click.option("--otpm", type=click.FloatRange(0, min_open=True), help="Output tokens a minute.")
@click.option("--silent", is_flag=True, help="Do not tell in headers what is left of the limits.")
@click.option(
    "--clock",
    type=click.Choice(["wall", "manual"]),
    default="wall",
    help="Manual: stands still until POST /rehearsal/clock advances it.",
)
def rehearse(**given: Any) -> None:
    """Serve a local stand-in for Messages and Message Batches, for rehearsals at no cost."""
    from corpus.cli import rehearsing

    rehearsing.serve(given)


for command in writing.COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line; whatever is wrong is told in one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # where a locale lacks a character
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(cli(standalone_mode=False))
    except click.UsageError as error:
        name = error.ctx.command_path if error.ctx else "corpus"
        click.echo(f"corpus: {error.format_message()} ('{name} --help' tells more)", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        click.echo(f"corpus: standard output cannot be written ({error.strerror})", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else the exit would try it once more
        sys.exit(DiskError.exit_code)
    except (KeyboardInterrupt, click.Abort):  # a signal before the first command, or after the last
        sys.exit(Interrupted.exit_code)
