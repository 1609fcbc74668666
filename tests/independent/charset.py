"""From the bytes of a file to text, before anything is split.

The delimiters of HL7 occur inside the two-byte characters of ISO-2022-JP and Shift_JIS, so the whole file is decoded
first. Two-byte characters are read through code page 932, because that is what Japanese systems write and people type:
JIS 2141 is U+FF5E and 215D is U+FF0D, and the rows of NEC and IBM (①, ㎎, 髙, 﨑) exist.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Iterator

REPLACEMENT = "\ufffd"
GETA = "〓"
DELIMITERS = frozenset(b"|^~\\&")

_ESCAPES = {
    b"\x1b(B": "ascii",
    b"\x1b(J": "ascii",  # JIS X 0201 roman: 5C and 7E are read as the delimiters that stand there
    b"\x1b(I": "katakana",
    b"\x1b$B": "jis",
    b"\x1b$@": "jis",
    b"\x1b$(B": "jis",
    b"\x1b$(@": "jis",
    b"\x1b$(D": "jis0212",
    b"\x1b$(O": "jis0213",
    b"\x1b$(Q": "jis0213",
    b"\x1b$(P": "jis0213-2",
}
_MARKS = re.compile(b"(" + b"|".join(map(re.escape, sorted(_ESCAPES, key=len, reverse=True))) + b"|[\x0e\x0f])")
_TWO_BYTES = {"jis", "jis0212", "jis0213", "jis0213-2"}


def decode(raw: bytes, fallback: str = "cp932") -> tuple[str, str]:
    """Text and name of the encoding that was seen.

    Escape sequences decide, then well-formed UTF-8; only what is left is read with the fallback of the source.
    What MSH-18 says is not asked: senders declare ISO IR87 and write UTF-8.
    """
    if any(mark in raw for mark in (b"\x1b$B", b"\x1b$@", b"\x1b(I", b"\x1b$(")):
        return "".join(_iso2022(line) for line in raw.splitlines(keepends=True)), "iso-2022-jp"
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw[3:].decode("utf-8", "replace"), "utf-8"
    if raw.isascii():
        return raw.decode("ascii"), "ascii"
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _without_gaiji(raw.decode(fallback, "replace")), fallback


def _without_gaiji(text: str) -> str:
    """User-defined characters of code page 932 (private use in Unicode) are shown as a geta mark."""
    return "".join(GETA if "\ue000" <= char <= "\ue757" else char for char in text)


def _iso2022(line: bytes) -> str:
    """One line. The state never crosses a line end.

    If a line breaks off inside two-byte characters, an escape back to ASCII is missing somewhere: then a delimiter that
    stands where a character would begin is read as the delimiter, because lost fields are worse than a lost character.
    """
    body = line.rstrip(b"\r\n")
    text, whole = _iso2022_line(body, delimiters_win=False)
    if not whole:
        text, _ = _iso2022_line(body, delimiters_win=True)
    return text + line[len(body) :].decode("ascii")


def _iso2022_line(line: bytes, delimiters_win: bool) -> tuple[str, bool]:
    """The text, and whether every run of two-byte characters was closed by an escape."""
    pieces: list[str] = []
    state, shifted, whole = "ascii", False, True
    for kind, chunk in _units(line):
        if kind == "escape":
            state = _ESCAPES.get(chunk, "ascii")
        elif kind == "shift":
            shifted = chunk == b"\x0e"
        elif state in _TWO_BYTES:
            text, left = _pairs(chunk, state, delimiters_win)
            pieces.append(text)
            if left is not None:  # a control byte, a blank or a delimiter proved the missing escape
                pieces.append(_single(left, False))
                state, whole = "ascii", False
        else:
            pieces.append(_single(chunk, shifted or state == "katakana"))
    return "".join(pieces), whole and state not in _TWO_BYTES


def _units(line: bytes) -> Iterator[tuple[str, bytes]]:
    """Escape sequences, shifts and the runs between them."""
    for piece in _MARKS.split(line):
        if piece in _ESCAPES:
            yield "escape", piece
        elif piece in (b"\x0e", b"\x0f"):
            yield "shift", piece
        elif piece:
            yield "run", piece


def _pairs(chunk: bytes, state: str, delimiters_win: bool) -> tuple[str, bytes | None]:
    """Two-byte characters until the end or until a byte that cannot belong to one; the rest is handed back."""
    pieces = []
    at = 0
    while at < len(chunk):
        pair = chunk[at : at + 2]
        if len(pair) < 2 or min(pair) < 0x21 or (delimiters_win and pair[0] in DELIMITERS):
            return "".join(pieces), chunk[at:]
        pieces.append(_pair(pair, state))
        at += 2
    return "".join(pieces), None


@cache
def _pair(pair: bytes, state: str) -> str:
    if max(pair) > 0x7E:
        return REPLACEMENT
    try:
        if state == "jis":
            return _without_gaiji(_shift(pair).decode("cp932"))
        if state == "jis0212":
            return (b"\x1b$(D" + pair).decode("iso2022_jp_ext")
        mark = b"\x1b$(P" if state == "jis0213-2" else b"\x1b$(Q"
        return (mark + pair).decode("iso2022_jp_2004")
    except UnicodeDecodeError:
        return REPLACEMENT


def _shift(pair: bytes) -> bytes:
    """The Shift_JIS form of a JIS pair: two rows of 94 share one lead byte."""
    row, cell = pair[0] - 0x21, pair[1] - 0x21
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 63)
    return bytes((lead, trail))


def _single(chunk: bytes, katakana: bool) -> str:
    if chunk.isascii() and not katakana:
        return chunk.decode("ascii")

    def one(byte: int) -> str:
        if katakana and 0x21 <= byte <= 0x5F:
            return chr(0xFF61 + byte - 0x21)
        if 0xA1 <= byte <= 0xDF:
            return chr(0xFF61 + byte - 0xA1)
        return chr(byte) if byte < 0x80 else REPLACEMENT

    return "".join(map(one, chunk))
