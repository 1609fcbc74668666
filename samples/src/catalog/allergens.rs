//! Allergens: drugs, foods, pollen and others, with and without codes.

use crate::hl7::{Code, code};

/// Something that patients do not bear, with HL7 table 0127.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allergen {
    pub(crate) category: Code,
    pub(crate) substance: Code,
    pub(crate) reaction: &'static str,
}

const DRUG: Code = code("DA", "薬剤アレルギー", "HL70127");
const FOOD: Code = code("FA", "食物アレルギー", "HL70127");
const POLLEN: Code = code("LA", "花粉アレルギー", "HL70127");
const ENVIRONMENT: Code = code("EA", "環境アレルギー", "HL70127");
const ANIMAL: Code = code("AA", "動物アレルギー", "HL70127");
const CONTRAINDICATION: Code = code("MC", "種々の禁忌", "HL70127");

const fn allergen(category: Code, substance: Code, reaction: &'static str) -> Allergen {
    Allergen {
        category,
        substance,
        reaction,
    }
}

pub(crate) const ALLERGENS: [Allergen; 8] = [
    allergen(DRUG, code("106824501", "アリナミン", "HOT9"), "発疹"),
    allergen(FOOD, code("5A1002411023006", "ソバ", "JC10"), "呼吸困難"),
    allergen(
        POLLEN,
        code("5A1002216023023", "スギ", "JC10"),
        "くしゃみ&鼻汁",
    ),
    allergen(
        FOOD,
        code("J9FA21180000", "ピーナッツ", "J-FAGY"),
        "口腔内の痒み",
    ),
    allergen(ENVIRONMENT, code("J9NM12000000", "ダニ", "J-FAGY"), "咳"),
    allergen(ANIMAL, code("J9NJ12150000", "猫", "J-FAGY"), ""),
    allergen(
        CONTRAINDICATION,
        code("J9NT11000000", "アルコール", "J-FAGY"),
        "発赤",
    ),
    allergen(POLLEN, code("", "スギ花粉", "99ZAL"), ""),
];

/// Drug groups of AL1, uncoded or coded by the hospital.
pub(crate) const GROUPS: [Allergen; 3] = [
    allergen(DRUG, code("", "ペニシリン系抗生物質", "99XYZ"), ""),
    allergen(DRUG, code("4", "セフェム系抗生物質", "99XYZ"), ""),
    allergen(DRUG, code("13", "非ステロイド性抗炎症薬", "99XYZ"), ""),
];
