"""How far fewer bits move logits and tokens: python -m benchmarks.dtypes [MANIFEST]...

Speech of the manifests, by default of samples/, is read greedily in each dtype on the CPU, and on
CUDA where there is a device, by the bundled model and by a random Whisper-tiny. Then each decoder
is told what float32 said on the CPU, and its logits are held against float32's, all positions and
all tokens. In half precision and in integers the engine takes a short list from these logits and
computes that again in float32 (decoding/next_tokens.py).
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import jiwer
import torch
from torch import Tensor
from tqdm import tqdm

from auricle.checkpoint import Checkpoint
from auricle.decoding import ScorerFactory
from auricle.engine import Engine, ModelRunner, Request
from auricle.engine.devices import activations, loaded, prepare, resolve_dtype
from auricle.evaluation import normalize
from auricle.families import new_features, new_policy
from auricle.naming import BUNDLED, model_path
from auricle.pretrained import load_pretrained
from auricle.training.silence import with_silence
from auricle_types.options import DecodingOptions
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import Samples
from benchmarks.corpora import Corpus
from benchmarks.random_checkpoint import save_whisper
from benchmarks.recordings import SAMPLES
from benchmarks.results import Result, table
from benchmarks.workload import SMOKE, WHISPER_TINY

DTYPES = ("float32", "bfloat16", "float16", "int8")
PACKAGES = ("torch", "jiwer", "transformers")
SAMPLES_MANIFEST = SAMPLES / "manifest.jsonl"
RANDOM = "whisper-tiny, random"
RANDOM_OPTIONS = DecodingOptions(
    language="en", timestamps=False, fallback=False, guards=False, max_tokens=32
)
MOST = 16  # utterances that it reads
QUICK_UTTERANCES = 2
Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A model in one dtype on one device, ready to run."""

    checkpoint: Checkpoint
    device: torch.device
    dtype: torch.dtype

    @classmethod
    def load(cls, model: str, device: str, dtype: str) -> "Subject":
        """By a name or a path. Raises ModelError where it cannot be loaded."""
        there = torch.device(device)
        numbers = resolve_dtype(dtype, there)
        checkpoint = load_pretrained(model_path(model), dtype=loaded(numbers))
        ready = prepare(checkpoint.model, there, numbers)
        return cls(Checkpoint(ready, checkpoint.tokenizer), there, numbers)

    def read(self, waveforms: Sequence[Samples], options: DecodingOptions) -> list[Tokens]:
        """What the engine says of each."""
        config, tokenizer = self.checkpoint.model.config, self.checkpoint.tokenizer
        scorers = ScorerFactory.of(config, new_policy(config, tokenizer))
        runner = ModelRunner(self.checkpoint.model, self.device, self.dtype, scorers=scorers)
        with closing(Engine(runner)) as engine:
            requests = [Request(samples, options) for samples in waveforms]
            futures = [engine.submit(request, block=True) for request in requests]
            return [future.result().hypothesis.tokens for future in futures]

    @torch.inference_mode()
    def logits(self, samples: Samples, tokens: Tokens) -> Tensor:
        """Of each of `tokens` `(U,)` and of END, told those before it: `(U + 1, V)`."""
        model = self.checkpoint.model
        start = model.config.tokens.start
        (encoder_out,) = model.encoder.encode([self._features(samples)])
        told = torch.tensor([[*start, *tokens]], device=self.device)
        lens = torch.tensor([len(encoder_out)], device=self.device)
        logits: Tensor = model.decoder(told, encoder_out[None], lens)[0]
        return logits[len(start) - 1 :].float().cpu()

    def words(self, tokens: Tokens) -> str:
        """The text, as it is scored."""
        return normalize(self.checkpoint.tokenizer.decode(tokens))

    def _features(self, samples: Samples) -> Tensor:
        """`x (T, n_mels)`, computed on the CPU in float32 for all."""
        config = self.checkpoint.model.config
        alone = torch.from_numpy(samples)[None], torch.tensor([len(samples)])
        x: Tensor = new_features(config)(*with_silence(*alone, config))[0][0]
        return x.to(self.device, activations(self.dtype, self.device))


@dataclass(slots=True)
class Movement:
    """How far logits moved, all positions so far."""

    largest: float = 0.0
    total: float = 0.0  # of absolute differences
    logits: int = 0
    positions: int = 0
    others: int = 0  # positions where another token has the highest logit

    def add(self, expected: Tensor, found: Tensor) -> None:
        """Of one utterance, `(U, V)` both."""
        moved = (found - expected).abs()
        self.largest = max(self.largest, float(moved.max()))
        self.total += float(moved.sum(dtype=torch.float64))
        self.logits += moved.numel()
        self.positions += len(moved)
        self.others += int((found.argmax(dim=-1) != expected.argmax(dim=-1)).sum())

    @property
    def mean(self) -> float:
        """Of the absolute differences."""
        return self.total / self.logits


@dataclass(frozen=True, slots=True)
class Reference:
    """What float32 says on the CPU of each utterance, and the logits of that."""

    tokens: list[Tokens]
    logits: list[Tensor]  # (U_i + 1, V)


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one way to compute from float32 on the CPU."""

    model: str
    device: str
    dtype: str
    utterances: int
    largest: float  # of logits
    mean: float  # of absolute differences of logits
    likeliest_unlike: float  # share of positions where another token has the highest logit
    tokens_unlike: float  # edits over float32's tokens
    words_unlike: float | None  # edits over float32's words; None where weights are random
    wer: float | None  # of what was said; None as above


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model's readings in all dtypes."""

    name: str
    model: str  # name or path
    options: DecodingOptions
    waveforms: Sequence[Samples]
    texts: Sequence[str]  # what was said, normalised; none where weights are random

    def differences(self, devices: Sequence[str]) -> Iterator[Difference]:
        """Float32 on the CPU comes first: it is the reference."""
        subject = Subject.load(self.model, "cpu", "float32")
        said = subject.read(self.waveforms, self.options)
        pairs = zip(self.waveforms, said, strict=True)
        reference = Reference(said, [subject.logits(*pair) for pair in pairs])
        ways = [(device, dtype) for device in devices for dtype in DTYPES]
        for device, dtype in tqdm(ways, self.name):
            yield self._difference(reference, Subject.load(self.model, device, dtype))

    def _difference(self, reference: Reference, subject: Subject) -> Difference:
        movement = Movement()
        pairs = zip(self.waveforms, reference.tokens, strict=True)
        for expected, pair in zip(reference.logits, pairs, strict=True):
            movement.add(expected, subject.logits(*pair))
        tokens = subject.read(self.waveforms, self.options)
        words, before = (
            [subject.words(each) for each in said] if self.texts else []
            for said in (tokens, reference.tokens)
        )
        return Difference(
            self.name,
            subject.device.type,
            str(subject.dtype).removeprefix("torch."),
            len(self.waveforms),
            float(f"{movement.largest:.3g}"),
            float(f"{movement.mean:.3g}"),
            round(movement.others / movement.positions, 5),
            error_rate([_spelt(each) for each in reference.tokens], [_spelt(t) for t in tokens]),
            error_rate(before, words) if words else None,
            error_rate(self.texts, words) if words else None,
        )


def error_rate(expected: Sequence[str], found: Sequence[str]) -> float:
    """Edits over what was expected, all texts together; words are what spaces part."""
    return round(jiwer.wer(list(expected), list(found)), 5)


def _spelt(tokens: Tokens) -> str:
    return " ".join(map(str, tokens))


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--model", default=BUNDLED, help="A name, or a checkpoint's path.")
@click.option("--utterances", type=click.IntRange(1), help="The first ones of each manifest only.")
@benchmark_options
def main(
    manifests: Sequence[Path],
    model: str,
    utterances: int | None,
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Compare, print the table, write the result."""
    use_threads(threads)
    result = Result("dtypes", quick, threads, PACKAGES)
    limit = QUICK_UTTERANCES if quick else utterances
    corpora = [Corpus.load(each, limit) for each in manifests or [SAMPLES_MANIFEST]]
    spoken = [
        pair for c in corpora for pair in zip(c.waveforms, map(normalize, c.texts), strict=True)
    ]
    window = Subject.load(model, "cpu", "float32").checkpoint.model.config.window
    spoken = [pair for pair in spoken if len(pair[0]) <= window]  # longer audio would be cut
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    with TemporaryDirectory() as folder:
        save_whisper(SMOKE if quick else WHISPER_TINY, Path(folder), lively=True)
        waveforms = [samples for samples, _ in spoken]
        comparisons = (
            Comparison(model, model, DecodingOptions(), waveforms, [text for _, text in spoken]),
            Comparison(
                RANDOM, folder, RANDOM_OPTIONS, waveforms[:: -(-len(waveforms) // MOST)], ()
            ),
        )
        rows = [
            asdict(each) for comparison in comparisons for each in comparison.differences(devices)
        ]
    print(table(list(rows[0]), [list(row.values()) for row in rows]))
    result.write({"manifests": len(manifests), "differences": rows}, output)


if __name__ == "__main__":
    main()
