"""Loads published weights into our model: one at a time, checked, none twice in memory."""

from collections.abc import Mapping

import torch
from torch import Tensor

from auricle.config import ModelConfig
from auricle.families.parts import Source, Sources, WeightPart, assembled
from auricle.families.weights import Weights
from auricle.model import SpeechTransformer, is_finite, skeleton
from auricle_types.errors import CheckpointMismatchError, CorruptCheckpointError

Shape = tuple[int, ...]
_SURPLUS = {"proj_out.weight", "decoder/projection/weight"}


def build(
    config: ModelConfig, sources: Sources, weights: Weights, dtype: torch.dtype
) -> SpeechTransformer:
    """Build a model of `config` with weights from `sources`, as `dtype`, in eval mode.

    Raises:
        CheckpointMismatchError: weights missing, unexpected or of the wrong shape, all listed.
        CorruptCheckpointError: some are not finite.
    """
    model = skeleton(config)
    shapes = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    faults = _faults(_expected(shapes, sources), weights.shapes)
    if faults:
        raise CheckpointMismatchError(
            f"{config.name}: the weights contradict the dimensions, "
            "take both from the same model:\n" + "\n".join(faults)
        )
    filled = {name: _fill(shapes[name], sources[name], weights, dtype) for name in shapes}
    broken = [name for name, weight in filled.items() if not is_finite(weight)]
    if broken:
        narrow = ", or choose a dtype that holds them" if dtype == torch.float16 else ""
        raise CorruptCheckpointError(
            f"{config.name}: NaN or infinite weights in {', '.join(broken)}: copy it again{narrow}"
        )
    model.load_state_dict(filled, assign=True)
    return model.eval().requires_grad_(False)


def _expected(shapes: Mapping[str, Shape], sources: Sources) -> dict[str, Shape]:
    """Return the shape that each of the published weights must have."""
    return {
        part.name: (shape[0] // len(sources[name]), *shape[1:])
        for name, shape in shapes.items()
        for part in sources[name]
        if part.name is not None
    }


def _faults(expected: Mapping[str, Shape], found: Mapping[str, Shape]) -> list[str]:
    unexpected = sorted(found.keys() - expected.keys() - _SURPLUS)
    return [
        *(f"  missing {name}" for name in sorted(expected.keys() - found.keys())),
        *(f"  unexpected {name}" for name in unexpected),
        *(
            f"  {name} is {found[name]}, not {expected[name]}"
            for name in sorted(expected.keys() & found.keys())
            if found[name] != expected[name]
        ),
    ]


def _fill(shape: Shape, source: Source, weights: Weights, dtype: torch.dtype) -> Tensor:
    parts = (_read(part, weights) for part in source)
    return assembled(shape, parts, len(source), dtype)


def _read(part: WeightPart, weights: Weights) -> Tensor | None:
    if part.name is None:
        return None
    tensor = weights.read(part.name)
    return tensor if part.order is None else tensor[list(part.order)]
