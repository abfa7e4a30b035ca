"""Auricle beside peers with Whisper tiny.en: on whole corpora, and on one recording at a time."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import click
import torch

from auricle.engine.devices import resolve_dtype
from auricle_types.options import DecodingOptions
from benchmarks import readers, single
from benchmarks.corpora import Corpus
from benchmarks.peers.real import ONE_BY_ONE, WHISPER
from benchmarks.real_weights import TINY_EN, MissingWeightsError, folder


def beside_peers(
    model: str, options: DecodingOptions, corpora: Sequence[Corpus], threads: int, *, quick: bool
) -> dict[str, Any]:
    """Scores and speeds of all; of the first of ours and of faster-whisper single times."""
    theirs = _tiny_en()
    peers = readers.peers(WHISPER, theirs, threads) if theirs else {}
    ours = readers.ours(model, options, threads, ways(threads))
    first, make = next(iter(ours.items()))
    pair = {first: make, **{name: peers[name] for name in (ONE_BY_ONE,) if name in peers}}
    return {
        "readers": readers.figures(readers.side_by_side({**ours, **peers}, corpora)),
        "clip": single.clip(pair, corpora, 1 if quick else single.CLIP_ROUNDS),
        "cold": single.cold(model, theirs, threads, 1 if quick else single.COLD_ROUNDS),
    }


def ways(threads: int) -> list[tuple[str, int]]:
    """Auricle's own dtype and int8, each in one process and in one a thread."""
    cpu = torch.device("cpu")
    names = (str(resolve_dtype(name, cpu)).removeprefix("torch.") for name in ("auto", "int8"))
    return list(product(dict.fromkeys(names), dict.fromkeys((1, threads))))


def _tiny_en() -> str | None:
    """Where its weights lie; None, and the user is told, where they are not installed."""
    try:
        return str(folder(TINY_EN))
    except MissingWeightsError as missing:
        click.echo(f"without peers: {missing}", err=True)
        return None
