"""What CTranslate2 itself says with the same weights, small random ones and Whisper's own."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auricle.audio import load_audio
from auricle.engine import Request
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.hypothesis import Hypothesis
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from benchmarks.real_weights import BASE, TINY_EN, MissingWeightsError, RealWeights, folder
from tests.asr.families.peers import Peer, features, heard, runner
from tests.asr.families.whisper.ct2 import QUANTIZATIONS, convert, published
from tests.asr.tokenizer.unicode_lines import vocabulary
from tests.asr.voices import Samples

ctranslate2: Any = pytest.importorskip(
    "ctranslate2", reason="ctranslate2 is not installed: pip install 'auricle[bench]'"
)
DEV = Path(__file__).parents[5] / "shared" / "speech" / "dev"
PLAIN = DecodingOptions(language="en", timestamps=False, fallback=False, guards=False)
SMALL_CONTEXT = 48


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("hub") / "small", vocabulary())


def ours(path: Path, sounds: Sequence[Samples], options: DecodingOptions) -> list[Hypothesis]:
    with Recognizer.from_checkpoint(
        load_pretrained(path), device="cpu", dtype="float32"
    ) as recognizer:
        futures = [recognizer._engine.submit(Request(each, options)) for each in sounds]
        return [future.result().hypothesis for future in futures]


def theirs(path: Path) -> Peer:
    return ctranslate2.models.Whisper(
        str(path), device="cpu", compute_type="float32", intra_threads=torch.get_num_threads()
    )


def mels(path: Path, sounds: Sequence[Samples]) -> Iterator[Peer]:
    """Ours, one at a time: they are compared with the peers' elsewhere."""
    checkpoint = load_pretrained(path)
    for x in features(runner(checkpoint, slots=1), sounds):
        yield ctranslate2.StorageView.from_array(np.ascontiguousarray(x.T.numpy())[None])


def their_tokens(
    path: Path, sounds: Sequence[Samples], prompt: Sequence[int], context: int
) -> list[tuple[int, ...]]:
    model = theirs(path)
    results = [
        model.generate(mel, [list(prompt)], beam_size=1, max_length=context)[0]
        for mel in mels(path, sounds)
    ]
    return [tuple(result.sequences_ids[0]) for result in results]


@pytest.mark.parametrize("quantization", ["float32", "int8_float16"])
def test_greedy_tokens_are_theirs(hub: Path, tmp_path: Path, quantization: str) -> None:
    assert_equal(convert(hub, tmp_path / "small", quantization), heard()[::10])


@pytest.mark.slow
@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_all_of_each_quantization_are(hub: Path, tmp_path: Path, quantization: str) -> None:
    assert_equal(convert(hub, tmp_path / "small", quantization), heard())


def assert_equal(path: Path, sounds: Sequence[Samples]) -> None:
    prompt = load_pretrained(path).model.config.tokens.start
    expected = their_tokens(path, sounds, prompt, SMALL_CONTEXT)
    assert len(set(expected)) >= 0.8 * len(sounds)  # it listens
    assert [found.tokens for found in ours(path, sounds, PLAIN)] == expected


def test_the_language_is_theirs(hub: Path, tmp_path: Path) -> None:
    path = convert(hub, tmp_path / "small")
    model = theirs(path)
    sounds = heard()[::6]
    expected = [model.detect_language(mel)[0][0][0].strip("<|>") for mel in mels(path, sounds)]
    asked = DecodingOptions(timestamps=False, fallback=False, guards=False, max_tokens=1)
    assert len(set(expected)) >= 3
    assert [found.language for found in ours(path, sounds, asked)] == expected


def real(weights: RealWeights) -> Path:
    """Skips the test where the package is missing."""
    try:
        return folder(weights)
    except MissingWeightsError as missing:
        pytest.skip(str(missing))


def recordings(count: int) -> list[Samples]:
    """So many of each corpus in turn, none longer than the window."""
    if not DEV.is_dir():
        pytest.skip(f"no recordings in {DEV}")
    listed = [_paths(manifest) for manifest in sorted(DEV.glob("*.jsonl"))]
    turns = (path for row in zip_longest(*listed) for path in row if path is not None)
    return [load_audio(path).samples for path in islice(turns, count)]


def _paths(manifest: Path) -> list[Path]:
    lines = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
    return [DEV / line["audio_filepath"] for line in lines if line["duration"] < 30]


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "count"), [(TINY_EN, 50), (BASE, 10)], ids=["tiny.en", "base"])
def test_real_weights_say_the_same(weights: RealWeights, count: int) -> None:
    """Greedily, in the full context of 30 s, in float32."""
    path, sounds = real(weights), recordings(count)
    checkpoint = load_pretrained(path)
    assert isinstance(checkpoint.tokenizer, WhisperTokenizer)
    expected = their_tokens(path, sounds, checkpoint.model.config.tokens.start, 448)
    found = [each.tokens for each in ours(path, sounds, PLAIN)]
    equal = sum(one == other for one, other in zip(found, expected, strict=True))
    print(f"\n{weights.name}: {equal} of {count} equal, {sum(map(len, found))} tokens")  # noqa: T201
    assert len({tokens for tokens in found if tokens}) >= 0.8 * count
    assert found == expected
