"""Times, numbers and names in one comparable form, from HL7 and from FHIR."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta, timezone

JST = timezone(timedelta(hours=9))


class Number(str):
    """A number of a JSON document, kept as the digits that stood there."""


# --- times ------------------------------------------------------------------------------------------------------------


def v2_time(text: str) -> str | None:
    """`YYYY`, `YYYY-MM`, `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS` in Japan; None for what is not a time.

    Fractions of a second fall away, a missing minute or second is 00. Hours 24 to 47 are the night of the next day, as
    wards count them. Milliseconds may follow without a dot.
    """
    match = re.fullmatch(r"(\d{4,17})(?:\.\d{1,4})?([+-]\d{4})?", text.strip())
    if not match:
        return None
    digits, zone = match.groups()
    if len(digits) in (5, 7, 9, 11, 13):
        return None
    try:
        return _assemble(digits, zone)
    except (ValueError, OverflowError):
        return None


def _assemble(digits: str, zone: str | None) -> str:
    day = datetime(int(digits[:4]), int(digits[4:6] or 1), int(digits[6:8] or 1))
    if len(digits) <= 8:
        return day.strftime({4: "%Y", 6: "%Y-%m", 8: "%Y-%m-%d"}[len(digits)]).zfill(len(digits))
    hour, minute, second = int(digits[8:10]), int(digits[10:12] or 0), int(digits[12:14] or 0)
    if hour > 47 or minute > 59 or second > 59:
        raise ValueError("no such time")
    moment = day + timedelta(hours=hour, minutes=minute, seconds=second)
    if zone:
        sign = 1 if zone[0] == "+" else -1
        moment = moment - sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) + timedelta(hours=9)
    return moment.isoformat(timespec="seconds")


def fhir_time(text: str | None) -> str | None:
    """A FHIR date, dateTime or instant in the form of `v2_time`; a time without a zone is not FHIR and stays marked."""
    if not text:
        return None
    if "T" not in text:
        return text
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return f"not a FHIR time: {text}"
    if moment.tzinfo is None:
        return f"without a zone: {text}"
    return moment.astimezone(JST).replace(tzinfo=None, microsecond=0).isoformat(timespec="seconds")


# --- numbers ----------------------------------------------------------------------------------------------------------


def decimal(text: str) -> str | None:
    """The digits of a plain number as JSON would write them: zeros at the end stay, other ornaments go."""
    plain = unicodedata.normalize("NFKC", text).strip()
    match = re.fullmatch(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?", plain)
    if not match or not (match.group(2) or match.group(3)):
        return None
    sign, whole, fraction = match.groups()
    whole = whole.replace(",", "").lstrip("0") or "0"
    return ("-" if sign == "-" else "") + whole + (f".{fraction}" if fraction else "")


def number(value: object) -> str | None:
    """The digits of a JSON number; a string where a number belongs is reported as such."""
    if value is None:
        return None
    return str(value) if isinstance(value, Number) else f"not a number: {value!r}"


# --- text -------------------------------------------------------------------------------------------------------------


def squeeze(text: str) -> str:
    """Without any blank, to compare names that are written with and without one."""
    return re.sub(r"[\s\u3000]+", "", text)


def wide_kana(text: str) -> str:
    """Half-width katakana as full-width, voiced marks joined; all else untouched."""
    return re.sub(r"[\uff61-\uff9f]+", lambda run: unicodedata.normalize("NFKC", run.group()), text)


def katakana(text: str) -> str:
    """Hiragana as katakana."""
    return "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in text)


def has_kanji(text: str) -> bool:
    """Whether an ideograph occurs."""
    return any("\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or char > "\U0001ffff" for char in text)


_VARIANTS = str.maketrans("髙﨑濵濱邉邊齋齊斉德𠮷", "高崎浜浜辺辺斎斎斎徳吉")


def folded_name(text: str) -> str | None:
    """A name for the test whether two people are the same; None when a placeholder makes it unusable."""
    plain = katakana(unicodedata.normalize("NFKC", squeeze(text)).translate(_VARIANTS))
    return None if not plain or re.search(r"[■〓・?]", plain) else plain.upper()
