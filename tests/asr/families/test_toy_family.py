"""A family that only this file knows: one call registers it, and everything above can use it."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

import auricle.families
from auricle.checkpoint import save_checkpoint
from auricle.config import ModelConfig, SpecialTokens
from auricle.decoding import (
    DecodingPass,
    PassSetup,
    PlainPolicy,
    TimedText,
    UtteranceFacts,
    new_search,
)
from auricle.families import family_names, family_of, register
from auricle.families.family import Family
from auricle.features import LogMel
from auricle.hypothesis import Hypothesis
from auricle.recognizer import Recognizer
from auricle.tokenizer import Vocabulary
from auricle_types.errors import InvalidOptionError, UnknownArchitectureError
from auricle_types.options import DecodingOptions
from tests.asr.tiny import VOCAB_SIZE, sounds, tiny_model

pytestmark = pytest.mark.usefixtures("all_is_speech")

START, END, NEVER = 1, 2, 7
QUIET = 0.5


class Letters:
    """A `Vocabulary` of a letter for each token."""

    vocab_size = VOCAB_SIZE
    special = SpecialTokens((START,), END, (0, START, 3))

    def __init__(self, serialized: bytes) -> None:
        self.serialized = serialized

    def encode(self, text: str) -> list[int]:
        return [self.serialized.decode().index(letter) for letter in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(self.piece(token) for token in tokens)

    def piece(self, token: int) -> str:
        return self.serialized.decode()[token]


class QuietLogMel(LogMel):
    """Features of half the loudness."""

    def forward(self, samples: Tensor, lens: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(QUIET * samples, lens)


class Forbid:
    """A `LogitsProcessor` that forbids one token."""

    def applies_to(self, tokens: tuple[int, ...]) -> bool:
        return True

    def apply(self, logits: Tensor, prefixes: object) -> None:
        logits[:, NEVER] = float("-inf")


class TwoPasses:
    """A `DecodingPasses` that decodes twice, and gives the second result."""

    wants_full_context = False

    def __init__(self, options: DecodingOptions) -> None:
        self._options = options
        self._found: list[Hypothesis] = []

    def first(self) -> DecodingPass:
        return DecodingPass(
            new_search(self._options, 12, end=END), PassSetup((START,), (Forbid(),))
        )

    def next_after(self, hypothesis: Hypothesis) -> DecodingPass | None:
        self._found.append(hypothesis)
        return self.first() if len(self._found) < 2 else None

    def result(self) -> Hypothesis:
        first, second = self._found
        assert first.tokens == second.tokens
        return replace(second, language="toy")


class ToyPolicy(PlainPolicy):
    """It takes two passes, and gives every letter the same share of the time."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__("toy")
        self._vocabulary = vocabulary

    def passes(self, options: DecodingOptions, facts: UtteranceFacts) -> TwoPasses:
        return TwoPasses(options)

    def timed_texts(self, hypothesis: Hypothesis, seconds: float) -> list[TimedText]:
        share = seconds / max(len(hypothesis.tokens), 1)
        return [
            TimedText(number * share, (number + 1) * share, self._vocabulary.piece(token))
            for number, token in enumerate(hypothesis.tokens)
        ]


TOY = Family(
    name="toy",
    models="toys",
    features={"quiet": QuietLogMel},
    tokenizers={"letters": Letters},
    policy=lambda config, vocabulary: ToyPolicy(vocabulary),
)


@pytest.fixture(scope="module")
def toy() -> Iterator[Family]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auricle.families, "_LOADED", dict(auricle.families._LOADED))
        register(TOY)
        yield TOY


@pytest.fixture(scope="module")
def path(toy: Family, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = copy.deepcopy(tiny_model())
    features = replace(model.config.features, kind="quiet")
    model.config = replace(
        model.config, family=toy.name, tokenizer="letters", features=features, language="toy"
    )
    path = tmp_path_factory.mktemp("toy") / "toy.safetensors"
    letters = bytes(range(ord("0"), ord("0") + VOCAB_SIZE))
    save_checkpoint(path, model, Letters(letters))
    return path


def test_it_transcribes_by_its_own_parts(path: Path) -> None:
    with Recognizer.from_pretrained(path, device="cpu", dtype="float32") as recognizer:
        transcripts = recognizer.transcribe(list(sounds()))
    assert len({transcript.text for transcript in transcripts}) > 1
    for transcript in transcripts:
        assert all(len(segment.text) == 1 for segment in transcript.segments)
        assert {segment.language for segment in transcript.segments} <= {"toy"}
        assert chr(ord("0") + NEVER) not in transcript.text
        ends = [segment.end for segment in transcript.segments]
        assert ends == sorted(ends)


def test_its_policy_decides_about_options(path: Path) -> None:
    with Recognizer.from_pretrained(path, device="cpu") as recognizer:
        with pytest.raises(InvalidOptionError, match="language must be toy"):
            recognizer.transcribe(sounds()[0], options=DecodingOptions(language="en"))
        with pytest.raises(InvalidOptionError, match="windows move by the times"):
            recognizer.transcribe_in_windows(sounds()[0])


def test_it_is_listed_beside_the_others(toy: Family) -> None:
    assert set(family_names()) == {"auricle", "moonshine", "toy", "whisper"}
    assert family_of("toy") is toy


def test_a_family_that_nobody_registered() -> None:
    with pytest.raises(UnknownArchitectureError, match="no family 'toys'; known are whisper"):
        family_of("toys")
    assert family_of(ModelConfig().family).name == "auricle"
