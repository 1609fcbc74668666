"""Rules of the families that a storage of one patient does not show at once."""

import unittest
from datetime import date

from independent.chart import Chart, charts
from independent.claims import Answer, Item
from independent.families import allergy, condition, encounter, medication, observation
from independent.hl7 import Marks, Value, messages
from independent.storage import File, parse

PATIENT = "0000123456"


def file(kind: str, day: str, time: str, flag: str, event: str, *lines: str, order: str = "9" * 15) -> File:
    head = f"MSH|^~\\&|H|F|G|R|{time}||{event}|1|P|2.5"
    pid = f"PID|1||{PATIENT}^^^^PI||京^美^^^^^L^I~キョウ^ミ^^^^^L^P||19700101|F"
    name = f"{PATIENT}_{day}_{kind}_{order}_{time.ljust(17, '0')}_01_{flag}"
    found = parse(f"000/012/{PATIENT}/{day}/{kind}/{name}", "\r".join([head, pid, *lines]).encode())
    assert found, name
    return found


def chart(*files: File) -> Chart:
    return charts(files, "1319999901", date(2026, 1, 1))[PATIENT]


def pv1(start: str = "", end: str = "") -> str:
    return "PV1|1|I|05E^1^2" + "|" * 41 + f"{start}|{end}"


class Stays(unittest.TestCase):
    def check(self, files: list[File], expected: list[tuple[str | None, str | None]]) -> None:
        found = [item for item in encounter.expected(chart(*files)) if not item.optional]
        periods = [(str(item.claims["encounter.start"]), str(item.claims["encounter.end"])) for item in found]
        self.assertEqual(periods, [(str(one), str(two)) for one, two in expected])

    def admitted(self, day: str, flag: str = "1") -> File:
        return file("ADT-22", day, day + "10", flag, "ADT^A01", pv1(day + "1000"))

    def left(self, day: str, start: str = "", event: str = "ADT^A03", time: str = "11") -> File:
        return file("ADT-52", day, day + time, "1", event, pv1(start, day + "1100"))

    def test_a_discharge_ends_the_latest_admission_not_later_than_it(self) -> None:
        files = [self.admitted("20240501"), self.left("20240505"), self.admitted("20240510"), self.left("20240512")]
        self.check(files, [("2024-05-01T10:00:00", "2024-05-05T11:00:00"), ("2024-05-10T10:00:00", "2024-05-12T11:00:00")])

    def test_a_discharge_that_names_its_admission_ends_that_one(self) -> None:
        files = [self.admitted("20240501"), self.admitted("20240503"), self.left("20240505", "202405011000")]
        self.check(files, [("2024-05-01T10:00:00", "2024-05-05T11:00:00"), ("2024-05-03T10:00:00", "None")])

    def test_a_discharge_without_an_admission_has_an_unknown_start(self) -> None:
        self.check([self.left("20240505")], [("None", "2024-05-05T11:00:00")])

    def test_a_cancelled_discharge_opens_the_stay_again(self) -> None:
        cancel = self.left("20240505", event="ADT^A13", time="12")
        self.check([self.admitted("20240501"), cancel], [("2024-05-01T10:00:00", "None")])

    def test_a_deleted_admission_is_no_stay(self) -> None:
        self.check([self.admitted("20240501", "0")], [])


class Values(unittest.TestCase):
    def check(self, kind: str, text: str, *expected: tuple[object, str | None]) -> None:
        self.assertEqual(observation._readings(kind, Value(text, Marks())), list(expected))

    def test_numbers_and_limits(self) -> None:
        self.check("NM", "172.0", (("quantity", "172.0"), None))
        self.check("ST", "< 0.02", (("quantity", "0.02"), "<"))
        self.check("NM", "≧１０", (("quantity", "10"), ">="))
        self.check("SN", "<^0.02", (("quantity", "0.02"), "<"))
        self.check("SN", "^1^-^4", (("range", ("1", "4")), None))
        self.check("ST", "0.5未満", (("text", "0.5未満"), None), (("quantity", "0.5"), "<"))

    def test_texts_stay_texts(self) -> None:
        self.check("NM", "測定不能", (("text", "測定不能"), None))
        self.check("ST", "  -", (("text", "-"), None))
        self.check("ST", "5.0", (("text", "5.0"), None))
        self.check("SN", "^^-", (("text", "-"), None))
        self.check("SN", "^1^:^320", (("ratio", ("1", "320")), None), (("text", "1:320"), None))
        self.check("CWE", "A^A^JSHR002", (("code", (frozenset("A"), "A")), None))


class Lists(unittest.TestCase):
    def test_a_problem_that_left_its_list_is_inactive_and_one_of_another_slot_stays(self) -> None:
        old = file("PPR-01", "-", "20240101", "2", "PPR^ZD1", "PRB|AD|1|2^A^MDCDX2|D1", "PRB|AD|1|3^B^MDCDX2|D2")
        new = file("PPR-01", "-", "20240201", "1", "PPR^ZD1", "PRB|AD|1|2^A^MDCDX2|D1")
        other = file("PPR-01", "-", "20240301", "1", "PPR^ZD1", "PRB|AD|1|4^C^MDCDX2|D3", order="000000000000007")
        items = condition.expected(chart(old, new, other))
        found = {item.key[0]: str(item.claims["condition.clinical_status"]) for item in items}
        self.assertEqual(found, {"D1": "active", "D2": "inactive", "D3": "active"})

    def test_the_same_allergy_is_one_and_orders_add_only_new_ones(self) -> None:
        base = file("ADT-00", "-", "20240101", "1", "ADT^A08", "AL1|1|FA|^卵^99X", "AL1|2|FA|^卵^99X")
        order = file("OMP-01", "20240102", "20240102", "1", "RDE^O11", "AL1|1|FA|^卵^99X", "AL1|2|DA|^薬^99X")
        self.assertEqual([item.key[0] for item in allergy.expected(chart(base, order))], ["卵", "薬"])

    def test_another_birth_date_or_name_is_another_person(self) -> None:
        base = file("ADT-00", "-", "20240101", "1", "ADT^A08")
        item = file("OML-11", "20240102", "20240102", "1", "OUL^R22", "SPM|1", "OBR|1", "OBX|1|NM|1^x^JC10||5||||||F")
        wrong = [item.raw.replace(b"19700101", b"19700102"), item.raw.replace("京^美".encode(), "別^人".encode())]
        wrong[1] = wrong[1].replace("キョウ".encode(), "ベツ".encode())
        for raw, count in ((item.raw, 1), (wrong[0], 0), (wrong[1], 0)):
            changed = File(**{**{name: getattr(item, name) for name in File.__dataclass_fields__}, "raw": raw})
            self.assertEqual(len(list(observation.expected(chart(base, changed)))), count)


class Usage(unittest.TestCase):
    def test_rp_number(self) -> None:
        for text, expected in {"1": "1", "02": "2", "000123_03": "3", "000123_01_002": "1"}.items():
            self.assertEqual(medication.rp_number(text), expected)

    def test_days_in_every_spelling_and_sub_components_written_as_components(self) -> None:
        for text in ("5^d", "5^D&日&ISO+", "5^日分", "5^D", "5^日"):
            self.assertEqual(medication._days(Value(text, Marks())), "5")
        self.assertIsNone(medication._days(Value("5^回分", Marks())))
        for text in ("C&T&JAMISDP01", "C^T^JAMISDP01"):
            self.assertEqual(medication._pattern(Value(text, Marks())), ("C", "T", "JAMISDP01"))

    def test_a_wish_that_is_only_accepted_needs_no_answer(self) -> None:
        from independent.compare import Result, compare

        result = Result()
        compare("x", [Item("Encounter", ("AMB", None), "x", {}, optional="cancelled")], [], result)
        compare("x", [], [Answer("Encounter", ("AMB", None), {})], result)
        self.assertEqual([one.where for one in result.differences], ["x/answer"])
        self.assertEqual(messages(""), [])
