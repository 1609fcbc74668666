//! Diseases: 病名管理番号, name, ICD-10, and what follows from them.

use super::drugs::{self, Drug};
use super::usages::{self, Usage};
use crate::hl7::{Code, code};

/// A disease of the MEDIS master.
#[derive(Debug)]
pub(crate) struct Disease {
    pub(crate) name: Code,
    pub(crate) icd10: &'static str,
    /// 交換用コード
    pub(crate) exchange: Option<&'static str>,
    /// What is prescribed for it for years, with its usage and dose.
    pub(crate) treatment: &'static [(&'static Drug, Usage, i64)],
    /// Analytes (first five characters of JLAC10) that it raises above their range.
    pub(crate) raises: &'static [&'static str],
    /// And those that it lowers.
    pub(crate) lowers: &'static [&'static str],
}

impl Disease {
    const fn raising(mut self, analytes: &'static [&'static str]) -> Self {
        self.raises = analytes;
        self
    }

    const fn lowering(mut self, analytes: &'static [&'static str]) -> Self {
        self.lowers = analytes;
        self
    }
}

const fn disease(
    number: &'static str,
    name: &'static str,
    icd10: &'static str,
    treatment: &'static [(&'static Drug, Usage, i64)],
) -> Disease {
    Disease {
        name: code(number, name, "MDCDX2"),
        icd10,
        exchange: None,
        treatment,
        raises: &[],
        lowers: &[],
    }
}

/// Diseases that last.
pub(crate) const CHRONIC: [Disease; 8] = [
    disease(
        "20059843",
        "２型糖尿病",
        "E11",
        &[(&drugs::METFORMIN, usages::TWICE, 2)],
    )
    .raising(&["3D010", "3D046"]),
    disease(
        "20062270",
        "本態性高血圧症",
        "I10",
        &[(&drugs::AMLODIPINE, usages::BREAKFAST, 1)],
    ),
    disease(
        "20056456",
        "高脂血症",
        "E785",
        &[(&drugs::STATIN, usages::BREAKFAST, 1)],
    )
    .raising(&["3F077", "3F015"]),
    disease(
        "20101440",
        "慢性腎臓病ステージＧ３ａ",
        "N189",
        &[
            (&drugs::AMLODIPINE_LOW, usages::BREAKFAST, 1),
            (&drugs::MAGNESIUM, usages::TWICE, 1),
        ],
    )
    .raising(&["3C015", "3C025", "3C020"]),
    disease(
        "20061606",
        "心房細動",
        "I489",
        &[(&drugs::ANTICOAGULANT, usages::TWICE, 1)],
    ),
    disease(
        "20054044",
        "気管支喘息",
        "J459",
        &[(&drugs::CARBOCISTEINE, usages::THRICE, 2)],
    ),
    disease(
        "20065123",
        "変形性膝関節症",
        "M179",
        &[
            (&drugs::LOXOPROFEN, usages::THRICE, 1),
            (&drugs::REBAMIPIDE, usages::THRICE, 1),
        ],
    ),
    disease(
        "20070224",
        "鉄欠乏性貧血",
        "D509",
        &[(&drugs::IRON, usages::TWICE, 1)],
    )
    .lowering(&["2A030", "2A040"]),
];

/// Diseases that pass.
pub(crate) const ACUTE: [Disease; 3] = [
    disease(
        "20058577",
        "急性肺炎",
        "J189",
        &[(&drugs::CLARITHROMYCIN, usages::TWICE, 1)],
    )
    .raising(&["2A990", "5C070"]),
    disease(
        "20051550",
        "胃潰瘍",
        "K259",
        &[(&drugs::VONOPRAZAN, usages::BREAKFAST, 1)],
    ),
    Disease {
        name: code("20054174", "胃炎", "MDCDX2"),
        icd10: "K297",
        exchange: Some("TSQF"),
        treatment: &[(&drugs::REBAMIPIDE, usages::THRICE, 1)],
        raises: &[],
        lowers: &[],
    },
];

/// 未コード化傷病名: the name stands only in the comment.
pub(crate) const UNCODED: Disease = disease("20084317", "左手首打撲", "", &[]);

/// 急性, a prefix; の疑い, a suffix.
pub(crate) const ACUTE_PREFIX: Code = code("27000225", "急性", "MDCDX2");
pub(crate) const SUSPECTED_SUFFIX: Code = code("8002", "の疑い", "MDCDX2");
