"""A small storage of this test's own, answers written by hand, and one wrong field after the other."""

import contextlib
import io
import json
import tempfile
import unittest
from copy import deepcopy
from pathlib import Path
from typing import Any

from independent.cli import main

FACILITY = "1319999901"
PID = "PID|0001||00654321^^^^PI||院庄^愛^^^^^L^I~ｲﾝｼﾞｮｳ^ｱｲ^^^^^L^P||19700203|F|||^^^^980-0000^JPN^H^架空県１－２||^PRN^PH^^^^^^^^^022-000-0000"
LOCAL = f"urn:musubi:local:{FACILITY}:"


def head(event: str) -> str:
    return f"MSH|^~\\&|H|F|GW|R|20240510101530||{event}|1|P|2.5||||||~ISO IR87||ISO 2022-1994"


FILES: dict[str, list[str]] = {
    "-/ADT-00/00654321_-_ADT-00_999999999999999_20240510101530123_-_1": [
        head("ADT^A08"), "EVN||20240510101530", PID, "OBX|1|NM|9N001000000000001^身長^JC10||154.0|cm^cm^ISO+|||||F",
        "AL1|1|DA^薬剤^HL70127|^ペニシリン^99XYZ", "AL1|2|DA^薬剤^HL70127|^ペニシリン^99XYZ",
    ],
    "20240510/ADT-12/00654321_20240510_ADT-12_999999999999999_20240510090000000_01_1": [
        head("ADT^A01"), PID, "PV1|1|O|01^^^^^C||||D1^服部^時夫|||01" + "|" * 34 + "20240510085500",
    ],
    "20240513/ADT-22/00654321_20240513_ADT-22_999999999999999_20240513143000000_01_1": [
        head("ADT^A01"), PID, "PV1|1|I|05E^512^2^^^N||||D1^服部^時夫" + "|" * 10 + "D2^看^護" + "|" * 27 + "20240513140000",
    ],
    "20240516/ADT-52/00654321_20240516_ADT-52_999999999999999_20240516103000000_01_1": [
        head("ADT^A03"), PID, "PV1|1|I|05E^512^2^^^N||||D1^服部^時夫" + "|" * 29 + "01" + "|" * 9 + "20240516100000",
    ],
    "-/PPR-01/00654321_-_PPR-01_999999999999999_20240401120000300_01_2": [
        head("PPR^ZD1"), PID, "PRB|AD|20240401|20050020^糖尿病^MDCDX2|D1|||20240401|||E119^^I10",
        "PRB|AD|20240401|20054174^胃炎^MDCDX2|D2|||20240401|||K291^^I10",
    ],
    "-/PPR-01/00654321_-_PPR-01_999999999999999_20240510120000300_01_1": [
        head("PPR^ZD1"), PID, "PRB|AD|20240510|20050020^糖尿病^MDCDX2|D1|||20240401|||E119^^I10^O^外来時^JHSD0004|||1",
        "PRB|AD|20240510|20050021^秘密^MDCDX2|D3|||20240401" + "|" * 18 + "V^非常に限定^HL70177",
    ],
    "20240510/OMP-01/00654321_20240510_OMP-01_000000000000123_20240510103046984_01_1": [
        head("RDE^O11"), PID, "PV1|1|O", "AL1|1|DA|^ペニシリン^99XYZ",
        "ORC|NW|000000000000123||000000000000123_01|||||20240510103045|||D1^服部^時夫|||||||||||||||||O^外来^HL70482",
        "RXE||103835401^ムコ錠^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||||||3^TAB&錠&MR9P",
        "TQ1|1||1013044400000000&１日３回毎食後&JAMISDP01|||5^d|20240510", "RXR|PO^口^HL70162",
    ],
    "20240510/OML-11/00654321_20240510_OML-11_000000000000310_20240510112233050_01_1": [
        head("OUL^R22"), PID, "SPM|1|S1||023^血清^JC10|||||||||||||202405100845",
        "OBR|1|000000000000310||X^生化学^99O03|||202405100845", "ORC|SC|000000000000310",
        "OBX|1|ST|5C070000002306201^ＣＲＰ^JC10^50100^CRP^99X03||< 0.02|mg/dL^mg/dL^ISO+|0.00-0.15|L|||C",
    ],
    "20240510/OMD/00654321_20240510_OMD_000000000000500_20240510112233050_01_1": [
        head("OMD^O03"), PID.replace("00654321", "00000001"),
    ],
}  # fmt: skip


def concept(system: str, code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], "text": text}


CODES = "http://terminology.hl7.org/CodeSystem/"
MERIT = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code"
ID = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/"
PERIOD = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse"
WHO = [{"resourceType": "Practitioner", "id": "d", "name": [{"text": "服部 時夫"}]},
       {"resourceType": "Practitioner", "id": "e", "name": [{"family": "看", "given": ["護"]}]},
       {"resourceType": "Location", "id": "l", "name": "05E 512 2"},
       {"resourceType": "Specimen", "id": "s", "type": concept("", "023", "血清")}]  # fmt: skip
ANSWERS = """[
{"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.11319999901", "value": "00654321"}],
 "name": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "IDE"}],
   "family": "院庄", "given": ["愛"]},
  {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}],
   "family": "インジョウ", "given": ["アイ"]}],
 "gender": "female", "birthDate": "1970-02-03", "address": [{"text": "架空県１－２", "postalCode": "980-0000"}],
 "telecom": [{"value": "022-000-0000"}]},
{"resourceType": "Observation", "id": "o1", "status": "final", "category": [{"coding": [{"code": "body-measurement"}]}],
 "code": {"coding": [{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "9N001000000000001"}], "text": "身長"},
 "issued": "2024-05-10T10:15:30+09:00", "valueQuantity": {"value": 154.0, "unit": "cm"}},
{"resourceType": "Observation", "id": "o2", "status": "corrected", "category": [{"coding": [{"code": "laboratory"}]}],
 "code": {"coding": [{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "5C070000002306201"},
   {"system": "urn:musubi:local:1319999901:99X03", "code": "50100"}], "text": "ＣＲＰ"},
 "identifier": [{"value": "000000000000310"}], "effectiveDateTime": "2024-05-10T08:45:00+09:00",
 "valueQuantity": {"value": 0.02, "comparator": "<", "unit": "mg/dL"}, "interpretation": [{"coding": [{"code": "L"}]}],
 "referenceRange": [{"low": {"value": 0.00}, "high": {"value": 0.15}, "text": "0.00-0.15"}], "specimen": {"reference": "#s"}}
]"""


def answers() -> list[dict[str, Any]]:
    """The right answers, as a server would give them. Numbers are written as text in ANSWERS to keep their digits."""
    doctor, bed = {"reference": "#d"}, [{"location": {"reference": "#l"}}]
    atnd = {"type": [{"coding": [{"code": "ATND"}]}], "individual": doctor}
    adm = {"type": [{"coding": [{"code": "ADM"}]}], "individual": {"reference": "#e"}}
    department = {"coding": [{"code": "01"}]}
    disease = "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
    icd = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
    status = {"coding": [{"code": "active"}]}

    def condition(number: str, code: str, text: str, ten: str, clinical: str, sure: str) -> dict[str, Any]:
        coding = [{"system": disease, "code": code}, {"system": icd, "code": ten}]
        return {"resourceType": "Condition", "id": "c" + number, "identifier": [{"value": number}], "recordedDate": "2024-04-01",
                "code": {"coding": coding, "text": text}, "clinicalStatus": {"coding": [{"code": clinical}]},
                "verificationStatus": {"coding": [{"code": sure}]}}  # fmt: skip

    def unit(value: int) -> dict[str, Any]:
        return {"value": value, "unit": "錠", "system": MERIT, "code": "TAB"}

    usage = [{"system": "http://jami.jp/CodeSystem/MedicationUsage", "code": "1013044400000000"}]
    method = [{"system": "http://jami.jp/CodeSystem/MedicationMethodBasicUsage", "code": "1"},
              {"system": "http://jami.jp/CodeSystem/MedicationMethodDetailUsage", "code": "10"}]  # fmt: skip
    return [
        {"resourceType": "Encounter", "id": "e1", "class": {"code": "AMB"}, "status": "finished", "contained": WHO,
         "period": {"start": "2024-05-10T08:55:00+09:00"}, "serviceType": department, "participant": [atnd]},
        {"resourceType": "Encounter", "id": "e2", "class": {"code": "IMP"}, "status": "finished", "contained": WHO,
         "period": {"start": "2024-05-13T14:00:00+09:00", "end": "2024-05-16T10:00:00+09:00"}, "serviceType": department,
         "participant": [atnd, adm], "location": bed, "hospitalization": {"dischargeDisposition": {"coding": [{"code": "01"}]}}},
        condition("D1", "20050020", "糖尿病", "E11.9", "active", "provisional"),
        condition("D2", "20054174", "胃炎", "K291", "inactive", "confirmed"),
        {"resourceType": "AllergyIntolerance", "id": "a", "clinicalStatus": status, "category": ["medication"],
         "code": {"text": "ペニシリン"}},
        {"resourceType": "MedicationRequest", "id": "m", "status": "active", "authoredOn": "2024-05-10T10:30:45+09:00",
         "identifier": [{"system": ID + "Medication-RPGroupNumber", "value": "1"},
                        {"system": ID + "MedicationAdministrationIndex", "value": "1"},
                        {"system": "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier", "value": "000000000000123"}],
         "contained": WHO, "requester": doctor, "category": [{"coding": [{"code": "O"}]}],
         "medicationCodeableConcept": concept("http://medis.or.jp/CodeSystem/master-HOT9", "103835401", "ムコ錠"),
         "dosageInstruction": [{
             "extension": [{"url": PERIOD, "valuePeriod": {"start": "2024-05-10"}}], "text": "１日３回毎食後",
             "timing": {"code": {"coding": usage}}, "method": {"coding": method},
             "route": concept("http://jpfhir.jp/fhir/core/CodeSystem/route-codes", "PO", "口"),
             "doseAndRate": [{"doseQuantity": unit(1), "rateRatio": {"numerator": unit(3), "denominator": {"value": 1, "code": "d"}}}]}],
         "dispenseRequest": {"quantity": unit(15), "expectedSupplyDuration": {"value": 5, "unit": "日", "code": "d"}}},
    ]  # fmt: skip


class Whole(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root, self.fhir = Path(folder.name) / "storage", Path(folder.name) / "fhir"
        self.fhir.mkdir()
        for name, lines in FILES.items():
            path = self.root / "006/543/00654321" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "\r".join([*lines, ""])
            path.write_bytes(text.replace("－", "−").encode("iso2022_jp_ext") if "OML" in name else text.encode())

    def run_it(self, resources: list[dict[str, Any]], written: str = ANSWERS, *more: str) -> tuple[int, dict[str, Any]]:
        # Fixed text for the numbers whose digits matter, the other answers beside it; Observations get their specimen.
        fixed = json.loads(written, parse_float=str)
        for resource in fixed:
            resource.setdefault("contained", WHO)
        text = json.dumps(fixed + resources, ensure_ascii=False)
        for digits in ("154.0", "0.02", "0.00", "0.15", "154.1"):
            text = text.replace(f'"value": "{digits}"', f'"value": {digits}')
        (self.fhir / "00654321.json").write_text(text, "utf-8")
        output = io.StringIO()
        call = ["--storage", str(self.root), "--fhir", str(self.fhir), "--facility", FACILITY, "--json", "--require", "none"]
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = main([*call, *more])
        return code, json.loads(output.getvalue())

    def wrong(self, resources: list[dict[str, Any]], written: str = ANSWERS) -> set[str]:
        code, found = self.run_it(resources, written)
        self.assertEqual(code, 1 if found["differences"] else 0)
        return {one["field"] for one in found["differences"]}

    def test_right_answers_agree(self) -> None:
        code, found = self.run_it(answers())
        self.assertEqual(found["differences"], [])
        self.assertEqual(code, 0)
        self.assertEqual(found["fields"]["Condition.present"]["compared"], 2)

    def test_one_wrong_statement_shows_as_its_field(self) -> None:
        changes: list[tuple[str, list[Any], Any]] = [
            ("encounter.end", [1, "period", "end"], "2024-05-16T10:00:01+09:00"),
            ("encounter.status", [1, "status"], "in-progress"),
            ("encounter.start", [0, "period", "start"], "2024-05-10T08:55:00Z"),
            ("encounter.location", [1, "contained", 2, "name"], "05E 512 3"),
            ("condition.icd10", [2, "code", "coding", 1, "code"], "E11.8"),
            ("condition.verification", [2, "verificationStatus", "coding", 0, "code"], "confirmed"),
            ("condition.clinical_status", [3, "clinicalStatus", "coding", 0, "code"], "active"),
            ("allergy.text", [4, "code", "text"], "ペニシリソ"),
            ("medication.drug_code", [5, "medicationCodeableConcept", "coding", 0, "code"], "103835402"),
            ("medication.order_in_rp", [5, "identifier", 1, "value"], "2"),
            ("medication.usage_text", [5, "dosageInstruction", 0, "text"], "１日３回食後"),
            ("medication.days", [5, "dispenseRequest", "expectedSupplyDuration", "value"], 7),
            ("medication.dose_unit", [5, "dosageInstruction", 0, "doseAndRate", 0, "doseQuantity", "unit"], "包"),
        ]
        for field, path, value in changes:
            changed = deepcopy(answers())
            node: Any = changed
            for step in path[:-1]:
                node = node[step]
            node[path[-1]] = value
            self.assertEqual(self.wrong(changed), {field})

    def test_digits_comparator_range_flag_and_status_of_a_result(self) -> None:
        for field, old, new in (
            ("observation.value", '"value": 154.0', '"value": 154.1'),
            ("observation.comparator", '"comparator": "<", ', ""),
            ("observation.range_text", '"text": "0.00-0.15"', '"text": "0.00 - 0.15"'),
            ("observation.flag", '"code": "L"', '"code": "H"'),
            ("observation.status", '"corrected"', '"final"'),
            ("observation.specimen", '"#s"', '"#other"'),
        ):
            found = self.wrong(answers(), ANSWERS.replace(old, new))
            self.assertIn(field, found)
            self.assertLessEqual(len(found), 2)

    def test_missing_too_many_and_hidden_resources(self) -> None:
        self.assertEqual(self.wrong(answers()[1:]), {"Encounter.present"})
        self.assertEqual(self.wrong([*answers(), {**answers()[4], "id": "twice"}]), {"AllergyIntolerance.present"})
        secret = {**answers()[2], "id": "c9", "identifier": [{"value": "D3"}], "code": {"text": "秘密"}}
        self.assertEqual(self.wrong([*answers(), secret]), {"Condition.present"})

    def test_exceptions_explain_and_need_a_reason(self) -> None:
        path = self.root.parent / "exceptions.tsv"
        path.write_text("encounter.end\t00654321/*\tthe clock of ward 5 is fast\n", "utf-8")
        changed = answers()
        changed[1]["period"]["end"] = "2024-05-16T10:00:01+09:00"
        code, found = self.run_it(changed, ANSWERS, "--exceptions", str(path))
        self.assertEqual((code, found["fields"]["encounter.end"]["exceptions"]), (0, 1))
        path.write_text("encounter.end\t*\t\n", "utf-8")
        with self.assertRaises(json.JSONDecodeError):
            self.run_it(changed, ANSWERS, "--exceptions", str(path))

    def test_a_field_that_was_never_compared_fails(self) -> None:
        code, found = self.run_it(answers(), ANSWERS, "--require", "observation.flag,medication.site")
        self.assertEqual((code, found["never_compared"]), (1, ["medication.site"]))

    def test_papers_say_what_the_demographics_say(self) -> None:
        papers = self.root.parent / "papers.csv"
        code = main(["--storage", str(self.root), "--facility", FACILITY, "--papers", str(papers)])
        self.assertEqual(code, 0)
        self.assertIn("インジョウアイ,1970-02-03,female,1319999901:00654321,", papers.read_text("utf-8"))
