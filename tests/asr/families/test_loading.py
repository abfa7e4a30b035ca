"""What a loaded model can do: any dtype, either audio context, saved as one of our own."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from auricle.checkpoint import load_checkpoint, save_checkpoint
from auricle.engine import Request
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle.pretrained import describe, load_pretrained
from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from tests.asr.families.peers import (
    GREEDY,
    WINDOW,
    features,
    greedy,
    heard,
    hub_moonshine,
    hub_whisper,
    openai_file,
    openai_model,
    runner,
    save,
)

MODELS = {"whisper": hub_whisper, "moonshine": hub_moonshine}


@pytest.fixture(scope="module", params=MODELS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(MODELS[request.param](), tmp_path_factory.mktemp("models") / request.param)


def peer(folder: Path) -> nn.Module:
    return MODELS[folder.name]()


def test_saved_as_our_own_it_is_the_same(folder: Path, tmp_path: Path) -> None:
    checkpoint = load_pretrained(folder)
    path = tmp_path / "ours.safetensors"
    save_checkpoint(path, checkpoint.model, checkpoint.tokenizer)
    again = load_checkpoint(path)
    assert again.model.config == checkpoint.model.config
    assert again.tokenizer.serialized == checkpoint.tokenizer.serialized
    assert type(again.tokenizer) is type(checkpoint.tokenizer)
    weights = again.model.state_dict()
    for name, weight in checkpoint.model.state_dict().items():
        assert torch.equal(weights[name], weight)


def test_a_whisper_that_was_taught_short_contexts_goes_without_its_window(tmp_path: Path) -> None:
    folder = save(hub_whisper(), tmp_path / "whisper")
    assert not load_pretrained(folder).model.config.short_context
    described = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**described, "short_context": True}))
    config = load_pretrained(folder).model.config
    assert config.short_context
    assert config.encoded_samples(8_000) == 16_000  # and half a second of silence


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_come_in_the_dtype_that_is_asked_for(folder: Path, dtype: torch.dtype) -> None:
    whole = load_pretrained(folder).model.state_dict()
    for name, weight in load_pretrained(folder, dtype=dtype).model.state_dict().items():
        assert torch.equal(weight, whole[name].to(dtype))


def test_what_it_is_made_of_is_told_without_reading_it(folder: Path) -> None:
    loaded = load_pretrained(folder).model
    for path in (folder, folder / "model.safetensors"):
        config, parameters = describe(path)
        assert config == loaded.config
        assert parameters == sum(weight.numel() for weight in peer(folder).parameters())


def test_what_openais_file_is_made_of_is_told_too(tmp_path: Path) -> None:
    model = openai_model()
    config, parameters = describe(openai_file(tmp_path, model))
    assert (config.family, config.transformer.vocab_size) == ("whisper", model.dims.n_vocab)
    assert parameters == sum(weight.numel() for weight in model.state_dict().values())


def test_weights_that_some_files_hold_twice_count_once(tmp_path: Path) -> None:
    folder = save(hub_whisper(), tmp_path / "whisper")
    before = describe(folder)
    weights = load_file(folder / "model.safetensors")
    twice = weights["model.decoder.embed_tokens.weight"].clone()
    save_file(weights | {"proj_out.weight": twice}, folder / "model.safetensors")
    assert describe(folder) == before


def test_the_audio_context_is_a_choice(folder: Path) -> None:
    usual = load_pretrained(folder).model.config
    assert usual.audio_context == {"whisper": "full", "moonshine": "auto"}[folder.name]
    full = load_pretrained(folder, audio_context="full").model.config
    auto = load_pretrained(folder, audio_context="auto").model.config
    assert full.encoded_samples(1) == full.encoded_samples(full.window) == full.window
    assert auto.encoded_samples(auto.window) == auto.window
    if folder.name == "whisper":
        assert full.encoder_len(1) == WINDOW
        return
    assert auto.encoded_samples(8_000) == 8_000
    assert [auto.encoded_samples(samples) for samples in (1, 894, 895, 896)] == [895, 895, 895, 896]
    assert [auto.encoder_len(samples) for samples in (1, 895, 1_278, 1_279)] == [1, 1, 1, 2]


def test_auto_encodes_what_there_is_and_a_margin(tmp_path: Path) -> None:
    """Each frame as when the window ended there: alone or beside others."""
    folder = save(hub_whisper(max_source_positions=250), tmp_path / "whisper")
    listener = runner(load_pretrained(folder, audio_context="auto"))
    sounds = heard()[:5]
    lens = [len(x) for x in features(listener, sounds)]
    assert lens == [-(-(len(each) + 40_960) // 160) for each in sounds]
    costs = [listener.check(Request(each)) for each in sounds]
    assert [cost.frames for cost in costs] == [-(-length // 2) for length in lens]
    assert costs[0].seconds == pytest.approx(len(sounds[0]) / 16_000 + 2.56)


@pytest.mark.parametrize("context", ["auto", "full"])
@torch.inference_mode()
def test_in_any_company_the_same_bits(folder: Path, context: str) -> None:
    listener = runner(load_pretrained(folder, audio_context=context))  # type: ignore[arg-type]
    sounds = heard()[::5]
    together = listener.model.encoder.encode(features(listener, sounds))
    for each, found in zip(sounds, together, strict=True):
        (alone,) = listener.model.encoder.encode(features(listener, [each]))
        assert torch.equal(found, alone)
    said = greedy(listener, sounds)
    mostly_silence = context == "full" and folder.name == "moonshine"
    assert len(set(said)) > len(sounds) // 2 or mostly_silence
    assert [greedy(listener, [each])[0] for each in reversed(sounds)] == said[::-1]


@pytest.mark.parametrize("options", [GREEDY, DecodingOptions(beam_size=3, max_tokens=8)])
def test_company_does_not_change_a_score(folder: Path, options: DecodingOptions) -> None:
    listener = runner(load_pretrained(folder))
    sounds = heard()[:9]

    def scores(batch: list[Job]) -> list[tuple[tuple[int, ...], float]]:
        listener.join(batch)
        found: dict[int, tuple[tuple[int, ...], float]] = {}
        while len(found) < len(batch):
            for job, result in listener.step():
                assert isinstance(result, Hypothesis)
                found[id(job)] = result.tokens, result.log_prob
        return [found[id(job)] for job in batch]

    jobs = [Job(Request(each, options), submitted=0.0) for each in sounds]
    assert scores(jobs) == [scores([job])[0] for job in jobs]


def test_no_ctc_head_and_no_guard_that_needs_one(folder: Path) -> None:
    model = load_pretrained(folder).model
    assert not hasattr(model, "ctc")
    silence = torch.zeros(8_000).numpy()
    job = Job(Request(silence, DecodingOptions(max_tokens=3)), submitted=0.0)
    listener = runner(load_pretrained(folder))
    listener.join([job])
    while not (done := listener.step()):
        pass
    assert "silence" not in getattr(done[0][1], "guards", ())


def test_a_recognizer_says_the_same_in_company(tmp_path: Path) -> None:
    folder = save(hub_moonshine(), tmp_path / "moonshine")
    with Recognizer.from_pretrained(folder, dtype="float32") as recognizer:
        transcript = recognizer.transcribe(heard()[3])
        assert recognizer.transcribe(list(heard()[3:5]))[0].text == transcript.text


def test_the_prompt_is_what_the_decoder_is_told_first(tmp_path: Path) -> None:
    folder = save(hub_whisper(), tmp_path / "whisper")
    (folder / "generation_config.json").write_text(
        '{"decoder_start_token_id": 1, "eos_token_id": 2, "suppress_tokens": [9],'
        ' "lang_to_id": {"<|en|>": 11}, "task_to_id": {"transcribe": 12},'
        ' "no_timestamps_token_id": 13}'
    )
    checkpoint = load_pretrained(folder)
    assert checkpoint.model.config.tokens.start == (1, 11, 12, 13)
    listener = runner(checkpoint)
    sounds = heard()[:4]
    with torch.inference_mode():
        for (tokens, _), encoder_out in zip(
            greedy(listener, sounds),
            listener.model.encoder.encode(features(listener, sounds)),
            strict=True,
        ):
            said = torch.tensor([[1, 11, 12, 13, *tokens]])
            logits = listener.model.decoder(said, encoder_out[None], torch.tensor([WINDOW]))
            logits[..., 9] = -torch.inf
            assert logits[0, 3:-1].argmax(dim=-1).tolist() == list(tokens)


def test_untied_logits(tmp_path: Path) -> None:
    theirs: nn.Module = hub_moonshine(tie_word_embeddings=False)
    checkpoint = load_pretrained(save(theirs, tmp_path / "untied"))
    decoder = checkpoint.model.decoder
    assert torch.equal(decoder.vectors.weight, theirs.get_parameter("proj_out.weight"))
    assert not torch.equal(decoder.vectors.weight, decoder.embedding.weight)
    out = torch.randn(16, decoder.config.d_model)
    tokens = torch.arange(5).expand(16, 5)
    found = decoder.logits_of(out, tokens)
    torch.testing.assert_close(found, decoder.logits(out)[:, :5], atol=1e-4, rtol=0)
