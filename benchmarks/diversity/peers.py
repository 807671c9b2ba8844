"""Run in an environment of its own: what ``diversity`` 0.3.1 and ``vendi-score`` 0.0.3 say."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from diversity.ngram_diversity import ngram_diversity_score
from diversity.self_repetition import self_repetition_score
from vendi_score import vendi


def timed(work: Callable[[], float]) -> dict[str, float]:
    before = time.process_time()
    value = work()
    return {"value": float(value), "seconds": time.process_time() - before}


given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
texts, rows = given["texts"], np.array(given["rows"])
print(
    json.dumps(
        {
            "self_repetition": timed(lambda: self_repetition_score(texts, verbose=False)),
            "ngram_diversity": timed(lambda: ngram_diversity_score(texts)),
            "vendi_q1": timed(lambda: vendi.score_dual(rows)),
            "vendi_q2": timed(lambda: vendi.score_dual(rows, q=2)),
        }
    )
)
