"""Settings: a printed file says the same, flags win, and no slip passes in silence."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import settings
from corpus.errors import InputError
from corpus.records import STREAMS
from corpus.settings import MIX, Settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SHARE = st.floats(0, 1e12, allow_nan=False) | st.integers(0, 10**6)
COUNT = st.integers(1, 2**60)
ANY = st.builds(
    Settings,
    constitution=TEXT,
    seeds=TEXT,
    output=TEXT,
    kinds=st.none() | TEXT,
    headings=st.sampled_from(settings.HEADINGS),
    tokens=st.none() | st.integers(1, settings.MOST_TOKENS),
    mix=st.dictionaries(st.sampled_from(STREAMS), SHARE, min_size=1).filter(
        lambda shares: sum(shares.values()) > 0
    ),
    seed=st.integers(-(2**60), 2**60),
    writer=st.none() | st.sampled_from(settings.WRITERS),
    model=st.none() | TEXT,
    base_url=st.none() | TEXT,
    ai_name=st.none() | TEXT,
    concurrency=st.none() | COUNT,
    batch=st.none() | st.booleans(),
    budget=st.none() | st.floats(0.001, 1e9),
    attempts=COUNT,
    judge_at_least=st.integers(1, 5),
    threshold=st.floats(0, 1, exclude_min=True),
    tokenizer=TEXT,
    formats=st.lists(TEXT, max_size=3).map(tuple),
    shard_tokens=COUNT,
    license=st.none() | TEXT,
    gates=st.dictionaries(TEXT, st.lists(SHARE, min_size=2, max_size=2), max_size=2),
    prices=st.dictionaries(TEXT, st.dictionaries(TEXT, SHARE, max_size=2), max_size=2),
)


def load(text: str) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.toml"
        path.write_text(text, encoding="utf-8", newline="")
        return settings.load(path)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        load(text)
    return str(caught.value)


@given(ANY)
def test_printed_settings_say_the_same_when_they_are_read(made: Settings) -> None:
    assert load(made.toml()) == made


def test_prices_with_a_band_survive_being_printed() -> None:
    band = {"input": 1.0, "output": 5.0, "up_to": 9, "long": {"input": 2.0, "output": 10.0}}
    given = Settings(prices={"my.model": band})  # type: ignore[dict-item] - a table in a table
    assert load(given.toml()).prices == {"my.model": band}


def test_no_file_and_an_empty_file_are_the_defaults() -> None:
    assert settings.load(None) == load("") == Settings()
    assert Settings().mix == MIX
    assert sum(MIX.values()) == 10


@given(ANY, ANY)
def test_a_flag_that_was_given_wins_and_others_leave_the_file_alone(
    file: Settings, flags: Settings
) -> None:
    both = file.with_flags({"seed": flags.seed, "model": flags.model, "mix": flags.mix})
    assert both.seed == flags.seed
    assert both.model == (file.model if flags.model is None else flags.model)
    assert both.mix == flags.mix
    assert (both.output, both.attempts) == (file.output, file.attempts)


def test_auto_on_the_command_line_wins_over_a_number_in_the_file() -> None:
    three = Settings().with_flags({"concurrency": 3})
    assert (three.concurrency, three.with_flags({"concurrency": "auto"}).concurrency) == (3, None)


def test_two_settings_do_not_share_a_mix() -> None:
    one = Settings()
    one.mix["stories"] = 9.0
    assert Settings().mix["stories"] == 3.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("200k", 200_000),
        ("3M", 3_000_000),
        ("1.5m", 1_500_000),
        ("2b", 2_000_000_000),
        ("20_000", 20_000),
        (" 7 K ", 7_000),
        (20000, 20_000),
        (".5k", 500),
        ("1.001k", 1_001),
        ("0.29m", 290_000),
    ],
)
def test_a_number_of_tokens_is_read_as_people_write_it(text: str, number: int) -> None:
    assert settings.count(text) == number


@given(st.integers(1, 10**4), st.sampled_from(["k", "m", "b"]))
def test_no_token_is_lost_in_a_decimal(thousandths: int, unit: str) -> None:
    text = f"{thousandths // 1000}.{thousandths % 1000:03}{unit}"
    assert settings.count(text) == thousandths * {"k": 1, "m": 1000, "b": 10**6}[unit]


@pytest.mark.parametrize("text", ["", "k", "many", "-5", "1e5", "3 apples", "0", "0.1", "1k2"])
def test_what_is_no_number_of_tokens_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as caught:
        settings.count(text)
    assert str(caught.value) == (f"--tokens {text!r}: not a number of tokens; such as 200k or 3M")


def test_a_mix_is_read_as_people_write_it() -> None:
    assert settings.mix("documents=5, stories=3.5") == {"documents": 5.0, "stories": 3.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("documents", "write stream=share"),
        ("documents=many", "write stream=share"),
        ("", "write stream=share"),
        ("documents=1,documents=2", "a stream is given twice"),
    ],
)
def test_a_mix_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        settings.mix(text)
    assert f"--mix {text!r}: {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"storys": 1}, "mix: unknown stream 'storys'; did you mean 'stories'?"),
        ({"stories": -1.0}, "mix: stories = -1.0: a share of 0 or more"),
        ({"stories": float("nan")}, "mix: stories = nan: a share of 0 or more"),
        ({"stories": True}, "mix: stories = True"),
        ({"stories": 0.0}, "every share is 0; nothing would be written"),
    ],
)
def test_a_mix_that_cannot_be_used_is_refused(shares: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        Settings().with_flags({"mix": shares})
    assert str(caught.value).startswith("the command line: mix: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bugdet = 5", "unknown key 'bugdet'; did you mean 'budget'?"),
        ("zzz = 1", "unknown key 'zzz'; known: ai_name, attempts"),
        ("attempts = '3'", "attempts = '3': a int is wanted"),
        ("attempts = true", "attempts = True: a int is wanted"),
        ("batch = 1", "batch = 1: a bool is wanted"),
        ("budget = 0", "budget = 0: must be more than 0"),
        ("budget = nan", "budget = nan: a finite number is wanted"),
        ("budget = inf", "budget = inf: a finite number is wanted"),
        ("concurrency = -1", "concurrency = -1: must be more than 0"),
        ("writer = 'cloud'", "writer = 'cloud'; did you mean 'claude'?"),
        ("headings = 'guess'", "headings = 'guess'; known: infer, markdown"),
        ("threshold = 1.5", "threshold = 1.5: a similarity above 0, at most 1"),
        ("threshold = 0.0", "threshold = 0.0: a similarity above 0"),
        ("tokens = 'lots'", "tokens = 'lots': not a number of tokens"),
        ("tokens = true", "tokens = True: not a number of tokens"),
        ("formats = 'jsonl'", "formats = 'jsonl': a list of strings is wanted"),
        ("formats = [1]", "formats = [1]: a list of strings is wanted"),
        ("gates = {x = 3}", "gates: x = 3: [warn, fail] is wanted"),
        ("gates = {x = [1]}", "gates: x = [1]: [warn, fail] is wanted"),
        ("gates = {x = [1, 'a']}", "gates: x = [1, 'a']: [warn, fail] is wanted"),
        ("prices = {m = 3}", "prices: 'm' is no table; write [prices.m]"),
        ("mix = 3", "mix = 3: a dict is wanted"),
        ("judge_at_least = 9", "judge_at_least = 9: a mark from 1 to 5"),
        ("tokens =", "not TOML in UTF-8"),
    ],
)
def test_a_slip_in_the_file_is_named_with_the_file(text: str, said: str) -> None:
    message = refusal(text)
    assert said in message
    assert "corpus.toml: " in message
    assert "\n" not in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--config .*none\.toml: cannot be read"):
        settings.load(tmp_path / "none.toml")


def test_a_slip_on_the_command_line_is_called_that() -> None:
    with pytest.raises(InputError, match="the command line: threshold = 2"):
        Settings().with_flags({"threshold": 2.0, "model": None})
