"""Bytes to text: kanji that hold delimiter bytes, and what exporters do that no standard allows."""

import unittest

from independent.charset import decode
from independent.hl7 import messages


class Charset(unittest.TestCase):
    def check(self, raw: bytes, text: str, encoding: str = "iso-2022-jp") -> None:
        self.assertEqual(decode(raw), (text, encoding))

    def test_a_name_whose_kanji_hold_every_delimiter_byte(self) -> None:
        raw = bytes.fromhex(
            "1B 24 42 35 5C 4B 5C 1B 28 42 5E 1B 24 42 35 7E 48 7E 1B 28 42 5E 5E 5E 5E 5E 4C 5E 49 7E 1B 24 42 25 5F"
            "25 64 25 62 25 48 1B 28 42 5E 1B 24 42 25 2D 25 67 25 26 25 5F 1B 28 42 5E 5E 5E 5E 5E 4C 5E 50"
        )
        self.check(raw, "宮本^京美^^^^^L^I~ミヤモト^キョウミ^^^^^L^P")
        head = rb"MSH|^~\&|A|B|C|D|20240101||ADT^A08|1|P|2.5" + b"\r"
        pid = messages(decode(head + b"PID|1||7||" + raw + b"\r")[0])[0].first("PID")
        assert pid
        self.assertEqual([rep.part(2) for rep in pid.reps(5)], ["京美", "キョウミ"])

    def test_a_hyphen_between_numbers_is_the_one_people_type(self) -> None:
        self.check("１−３〜５".encode("iso2022_jp"), "１－３～５")

    def test_characters_of_nec_and_ibm_inside_jis(self) -> None:
        self.check(b"\x1b$B\x2d\x21\x7c\x62\x79\x75\x1b(B|x", "①髙﨑|x")

    def test_half_width_kana_by_escape_and_by_shift(self) -> None:
        self.check(b"\x1b(I\x36\x5e\x1b(B^", "ｶﾞ^")
        self.check(b"\x1b$B\x24\x22\x1b(B\x0e\x36\x0f^", "あｶ^")

    def test_supplementary_kanji(self) -> None:
        self.check(b"\x1b$(D\x30\x21\x1b(B|\x1b$B\x24\x22\x1b(B", "丂|あ")

    def test_a_missing_return_to_ascii_ends_at_the_line_end(self) -> None:
        self.check(b"PID|\x1b$B\x30\x21\x30\x22\rPV1|1\r\x1b$B\x1b(B", "PID|亜唖\rPV1|1\r")

    def test_a_missing_return_to_ascii_ends_at_a_blank(self) -> None:
        self.check(b"\x1b$B\x30\x21 A|1\r", "亜 A|1\r")

    def test_a_missing_return_to_ascii_does_not_swallow_fields(self) -> None:
        self.check(b"OBX|1|\x1b$B\x30\x21|2|3|44\r", "OBX|1|亜|2|3|44\r")

    def test_a_byte_that_fits_nowhere_is_replaced(self) -> None:
        self.check(b"\x1b$B\x30\x21\xff\x21\x1b(B|x", "亜\ufffd|x")

    def test_roman_set_keeps_the_delimiters(self) -> None:
        self.check(b"MSH|^~\x1b(J\\&|\x1b$B\x30\x21\x1b(J~", "MSH|^~\\&|亜~")

    def test_utf8_and_cp932_without_any_mark(self) -> None:
        self.check("表ソ能|院".encode("cp932"), "表ソ能|院", "cp932")
        self.check("表ソ能|院".encode(), "表ソ能|院", "utf-8")
        self.check(b"\xef\xbb\xbf" + "薬".encode(), "薬", "utf-8")
        self.check(b"MSH|1", "MSH|1", "ascii")

    def test_a_user_defined_character_is_shown_as_a_mark(self) -> None:
        self.check(b"\x88\x9f\xf0\x40", "亜〓", "cp932")
