"""How audio is recognised: the options that `transcribe`, `evaluate` and `demo` share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeVar

from auricle_cli.answers import Transcriber
from auricle_cli.connection import SERVER, TLS, Connection
from auricle_cli.groups import option_group, some_of
from auricle_types.metadata import AT_LEAST_ONE, Range, changed, check, option, options_of
from auricle_types.options import DecodingOptions, EngineConfig, LoadingOptions, PcmFormat

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class RecognitionSetup:
    """Where and how audio is recognised. Raises ValueError for options that do not go together."""

    connection: Connection = Connection()  # without a server the work is done here
    loading: LoadingOptions = LoadingOptions()
    engine: EngineConfig = EngineConfig()
    decoding: DecodingOptions = DecodingOptions()
    pcm: PcmFormat | None = None  # of headerless audio
    concurrency: int = option(
        16, "Inputs that are recognised at once, for each process.", Range(1, 256)
    )

    def __post_init__(self) -> None:
        check(self)
        local = {**changed(self.loading), **changed(self.engine)}
        local.pop("model", None)  # a server may have several
        if self.connection.server and local:
            flags = " and ".join(f"--{name.replace('_', '-')}" for name in local)
            raise ValueError(
                f"{flags} must be left out with --server: they are the server's choice"
            )

    @property
    def at_once(self) -> int:
        """Inputs that are recognised at once; each process makes batches of its own."""
        return self.concurrency * self.engine.processes

    def open(self) -> Transcriber:
        """Reach the server or load the model. Raises Failure when that cannot be done."""
        if self.connection.server:
            from auricle_cli.remote import connect

            return connect(self)
        from auricle_cli.local import load

        return load(self)


def recognition_options(*left_out: str) -> Callable[[Command], Command]:
    """Add all options of recognition but `left_out`; the command gets one `recognition`."""
    server = replace(SERVER, help="Server to ask; without it, this machine does the work.")
    loading = [each for each in options_of(LoadingOptions) if each.name != "check_invariance"]
    rate, *form = options_of(PcmFormat)
    decoding = [each for each in options_of(DecodingOptions) if each.name not in left_out]
    groups: list[Callable[[Command], Command]] = [
        option_group(Connection, "connection", [server, *TLS]),
        option_group(LoadingOptions, "loading", loading),
        option_group(EngineConfig, "engine", some_of(EngineConfig, "exact", "processes")),
        option_group(DecodingOptions, "decoding", decoding),
        option_group(
            PcmFormat, "pcm", [replace(rate, within=AT_LEAST_ONE), *form], is_optional=True
        ),
        option_group(RecognitionSetup, "recognition"),
    ]
    return lambda command: reduce(lambda inner, group: group(inner), reversed(groups), command)
