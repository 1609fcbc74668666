//! The rules that a finding can name. Ids are stable: reports, tests and operators refer to them.
//! `C` rules speak of configuration and live elsewhere; here are `S` (storage), `D` (message) and `R` (reception).

use model::finding::{Effect, Finding, Place, Severity};

/// A rule of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// What a breach does to the item.
    pub effect: Effect,
    /// Text for Japanese readers.
    pub ja: &'static str,
    /// Text for English readers.
    pub en: &'static str,
}

macro_rules! rules {
    ($($id:ident $severity:ident $effect:ident $ja:literal $en:literal)*) => {
        $(
            #[doc = $en]
            pub const $id: Rule = Rule {
                id: stringify!($id),
                severity: Severity::$severity,
                effect: Effect::$effect,
                ja: $ja,
                en: $en,
            };
        )*
        /// Every rule, in the order of their ids.
        pub const RULES: &[Rule] = &[$($id),*];
    };
}

rules! {
    D2001 Error Withhold "HL7 メッセージではない" "not an HL7 message"
    D2002 Warn Publish "MSH の区切り文字が標準と異なる" "unusual delimiters in MSH"
    D2003 Info Publish "HL7 バージョンが 2.5 ではない" "HL7 version is not 2.5"
    D2004 Warn Publish "メッセージ型がデータ種別と合わない" "message type does not fit the data kind"
    D2005 Error Publish "複数のメッセージを含む（最初の1件のみ読む）" "several messages in one item; only the first is read"
    D2006 Error Withhold "本番処理（P）のメッセージではない" "processing id is not P"
    D2007 Error Withhold "メッセージ制御ID（MSH-10）が読めない" "no readable control id in MSH-10"
    D2008 Error Withhold "HL7 v2 ではないバージョン（MSH-12）" "MSH-12 names no version of HL7 v2"
    D2010 Error Publish "セグメントとして読めない行" "a line is no segment"
    D2011 Warn Publish "必須セグメントがない" "a required segment is missing"
    D2012 Warn Publish "必須項目が空" "a required field is empty"
    D2013 Error Publish "項目が大きすぎて分解できない" "a field is too large to be taken apart"
    D2014 Warn Publish "データ型に合わない値" "a value does not fit its data type"
    D2015 Warn Publish "表にない値" "a value is not in its table"
    D2016 Info Publish "繰り返しの2番目以降は読まない" "further repetitions are not read"
    D2017 Info Publish "読まない項目に値がある" "a field or component is not read"
    D2018 Info Publish "読まないセグメント" "a segment is not read"
    D2019 Info Publish "表記を補正して読んだ" "a spelling was repaired"
    D2020 Warn Publish "MSH-18 の宣言と実際の文字コードが異なる" "MSH-18 does not say the character set that is used"
    D2021 Info Publish "機種依存文字（NEC・IBM 拡張）" "a character of the NEC or IBM extensions"
    D2022 Warn Publish "文字コードが混在している" "another character set inside"
    D2023 Error Withhold "文字として読めない" "the text cannot be decoded"
    D2024 Warn Publish "読めない文字を〓に置き換えた" "an unreadable character is shown as 〓"
    D2025 Warn Publish "ASCII への切り替え（ESC ( B）がない" "the return to ASCII is missing"
    D2026 Warn Publish "外字を〓に置き換えた" "a user-defined character is shown as 〓"
    D2027 Warn Publish "制御文字を取り除いた" "a control character was dropped"
    D2028 Info Publish "半角カナ" "half-width katakana"
    D2029 Info Publish "書式のエスケープを取り除いた" "a formatting escape was dropped"
    D2030 Warn Publish "解釈できないエスケープ" "an unknown escape is kept as it stands"
    D2033 Warn Publish "コードと文字列の意味が異なる" "a text contradicts its code"
    D2034 Warn DropPart "必須の値がないためセグメントを読まない" "a segment without its essential value is left out"
    D2051 Warn Publish "終了日が開始日より前" "the end lies before the start"
    D2061 Info Publish "薬剤コードの体系名を補正した" "the drug code belongs to another system than named"
    D2107 Warn Publish "文字が途中で切れている" "a character is cut in half"
    D2300 Error Withhold "患者番号（PID-3）が読めない" "no readable patient id in PID-3"
    D2301 Error Withhold "患者番号がファイル名と異なる" "patient id differs from the file name"
    D2302 Error Withhold "生年月日・氏名が施設の患者基本情報と異なる" "birth date or name differ from the facility's demographics"
    D2303 Warn Publish "患者基本情報の削除（A23）" "the facility deleted the patient's data (A23)"
    D2304 Error Withhold "異なる患者の患者番号（PID-3）を含む" "patient ids of different patients in PID-3"
    D2305 Warn Publish "取消イベントが対象の日時を示さないため直近のイベントを取り消した" "the cancel event does not say when its event was; the latest one is called off"
    D2310 Warn Publish "オーダ番号がファイル名と異なる" "order number differs from the file name"
    D2311 Warn Publish "診療日がメッセージの日付と異なる" "the date of the folder differs from the message"
    D2312 Info Publish "発生日時と MSH-7 が1日以上離れている" "MSH-7 is more than a day away from the file's time"
    R3010 Warn Publish "同じメッセージ制御IDで内容の異なるメッセージ" "other bytes came before under the same control id (MSH-10)"
    S1101 Error Publish "フォルダとファイル名が一致しない" "path does not match the file name"
    S1103 Warn Publish "未知のデータ種別" "unknown data kind"
    S1104 Warn Publish "有効なファイルが複数ある" "two valid files of one slot"
    S1110 Error Withhold "大きすぎて読まない" "the item, or what it says, is larger than allowed; nothing of it was read"
    S1111 Error Withhold "空のファイル" "the file is empty"
    S1112 Error Withhold "ファイルまたはフォルダを開けない（次回に再び試す）" "a file or folder cannot be opened; it is tried again"
    S1113 Error Withhold "読み取り中にプログラムが失敗した" "reading failed inside the program"
    S1114 Warn Publish "ファイル名の形式が標準と異なる" "file name deviates from its format"
    S1116 Info Publish "このデータ種別は原本のまま保管する" "items of this data kind are kept as they are"
    S1117 Error Withhold "ファイル名として読めない" "not a file name of the storage"
}

impl Rule {
    /// A breach of the rule at a place.
    pub fn at(&self, place: Place) -> Finding {
        Finding {
            rule: self.id.to_owned(),
            severity: self.severity,
            effect: self.effect,
            place,
        }
    }
}

/// Findings of one item. A hostile or broken item can breach a rule millions of times, so only the
/// first are kept; one that withholds the item is always kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

/// More findings than any reader of a report would look at.
const MOST: usize = 1000;

impl Findings {
    /// Adds a breach.
    pub fn add(&mut self, rule: Rule, place: Place) {
        self.push(rule.at(place));
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        if self.0.len() < MOST || finding.effect == Effect::Withhold {
            self.0.push(finding);
        }
    }

    /// Adds findings.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// Whether the item must give no record.
    pub fn withhold(&self) -> bool {
        self.0
            .iter()
            .any(|finding| finding.effect == Effect::Withhold)
    }

    /// The findings so far.
    pub fn as_slice(&self) -> &[Finding] {
        &self.0
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order_of_their_family() {
        for (first, second) in RULES.iter().zip(RULES.iter().skip(1)) {
            assert!(first.id < second.id, "{} {}", first.id, second.id);
        }
    }

    #[test]
    fn a_flood_of_findings_is_cut_but_never_the_one_that_withholds() {
        let mut findings = Findings::default();
        (0..5000).for_each(|_| findings.add(D2017, Place::default()));
        findings.add(D2301, Place::default());
        assert_eq!(findings.as_slice().len(), MOST + 1);
        assert!(findings.withhold());
    }
}
