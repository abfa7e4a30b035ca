"""How to weigh what decides about words: python -m benchmarks.tune_decoding MANIFEST...

Every combination of the weights of CTC and of the language model, the reward for a token and the
width of the beam, on the utterances of dev manifests, which are encoded once. The word error rate
of all words chooses; the table begins with the best. Run it again when the weights change, and
write what it finds into `auricle_types/options.py`.
"""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor
from tqdm import tqdm

from auricle.checkpoint import Checkpoint, load_checkpoint
from auricle.config import SAMPLE_RATE
from auricle.decoding import ContinuousDecoder, Decoding, Posteriors, ScorerFactory
from auricle.engine.devices import prepare
from auricle.evaluation import ErrorCounts, load_utterance, normalize, read_manifest, word_errors
from auricle.features import LogMel
from auricle.model import SpeechTransformer, new_cache
from auricle.naming import model_path
from auricle.segmentation.vad import speaks
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from benchmarks.command import benchmark_options, use_threads
from benchmarks.results import Result, table

SLOTS = 64
QUICK_UTTERANCES = 2
ALL = "all words"
GRID = ("ctc_weight", "lm_weight", "token_reward", "beam")


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """An utterance as the decoder takes it."""

    corpus: str
    text: str  # normalised
    seconds: float
    memory: Tensor
    heard: Posteriors
    speech: bool  # as the VAD says


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", required=True, help="A name, or the path of a model with a CTC head.")
@click.option("--lm", type=click.Path(path_type=Path), help="Another language model than its own.")
@click.option("--ctc-weight", type=float, multiple=True, default=(0.5,), help="Any number of each.")
@click.option("--lm-weight", type=float, multiple=True, default=(0.0, 0.2, 0.4, 0.6))
@click.option("--token-reward", type=float, multiple=True, default=(1.0, 2.0, 3.0))
@click.option("--beam", type=int, multiple=True, default=(1,))
@benchmark_options
def main(manifests: Sequence[Path], model: str, lm: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Encode, decode in every way, print the table, write the result."""
    quick, threads = options["quick"], options["threads"]
    use_threads(threads)
    result = Result("tune_decoding", quick, threads)
    checkpoint = load_checkpoint(model_path(model), lm)
    tuner = Tuner(checkpoint, manifests, QUICK_UTTERANCES if quick else None)
    ways = list(_ways(*(options[name] for name in GRID)))
    rows = []
    for way in ways:
        rows.append(_row(way, tuner.errors(way)))
        print(f"{len(rows)} of {len(ways)}: {rows[-1]}", flush=True)
    rows.sort(key=lambda row: row[ALL])
    print(table(list(rows[0]), [[_said(cell) for cell in row.values()] for row in rows]))
    result.write({"model": model, "ways": rows}, options["output"])


class Tuner:
    """Utterances, encoded once, and the decoder."""

    def __init__(
        self, checkpoint: Checkpoint, manifests: Sequence[Path], limit: int | None = None
    ) -> None:
        """Encode the first `limit` utterances of each manifest; all by default."""
        self._model = prepare(checkpoint.model, torch.device("cpu"), torch.float32)
        self._tokenizer = checkpoint.tokenizer
        config, language_model = self._model.config, checkpoint.language_model
        self._scorer_factory = ScorerFactory.of(config, language_model=language_model)
        encoded = [each for path in manifests for each in _encoded(self._model, path, limit)]
        self._encoded = sorted(encoded, key=lambda each: -each.seconds)
        frames = max(each.memory.shape[3] for each in encoded)
        self._cache = new_cache(self._model.decoder, slots=SLOTS, max_frames=frames)

    def errors(self, options: DecodingOptions) -> dict[str, ErrorCounts]:
        """The errors in each corpus."""
        decoder = ContinuousDecoder(self._model.decoder, self._cache, special=Tokenizer.special)
        waiting, running = deque(self._encoded), dict[Decoding, Encoded]()
        counts = {each.corpus: ErrorCounts() for each in self._encoded}
        while waiting or running:
            while waiting and decoder.free_slots >= options.beam_size:
                each = waiting.popleft()
                running[self._join(decoder, each, options)] = each
            for decoding in decoder.step():
                decoder.leave(decoding)
                each = running.pop(decoding)
                said = normalize(self._tokenizer.decode(decoding.search.best().tokens))
                counts[each.corpus] += word_errors(each.text, said)
        return counts

    def _join(
        self, decoder: ContinuousDecoder, each: Encoded, options: DecodingOptions
    ) -> Decoding:
        frames = each.memory.shape[3]
        scorers = self._scorer_factory.scorers(
            options, frames, each.seconds, each.heard, speech=each.speech
        )
        return decoder.join(each.memory, scorers.search, scorers.ctc, scorers.lm)


@torch.inference_mode()
def _encoded(model: SpeechTransformer, manifest: Path, limit: int | None) -> Iterator[Encoded]:
    features = LogMel(model.config.features)
    utterances = read_manifest(manifest)[:limit]
    for utterance in tqdm(utterances, manifest.stem, leave=False, disable=None):
        samples = torch.from_numpy(load_utterance(utterance).samples)
        xs, _ = features(samples[None], torch.tensor([len(samples)]))
        (encoder_out,) = model.encoder.encode([xs[0]])
        (memory,) = model.decoder.project_memory([encoder_out])
        log_probs = model.ctc(encoder_out).log_softmax(dim=-1, dtype=torch.float32)
        yield Encoded(
            manifest.stem,
            normalize(utterance.text),
            len(samples) / SAMPLE_RATE,
            memory,
            Posteriors.of(log_probs.numpy(), end=Tokenizer.end_id),
            speaks(samples.numpy()),
        )


def _ways(
    ctc_weights: Sequence[float],
    lm_weights: Sequence[float],
    token_rewards: Sequence[float],
    beams: Sequence[int],
) -> Iterator[DecodingOptions]:
    """Without a language model there is nothing to reward."""
    for ctc, lm, beam in itertools.product(ctc_weights, lm_weights, beams):
        for reward in token_rewards if lm else (0.0,):
            yield DecodingOptions(beam, ctc_weight=ctc, lm_weight=lm, token_reward=reward)


def _row(way: DecodingOptions, counts: dict[str, ErrorCounts]) -> dict[str, Any]:
    chosen = ("beam_size", "ctc_weight", "lm_weight", "token_reward")
    rates = {corpus: round(each.rate, 4) for corpus, each in counts.items()}
    total = sum(counts.values(), ErrorCounts())
    return {name: asdict(way)[name] for name in chosen} | rates | {ALL: round(total.rate, 4)}


def _said(cell: float) -> str:
    return f"{cell:g}"


if __name__ == "__main__":
    main()
