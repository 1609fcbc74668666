//! Laboratory tests with JLAC10 codes, local codes, units and reference ranges.

use crate::hl7::{Code, Coded, code};

/// A test of the laboratory.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) jlac10: &'static str,
    pub(crate) name: &'static str,
    pub(crate) local: (&'static str, &'static str),
    pub(crate) unit: Option<Code>,
    /// Digits after the point; ranges are scaled by them.
    pub(crate) places: u32,
    pub(crate) male: (i64, i64),
    pub(crate) female: (i64, i64),
}

/// A set of tests on one specimen.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) set: Code,
    pub(crate) material: Code,
    pub(crate) tests: &'static [Test],
}

const fn iso(unit: &'static str, text: &'static str) -> Option<Code> {
    Some(code(unit, text, "ISO+"))
}

const fn test(
    jlac10: &'static str,
    name: &'static str,
    local: (&'static str, &'static str),
    unit: Option<Code>,
    places: u32,
    male: (i64, i64),
    female: (i64, i64),
) -> Test {
    Test {
        jlac10,
        name,
        local,
        unit,
        places,
        male,
        female,
    }
}

/// A test whose range is the same for both sexes.
const fn common(
    jlac10: &'static str,
    name: &'static str,
    local: (&'static str, &'static str),
    unit: Option<Code>,
    places: u32,
    range: (i64, i64),
) -> Test {
    test(jlac10, name, local, unit, places, range, range)
}

const MG_DL: Option<Code> = iso("mg/dL", "mg/dL");
const U_L: Option<Code> = iso("u/L", "U/L");
const MMOL_L: Option<Code> = iso("mmol/L", "mmol/L");
const G_DL: Option<Code> = iso("g/dL", "g/dL");
const PERCENT: Option<Code> = iso("%", "%");

pub(crate) const BLOOD: Panel = Panel {
    set: code("E001", "血液学的検査", "99O03"),
    material: code("019", "全血(添加物入り)", "JC10"),
    tests: &[
        common(
            "2A990000001930952",
            "血算-白血球数",
            ("30001", "ＷＢＣ"),
            iso(".10*3/uL", "×10^3/μL"),
            1,
            (33, 86),
        ),
        test(
            "2A990000001930951",
            "血算-赤血球数",
            ("30011", "ＲＢＣ"),
            iso(".10*6/uL", "×10^6/μL"),
            2,
            (435, 555),
            (386, 492),
        ),
        test(
            "2A030000001930101",
            "ヘモグロビン",
            ("30012", "ＨＧＢ"),
            G_DL,
            1,
            (137, 168),
            (116, 148),
        ),
        test(
            "2A040000001930102",
            "ヘマトクリット",
            ("30013", "ＨＣＴ"),
            PERCENT,
            1,
            (407, 501),
            (351, 444),
        ),
        common(
            "2A050000001930101",
            "血小板数",
            ("30014", "ＰＬＴ"),
            iso(".10*3/uL", "×10^3/μL"),
            0,
            (158, 348),
        ),
    ],
};

pub(crate) const CHEMISTRY: Panel = Panel {
    set: code("E002", "生化学的検査", "99O03"),
    material: code("023", "血清", "JC10"),
    tests: &[
        common(
            "3A010000002327101",
            "総蛋白",
            ("10222", "ＴＰ"),
            G_DL,
            1,
            (66, 81),
        ),
        common(
            "3A015000002327101",
            "アルブミン",
            ("10223", "ＡＬＢ"),
            G_DL,
            1,
            (41, 51),
        ),
        common(
            "3B035000002327201",
            "AST(GOT)",
            ("10207", "ＧＯＴ"),
            U_L,
            0,
            (13, 30),
        ),
        test(
            "3B045000002327201",
            "ALT(GPT)",
            ("10208", "ＧＰＴ"),
            U_L,
            0,
            (10, 42),
            (7, 23),
        ),
        test(
            "3B090000002327101",
            "γ-GT",
            ("10211", "ＧＧＴ"),
            U_L,
            0,
            (13, 64),
            (9, 32),
        ),
        common(
            "3C025000002327201",
            "尿素窒素",
            ("10301", "ＢＵＮ"),
            MG_DL,
            1,
            (80, 200),
        ),
        test(
            "3C015000002327101",
            "クレアチニン",
            ("10302", "ＣＲＥ"),
            MG_DL,
            2,
            (65, 107),
            (46, 79),
        ),
        test(
            "3C020000002327101",
            "尿酸",
            ("10303", "ＵＡ"),
            MG_DL,
            1,
            (37, 78),
            (26, 55),
        ),
        common(
            "3H010000002326101",
            "ナトリウム",
            ("10401", "Ｎａ"),
            MMOL_L,
            0,
            (138, 145),
        ),
        common(
            "3H015000002326101",
            "カリウム",
            ("10402", "Ｋ"),
            MMOL_L,
            1,
            (36, 48),
        ),
        common(
            "3H020000002326101",
            "クロール",
            ("10403", "Ｃｌ"),
            MMOL_L,
            0,
            (101, 108),
        ),
        common(
            "3F077000002327101",
            "LDL-コレステロール",
            ("10502", "ＬＤＬ"),
            MG_DL,
            0,
            (65, 163),
        ),
        common(
            "3F015000002327101",
            "中性脂肪",
            ("10503", "ＴＧ"),
            MG_DL,
            0,
            (40, 150),
        ),
    ],
};

pub(crate) const GLUCOSE: Panel = Panel {
    set: code("E005", "糖代謝検査", "99O03"),
    material: code("022", "血漿", "JC10"),
    tests: &[
        common(
            "3D010000002227201",
            "グルコース",
            ("10601", "ＧＬＵ"),
            MG_DL,
            0,
            (73, 109),
        ),
        common(
            "3D046000001920402",
            "ＨｂＡ１ｃ（ＮＧＳＰ）",
            ("30100", "HbA1c"),
            PERCENT,
            1,
            (49, 60),
        ),
    ],
};

/// CRP: below its limit of detection it is `< 0.02`.
pub(crate) const CRP: Test = common(
    "5C070000002306201",
    "ＣＲＰ",
    ("50100", "CRP"),
    MG_DL,
    2,
    (0, 14),
);
/// HBs antigen, qualitative.
pub(crate) const HBS: Test = common(
    "5F016141002305211",
    "ＨＢｓ抗原",
    ("50011", "HBsAg"),
    None,
    0,
    (0, 0),
);
/// Syphilis titre, a ratio.
pub(crate) const TITRE: Test = common(
    "5E075135302311705",
    "ＴＰ抗体（倍率）",
    ("50021", "TPHA"),
    None,
    0,
    (0, 0),
);
/// ABO blood group, coded.
pub(crate) const ABO: Test = common(
    "5H010000001999911",
    "血液型-ABO式",
    ("50900", "ABO"),
    None,
    0,
    (0, 0),
);
/// A test of the hospital that no national code names.
pub(crate) const RESEARCH: Test = common(
    "",
    "",
    ("99901", "研究用マーカーＺ"),
    Some(code("U", "Ｕ", "99X04")),
    1,
    (10, 50),
);

pub(crate) const IMMUNOLOGY_SET: Code = code("E003", "免疫血清検査", "99O03");
pub(crate) const SERUM: Code = code("023", "血清", "JC10");

/// Urine: protein, sugar, blood, all qualitative.
pub(crate) const URINE: Panel = Panel {
    set: code("E004", "尿検査", "99O03"),
    material: code("001", "尿(含むその他)", "JC10"),
    tests: &[
        common(
            "1A990000000190153",
            "尿蛋白",
            ("20001", "Ｕ−ＰＲＯ"),
            None,
            0,
            (0, 0),
        ),
        common(
            "1A990000000190154",
            "尿糖",
            ("20002", "Ｕ−ＧＬＵ"),
            None,
            0,
            (0, 0),
        ),
        common(
            "1A990000000190159",
            "尿潜血",
            ("20003", "Ｕ−ＢＬＤ"),
            None,
            0,
            (0, 0),
        ),
    ],
};

impl Test {
    pub(crate) const fn range(&self, sex: &str) -> (i64, i64) {
        if matches!(sex.as_bytes(), b"F") {
            self.female
        } else {
            self.male
        }
    }

    /// OBX-3: the national code first, or both, or only the hospital's.
    pub(crate) fn coded(&self, with_local: bool) -> Coded {
        let national = (!self.jlac10.is_empty()).then(|| code(self.jlac10, self.name, "JC10"));
        let own = code(self.local.0, self.local.1, "99X03");
        match national {
            Some(_) if with_local => Coded(national, Some(own)),
            Some(_) => Coded(national, None),
            None => Coded(Some(own), None),
        }
    }
}
