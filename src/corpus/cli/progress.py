"""The live display of a build: one line that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from corpus.build.watch import Watch


class LiveWatch(Watch):
    """A watch that draws its progress with rich; to be used as a context."""

    def __init__(self, console: Console) -> None:
        super().__init__(say=console.print)
        self._progress = Progress(
            TextColumn("round {task.fields[round]} [bold]{task.description:<10}[/]"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[kept]}"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("read", total=1, round=0, rate="", kept="")

    def stage(self, name: str, total: int, number: int | None = None) -> None:
        """Show a new stage."""
        super().stage(name, total, number)
        shown = {"round": self.state["round"], "rate": "", "kept": self._kept()}
        # reset() drops every field that it is not given again
        self._progress.reset(self._task, total=max(1, total), description=name, **shown)

    def step(self, steps: int = 1) -> None:
        """Move the bar."""
        super().step(steps)
        self._progress.update(self._task, advance=steps, rate=f"{self.rate():.1f}/s")

    def kept(self, documents: int, tokens: int) -> None:
        """Show what is kept so far."""
        super().kept(documents, tokens)
        self._progress.update(self._task, kept=self._kept())

    def _kept(self) -> str:
        documents, tokens = self.state["kept"], self.state["tokens"]
        return f"kept {documents} documents, {tokens:,} of {self.goal:,} tokens"

    def tell(self) -> None:
        """Nothing: the bar says it already."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


class PlainWatch(Watch):
    """A watch that prints lines, for logs and pipes."""

    def stage(self, name: str, total: int, number: int | None = None) -> None:
        """Print what begins."""
        super().stage(name, total, number)
        self.say(f"round {self.state['round']}: {name} ({total})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""
