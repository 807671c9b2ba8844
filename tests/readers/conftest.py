"""What the lane of the trainers' own libraries shares: documents, figures, and a stub."""

import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from corpus.formats import Row
from readers import real_text

SAID: list[str] = []


@pytest.fixture(scope="session")
def documents() -> list[Row]:
    found = real_text.rows()
    SAID.append(f"{len(found)} documents, {sum(len(row.ids) for row in found):,} GPT-2 tokens")
    return found


@pytest.fixture
def say() -> Callable[[str], None]:
    """Keeps a figure for the end of the run."""
    return SAID.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that the tests kept."""
    for line in SAID:
        terminalreporter.write_line(line)


@pytest.fixture
def without_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the four modules that streaming imports and does not need for text.

    torchvision from the usual index is built against another torch than the one without a GPU.
    """
    names = ("torchvision", "torchvision.datasets", "torchvision.transforms")
    for name in (*names, "torchvision.transforms.functional"):
        module: Any = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.VisionDataset = module.CIFAR10 = module.to_tensor = object
        monkeypatch.setitem(sys.modules, name, module)
