"""Writes the tables of docs/*.md from the results: python -m benchmarks.report.

Between `<!-- NAME -->` and `<!-- end of NAME -->` stands what the result says and nothing else; a
test compares the two.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import accuracy_tables, calibration_tables, hotword_tables, peer_tables
from benchmarks.ours import FULL_CONTEXT, PROCESSES
from benchmarks.peers.field import CTRANSLATE2
from benchmarks.results import RESULTS, table

DOCS = Path(__file__).parent.parent / "docs"
REAL = ("whisper-tiny.en", "whisper-base")  # of benchmarks.real_checkpoint
RELIABILITY = "reliability.png"  # the picture that benchmarks.calibration draws
Figures = dict[str, Any]
Target = tuple[str, float | None, float]  # name, reached, wanted: at least, or negative: at most


def engine(result: Figures) -> Iterator[str]:
    """Everybody's speed, ours over theirs, the targets."""
    rows = []
    first = next(iter(result["contestants"]))
    for name, found in result["contestants"].items():
        ratio = result["ratios"][first][name]
        rows.append((name, found.get("batch_size", ""), found["audio_seconds_per_second"], ratio))
    rows.sort(key=lambda row: float(row[2]), reverse=True)
    yield table(("", "Batch", "Audio s/s", f"{first} is faster by"), rows)
    yield _targets(
        *_engine_targets(result, first),
        ("encoder over the bf16 product", result["encoder_roofline_fraction"], 0.5),
    )
    yield (
        f"The encoder in {result['encoder_dtype']} does {result['encoder_gflops']} useful Gflop/s; "
        f"a product of two matrices of {result['product_size']} rows does "
        f"{result['bf16_product_gflops']} in bfloat16 and {result['float32_product_gflops']} in "
        f"float32, of which the encoder's are {result['encoder_over_float32_product']:.0%}."
    )


def _engine_targets(result: Figures, ours: str) -> Iterator[Target]:
    for context, wanted in {"": 6.0, FULL_CONTEXT: 1.0}.items():
        ways = [result["ratios"].get(ours + context + way, {}) for way in ("", PROCESSES)]
        for reference in CTRANSLATE2:
            reached = _most(ratios.get(reference) for ratios in ways)
            yield f"over {reference}{context}", reached, wanted


def moonshine(result: Figures) -> Iterator[str]:
    """Everybody's speed in each search, over each reference's; the targets."""
    searches = result["searches"]
    head = [""]
    for search in searches:
        overs = (f"over {reference}" for reference in _overs(search))
        head += [f"{_search_name(search)}: audio s/s", *overs]
    first = searches[0]["contestants"]
    names = sorted(first, key=lambda name: -float(first[name]["audio_seconds_per_second"]))
    yield table(head, [[name, *_speeds(searches, name)] for name in names])
    yield _targets(*_moonshine_targets(result))


def _moonshine_targets(result: Figures) -> Iterator[Target]:
    for context, wanted in result["targets"].items():
        ours = f"auricle {result['dtype_of_targets']}, {context}"
        for search in result["searches"]:
            what = f"{context}, {_search_name(search).lower()}"
            for reference, over in _overs(search).items():
                reached = _most(over.get(name) for name in (ours, ours + PROCESSES))
                yield f"{what}, over {reference}", reached, wanted


def _most(ratios: Iterable[float | None]) -> float | None:
    """Of our ways to share out the threads the fastest; None where none ran."""
    return max((ratio for ratio in ratios if ratio is not None), default=None)


def _overs(search: Figures) -> Figures:
    """By the references that ran."""
    return {name: over for name, over in search["over"].items() if name in search["contestants"]}


def _search_name(search: Figures) -> str:
    return "Greedy" if search["beam_size"] == 1 else f"Beam {search['beam_size']}"


def _speeds(searches: Sequence[Figures], name: str) -> Iterator[object]:
    """Nothing where it did not take part."""
    for search in searches:
        yield search["contestants"].get(name, {}).get("audio_seconds_per_second", "")
        yield from (over.get(name, "") for over in _overs(search).values())


def dtypes(result: Figures) -> Iterator[str]:
    """How far each dtype is from float32 on the CPU."""
    head = (
        "Model",
        "Device, dtype",
        "Utterances",
        "Logits: largest",
        "mean",
        "Another is likeliest",
        "Tokens unlike float32's",
        "Words",
        "WER",
    )
    shares = ("likeliest_unlike", "tokens_unlike", "words_unlike", "wer")
    rows = [
        (
            found["model"],
            f"{found['device']}, {found['dtype']}",
            found["utterances"],
            f"{found['largest']:g}",
            f"{found['mean']:g}",
            *("" if found[name] is None else f"{found[name]:.2%}" for name in shares),
        )
        for found in result["differences"]
    ]
    yield table(head, rows)


def server(result: Figures) -> Iterator[str]:
    """All sides' speed with each model, the target."""
    rows = [
        (name, *(sides[side]["audio_seconds_per_second"] for side in SIDES))
        for name, sides in result["models"].items()
    ]
    yield table(("Audio s/s", *SIDES.values()), rows)
    ratios = result["grpc_over_engine_by_model"]
    yield _targets(*((f"server over engine, {name}", ratios[name], 0.9) for name in ratios))
    callers = result["grpc_over_callers_by_model"].items()
    figures = ", ".join(f"{figure} ({name})" for name, figure in callers)
    yield f"Server over as many callers in process: {figures}."


def load(result: Figures) -> Iterator[str]:
    """Continuous and static batching under the same load, the targets."""
    servers = {kind: result[kind] for kind in ("continuous", "static")}
    rows = [
        ("full at, requests/s", *(s["saturation"]["saturation_rate"] for s in servers.values())),
        *(_steady_row(words, key, servers) for words, key in STEADY.items()),
        *(_latency_row(words, path, servers) for words, path in LATENCIES.items()),
    ]
    yield table((f"At {result['steady_rate']} requests/s", *servers), rows)
    yield _targets(("p99 over p50, continuous", result["p99_over_p50"], -3.0))
    yield f"Continuous batching is full at {result['saturation_over_static']} times static's rate."


SIDES = {"engine": "engine, all at once", "callers": "engine, 32 callers", "server": "server"}
STEADY = {
    "offered, requests/s": "offered_rate",
    "answered, requests/s": "answered_rate",
    "audio s/s": "audio_seconds_per_second",
    "hung up": "left",
    "garbage refused": "garbage_refused",
    "errors": "errors",
    "batch size, mean": "batch_size",
    "useful frames": "padding_efficiency",
}
LATENCIES = {
    f"{words} {rank}, s": (key, rank)
    for words, key in {"latency": "latency", "first result": "first_result"}.items()
    for rank in ("p50", "p95", "p99")
}


def growth(result: Figures) -> Iterator[str]:
    """The curves as pictures, and what they say in one sentence."""
    yield (
        f"A second of the longest audio costs {result['cost_longest_over_middle']} times one of "
        f"medium length. Memory changed by {result['resident_growth_mib']} MiB from request "
        f"{result['settled_after_requests']} to {result['curves']['requests'][-1]['requests']:g}."
    )
    for name in result["curves"]:
        if (DOCS / "images" / f"growth-{name}.png").exists():
            yield f"![growth with {name}](images/growth-{name}.png)"


def invariance(result: Figures) -> Iterator[str]:
    """Each way of computing: answers that company changed, words that half precision changed."""
    rows = [
        (
            rate["dtype"],
            rate["threads"],
            "yes" if rate["exact"] else "no",
            f"{rate['different']} of {rate['answers']}",
            f"{rate['words_unlike_float32']:.1%}",
        )
        for rate in result["rates"]
    ]
    head = ("CPU, dtype", "Threads", "Exact", "Not as alone", "Words unlike float32's")
    yield table(head, rows)


def live(result: Figures) -> Iterator[str]:
    """Latencies and corrections of live speech for each number of streams, the targets."""
    head = {
        "streams": "Streams",
        "first_interim_p50": "First interim, p50, s",
        "first_interim_p95": "p95, s",
        "final_p50": "Final, p50, s",
        "final_p95": "p95, s",
        "taken_back": "Words taken back",
        "stable_taken_back": "stable ones",
        "wer_live": "WER live",
        "wer_whole": "whole",
    }
    shares = ("taken_back", "stable_taken_back", "wer_live", "wer_whole")
    rows = [
        [f"{row[name]:.1%}" if name in shares else row[name] for name in head]
        for row in result["figures"]
    ]
    yield table(tuple(head.values()), rows)
    one, most = result["figures"][0], result["figures"][-1]
    yield _targets(
        ("first interim, one stream, p50", one["first_interim_p50"], -0.6),
        ("first interim, one stream, p95", one["first_interim_p95"], -0.9),
        ("final after the speech, one stream, p95", one["final_p95"], -1.0),
        (f"final after the speech, {most['streams']} streams, p95", most["final_p95"], -1.5),
        ("words taken back", max(row["taken_back"] for row in result["figures"]), -0.15),
        ("stable words taken back", max(r["stable_taken_back"] for r in result["figures"]), -0.0),
    )
    yield (
        f"In {result['dtype']}. The first interim result counts from the end of the first word, "
        "the final one from the end of the speech, with the 0.6 s of silence that end an utterance."
    )


def contention(result: Figures) -> Iterator[str]:
    """A row for each way to wait, a column for each number of busy processes."""
    speeds = {(each["way"], each["busy"]): each["speed"] for each in result["speeds"]}
    busy = sorted({count for _, count in speeds})
    ways = dict.fromkeys(way for way, _ in speeds)
    head = (f"Audio s/s, {result['model']}", *(f"beside {count} busy" for count in busy))
    yield table(head, [(way, *(speeds[way, count] for count in busy)) for way in ways])


def cancellation(result: Figures) -> Iterator[str]:
    """How long cancelled work stays, beside how long a step takes."""
    head = (
        f"{result['cancelled']} cancelled among {result['running']}",
        "p50, ms",
        "p95, ms",
        "p99, ms",
    )
    names = ("cancel_to_free", "one_step")
    yield table(head, [(name.replace("_", " "), *result[name].values()) for name in names])


def calibration(result: Figures) -> Iterator[str]:
    """How far confidences can be believed, and a picture of that."""
    yield from calibration_tables.tables(result)
    if (DOCS / "images" / RELIABILITY).exists():
        yield f"![reliability](images/{RELIABILITY})"


Writer = Callable[[Figures], Iterator[str]]
PAGES: dict[str, dict[str, Writer]] = {
    "performance.md": {
        "engine": engine,
        **dict.fromkeys(REAL, peer_tables.tables),
        "moonshine-tiny": moonshine,
        "server": server,
        "load": load,
        "growth": growth,
        "invariance": invariance,
        "dtypes": dtypes,
        "cancellation": cancellation,
        "contention": contention,
    },
    "live.md": {"live": live},
    "accuracy.md": {
        "accuracy": accuracy_tables.tables,
        "calibration": calibration,
        "hotwords": hotword_tables.tables,
    },
}
WRITERS: dict[str, Writer] = {name: of for page in PAGES.values() for name, of in page.items()}
COMMANDS = {  # the others are bench-NAME
    "accuracy": "evaluate",
    "calibration": "calibrate",
    **dict.fromkeys((*REAL, "moonshine-tiny"), "bench-checkpoints"),
}


def block(name: str, results: Path = RESULTS) -> str:
    """What stands under one benchmark."""
    path = results / f"{name}.json"
    if not path.exists():
        return f"Not measured yet: `make {COMMANDS.get(name, f'bench-{name}')}`."
    result: Figures = json.loads(path.read_text(encoding="utf-8"))
    return "\n\n".join([_where(result), *WRITERS[name](result)])


def replaced(page: str, writers: Mapping[str, Writer], results: Path = RESULTS) -> str:
    """The page with its blocks made anew. Raises ValueError where one is not to be found."""
    for name in writers:
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
        if not re.search(pattern, page, re.DOTALL):
            raise ValueError(f"no block between <!-- {name} --> and <!-- end of {name} -->")
        text = f"\\1\n{_escaped(block(name, results))}\n\n\\2"
        page = re.sub(pattern, text, page, flags=re.DOTALL)
    return page


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


def _where(result: Figures) -> str:
    """When, on what, and with which versions."""
    hardware = result["hardware"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"{result['date']}, {hardware['cpu']} ({', '.join(hardware['cpu_flags'])}), "
        f"{hardware['cores']} cores, {hardware['threads']} threads "
        f"({hardware['scheduling']} scheduling), "
        f"{hardware['memory_gib']} GiB; {versions}."
    )


def _targets(*targets: Target) -> str:
    """Name, what was reached, what was wanted: at least, or where negative at most."""
    rows = []
    for name, reached, wanted in targets:
        bound = f"{'at least' if wanted > 0 else 'at most'} {abs(wanted):g}"
        met = reached is not None and (reached >= wanted if wanted > 0 else reached <= -wanted)
        rows.append((name, bound, "not measured" if reached is None else reached, _verdict(met)))
    return table(("Target", "Wanted", "Reached", ""), rows)


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


def _steady_row(words: str, key: str, servers: Figures) -> tuple[str, ...]:
    values = [found["steady"][key] for found in servers.values()]
    return (words, *(_plain(value) for value in values))


def _latency_row(words: str, path: tuple[str, str], servers: Figures) -> tuple[str, ...]:
    key, rank = path
    found = [each["steady"][key] for each in servers.values()]
    return (words, *("none" if each is None else f"{each[rank]:g}" for each in found))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    for name, writers in PAGES.items():
        path = DOCS / name
        path.write_text(replaced(path.read_text(encoding="utf-8"), writers), encoding="utf-8")
