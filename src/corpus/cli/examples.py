"""``corpus init``: a folder to begin with."""

from __future__ import annotations

import shutil
from pathlib import Path

import corpus
from corpus import store
from corpus.errors import DiskError, InputError

CONFIG = """\
# The settings of a corpus build. Every line is optional; a flag of the command line wins over it.

constitution = "constitution"   # a file or folder: Markdown, text, or a JSON list of traits
seeds = "story_seeds"           # a folder of TOML files with [[seed]] tables, or JSON Lines
output = "output"

# tokens = 200_000              # kept tokens to aim for: the one dial
# seed = 0                      # of the decks: another seed, another plan
# writer = "claude"             # claude, local (a demo), rehearse (costs nothing)
# model = "claude-sonnet-5-5"
# base_url = "https://..."      # any server of the Messages API
# budget = 50.0                 # dollars, for this output, all runs together
# ai_name = "Marl"              # default: from the constitution's title
# kinds = "my_kinds"            # more document kinds, or your own versions of the shipped ones
# headings = "infer"            # for plain text whose titles are bare lines
# round_tokens = 500_000        # after so many the next round is told what there is too much of
# novelty_floor = 0.3           # a kind or section with fewer new 8-grams than this stops; 0: none
# baseline = "human"            # what the diversity is compared with: human, a build, JSON Lines
# attempts = 3                  # how often a rejected brief is dealt again, the first included
# judge_at_least = 3            # the lowest mark, of 5, that a text may have
# threshold = 0.7               # Jaccard similarity from which on two texts are near-duplicates
# tokenizer = "gpt2"            # or the tokenizer.json of the model that you will train
# formats = ["parquet", "jsonl"]
# license = "cc-by-4.0"         # what the dataset card says
# guard = "drop"                # texts shaped like known evaluations: report, drop or allow
# held_out = ["my_evals.jsonl"] # your evaluation prompts: no document will hold one
# blind = 0.1                   # share of the texts that a second, blind judge marks too
# without = ["rewrite"]         # ablations: rewrite, reasons, stories, constitution

[mix]                           # shares of kept tokens
documents = 4.2
stories = 3
advice = 1.65
agentic = 1.15

# [languages]                   # of the texts, by their English names
# English = 8
# Portuguese = 1

# [models]                      # a model of its own for a stage
# draft = "claude-haiku-5-5"    # spec, check, message, polish, draft, rewrite, judge, blind;
#                               # of the jobs beside a build: seeds, quiz, deliberate
# What pays most is a strong rewrite over a cheaper draft, and cheap checks, with model =
# "claude-sonnet-5-5" above; by batch and cache, advice is then about $61 per million kept tokens,
# where the strongest model in every stage is about $156 ('corpus plan' has the prices of yours):
# rewrite = "claude-fable-5-1"
# check = "claude-haiku-5-5"
# judge = "claude-haiku-5-5"
# blind = "claude-haiku-5-5"

# [gates]                       # diversity gates: [warn, fail]
# shared_ngram = [0.02, 0.10]

# [prices."my-model"]           # dollars per million tokens, for a model the table does not know
# input = 1.0
# output = 5.0                 # also: cache_write, cache_write_1h, cache_read, batch (a factor)
# up_to = 200_000              # and for longer prompts: long = {input = 2.0, output = 9.0}
"""


def write(folder: Path) -> list[Path]:
    """Write the examples into ``folder``; return the paths written.

    Raises:
        InputError: something of that name is there already; nothing was written.
        DiskError: the disk cannot be written.
    """
    sources = {name: _source(name) for name in ("constitution", "story_seeds")}
    for name in ("corpus.toml", *sources):
        if (folder / name).exists():
            raise InputError(f"{folder / name} is there already; choose an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in sources.items():
            shutil.copytree(source, folder / name)
        store.write_text(folder / "corpus.toml", CONFIG)
    except (OSError, DiskError) as error:
        for name in sources:  # nothing of it was there before
            shutil.rmtree(folder / name, ignore_errors=True)
        raise DiskError(f"{folder}: cannot be written ({_why(error)})") from error
    return [folder / name for name in ("corpus.toml", *sources)]


def _why(error: Exception) -> str:
    """The reason; ``copytree`` gives one for each file."""
    if isinstance(error, shutil.Error):
        return str(error.args[0][0][2])
    return str(getattr(error, "strerror", None) or error)


def _source(name: str) -> Path:
    """The shipped folder of that name: inside the installed package, or in the checkout."""
    package = Path(corpus.__file__).parent
    places = (package / "examples" / name, package.parents[1] / name)
    return next(place for place in places if place.is_dir())
