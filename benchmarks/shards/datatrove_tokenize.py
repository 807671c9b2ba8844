"""JSON Lines to token files with datatrove's DocumentTokenizer, one task.

Arguments: IN JSON OUT.
"""

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer

source, tokenizer, out = sys.argv[1:]
LocalPipelineExecutor(
    pipeline=[
        JsonlReader(str(Path(source).parent), glob_pattern=Path(source).name),
        DocumentTokenizer(
            output_folder=out,
            tokenizer_name_or_path=tokenizer,
            eos_token="<|endoftext|>",  # noqa: S106 - a token of text
            shuffle_documents=False,
        ),
    ],
    tasks=1,
    logging_dir=f"{out}/logs",
).run()
