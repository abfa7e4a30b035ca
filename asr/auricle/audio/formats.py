"""The formats that we read: how each is recognised, by whom it is read, what its files are called.

Only what stands here is ever opened: FFmpeg's own guessing would also open playlists, which make
it fetch other files. Raw codecs without any mark (G.722, SBC) cannot be recognised by their bytes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Magic: TypeAlias = tuple[int, bytes]  # (offset, bytes)


@dataclass(frozen=True, slots=True)
class Format:
    """A format, by the name of FFmpeg's demuxer or else of libsndfile's format.

    `magics` empty: FFmpeg recognises it. `weak`: headerless PCM may begin alike. `whole`: for
    libsndfile, which needs all of it. `max_gap`: the longest hole in its clock, in seconds, that
    is silence rather than a clock set anew; 0 without a clock. `probe_bytes`: what FFmpeg may
    read to learn the tracks before the first frame.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    magics: tuple[Magic, ...]
    weak: bool
    whole: bool
    max_gap: float
    probe_bytes: int


def _format(
    name: str,
    title: str,
    suffixes: str,
    *magics: bytes | Magic,
    weak: bool = False,
    whole: bool = False,
    max_gap: float = 0.0,
    probe_bytes: int = 1 << 14,
) -> Format:
    marks = tuple((0, magic) if isinstance(magic, bytes) else magic for magic in magics)
    return Format(name, title, tuple(suffixes.split()), marks, weak, whole, max_gap, probe_bytes)


_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
_MXF = b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"
_TS_GAP = 10.0  # programmes join recordings with other clocks; FFmpeg's dts_delta_threshold

_ANY_GAP = math.inf
_FILM = 1 << 20  # tracks are found as their first packets come

_ALL = (
    _format("wav", "WAV", ".wav .wave .bwf .rf64", (8, b"WAVE")),
    _format("w64", "W64", ".w64", b"riff\x2e\x91\xcf\x11"),
    _format("aiff", "AIFF", ".aif .aiff .aifc", (8, b"AIFF"), (8, b"AIFC")),
    _format("au", "AU", ".au .snd", b".snd"),
    _format("caf", "CAF", ".caf", b"caff"),
    _format("nistsphere", "NIST SPHERE", ".sph .nist .wv1 .wv2", b"NIST_1A\n"),
    _format("flac", "FLAC", ".flac", b"fLaC"),
    _format("mp3", "MP3", ".mp3 .mp2 .mp1 .mpa .m2a"),
    _format("aac", "AAC", ".aac .adts"),
    _format("ac3", "AC-3", ".ac3"),
    _format("eac3", "E-AC-3", ".eac3 .ec3"),
    _format("dts", "DTS", ".dts"),
    _format("mlp", "MLP", ".mlp"),
    _format("truehd", "TrueHD", ".thd"),
    _format("loas", "AAC in LATM", ".latm .loas"),
    _format("amr", "AMR", ".amr .awb", b"#!AMR"),
    _format("gsm", "GSM", ".gsm"),
    _format("ilbc", "iLBC", ".lbc", b"#!iLBC"),
    _format("qcp", "QCP", ".qcp", (8, b"QLCM")),
    _format("dss", "DSS", ".dss .ds2", b"\x02dss", b"\x03dss"),
    _format("ape", "Monkey's Audio", ".ape", b"MAC "),
    _format("wv", "WavPack", ".wv", b"wvpk"),
    _format("tta", "TTA", ".tta", b"TTA1"),
    _format("tak", "TAK", ".tak", b"tBaK"),
    _format("shn", "Shorten", ".shn", b"ajkg"),
    _format("mpc", "Musepack", ".mpc", b"MP+"),
    _format("mpc8", "Musepack", ".mpc", b"MPCK"),
    _format("qoa", "QOA", ".qoa", b"qoaf"),
    _format("dsf", "DSF", ".dsf", b"DSD "),
    _format("iff", "IFF or DSDIFF", ".8svx .svx .iff .dff", (8, b"8SVX"), (8, b"16SV"), b"FRM8"),
    _format("ircam", "IRCAM", ".sf .ircam"),
    _format("voc", "VOC", ".voc", b"Creative Voice File\x1a"),
    _format("pvf", "PVF", ".pvf", b"PVF1\n"),
    _format("sox", "SoX", ".sox", b".SoX", b"XoS."),
    _format("vqf", "VQF", ".vqf", b"TWIN"),
    _format("oma", "OpenMG", ".oma .aa3", b"ea3", b"EA3"),
    _format("spdif", "S/PDIF", ".spdif"),
    _format("xwma", "xWMA", ".xwma", (8, b"XWMA")),
    _format("ogg", "Ogg", ".ogg .oga .opus .spx .ogv .ogx", b"OggS", max_gap=_ANY_GAP),
    _format("matroska", "WebM or Matroska", ".mka .mkv .webm .weba .mk3d", b"\x1a\x45\xdf\xa3",
            max_gap=_ANY_GAP),
    _format("mov", "M4A or MP4", ".m4a .m4b .m4r .mp4 .m4v .mov .qt .3gp .3gpp .3g2 .f4v .f4a",
            (4, b"ftyp"), (4, b"moov"), (4, b"wide"), (4, b"mdat"), (4, b"styp"), max_gap=_ANY_GAP),
    _format("asf", "WMA or ASF", ".wma .wmv .asf", _ASF, max_gap=_ANY_GAP, probe_bytes=_FILM),
    _format("avi", "AVI", ".avi", (8, b"AVI "), probe_bytes=_FILM),
    _format("flv", "FLV", ".flv", b"FLV\x01", max_gap=_ANY_GAP, probe_bytes=_FILM),
    _format("mpegts", "MPEG-TS", ".ts .mts .m2ts .m2t", max_gap=_TS_GAP, probe_bytes=_FILM),
    _format("mpeg", "MPEG-PS", ".mpg .mpeg .vob .m2p", b"\x00\x00\x01\xba",
            max_gap=_TS_GAP, probe_bytes=_FILM),
    _format("rm", "RealMedia", ".rm .ra .rmvb", b".RMF", b".ra\xfd",
            max_gap=_ANY_GAP, probe_bytes=_FILM),
    _format("nut", "NUT", ".nut", b"nut/multimedia container", max_gap=_ANY_GAP, probe_bytes=_FILM),
    _format("mxf", "MXF", ".mxf", _MXF, max_gap=_ANY_GAP, probe_bytes=_FILM),
    _format("gxf", "GXF", ".gxf", max_gap=_TS_GAP, probe_bytes=_FILM),
    _format("wtv", "WTV", ".wtv", b"\xb7\xd8\x00\x20\x37\x49\xda\x11",
            max_gap=_ANY_GAP, probe_bytes=_FILM),
    _format("dv", "DV", ".dv .dif", max_gap=_TS_GAP, probe_bytes=_FILM),
    _format("avr", "AVR", ".avr", b"2BIT", whole=True),
    _format("paf", "PAF", ".paf .fap", b" paf", b"fap ", whole=True),
    _format("wve", "Psion WVE", ".wve", b"ALawSoundFile", whole=True),
    _format("xi", "Extended Instrument", ".xi", b"Extended Instrument:", whole=True),
    _format("mat5", "MATLAB 5", ".mat", b"MATLAB 5.0 M", whole=True),
    _format("mat4", "MATLAB 4", ".mat", bytes([0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
             bytes([0, 0, 3, 232, 0, 0, 0, 1, 0, 0, 0, 1]), weak=True, whole=True),
    _format("htk", "HTK", ".htk", (8, b"\x00\x02\x00\x00"), weak=True, whole=True),
    _format("mpc2k", "MPC 2000", ".snd", b"\x01\x04", weak=True, whole=True),
    _format("sds", "MIDI Sample Dump", ".sds", b"\xf0\x7e", weak=True, whole=True),
)  # fmt: skip

FORMATS: Mapping[str, Format] = {each.name: each for each in _ALL}
SUFFIXES = frozenset(suffix for each in _ALL for suffix in each.suffixes)


def by_magic(head: bytes, *, weak: bool = False) -> Format | None:
    """The format whose mark stands in `head`, of the strong or of the `weak` ones."""
    candidates = (each for each in _ALL if each.weak is weak)
    return next((each for each in candidates if _marked(head, each.magics)), None)


def _marked(head: bytes, magics: tuple[Magic, ...]) -> bool:
    return any(head.startswith(magic, offset) for offset, magic in magics)
