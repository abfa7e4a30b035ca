"""`auricle models`: list, pull, show, convert and remove, without a server."""

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from auricle.checkpoint import load_checkpoint
from auricle.hub import cache, download, known_models
from auricle_types.errors import DownloadError
from benchmarks.real_weights import TINY_EN, MissingWeightsError, folder
from tests.asr.hub.published import FILES, known
from tests.asr.tiny import tiny_config, tiny_model, write_tiny_checkpoint
from tests.cli.conftest import Auricle


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_tiny_checkpoint(tmp_path)


def test_show_says_what_it_is_made_of(auricle: Auricle, checkpoint: Path) -> None:
    shown = json.loads(auricle("models", "show", str(checkpoint)).stdout)
    assert shown.pop("parameters") == sum(w.numel() for w in tiny_model().parameters())
    assert shown == json.loads(json.dumps(tiny_config().to_dict()))


def test_show_describes_faster_whispers_folders(auricle: Auricle, tmp_path: Path) -> None:
    try:
        source = folder(TINY_EN)
    except MissingWeightsError as missing:
        pytest.skip(str(missing))
    model = tmp_path / "faster-whisper-tiny.en"
    model.mkdir()
    for path in source.iterdir():
        (model / path.name).symlink_to(path)
    shown = auricle("models", "show", str(model)).stdout
    for line in ('"parameters": 37764864,', f'"name": "{model.name}",', '"window_seconds": 30.0,'):
        assert f"\n  {line}\n" in shown


def test_convert_writes_one_file_of_our_own(
    auricle: Auricle, checkpoint: Path, tmp_path: Path
) -> None:
    target = tmp_path / "half.safetensors"
    result = auricle("models", "convert", str(checkpoint), str(target), "--dtype", "bfloat16")
    assert result.exit_code == 0
    for name, weight in load_checkpoint(target).model.state_dict().items():
        assert torch.equal(weight, tiny_model().state_dict()[name].bfloat16().float())


def test_convert_makes_it_small(auricle: Auricle, tmp_path: Path) -> None:
    from tests.asr.families.peers import hub_folder, small_whisper
    from tests.asr.tokenizer.unicode_lines import short_vocabulary

    folder = tmp_path / "whisper"
    folder.mkdir()
    source = str(hub_folder(small_whisper(), folder, short_vocabulary()))
    whole, small = tmp_path / "whole.safetensors", tmp_path / "small.safetensors"
    assert auricle("models", "convert", source, str(whole)).exit_code == 0
    options = ("--vocabulary", "500", "--dtype", "int8")
    assert auricle("models", "convert", source, str(small), *options).exit_code == 0
    removed = (
        load_checkpoint(whole).tokenizer.vocab_size - load_checkpoint(small).tokenizer.vocab_size
    )
    assert removed == short_vocabulary().end - 256 - 500
    assert small.stat().st_size < 0.5 * whole.stat().st_size


def test_a_vocabulary_that_cannot_be_cut_is_refused(
    auricle: Auricle, checkpoint: Path, tmp_path: Path
) -> None:
    target = str(tmp_path / "target.safetensors")
    result = auricle("models", "convert", str(checkpoint), target, "--vocabulary", "500")
    assert result.exit_code == 2
    assert "Whisper models only" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {checkpoint.name}


@pytest.mark.parametrize("command", [["show"], ["convert", "--dtype", "float16"]])
def test_what_is_no_model_is_refused(auricle: Auricle, tmp_path: Path, command: list[str]) -> None:
    source, target = tmp_path / "no.safetensors", tmp_path / "target.safetensors"
    source.write_bytes(b"no model")
    arguments = [str(source)] if command == ["show"] else [str(source), str(target)]
    result = auricle("models", *command, *arguments)
    assert result.exit_code == 2
    assert "no.safetensors" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"no.safetensors"}


def test_convert_without_room_leaves_nothing(
    auricle: Auricle, checkpoint: Path, tmp_path: Path
) -> None:
    target = tmp_path / "nowhere" / "target.safetensors"
    result = auricle("models", "convert", str(checkpoint), str(target))
    assert result.exit_code == 2
    assert {path.name for path in tmp_path.iterdir()} == {checkpoint.name}


def test_pull_prints_the_folder(auricle: Auricle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "pull", lambda name: Path("/cache") / name)
    assert auricle("models", "pull", "openai/whisper-tiny").stdout == "/cache/openai/whisper-tiny\n"


def test_pull_says_why_it_cannot(auricle: Auricle, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> Path:
        raise DownloadError(f"{name}: no network")

    monkeypatch.setattr(download, "pull", fails)
    result = auricle("models", "pull", "openai/whisper-tiny")
    assert result.exit_code == 2
    assert "openai/whisper-tiny: no network" in result.stderr


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of `small`, a made-up known model, in a cache without anything else."""
    model = known()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    for module in (known_models, cache):
        monkeypatch.setattr(module, "known_models", lambda: (model, known("medium")))
    folder = cache.snapshot_folder(model)
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_list_shows_what_is_here_and_what_has_a_name(auricle: Auricle, cached: Path) -> None:
    lines = auricle("models", "list").stdout.splitlines()
    assert lines[0].split() == "STATE NAME SIZE PARAMETERS LANGUAGES LICENCE SOURCE".split()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["local", "bundled"],
        ["local", "small"],
        ["known", "medium"],
    ]
    assert lines[3].split()[2:] == ["69.0B", "1", "M", "2", "MIT", "owner/whisper-medium"]


def test_list_as_json(auricle: Auricle, cached: Path) -> None:
    lines = auricle("models", "--format", "json", "list").stdout.splitlines()
    _, here, known = map(json.loads, lines)
    assert (here["folder"], here["size"]) == (str(cached), sum(map(len, FILES.values())))
    assert (known["languages"], known["revision"]) == (["en", "zh"], "0123456789" * 4)


def test_list_is_what_the_bare_command_does(auricle: Auricle, cached: Path) -> None:
    assert auricle("models").stdout == auricle("models", "list").stdout
    flags = ["--server", "localhost:1", "--timeout", "0.2"]
    asked = [["models", *flags], ["models", *flags, "list"], ["models", "list", *flags]]
    results = [auricle(*arguments) for arguments in asked]
    assert {result.exit_code for result in results} == {2}
    assert len({result.stderr for result in results}) == 1


def test_tls_needs_a_server(auricle: Auricle) -> None:
    result = auricle("models", "list", "--tls")
    assert (result.exit_code, "--server" in result.stderr) == (2, True)


def test_show_of_a_short_name_is_what_is_published(auricle: Auricle, cached: Path) -> None:
    (cached / "model.bin").unlink()
    shown = json.loads(auricle("models", "show", "whisper-small").stdout)
    assert (shown["repository"], shown["licence"]) == ("owner/whisper-small", "MIT")
    assert shown["files"][1]["name"] == "model.bin"
    assert shown["files"][1]["checked_by"] == "its SHA-256"
    assert (shown["folder"], shown["model"]) == (None, None)


def test_show_says_which_sums_are_not_known(auricle: Auricle) -> None:
    files = json.loads(auricle("models", "show", "large-v1").stdout)["files"]
    assert {file["name"]: (file["sha256"], file["checked_by"]) for file in files} == {
        "config.json": (None, "its size"),
        "model.bin": (None, "the SHA-256 that the Hub states"),
        "tokenizer.json": (None, "its size"),
        "vocabulary.txt": (None, "its size"),
    }


def test_show_of_a_short_name_that_is_here_is_of_its_weights_too(
    auricle: Auricle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    try:
        source = folder(TINY_EN)
    except MissingWeightsError as missing:
        pytest.skip(str(missing))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    model = known_models.find("tiny.en")
    assert model is not None
    snapshot = cache.snapshot_folder(model)
    snapshot.mkdir(parents=True)
    for path in source.iterdir():
        (snapshot / path.name).symlink_to(path)
    shown = json.loads(auricle("models", "show", "tiny.en").stdout)
    assert (shown["folder"], shown["model"]["parameters"]) == (str(snapshot), 37764864)


def test_remove_says_what_it_freed(auricle: Auricle, cached: Path) -> None:
    result = auricle("models", "remove", "small")
    assert result.stdout == "removed small: 69.0B freed\n"
    assert not cached.exists()
    again = auricle("models", "remove", "small")
    assert (again.exit_code, "not in the cache" in again.stderr) == (2, True)


def test_a_mistyped_name_is_told_the_nearest(auricle: Auricle) -> None:
    for command in ("pull", "show", "remove"):
        result = auricle("models", command, "tinny.en")
        assert (result.exit_code, "did you mean tiny.en?" in result.stderr) == (2, True)
