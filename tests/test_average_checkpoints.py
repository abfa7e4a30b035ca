"""The mean of two checkpoints is one, with the weights between theirs."""

from dataclasses import replace
from pathlib import Path

import torch
from click.testing import CliRunner

from auricle.checkpoint import load_checkpoint, save_checkpoint
from auricle.model import SpeechTransformer
from scripts.average_checkpoints import main
from tests.asr.tiny import tiny_config, tiny_tokenizer


def saved(folder: Path, name: str, seed: int, layers: int = 2) -> Path:
    torch.manual_seed(seed)
    config = tiny_config()
    transformer = replace(config.transformer, encoder_layers=layers)
    path = folder / f"{name}.safetensors"
    model = SpeechTransformer(replace(config, transformer=transformer))
    save_checkpoint(path, model, tiny_tokenizer())
    return path


def run(*paths: Path) -> str:
    result = CliRunner().invoke(main, [str(path) for path in paths])
    return f"{result.exit_code} {result.output}"


def test_each_weight_is_half_way(tmp_path: Path) -> None:
    first, second = (saved(tmp_path, name, seed) for seed, name in enumerate("ab"))
    out = tmp_path / "out.safetensors"
    assert run(first, second, out).startswith("0")
    states = [load_checkpoint(path).model.state_dict() for path in (first, second, out)]
    for name, found in states[2].items():
        mean = (states[0][name] + states[1][name]) / 2
        torch.testing.assert_close(found, mean, atol=1e-2, rtol=1e-2)  # in bfloat16


def test_other_dimensions_are_refused(tmp_path: Path) -> None:
    first, second = saved(tmp_path, "a", 0), saved(tmp_path, "b", 1, layers=3)
    out = tmp_path / "out.safetensors"
    assert "different dimensions" in run(first, second, out)
    assert not out.exists()
