//! データ種別: what an item of a standardized storage is about. The folder and the file name say it;
//! the message type inside is only checked against it.

/// A data kind of SS-MIX2 標準化ストレージ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// 患者基本情報
    Adt00,
    /// 担当医
    Adt01,
    /// 外来診察の受付
    Adt12,
    /// 入院予定
    Adt21,
    /// 入院実施
    Adt22,
    /// 外出泊実施
    Adt31,
    /// 外出泊帰院実施
    Adt32,
    /// 転科・転棟予定
    Adt41,
    /// 転科・転棟実施
    Adt42,
    /// 退院予定
    Adt51,
    /// 退院実施
    Adt52,
    /// アレルギー情報
    Adt61,
    /// 病名(歴)情報
    Ppr01,
    /// 食事オーダ
    Omd,
    /// 処方オーダ
    Omp01,
    /// 処方実施通知
    Omp11,
    /// 注射オーダ
    Omp02,
    /// 注射実施通知
    Omp12,
    /// 検体検査オーダ
    Oml01,
    /// 検体検査結果通知
    Oml11,
    /// 放射線検査オーダ
    Omg01,
    /// 放射線検査の実施通知
    Omg11,
    /// 内視鏡検査オーダ
    Omg02,
    /// 内視鏡検査の実施通知
    Omg12,
    /// 生理検査オーダ
    Omg03,
    /// 生理検査結果通知
    Omg13,
    /// A kind that the standard does not know.
    Other(String),
}

/// Type and trigger event of a message (MSH-9.1, MSH-9.2).
pub type Trigger = (&'static str, &'static str);

struct Known {
    kind: DataKind,
    name: &'static str,
    messages: &'static [Trigger],
    /// Where the message holds the date of the folder: segment and field.
    date: Option<(&'static str, usize)>,
}

macro_rules! known {
    ($($kind:ident $name:literal [$($message:literal $event:literal),*] $date:expr;)*) => {
        &[$(Known { kind: DataKind::$kind, name: $name, messages: &[$(($message, $event)),*], date: $date }),*]
    };
}

static KNOWN: &[Known] = known! {
    Adt00 "ADT-00" ["ADT" "A08", "ADT" "A23"] None;
    Adt01 "ADT-01" ["ADT" "A54", "ADT" "A55"] None;
    Adt12 "ADT-12" ["ADT" "A04"] Some(("PV1", 44));
    Adt21 "ADT-21" ["ADT" "A14", "ADT" "A27"] Some(("PV2", 8));
    Adt22 "ADT-22" ["ADT" "A01", "ADT" "A11"] Some(("PV1", 44));
    Adt31 "ADT-31" ["ADT" "A21", "ADT" "A52"] Some(("EVN", 6));
    Adt32 "ADT-32" ["ADT" "A22", "ADT" "A53"] Some(("EVN", 6));
    Adt41 "ADT-41" ["ADT" "A15", "ADT" "A26"] Some(("PV2", 8));
    Adt42 "ADT-42" ["ADT" "A02", "ADT" "A12"] Some(("EVN", 6));
    Adt51 "ADT-51" ["ADT" "A16", "ADT" "A25"] Some(("PV2", 9));
    Adt52 "ADT-52" ["ADT" "A03", "ADT" "A13"] Some(("PV1", 45));
    Adt61 "ADT-61" ["ADT" "A60"] None;
    Ppr01 "PPR-01" ["PPR" "ZD1"] None;
    Omd "OMD" ["OMD" "O03"] Some(("ORC", 9));
    Omp01 "OMP-01" ["RDE" "O11"] Some(("ORC", 9));
    Omp11 "OMP-11" ["RAS" "O17"] Some(("RXA", 3));
    Omp02 "OMP-02" ["RDE" "O11"] Some(("ORC", 9));
    Omp12 "OMP-12" ["RAS" "O17"] Some(("RXA", 3));
    Oml01 "OML-01" ["OML" "O33"] Some(("ORC", 9));
    Oml11 "OML-11" ["OUL" "R22"] Some(("SPM", 17));
    Omg01 "OMG-01" ["OMG" "O19"] Some(("ORC", 9));
    Omg11 "OMG-11" ["OMI" "Z23"] Some(("OBR", 7));
    Omg02 "OMG-02" ["OMG" "O19"] Some(("ORC", 9));
    Omg12 "OMG-12" ["OMI" "Z23"] Some(("OBR", 7));
    Omg03 "OMG-03" ["OMG" "O19"] Some(("ORC", 9));
    Omg13 "OMG-13" ["ORU" "R01"] Some(("OBR", 7));
};

impl DataKind {
    /// The kind of a name, e.g. `OMP-01`.
    pub fn named(name: &str) -> Self {
        let known = KNOWN.iter().find(|known| known.name == name);
        known.map_or_else(|| Self::Other(name.to_owned()), |known| known.kind.clone())
    }

    /// A small number that stands for the kind where only numbers are kept; 0 for kinds that the
    /// standard does not know.
    pub fn number(&self) -> i64 {
        (1..)
            .zip(KNOWN)
            .find(|(_, known)| known.kind == *self)
            .map_or(0, |(number, _)| number)
    }

    /// The kind of a number made by [`DataKind::number`].
    pub fn numbered(number: i64) -> Self {
        let known = usize::try_from(number)
            .ok()
            .and_then(|number| KNOWN.get(number.checked_sub(1)?));
        known.map_or_else(|| Self::Other(String::new()), |known| known.kind.clone())
    }

    fn known(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.kind == *self)
    }

    /// The name, e.g. `OMP-01`.
    pub fn name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => known.known().map_or("", |known| known.name),
        }
    }

    /// Whether items of this kind become records.
    pub fn reads(&self) -> bool {
        matches!(
            self,
            Self::Adt00
                | Self::Adt12
                | Self::Adt22
                | Self::Adt52
                | Self::Adt61
                | Self::Ppr01
                | Self::Omp01
                | Self::Omp02
                | Self::Oml11
        )
    }

    /// The messages that belong under this kind.
    pub fn messages(&self) -> &'static [Trigger] {
        self.known().map_or(&[], |known| known.messages)
    }

    /// The kinds as which a message may stand in a storage, in their order.
    pub fn sent_as(message: &str, event: &str) -> Vec<Self> {
        let sent = |known: &&Known| known.messages.contains(&(message, event));
        let kinds = KNOWN.iter().filter(sent);
        kinds.map(|known| known.kind.clone()).collect()
    }

    /// The field whose date names the folder (診療日), where the kind has one.
    pub fn date_field(&self) -> Option<(&'static str, usize)> {
        self.known().and_then(|known| known.date)
    }

    /// Whether several events share a slot when the sender gives no order number: two receptions or
    /// two moves on one day.
    pub fn repeats_in_slot(&self) -> bool {
        matches!(
            self,
            Self::Adt12 | Self::Adt31 | Self::Adt32 | Self::Adt41 | Self::Adt42
        )
    }

    /// Whether the order number of the file name is that of the message (ORC-2).
    pub fn has_order_number(&self) -> bool {
        self.name().starts_with('O') && self.known().is_some()
    }
}

/// A message type with its event, if the storage knows it.
pub fn trigger(message: &str, event: &str) -> Option<Trigger> {
    let mut all = KNOWN.iter().flat_map(|known| known.messages);
    all.find(|known| **known == (message, event)).copied()
}

/// Whether a trigger event calls off another one (HL7 table 0003).
pub fn cancels(event: &str) -> bool {
    matches!(
        event,
        "A11" | "A12" | "A13" | "A23" | "A25" | "A26" | "A27" | "A52" | "A53" | "A55"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_36_combinations_of_kind_and_message_are_known() {
        assert_eq!(
            KNOWN
                .iter()
                .map(|known| known.messages.len())
                .sum::<usize>(),
            36
        );
        for known in KNOWN {
            assert_eq!(DataKind::named(known.name), known.kind);
            assert_eq!(known.kind.name(), known.name);
            assert_eq!(DataKind::numbered(known.kind.number()), known.kind);
        }
    }

    #[test]
    fn kinds_of_tools_are_other_kinds() {
        for name in ["RAS-01", "OMI-01", "ADT-02", "OML-12", ""] {
            assert_eq!(DataKind::named(name), DataKind::Other(name.to_owned()));
            assert!(!DataKind::named(name).reads());
        }
    }

    #[test]
    fn cancel_events_are_those_of_the_storage() {
        assert!(cancels("A11") && cancels("A13") && cancels("A52"));
        assert!(!cancels("A01") && !cancels("A08") && !cancels("A60"));
    }
}
