//! Invented people: names full of delimiter bytes, addresses in a ward that does not exist.

use crate::charset::half_width;
use crate::hl7::{Segment, escape};
use crate::random::Random;
use crate::time::Moment;
use serde_json::{Value, json};

/// Family names: kanji and kana. Their second bytes are delimiters in ISO-2022-JP or `Shift_JIS`
/// (宮本 5C 5C, 服部 7E, 京極 7E …; 院 5E, 円 7E, 掛 7C, 十 5C, 能 5C in code page 932), or they
/// say openly that nobody bears them.
const FAMILIES: [(&str, &str); 24] = [
    ("宮本", "ミヤモト"),
    ("服部", "ハットリ"),
    ("本多", "ホンダ"),
    ("京極", "キョウゴク"),
    ("芹沢", "セリザワ"),
    ("向井", "ムカイ"),
    ("入江", "イリエ"),
    ("舘岡", "タテオカ"),
    ("日向", "ヒュウガ"),
    ("糖谷", "トウタニ"),
    ("愛川", "アイカワ"),
    ("王生", "イクルミ"),
    ("能勢", "ノセ"),
    ("十文字", "ジュウモンジ"),
    ("院庄", "インノショウ"),
    ("円谷", "ツブラヤ"),
    ("掛川", "カケガワ"),
    ("曽根", "ソネ"),
    ("架空", "カクウ"),
    ("見本", "ミホン"),
    ("例示", "レイジ"),
    ("仮名", "カリナ"),
    ("雛形", "ヒナガタ"),
    ("試作", "シサク"),
];

/// Families written with NEC and IBM extension characters.
const EXTENDED: [(&str, &str); 3] = [
    ("髙橋", "タカハシ"),
    ("﨑山", "サキヤマ"),
    ("德永", "トクナガ"),
];

const WOMEN: [(&str, &str); 12] = [
    ("京美", "キョウミ"),
    ("朋子", "トモコ"),
    ("愛", "アイ"),
    ("時江", "トキエ"),
    ("服子", "フクコ"),
    ("美日", "ミカ"),
    ("本葉", "モトハ"),
    ("詩織", "シオリ"),
    ("菖蒲", "アヤメ"),
    ("万里", "マリ"),
    ("瑠璃", "ルリ"),
    ("ソノ", "ソノ"),
];

const MEN: [(&str, &str); 12] = [
    ("時夫", "トキオ"),
    ("本太郎", "モトタロウ"),
    ("朋也", "トモヤ"),
    ("日出男", "ヒデオ"),
    ("京介", "キョウスケ"),
    ("孔明", "コウメイ"),
    ("勇", "イサム"),
    ("巳之助", "ミノスケ"),
    ("旨一", "ムネカズ"),
    ("能久", "ヨシヒサ"),
    ("拾三", "ジュウゾウ"),
    ("予次郎", "ヨジロウ"),
];

/// How the facility writes a person's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameForm {
    /// Family and given name apart, kanji and full-width kana.
    Usual,
    /// Kana in half-width characters.
    HalfWidthKana,
    /// The whole name in the first component, with a full-width blank.
    Unsplit,
    /// A character outside the set stands as `〓`.
    Gaiji,
    /// Kanji of the NEC and IBM extensions.
    Extended,
    /// Representation codes are missing; the script tells which is which.
    Unmarked,
}

/// An invented patient.
#[derive(Clone, Debug)]
pub struct Person {
    /// The facility's patient number.
    pub local_id: String,
    /// 姓
    pub family: String,
    /// 名
    pub given: String,
    /// セイ, full-width
    pub family_kana: String,
    /// メイ, full-width
    pub given_kana: String,
    /// Day of birth.
    pub birth: Moment,
    /// `F` or `M`.
    pub sex: &'static str,
    /// How the name is written.
    pub name_form: NameForm,
    pub(crate) postal_code: String,
    pub(crate) address: String,
    pub(crate) phone: String,
    pub(crate) mobile: Option<String>,
    pub(crate) work: Option<String>,
}

impl Person {
    /// The person with this local id.
    pub fn invent(random: &mut Random, local_id: String, name_form: NameForm) -> Self {
        let (family, family_kana) = match name_form {
            NameForm::Extended => *random.pick(&EXTENDED),
            NameForm::Gaiji => ("〓橋", "タカハシ"),
            _ => *random.pick(&FAMILIES),
        };
        let female = random.chance(52);
        let (given, given_kana) = *random.pick(if female { &WOMEN } else { &MEN });
        let birth = Moment::day(1931, 1, 1).plus_days(random.between(0, 80 * 365));
        let mut person = Self {
            local_id,
            family: family.to_owned(),
            given: given.to_owned(),
            family_kana: family_kana.to_owned(),
            given_kana: given_kana.to_owned(),
            birth,
            sex: if female { "F" } else { "M" },
            name_form,
            postal_code: String::new(),
            address: String::new(),
            phone: format!("03-0000-{:04}", random.below(10_000)),
            mobile: random
                .chance(70)
                .then(|| format!("090-0000-{:04}", random.below(10_000))),
            work: random
                .chance(30)
                .then(|| format!("03-0000-{:04}", random.below(10_000))),
        };
        person.move_house(random);
        person
    }

    /// Another address in the ward that does not exist.
    pub(crate) fn move_house(&mut self, random: &mut Random) {
        let block = random.pick(&["見本町", "例示台", "京橋本町", "日向が丘"]);
        self.postal_code = format!("100-{:04}", random.below(10_000));
        self.address = if random.chance(50) {
            let (a, b) = (random.between(1, 5), random.between(1, 30));
            format!("東京都架空区{block}{}丁目{}番", wide(a), wide(b))
        } else {
            let (a, b) = (random.between(1, 5), random.between(1, 30));
            format!("東京都架空区{block}{}−{}", wide(a), wide(b))
        };
    }

    /// Another family name, as after a marriage.
    pub(crate) fn rename(&mut self, random: &mut Random) {
        let (family, kana) = *random.pick(&FAMILIES);
        family.clone_into(&mut self.family);
        kana.clone_into(&mut self.family_kana);
    }

    /// Kana name, family and given, as a consent form has it.
    pub fn kana(&self) -> String {
        format!("{} {}", self.family_kana, self.given_kana)
    }

    /// PID with name, birth date and sex, as messages other than demographics carry it.
    pub(crate) fn pid(&self) -> Segment {
        Segment::new("PID")
            .set(1, "0001")
            .set(3, format!("{}^^^^PI", self.local_id))
            .set(5, self.pid5())
            .set(7, self.birth.date())
            .set(8, self.sex)
    }

    /// PID of demographics: with address and telephones.
    pub(crate) fn full_pid(&self, updated: Moment) -> Segment {
        let phone = |number: &str, used: &str| format!("^{used}^^^^^^^^^{number}");
        let mut home = phone(&self.phone, "PRN^PH");
        if let Some(mobile) = &self.mobile {
            home = format!("{home}~{}", phone(mobile, "PRN^CP"));
        }
        let work = self.work.as_ref().map(|number| phone(number, "WPN^PH"));
        self.pid()
            .set(11, self.xad())
            .set(13, home)
            .set(14, work.unwrap_or_default())
            .set(33, updated.second())
    }

    /// XAD with the whole address in component 8.
    pub(crate) fn xad(&self) -> String {
        let address = escape(&self.address);
        format!("^^^^{}^JPN^H^{address}", self.postal_code)
    }

    /// XPN, kanji and kana.
    pub(crate) fn pid5(&self) -> String {
        let (family, given) = (&self.family, &self.given);
        let (family_kana, given_kana) = (&self.family_kana, &self.given_kana);
        match self.name_form {
            NameForm::Unsplit => {
                format!("{family}　{given}^^^^^^L^I~{family_kana}　{given_kana}^^^^^^L^P")
            }
            NameForm::HalfWidthKana => {
                let (family_kana, given_kana) = (half_width(family_kana), half_width(given_kana));
                format!("{family}^{given}^^^^^L^I~{family_kana}^{given_kana}^^^^^L^P")
            }
            NameForm::Unmarked => format!("{family}^{given}~{family_kana}^{given_kana}"),
            _ => format!("{family}^{given}^^^^^L^I~{family_kana}^{given_kana}^^^^^L^P"),
        }
    }

    pub(crate) fn truth(&self) -> Value {
        let name = |family: &str, given: &str, representation: &str| {
            if self.name_form == NameForm::Unsplit {
                json!({"text": format!("{family}　{given}"), "representation": representation})
            } else {
                json!({"family": family, "given": given, "representation": representation})
            }
        };
        let mut telecom = vec![json!({"use": "home", "value": self.phone})];
        telecom.extend(
            self.mobile
                .iter()
                .map(|number| json!({"use": "mobile", "value": number})),
        );
        telecom.extend(
            self.work
                .iter()
                .map(|number| json!({"use": "work", "value": number})),
        );
        json!({
            "identifier": self.local_id,
            "name": [
                name(&self.family, &self.given, "IDE"),
                name(&self.family_kana, &self.given_kana, "SYL"),
            ],
            "gender": if self.sex == "F" { "female" } else { "male" },
            "birthDate": self.birth.iso_date(),
            "address": {"text": self.address, "postalCode": self.postal_code, "country": "JP"},
            "telecom": telecom,
        })
    }
}

/// A number in full-width digits.
fn wide(number: i64) -> String {
    let digit = |c: char| char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c);
    number.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: NameForm, expected: &str) {
        let mut person = Person::invent(&mut Random::new(1, 1), "0000000001".to_owned(), form);
        "宮本".clone_into(&mut person.family);
        "ミヤモト".clone_into(&mut person.family_kana);
        "京美".clone_into(&mut person.given);
        "キョウミ".clone_into(&mut person.given_kana);
        assert_eq!(person.pid5(), expected);
    }

    #[test]
    fn names_are_sent_in_the_forms_of_the_field() {
        check(
            NameForm::Usual,
            "宮本^京美^^^^^L^I~ミヤモト^キョウミ^^^^^L^P",
        );
        check(
            NameForm::HalfWidthKana,
            "宮本^京美^^^^^L^I~ﾐﾔﾓﾄ^ｷｮｳﾐ^^^^^L^P",
        );
        check(
            NameForm::Unsplit,
            "宮本　京美^^^^^^L^I~ミヤモト　キョウミ^^^^^^L^P",
        );
        check(NameForm::Unmarked, "宮本^京美~ミヤモト^キョウミ");
    }

    #[test]
    fn nobody_lives_in_a_ward_that_exists() {
        let person = Person::invent(&mut Random::new(3, 1), "1".to_owned(), NameForm::Usual);
        assert!(person.address.starts_with("東京都架空区"));
        assert!(person.phone.starts_with("03-0000-"));
    }
}
