"""The text that the corpus is made of: documentation packages of Debian, by a pinned recipe.

``RECIPE`` names packages with their versions and the one kind of file that is read in each, so that
a text which a package holds twice (HTML and its source) is taken once. A version that the archive
no longer has is replaced by the one it has, and the result says so. Where there is no ``apt-get``
or no archive, the documentation and docstrings of the running Python stand in, and the result says
that too; figures of the two are not to be compared.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.dedup.prose import english, paragraphs, pieces


class Package(NamedTuple):
    """A Debian package, its version in Debian 12, and the suffix of the files that are read."""

    name: str
    version: str
    suffix: str


RECIPE = (
    Package("anarchism", "15.3-3", ".html"),
    Package("dict-foldoc", "20230119-1", ".dict.dz"),
    Package("sqlite3-doc", "3.40.1-2+deb12u2", ".html"),
    Package("apache2-doc", "2.4.71-1~deb12u1", ".html"),
    Package("bind9-doc", "1:9.18.49-1~deb12u3", ".html"),
    Package("clang-14-doc", "1:14.0.6-12", ".html"),
    Package("cmake-doc", "3.25.1-1", ".txt"),
    Package("crawl-common", "2:0.28.0-1.1", ".txt"),
    Package("dict-gcide", "0.48.5+nmu2", ".dict.dz"),
    Package("dict-jargon", "4.4.7-3.1", ".dict.dz"),
    Package("erlang-doc", "1:25.2.3+dfsg-1+deb12u4", ".html"),
    Package("exim4-doc-html", "4.96-1", ".html"),
    Package("fp-docs-3.2.2", "3.2.2+dfsg-20", ".html"),
    Package("ghc-doc", "9.0.2-4", ".html"),
    Package("git-doc", "1:2.39.5-0+deb12u3", ".txt"),
    Package("guile-3.0-doc", "3.0.8-2", ".html"),
    Package("lilypond-doc-html", "2.24.1-2", ".html"),
    Package("linux-doc-6.1", "6.1.192-2", ".rst.gz"),
    Package("llvm-14-doc", "1:14.0.6-12", ".html"),
    Package("nodejs-doc", "18.20.4+dfsg-1~deb12u3", ".html"),
    Package("openjdk-17-doc", "17.0.21.1+2-1~deb12u1", ".html"),
    Package("perl-doc", "5.36.0-7+deb12u4", ".pod"),
    Package("petsc3.18-doc", "3.18.5+dfsg1-1", ".html"),
    Package("postfix-doc", "3.7.11-0+deb12u1", ".html"),
    Package("postgresql-doc-15", "15.20-0+deb12u1", ".html"),
    Package("python-django-doc", "3:3.2.25-0+deb12u7", ".html"),
    Package("python-sklearn-doc", "1.2.1+dfsg-1", ".html"),
    Package("python-sqlalchemy-doc", "1.4.46+ds1-1", ".html"),
    Package("python3.11-doc", "3.11.2-6+deb12u9", ".html"),
    Package("qtbase5-doc-html", "5.15.8+dfsg-11+deb12u3", ".html"),
    Package("racket-doc", "8.7+dfsg1-1", ".html"),
    Package("zsh-doc", "5.9-4", ".html"),
)
QUICK = 3  # packages of the recipe that are enough for 4,000 documents


class Source(NamedTuple):
    """Paragraphs in the order of their files, and one line that says where they come from."""

    paragraphs: list[str]
    told: str


def source(folder: Path, packages: int = len(RECIPE)) -> Source:
    """The paragraphs of the first packages of the recipe, each once; cached in ``folder``.

    Raises:
        SystemExit: there is no text at all, neither from the archive nor from the Python here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cache = folder / f"prose-{_digest(packages)}.txt"
    if not cache.exists():
        found = _debian(folder, RECIPE[:packages]) or _python()
        if not found.paragraphs:
            raise SystemExit("no text: neither apt-get nor the sources of this Python are here")
        whole = cache.with_suffix(".part")
        whole.write_text("\n".join([found.told, *found.paragraphs]), encoding="utf-8")
        whole.replace(cache)
    told, *found = cache.read_text(encoding="utf-8").split("\n")
    return Source(found, told)


def _digest(packages: int) -> str:
    """A name for what the recipe and the reading of files would give."""
    said = repr(RECIPE[:packages]) + "".join(map(inspect.getsource, (pieces, english)))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _debian(folder: Path, recipe: tuple[Package, ...]) -> Source | None:
    """The text of Debian packages; None where not every one of them can be had."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    found: dict[str, None] = {}
    pinned = 0
    for package in recipe:
        archive = _archive(folder / "packages", package)
        if archive is None:
            return None
        pinned += archive.name.split("_")[1] == package.version.replace(":", "%3a")
        with tempfile.TemporaryDirectory(dir=folder) as unpacked:
            subprocess.run([shutil.which("dpkg") or "dpkg", "-x", archive, unpacked], check=True)
            for path in sorted(Path(unpacked).rglob(f"*{package.suffix}")):
                if path.is_file() and not path.is_symlink():
                    found.update(dict.fromkeys(paragraphs(path)))
    text = list(found)
    return Source(text, f"{len(recipe)} Debian packages, {pinned} of them in the pinned version")


def _archive(folder: Path, package: Package) -> Path | None:
    """The archive of a package, fetched unless it is there; None where it cannot be had."""
    folder.mkdir(exist_ok=True)
    for wanted in (f"{package.name}={package.version}", package.name):
        if there := sorted(folder.glob(f"{package.name}_*.deb")):
            return there[-1]
        command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", wanted]
        subprocess.run(command, cwd=folder, check=False, capture_output=True)
    return next(iter(sorted(folder.glob(f"{package.name}_*.deb"))), None)


def _python() -> Source:
    """The docstrings and documents of this Python and of the packages installed in it."""
    found: dict[str, None] = {}
    for place in ("stdlib", "purelib"):
        root = Path(sysconfig.get_path(place))
        for path in sorted(root.rglob("*")):
            if path.suffix == ".py" and path.is_file():
                for text in _docstrings(path):
                    found.update(dict.fromkeys(pieces(text)))
            elif path.suffix in {".rst", ".md", ".txt"} and path.is_file():
                found.update(dict.fromkeys(paragraphs(path)))
    return Source(list(found), "docstrings and documents of this Python (no Debian archive here)")


def _docstrings(path: Path) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and functions."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # templates and test data of other versions
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
