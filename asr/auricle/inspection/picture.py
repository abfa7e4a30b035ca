"""An observation as one picture; docs/inspection.md tells how to read it. Needs matplotlib.

Panels over time share their axis, so that what belongs together stands one above the other.
"""

import textwrap
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure, SubFigure

from auricle.decoding.alignment import Span
from auricle.inspection.ctc import CtcOutput
from auricle.inspection.observation import Observation
from auricle.tokenizer import Tokenizer

_COLOURS = 64  # in a map: the file is a fifth smaller, and nobody sees the difference
_ENERGY, _WEIGHT = (colormaps[name].resampled(_COLOURS) for name in ("magma", "viridis"))
_GAMMA = 0.5  # of attention's colours: weights are mostly small
_FAINT = 0.2  # opacity of what has no probability
_NOTABLE = 0.2  # posterior that a token must reach to be drawn, and a peak to be labelled
_INCHES_A_TOKEN = 0.13
_INCHES_A_SECOND = 2.2
_TITLE_WIDTH = 100  # characters
_HEADS_DOWN = 4

Drawer = Callable[[Axes, Observation], None]


def draw(observation: Observation, name: str) -> Figure:
    """Draw what was observed in the audio called `name`."""
    drawers, heights = zip(*_panels(observation), strict=True)
    height = sum(heights) + 2.0  # for the titles
    time = min(max(_INCHES_A_SECOND * _seconds(observation), 9.0), 24.0)
    side = min(max(height / _HEADS_DOWN - 0.2, 2.2), 5.0)
    heads = side * _columns(len(observation.self_attention))
    figure = Figure(figsize=(time + heads, height), layout="constrained")
    figure.suptitle(_title(observation, name), parse_math=False)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[time, heads])[0]
    panels = left.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    for drawer, panel in zip(drawers, panels, strict=True):
        drawer(panel, observation)
    panels[-1].set(xlim=_extent(len(observation.x), observation.x_seconds), xlabel="seconds")
    _draw_heads(right, observation)
    return figure


def _panels(observation: Observation) -> Iterator[tuple[Drawer, float]]:
    """From top to bottom, and how high each is in inches."""
    yield _draw_features, 1.8
    yield _draw_cross_attention, max(_INCHES_A_TOKEN * len(observation.cross_attention), 1.5)
    if observation.ctc:
        yield partial(_draw_alignment, observation.ctc), 0.9
        yield partial(_draw_ctc, observation.ctc), 1.8
    elif observation.hypothesis.words:
        yield _draw_words, 0.45


def _seconds(observation: Observation) -> float:
    return len(observation.x) * observation.x_seconds


def _columns(heads: int) -> int:
    return -(-heads // _HEADS_DOWN)


def _title(observation: Observation, name: str) -> str:
    words = textwrap.fill(observation.text, _TITLE_WIDTH) or "(no words)"
    return f"{words}\nconfidence {observation.confidence:.2f}, {name}"


def _extent(count: int, step: float) -> tuple[float, float]:
    """From where to where `count` frames reach in seconds: each is around its own time."""
    return -step / 2, (count - 0.5) * step


def _draw_features(panel: Axes, observation: Observation) -> None:
    frames, n_mels = observation.x.shape
    begin, end = _extent(frames, observation.x_seconds)
    if observation.config.features.kind == "samples":
        times = [sample * observation.x_seconds for sample in range(frames)]
        panel.plot(times, observation.x[:, 0].numpy(), linewidth=0.5)
        panel.set_title("samples", loc="left")
        return
    panel.imshow(
        observation.x.T.numpy(),
        origin="lower",
        aspect="auto",
        extent=(begin, end, 0, n_mels),
        cmap=_ENERGY,
        interpolation="nearest",
    )
    panel.set_title("log-mel features", loc="left")
    panel.set_ylabel("mel channel")


def _draw_cross_attention(panel: Axes, observation: Observation) -> None:
    tokens, frames = observation.cross_attention.shape
    panel.set_title("cross-attention: where the decoder looks for each token", loc="left")
    if not tokens:
        return
    panel.imshow(
        observation.cross_attention.numpy(),
        aspect="auto",
        extent=(*_extent(frames, observation.frame_seconds), tokens, 0),
        cmap=_WEIGHT,
        norm=PowerNorm(_GAMMA),
        interpolation="nearest",
    )
    labels = list(map(observation.tokenizer.piece, observation.hypothesis.tokens))
    places = [row + 0.5 for row in range(tokens)]
    panel.set_yticks(places, labels, fontsize=7, parse_math=False)


def _draw_words(panel: Axes, observation: Observation) -> None:
    panel.set_title("the words, timed by the cross-attention", loc="left")
    panel.set(ylim=(1, 2), yticks=[1.5], yticklabels=["words"])
    for place, word in enumerate(observation.hypothesis.words):
        start, end = (time - observation.frame_seconds / 2 for time in (word.start, word.end))
        panel.barh(1.5, end - start, left=start, height=0.9, color=_colour(place), alpha=0.4)
        _write(panel, (start + end) / 2, 1.5, word.text)


def _draw_alignment(ctc: CtcOutput, panel: Axes, observation: Observation) -> None:
    _draw_words(panel, observation)
    fit = len(ctc.aligned) == len(observation.hypothesis.tokens)
    note = "" if fit else ": too many for so few frames"
    panel.set_title(f"the words, aligned by the CTC head{note}", loc="left")
    panel.set(ylim=(0, 2), yticks=[0.5, 1.5], yticklabels=["tokens", "words"])
    starts = [word.start for word in observation.hypothesis.words]
    for span in ctc.aligned:
        start, end = _edges(observation, span)
        colour = _colour(bisect_right(starts, span.start * observation.frame_seconds) - 1)
        alpha = _FAINT + (1 - _FAINT) * span.probability
        panel.barh(0.5, end - start, left=start, height=0.9, color=colour, alpha=alpha)
        piece = observation.tokenizer.piece(span.token)
        _write(panel, (start + end) / 2, 0.5, piece, rotation=90)


def _colour(word: int) -> str:
    return f"C{word % 2}"


def _write(panel: Axes, x: float, y: float, text: str, rotation: float = 0) -> None:
    panel.text(
        x, y, text, ha="center", va="center", rotation=rotation, fontsize=7, parse_math=False
    )


def _edges(observation: Observation, span: Span) -> tuple[float, float]:
    """Where a span begins and ends, in seconds."""
    step = observation.frame_seconds
    return (span.start - 0.5) * step, (span.end - 0.5) * step


def _draw_ctc(ctc: CtcOutput, panel: Axes, observation: Observation) -> None:
    tokenizer = observation.tokenizer
    times = [frame * observation.frame_seconds for frame in range(len(ctc.posteriors))]
    curves = ctc.posteriors[:, Tokenizer.blank_id + 1 :]
    panel.plot(times, curves[:, curves.amax(dim=0) >= _NOTABLE].numpy(), linewidth=1)
    words = tokenizer.decode([span.token for span in ctc.greedy]) or "nothing"
    said = f"CTC posteriors; by itself it says: {words}"
    panel.set_title(textwrap.fill(said, _TITLE_WIDTH), loc="left", parse_math=False)
    panel.set(ylim=(0, 1.15), ylabel="posterior")
    for span in ctc.greedy:
        peak, frame = ctc.posteriors[span.start : span.end, span.token].max(dim=0)
        if peak >= _NOTABLE:
            time = times[span.start + int(frame)]
            _write(panel, time, float(peak) + 0.06, tokenizer.piece(span.token))


def _draw_heads(figure: SubFigure, observation: Observation) -> None:
    title = f"encoder layer {observation.layer}:\nwhat each frame attends to"
    figure.suptitle(title, fontsize=10)
    heads, frames, _ = observation.self_attention.shape
    begin, end = _extent(frames, observation.frame_seconds)
    columns = _columns(heads)
    panels = figure.subplots(-(-heads // columns), columns, squeeze=False).flat
    for head, (panel, weights) in enumerate(zip(panels, observation.self_attention, strict=False)):
        panel.imshow(
            weights.numpy(),
            extent=(begin, end, end, begin),
            cmap=_WEIGHT,
            norm=PowerNorm(_GAMMA),
            interpolation="nearest",
        )
        panel.set_title(f"head {head + 1}, greatest weight {weights.max():.2f}", fontsize=8)
    for panel in list(figure.axes)[heads:]:
        panel.set_axis_off()
    figure.supxlabel("attended at, seconds", fontsize=10)
    figure.supylabel("frame at, seconds", fontsize=10)
