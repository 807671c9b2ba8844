"""What a manifest vouches for: the same rows in every format, whoever else was there before."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus import export, formats, store, tokens
from corpus.errors import InputError, Locked
from corpus.export.folder import LOCK, held
from corpus.formats import Row

GPT2 = tokens.load("gpt2")
TURNS = ({"role": "system", "content": "Be kind."}, {"role": "assistant", "content": "I am."})
KEPT = {
    "no_loss": ((4, 8),),
    "metadata": {"section": "s"},
    "source": "books",
    "added": "2026-01-02",
    "created": "2025-01-02",
}


def texts(count: int = 12, word: str = "day", **more: Any) -> list[Row]:
    return [Row(f"t{n}", "default", text=f"One {word} it was {n}.", **more) for n in range(count)]


def chats(**more: Any) -> list[Row]:
    return [Row(f"c{n}", "default", messages=TURNS, **more) for n in range(12)]


def publish(rows: list[Row], folder: Path, *names: str, **more: Any) -> dict[str, Any]:
    return export.publish(rows, folder, tokenizer=GPT2, formats=names, **more)


def listed(manifest: dict[str, Any]) -> set[str]:
    """The formats that a manifest lists."""
    return {shard["format"] for shard in manifest["shards"]}


@pytest.mark.parametrize("field", KEPT)
def test_a_format_does_not_join_another_whose_rows_say_something_else(
    tmp_path: Path, field: str
) -> None:
    publish(texts(), tmp_path, "jsonl")
    before = (tmp_path / "manifest.json").read_bytes()
    others = texts(**{field: KEPT[field]})
    with pytest.raises(InputError, match="holds another export"):
        publish(others, tmp_path, "parquet")
    assert (tmp_path / "manifest.json").read_bytes() == before
    assert listed(publish(others, tmp_path, "parquet", replace=True)) == {"parquet"}
    assert not (tmp_path / "jsonl").exists()
    assert listed(publish(others, tmp_path, "jsonl")) == {"jsonl", "parquet"}
    assert export.verify(tmp_path) == []


def test_a_format_does_not_join_another_whose_masks_or_tools_differ(tmp_path: Path) -> None:
    publish(chats(), tmp_path, "olmo")
    with pytest.raises(InputError, match="holds another export"):
        publish(chats(), tmp_path, "datatrove", mask_roles=["system"])
    with pytest.raises(InputError, match="holds another export"):
        publish(chats(tools="[]"), tmp_path, "datatrove")
    masked = publish(chats(), tmp_path, "datatrove", mask_roles=["system"], replace=True)
    assert listed(masked) == {"datatrove"}
    assert listed(publish(chats(), tmp_path, "olmo", mask_roles=["system"])) == {
        "datatrove",
        "olmo",
    }


def test_what_stands_beside_a_text_has_one_digest_in_every_container(tmp_path: Path) -> None:
    about = {name: value for name, value in KEPT.items() if name != "no_loss"}
    rows = texts(**about) + chats(**about, tools='[{"name":"find"}]')
    names = ("parquet", "jsonl", "mds", "webdataset")
    digests = {publish(rows, tmp_path / name, name)["rest_sha256"] for name in names}
    assert len(digests) == 1
    assert [export.verify(tmp_path / name) for name in names] == [[]] * 4
    assert digests != {publish(texts() + chats(), tmp_path / "bare", "jsonl")["rest_sha256"]}


def test_verify_finds_metadata_that_was_changed_along_with_its_checksum(tmp_path: Path) -> None:
    made = publish(texts(source="books"), tmp_path, "jsonl")
    path = tmp_path / made["shards"][0]["file"]
    path.write_text(path.read_text().replace("books", "looks", 1))
    made["shards"][0]["sha256"] = formats.sha256(path)
    store.write_json(tmp_path / "manifest.json", made)
    [problem] = export.verify(tmp_path)
    assert "rest_sha256" in problem
    del made["rest_sha256"]  # as versions before wrote it
    store.write_json(tmp_path / "manifest.json", made)
    assert export.verify(tmp_path) == []


def test_an_export_of_an_earlier_version_is_made_again_but_no_format_joins_it(
    tmp_path: Path,
) -> None:
    made = publish(texts(), tmp_path, "jsonl")
    del made["rest_sha256"]
    store.write_json(tmp_path / "manifest.json", made)
    with pytest.raises(InputError, match="holds another export"):
        publish(texts(), tmp_path, "parquet")
    assert "rest_sha256" in publish(texts(), tmp_path, "jsonl")
    assert listed(publish(texts(), tmp_path, "parquet")) == {"jsonl", "parquet"}


def test_a_build_that_is_exported_without_masks_says_no_more_that_it_has_some(
    tmp_path: Path,
) -> None:
    store.write_json(tmp_path / "manifest.json", {"version": "1", "kept": "by the build"})
    options: dict[str, Any] = {"build": tmp_path}
    shards = tmp_path / "shards"
    masked = publish(chats(), shards, "olmo", mask_roles=["system"], **options)
    assert masked["mask_roles"] == ["system"]
    plain = publish(chats(), shards, "datatrove", **options)
    assert "mask_roles" not in plain
    assert listed(plain) == {"datatrove"}
    assert plain["kept"] == "by the build"


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Exports all but the manifest: what a kill at the last moment leaves."""

    def exported(rows: list[Row], folder: Path, *names: str) -> None:
        def die(path: Path, value: object) -> None:
            raise KeyboardInterrupt(path, value)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(store, "write_json", die)
            publish(rows, folder, *names, replace=True)
        assert not (folder / "manifest.json").exists()

    return exported


def test_shards_that_a_killed_export_wrote_over_are_not_vouched_for(
    tmp_path: Path, dying: Callable[..., None]
) -> None:
    publish(texts(), tmp_path, "jsonl", "parquet")
    dying(texts(word="night"), tmp_path, "jsonl", "parquet")
    assert listed(publish(texts(), tmp_path, "parquet")) == {"parquet"}
    assert not (tmp_path / "jsonl").exists()
    assert export.verify(tmp_path) == []


class Changed(list[Row]):
    """Rows that are others by the time they are read again."""

    def __getitem__(self, number: Any) -> Any:
        if number == 7:
            raise InputError("was changed while it was read")
        return super().__getitem__(number)


def test_shards_that_a_refused_export_wrote_over_are_not_vouched_for(tmp_path: Path) -> None:
    publish(texts(), tmp_path, "jsonl", "parquet", shard_tokens=10)
    others = Changed(texts(word="night"))
    with pytest.raises(InputError, match="was changed"):
        publish(others, tmp_path, "jsonl", "parquet", shard_tokens=10, replace=True)
    assert "export again" in export.verify(tmp_path)[0]
    assert listed(publish(texts(), tmp_path, "parquet", shard_tokens=10)) == {"parquet"}
    assert export.verify(tmp_path) == []


def test_shards_that_a_killed_export_left_alone_stay(
    tmp_path: Path, dying: Callable[..., None]
) -> None:
    publish(texts(), tmp_path, "jsonl", "parquet")
    dying(texts(), tmp_path, "parquet")
    assert listed(publish(texts(), tmp_path, "parquet")) == {"jsonl", "parquet"}
    assert export.verify(tmp_path) == []


HOLD = """
import sys
from pathlib import Path

from corpus.export.folder import held

with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def holder(folder: Path) -> Any:
    """A process that holds ``folder`` as an export does."""
    words = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")
def test_two_exports_into_one_folder_do_not_run_at_once(tmp_path: Path) -> None:
    publish(texts(), tmp_path, "jsonl")
    before = (tmp_path / "manifest.json").read_bytes()
    source = tmp_path / "in.jsonl"
    store.write_rows(source, [{"id": "a", "text": "One."}])
    words = [sys.executable, "-m", "corpus", "export", str(source), "-o", str(tmp_path)]
    with holder(tmp_path):
        second = subprocess.run(words, capture_output=True, text=True, check=False)
        assert second.returncode == Locked.exit_code == 6
        assert second.stderr.strip().endswith("another export writes there; wait for it to end")
        assert (tmp_path / "manifest.json").read_bytes() == before
    assert (tmp_path / LOCK).exists()  # it was killed, and holds nobody up
    publish(texts(), tmp_path, "parquet")
    assert not (tmp_path / LOCK).exists()
    assert export.verify(tmp_path) == []


def test_a_chat_that_its_shape_cannot_hold_is_refused_before_a_shard_is_touched(
    tmp_path: Path,
) -> None:
    publish(chats(), tmp_path, "jsonl", shard_tokens=10)
    odd = Row("c99", "default", messages=({"role": "tool", "content": "42"}, *TURNS))
    options: dict[str, Any] = {"shard_tokens": 10, "chat": "anthropic", "replace": True}
    with pytest.raises(InputError, match="document 'c99' has a system turn that is not its first"):
        publish([*chats(source="other"), odd], tmp_path, "jsonl", **options)
    assert export.verify(tmp_path) == []
    made = publish([*chats(), odd], tmp_path, "megatron", **options)  # which has no such shape
    assert listed(made) == {"megatron"}


def test_a_folder_that_was_made_for_the_lock_alone_is_gone_again(tmp_path: Path) -> None:
    with held(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="unknown export format"):
        publish(texts(), tmp_path / "new", "jsonn")
    assert list(tmp_path.iterdir()) == []
