"""The generator's truth and this reading say the same about a file, or the difference is shown."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from independent.cli import main
from independent.tests.test_families import PATIENT, file

CODE = {"code": "3B035000002327201", "display": "AST", "system": "JC10"}
RESULT = {
    "orderNumber": "000000000000007", "specimen": [{"code": "023", "display": "血清", "system": "JC10"}], "code": [CODE],
    "value": {"quantity": {"value": "52.0"}}, "unit": {"code": "u/L", "display": "U/L", "system": "ISO+"},
    "referenceRange": {"text": "13-30", "low": "13", "high": "30"}, "interpretation": "H", "status": "final",
    "effective": "2024-05-10T08:45:00+09:00",
}  # fmt: skip


class Truth(unittest.TestCase):
    def wrong(self, **changes: Any) -> set[str]:
        lab = file(
            "OML-11", "20240510", "20240510", "1", "OUL^R22", "SPM|1|||023^血清^JC10", "OBR|1|000000000000007",
            "OBX|1|NM|3B035000002327201^AST^JC10||52.0|u/L^U/L^ISO+|13-30|H|||F|||202405100845", order="000000000000007",
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            name = f"{lab.patient}_{lab.day}_{lab.kind}_{lab.order}_{lab.time}_{lab.department}_{lab.flag}"
            path = Path(folder) / f"s/000/012/{lab.where.rsplit('/', 1)[0]}/{name}"
            path.parent.mkdir(parents=True)
            path.write_bytes(lab.raw)
            person = {"identifier": PATIENT, "gender": "female", "birthDate": "1970-01-01", "telecom": [],
                      "name": [{"family": "京", "given": "美", "representation": "IDE"}],
                      "address": {"text": "", "postalCode": ""}}  # fmt: skip
            truth = Path(folder) / "truth.json"
            truth.write_text(json.dumps({"patients": [{"localId": PATIENT, "patient": person, "observations": [{**RESULT, **changes}]}]}))
            output = io.StringIO()
            call = ["--storage", f"{folder}/s", "--facility", "1319999901", "--truth", str(truth)]
            with contextlib.redirect_stdout(output):
                main([*call, "--require", "none", "--json"])
        return {one["field"] for one in json.loads(output.getvalue())["differences"]} - {"patient.name.kana"}

    def test_the_same_statement(self) -> None:
        self.assertEqual(self.wrong(), set())

    def test_another_digit_and_another_flag(self) -> None:
        self.assertEqual(self.wrong(value={"quantity": {"value": "52"}}), {"observation.value"})
        self.assertEqual(self.wrong(interpretation=None), {"observation.flag"})
