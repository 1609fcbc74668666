"""Splitting, times, numbers, and which file of a slot is valid."""

import unittest

from independent.charset import decode
from independent.hl7 import messages
from independent.storage import parse, read, states
from independent.values import decimal, fhir_time, v2_time, wide_kana

HEAD = "MSH|^~\\&|H|F|G|R|20240510||{event}|1|P|2.5\r"


class Hl7(unittest.TestCase):
    def first(self, text: str, name: str):
        return messages(text)[0].first(name)

    def test_any_line_end_and_filler_at_the_end(self) -> None:
        for end in ("\r", "\n", "\r\n"):
            text = end + end.join(["MSH|^~\\&|a", "PID|1||77", "", "PV1|1"]) + "\x00\x1a"
            self.assertEqual(self.first(text, "PID").get(3), "77")
            self.assertEqual(self.first(text, "PV1").get(1), "1")

    def test_declared_delimiters_and_a_yen_sign(self) -> None:
        text = "MSH#*!¥%#app\rPID#1##a*b%c!d\rNTE#1##x\\F\\y"
        self.assertEqual(self.first(text, "PID").reps(3)[0].sub(2, 2), "c")
        self.assertEqual(self.first(text, "PID").reps(3)[1].part(1), "d")
        self.assertEqual(self.first(text, "NTE").get(3), "x#y")

    def test_msh_counts_its_separator_as_a_field(self) -> None:
        head = self.first("MSH|^~\\&|HIS|FAC", "MSH")
        self.assertEqual((head.get(3), head.get(4)), ("HIS", "FAC"))

    def test_escapes_once_and_unknown_ones_stay(self) -> None:
        text = "MSH|^~\\&|a\rNTE|1||\\E\\F\\S\\b\\.br\\c\\X0D\\d\\Z9\\"
        self.assertEqual(self.first(text, "NTE").get(3), "\\F^b\nc\nd\\Z9\\")

    def test_two_quotes_state_nothing(self) -> None:
        self.assertEqual(self.first('MSH|^~\\&|a\rRXE||x|""|', "RXE").reps(3), [])

    def test_two_messages_in_one_file(self) -> None:
        self.assertEqual(len(messages("FHS|^~\\&\rMSH|^~\\&|a\rPID|1\rMSH|^~\\&|b\rPID|2")), 2)


class Values(unittest.TestCase):
    def test_times_keep_their_precision(self) -> None:
        for text, expected in {
            "2024": "2024",
            "20240510": "2024-05-10",
            "202405100845": "2024-05-10T08:45:00",
            "2011070100": "2011-07-01T00:00:00",
            "20080203163012345": "2008-02-03T16:30:12",
            "20240510101530.1234": "2024-05-10T10:15:30",
            "202405102515": "2024-05-11T01:15:00",
            "20240510080000+0000": "2024-05-10T17:00:00",
            "00000000": None,
            "99999999": None,
            "2024/05/10": None,
            "20240231": None,
            "": None,
        }.items():
            self.assertEqual(v2_time(text), expected, text)

    def test_fhir_times_are_seen_from_japan(self) -> None:
        self.assertEqual(fhir_time("2024-05-10T08:45:00+09:00"), v2_time("202405100845"))
        self.assertEqual(fhir_time("2024-05-09T23:45:00Z"), v2_time("202405100845"))
        self.assertEqual(fhir_time("2024-05-10"), "2024-05-10")
        self.assertNotEqual(fhir_time("2024-05-10T08:45:00"), v2_time("202405100845"))

    def test_digits_of_a_number_stay(self) -> None:
        for text, expected in {
            "172.0": "172.0", "1.10": "1.10", ".5": "0.5", "+7": "7", "007": "7", "-0.2": "-0.2", "5.": "5",
            "１２．３": "12.3", "1,234": "1234", "1.3E+2": None, "測定不能": None, "": None, "1-4": None,
        }.items():  # fmt: skip
            self.assertEqual(decimal(text), expected, text)

    def test_half_width_kana_join_their_marks(self) -> None:
        self.assertEqual(wide_kana("ｶﾞｯｺｳA１"), "ガッコウA１")


class Versions(unittest.TestCase):
    def state(self, *names: str, event: str = "RDE^O11", bodies: dict[str, str] | None = None) -> str:
        files = []
        for name in names:
            text = HEAD.format(event=(bodies or {}).get(name, event)) + "PID|1||123456\rPV1|1|O|" + "|" * 41 + "20240510"
            patient, day, kind = name.split("_")[:3]
            file = parse(f"123/456/{patient}/{day}/{kind}/{name}", text.encode())
            assert file, name
            files.append(file)
        return ",".join(state.name for state in states(files))

    def test_the_newest_valid_one(self) -> None:
        one, two = ("123456_20240510_OMP-01_1_2024051010000%d000_01_%s" % pair for pair in ((1, "2"), (2, "1")))
        self.assertEqual(self.state(one, two), "current")

    def test_delete_then_insert_is_current_and_delete_alone_is_not(self) -> None:
        old, gone, new = (f"123456_20240510_OMP-01_1_2024051010000{n}000_01_{f}" for n, f in ((1, "0"), (2, "0"), (3, "1")))
        self.assertEqual(self.state(old, gone, new), "current")
        self.assertEqual(self.state(old, gone), "deleted")

    def test_only_superseded_ones_stay_readable(self) -> None:
        self.assertEqual(self.state("123456_20240510_OMP-01_1_20240510100001000_01_2"), "unmarked")

    def test_a_valid_cancel_voids_the_event_and_a_deleted_one_only_its_slot(self) -> None:
        event = "123456_20240510_ADT-22_7_20240510100001000_01_1"
        cancel = "123456_20240510_ADT-22_8_20240510100002000_01_"
        bodies = {cancel + "1": "ADT^A11", cancel + "0": "ADT^A11"}
        self.assertEqual(self.state(event, cancel + "1", event="ADT^A01", bodies=bodies), "cancelled,cancelled")
        self.assertEqual(self.state(event, cancel + "0", event="ADT^A01", bodies=bodies), "current,deleted")

    def test_one_version_with_two_flags_in_two_roots(self) -> None:
        import tempfile
        from pathlib import Path

        for flags, left in (("12", "1"), ("20", "0"), ("01", "1")):
            with tempfile.TemporaryDirectory() as folder:
                roots = [Path(folder) / f"root{n}" for n in range(2)]
                for root, flag in zip(roots, flags):
                    path = root / f"123/456/123456/20240510/OML-11/123456_20240510_OML-11_5_20240510100001000_-_{flag}"
                    path.parent.mkdir(parents=True)
                    path.write_bytes(b"MSH|^~\\&|a")
                self.assertEqual([file.flag for file in read(roots)], [left])

    def test_names_that_are_no_names(self) -> None:
        for path in ("a/b", "123/456/123456/-/ADT-00/Thumbs.db", "123/456/999999/-/ADT-00/123456_-_ADT-00_9_20240510100001000_-_1"):
            self.assertIsNone(parse(path, b""))

    def test_decoding_is_part_of_the_file(self) -> None:
        self.assertEqual(decode("院".encode("cp932"))[0], "院")
