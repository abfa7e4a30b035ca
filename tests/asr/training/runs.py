"""A corpus of a few sounds and a recipe for it: helpers for tests, no tests."""

import io
import json
import tarfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from auricle.config import SAMPLE_RATE, TransformerConfig
from auricle.training.config import (
    AugmentationConfig,
    DataConfig,
    LossConfig,
    OptimizerConfig,
    ScheduleConfig,
    TrainingConfig,
)
from tests.asr.tiny import SENTENCES, sound, tiny_config

UTTERANCES = len(SENTENCES)
PLAIN = AugmentationConfig(
    speeds=(1.0,), gain_db=0.0, noise_probability=0.0, frequency_masks=0, time_masks=0
)

EVERYTHING = AugmentationConfig(
    join_probability=0.5,
    silence_probability=0.5,
    silence_seconds=0.5,
    empty_share=0.25,
    noise_probability=0.5,
    noise_kinds=("white", "pink", "babble"),
    room_probability=0.5,
    room_rt60=(0.1, 0.2),
    clipping_probability=0.5,
    telephone_probability=0.25,
    mu_law_probability=0.25,
    opus_probability=0.25,
)


def utterance(index: int) -> npt.NDArray[np.float32]:
    """What is said in place of `SENTENCES[index]`; the even ones are longer.

    None is too short for CTC to align it with its text.
    """
    return sound(index, 1.7 + 0.02 * index if index % 2 else 2.0)


def encode(samples: npt.NDArray[np.float32], kind: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format=kind.upper(), subtype="PCM_16")
    return buffer.getvalue()


def write_shard(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def write_corpus(folder: Path) -> Path:
    """Eight utterances in two shards, WAV in the one and FLAC in the other; the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for shard, kind in enumerate(("wav", "flac")):
        indices = range(shard, UTTERANCES, 2)
        names = {index: f"part/{index}.{kind}" for index in indices}
        members = {names[index]: encode(utterance(index), kind) for index in indices}
        write_shard(folder / f"{shard}.tar", {"README": b"no speech", **members})
        rows += [
            {"audio_filepath": names[i], "text": SENTENCES[i], "shard": f"{shard}.tar"}
            for i in indices
        ]
    manifest = folder / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def write_dev(folder: Path, name: str = "dev", count: int = 2) -> Path:
    """A dev set of plain files."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(count):
        (folder / f"{index}.wav").write_bytes(encode(utterance(index), "wav"))
        rows.append({"audio_filepath": f"{index}.wav", "text": SENTENCES[index]})
    manifest = folder / f"{name}.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def tiny_run(
    folder: Path,
    *,
    epochs: int = 2,
    checkpoint_steps: int = 2,
    augmentation: AugmentationConfig | None = None,
) -> TrainingConfig:
    """A run of four batches or so an epoch; its output lies in `folder / "run"`."""
    return TrainingConfig(
        output=folder / "run",
        data=DataConfig(
            train=(write_corpus(folder / "speech"),),
            dev=(write_dev(folder / "dev"),),
            cache=folder / "cache",
            batch_seconds=4.0,
        ),
        model=tiny_config(),
        optimizer=OptimizerConfig(learning_rate=1e-3, warmup_steps=2, average_decay=0.5),
        loss=LossConfig(),
        augmentation=augmentation or AugmentationConfig(),
        schedule=ScheduleConfig(epochs=epochs, checkpoint_steps=checkpoint_steps),
    )


def write_recipe(config: TrainingConfig, path: Path) -> Path:
    """The TOML file of a `tiny_run`, as far as our tests change one."""
    sections: dict[str, dict[str, object]] = {
        "data": {
            "train": config.data.train,
            "dev": config.data.dev,
            "cache": config.data.cache,
            "batch_seconds": config.data.batch_seconds,
        },
        "model": {"name": config.model.name, "window_seconds": config.model.window_seconds}
        | _dimensions(config.model.transformer),
        "optimizer": asdict(config.optimizer),
        "augmentation": asdict(config.augmentation),
        "schedule": asdict(config.schedule),
    }
    lines = [f'output = "{config.output}"', 'device = "cpu"']
    for name, entries in sections.items():
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in entries.items())]
    path.write_text("\n".join(lines))
    return path


def _dimensions(transformer: TransformerConfig) -> dict[str, object]:
    """As recipes say them: of the stem only its strides, and nothing that is None."""
    values = asdict(transformer) | {"stem": None}
    strides = tuple(convolution.stride for convolution in transformer.stem)
    said = {name: value for name, value in values.items() if value is not None}
    return said | {"subsampling_strides": strides}


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(str(value) if isinstance(value, Path) else value)
