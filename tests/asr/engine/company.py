"""Whether company changes an answer here: `python -m tests.asr.engine.company` says so in JSON.

In a process of its own, a test can let the libraries act as for a lesser processor.
"""

import json
import sys

import torch

from auricle.engine import ModelRunner
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.engine.jobs import alone, jobs, run
from tests.asr.tiny import DTYPES
from tests.asr.voices import Ears

OPTIONS = (
    DecodingOptions(max_tokens=4),
    DecodingOptions(beam_size=3, max_tokens=4),
    DecodingOptions(max_tokens=2, ctc_weight=0.0),
    DecodingOptions(max_tokens=4, temperature=0.8, seed=5),
    DecodingOptions(beam_size=4, max_tokens=3, ctc_weight=1.0),
    DecodingOptions(max_tokens=4, ctc_weight=0.0, guards=False),
)


def same_answers(ears: Ears) -> bool:
    """Whether six requests get alone, to the last bit, what they get together."""
    runner = ModelRunner(
        ears.model,
        torch.device("cpu"),
        ears.dtype,
        scorers=ears.scorer_factory,
        config=EngineConfig(slots=24),
    )
    some = jobs(ears.possible(OPTIONS), ears.samples)
    return run(runner, some) == alone(runner, some)


def main() -> None:
    """Say it of both models in each dtype."""
    ears = [Ears(name, dtype) for name in ("tiny", "bundled") for dtype in DTYPES]
    found = {str(each): same_answers(each) for each in ears}
    report = {"capability": torch.backends.cpu.get_cpu_capability(), "same": found}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
