"""Labels in files come back, and each way in which they can be wrong has its message."""

from pathlib import Path

import pytest
import torch

from auricle.training.labels.label import Label, read_labels, write_labels
from auricle_types.errors import ManifestError


def label(length: int, seed: int) -> Label:
    random = torch.Generator().manual_seed(seed)
    tokens = torch.randint(50, (length,), generator=random, dtype=torch.int32)
    likely = torch.randint(50, (length, 4), generator=random, dtype=torch.int32)
    places = torch.arange(length, dtype=torch.int32)
    return Label(
        f"Text {seed}.", tokens, places, likely, torch.rand(length, 4, generator=random).half()
    )


LABELS = {"a.opus": label(3, 1), "b.opus": label(1, 2), "c.opus": label(5, 3)}


def test_they_come_back(tmp_path: Path) -> None:
    write_labels(tmp_path / "0.safetensors", {"c.opus": LABELS["c.opus"]})
    others = {name: each for name, each in LABELS.items() if name != "c.opus"}
    write_labels(tmp_path / "1.safetensors", others)
    write_labels(tmp_path / "2.safetensors", {})
    found = read_labels(tmp_path)
    assert found.keys() == LABELS.keys()
    for name, each in LABELS.items():
        assert found[name].text == each.text
        for kind in ("tokens", "places", "likely", "log_probs"):
            assert torch.equal(getattr(found[name], kind), getattr(each, kind))


def test_none_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="auricle label"):
        read_labels(tmp_path / "none")
    (tmp_path / "0.safetensors").write_bytes(b"damaged")
    with pytest.raises(ManifestError, match="delete it"):
        read_labels(tmp_path)
