"""Short contexts: who gets them, and what becomes of a loop that they lead to."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from auricle.checkpoint import save_checkpoint
from auricle.engine import Outcome, Request
from auricle.families.whisper.timed_repetition import TimedRepetition
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle_types.options import AudioContext, DecodingOptions
from tests.asr.families.peers import heard, hub_folder, small_whisper
from tests.asr.tokenizer.unicode_lines import short_vocabulary
from tests.asr.voices import Samples

pytestmark = pytest.mark.filterwarnings(  # openai-whisper leaves its table open
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def outcomes(path: Path, context: AudioContext, sounds: Iterable[Samples]) -> list[Outcome]:
    """All in one batch."""
    checkpoint = load_pretrained(path, audio_context=context)
    options = DecodingOptions(language="en", fallback=False, max_tokens=12)
    with Recognizer.from_checkpoint(checkpoint, device="cpu", dtype="float32") as recognizer:
        futures = [recognizer._engine.submit(Request(each, options)) for each in sounds]
        return [future.result() for future in futures]


def test_a_loop_is_searched_again_with_the_full_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the others, which are left alone; to the bits that the full context gives."""
    whisper = small_whisper(n_audio_ctx=250)
    path = hub_folder(whisper, tmp_path / "whisper", short_vocabulary())
    sounds = heard()[:6]
    monkeypatch.setattr(TimedRepetition, "cut", lambda *_: None)  # random weights do loop
    usual, full = (outcomes(path, context, sounds) for context in ("auto", "full"))
    looped = usual[1].hypothesis.tokens[:9]
    assert all(each.hypothesis.tokens[:9] != looped for each in [usual[0], *usual[2:], *full])

    def cut(_guard: TimedRepetition, tokens: tuple[int, ...]) -> tuple[int, ...] | None:
        return tokens[:1] if tokens == looped else None

    monkeypatch.setattr(TimedRepetition, "cut", cut)
    found = outcomes(path, "auto", sounds)
    expected = [usual[0], full[1], *usual[2:]]
    assert [each.hypothesis for each in found] == [each.hypothesis for each in expected]
    marks = [each.receipt.guards for each in found]
    assert marks == [(), ("repetition", "full_context"), (), (), (), ()]


@pytest.mark.parametrize("taught", [False, True])
def test_weights_that_were_taught_encode_short_contexts(
    tmp_path: Path, taught: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """By what their file says of them; whoever asks for it gets it, and a warning."""
    folder = hub_folder(small_whisper(), tmp_path / "whisper", short_vocabulary())
    checkpoint = load_pretrained(folder, audio_context="auto")
    model = checkpoint.model
    model.config = replace(model.config, short_context=taught)
    save_checkpoint(tmp_path / "ours.safetensors", model, checkpoint.tokenizer)
    loaded = load_pretrained(tmp_path / "ours.safetensors").model.config
    assert loaded.audio_context == ("auto" if taught else "full")
    contexts: tuple[AudioContext, ...] = ("full", "auto")
    for context in contexts:
        caplog.clear()
        asked = load_pretrained(tmp_path / "ours.safetensors", audio_context=context)
        assert asked.model.config.audio_context == context
        Recognizer.from_checkpoint(asked, device="cpu").close()
        warned = ["was not taught short contexts" in each.message for each in caplog.records]
        assert warned.count(True) == (context == "auto" and not taught)
