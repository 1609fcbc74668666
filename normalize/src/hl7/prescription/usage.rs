//! JAMI 標準用法マスタ: a usage code of 16 characters in words. A code is decoded whole or not at
//! all: half a dosage instruction would be a wrong one.

/// The words of a usage code, e.g. `1013044400000000` → `内服・経口・１日３回朝昼夕食後`; nothing
/// when any character of the code is not understood (JAMI 標準用法マスタ, 16 characters).
pub(crate) fn decode(code: &str) -> Option<String> {
    let (method, timing) = code
        .split_at_checked(2)
        .filter(|(_, timing)| timing.len() == 14)?;
    let words = match timing.split_at_checked(1)? {
        ("1", rest) => meals(rest)?,
        ("2", rest) => interval(rest)?,
        ("4", rest) => on_event(rest)?,
        ("5", rest) => as_needed(rest)?,
        ("7", rest) => times_only(rest)?,
        _ => return None,
    };
    Some(format!("{}・{words}", method_name(method)?))
}

/// Whether the sender's words name other times of the day than the code does. Words that name
/// none of them contradict nothing.
pub(crate) fn contradicts(code: &str, text: &str) -> bool {
    const TIMES: [&str; 5] = ["朝", "昼", "夕", "就寝", "起床"];
    let named = |words: &str| TIMES.map(|time| words.contains(time));
    let of_text = named(text);
    of_text.contains(&true) && decode(code).is_some_and(|words| named(&words) != of_text)
}

/// Positions 4 to 16 of a code linked to meals and sleep: times a day, then 就寝前, 夕, 昼, 朝, 起床時
/// and a clock hour.
fn meals(digits: &str) -> Option<String> {
    let [times, bed, evening, noon, morning, rise, hour, rest @ ..] = digits.as_bytes() else {
        return None;
    };
    let mut occasions = Vec::new();
    let mut count = 0;
    if flag(*rise, b'9')? {
        occasions.push("起床時".to_owned());
        count += 1;
    }
    let mut last = None;
    for (name, mark) in [("朝", *morning), ("昼", *noon), ("夕", *evening)] {
        let Some(relation) = relation_to_meal(mark)? else {
            continue;
        };
        count += 1;
        match (last, occasions.last_mut()) {
            (Some(same), Some(words)) if same == relation => {
                words.truncate(words.len().saturating_sub(relation.len()));
                words.push_str(name);
                words.push_str(relation);
            }
            _ => occasions.push(format!("{name}{relation}")),
        }
        last = Some(relation);
    }
    if flag(*hour, b'P')? {
        occasions.push("１５時".to_owned());
        count += 1;
    }
    if flag(*bed, b'1')? {
        occasions.push("就寝前".to_owned());
        count += 1;
    }
    // The code says the number twice; where the two differ it is not to be trusted.
    (all_zero(rest) && number(*times)? == count && count > 0)
        .then(|| format!("１日{}回{}", wide(count), occasions.join("と")))
}

fn relation_to_meal(mark: u8) -> Option<Option<&'static str>> {
    Some(match mark {
        b'0' => None,
        b'1' => Some("食前"),
        b'2' => Some("食直前"),
        b'3' => Some("食直後"),
        b'4' => Some("食後"),
        b'5' => Some("食後２時間"),
        _ => return None,
    })
}

/// Equal distances: the hours follow from the times a day.
fn interval(digits: &str) -> Option<String> {
    let (times, rest) = digits.as_bytes().split_first()?;
    let times = number(*times)?;
    let hours = [2, 3, 4, 6, 8].contains(&times).then(|| 24 / times)?;
    all_zero(rest).then(|| format!("１日{}回{}時間毎", wide(times), wide(hours)))
}

/// Times a day on an occasion such as 哺乳時.
fn on_event(digits: &str) -> Option<String> {
    let (times, rest) = digits.split_at_checked(1)?;
    let (occasion, rest) = rest.split_at_checked(2)?;
    let times = number(*times.as_bytes().first()?)?;
    let occasion = condition(occasion)?;
    (all_zero(rest.as_bytes()) && times > 0).then(|| format!("１日{}回{occasion}", wide(times)))
}

/// 頓用: condition, least hours between two doses, most times a day.
fn as_needed(digits: &str) -> Option<String> {
    let (occasion, rest) = digits.strip_prefix('0')?.split_at_checked(2)?;
    let [b'0', gap, most, rest @ ..] = rest.as_bytes() else {
        return None;
    };
    let (gap, most) = (number(*gap)?, number(*most)?);
    let mut words = condition(occasion)?;
    if gap > 0 || most > 0 {
        words.push('　');
    }
    if gap > 0 {
        words.push_str(&format!("{}時間以上あけ", wide(gap)));
    }
    if most > 0 {
        words.push_str(&format!("１日{}回まで", wide(most)));
    }
    all_zero(rest).then_some(words)
}

fn times_only(digits: &str) -> Option<String> {
    let (times, rest) = digits.as_bytes().split_first()?;
    let times = number(*times)?;
    (all_zero(rest) && times > 0).then(|| format!("１日{}回", wide(times)))
}

fn flag(byte: u8, set: u8) -> Option<bool> {
    match byte {
        b'0' => Some(false),
        byte if byte == set => Some(true),
        _ => None,
    }
}

fn all_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b'0')
}

/// One character of a count: a digit, or a letter from 10 on.
fn number(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'C' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    }
}

/// Digits as Japanese prescriptions write them.
fn wide(number: u32) -> String {
    const DIGITS: [char; 10] = ['０', '１', '２', '３', '４', '５', '６', '７', '８', '９'];
    let digits = number.to_string();
    digits
        .chars()
        .filter_map(|digit| DIGITS.into_iter().nth(digit.to_digit(10)? as usize))
        .collect()
}

/// Positions 1 and 2: 基本用法 and its detail.
fn method_name(code: &str) -> Option<&'static str> {
    METHODS
        .iter()
        .find(|(key, _)| *key == code)
        .map(|(_, name)| *name)
}

/// Positions 5 and 6 of types 4 and 5, as an occasion.
fn condition(code: &str) -> Option<String> {
    let (_, name) = CONDITIONS.iter().find(|(key, _)| *key == code)?;
    let complete = name.ends_with(['時', '前', '後', '中', '宜']);
    Some(if complete {
        (*name).to_owned()
    } else {
        format!("{name}時")
    })
}

const METHODS: &[(&str, &str)] = &[
    ("10", "内服・経口"),
    ("11", "内服・舌下"),
    ("12", "内服・バッカル"),
    ("13", "内服・口腔内塗布"),
    ("2A", "外用・貼付"),
    ("2B", "外用・塗布"),
    ("2C", "外用・湿布"),
    ("2D", "外用・撒布"),
    ("2E", "外用・噴霧"),
    ("2F", "外用・消毒"),
    ("2G", "外用・点耳"),
    ("2H", "外用・点眼"),
    ("2J", "外用・点鼻"),
    ("2K", "外用・うがい"),
    ("2L", "外用・吸入"),
    ("2M", "外用・トローチ"),
    ("2N", "外用・膀胱洗浄"),
    ("2P", "外用・鼻腔内洗浄"),
    ("2Q", "外用・浣腸"),
    ("2R", "外用・肛門挿入"),
    ("2S", "外用・肛門注入"),
    ("2T", "外用・膣内挿入"),
    ("2U", "外用・膀胱注入"),
    ("30", "注射・静注"),
    ("31", "注射・中心静脈"),
    ("32", "注射・皮下"),
    ("33", "注射・筋注"),
    ("34", "注射・皮内"),
    ("35", "注射・動脈"),
    ("3A", "注射・硬膜外"),
    ("3B", "注射・脳脊髄腔"),
    ("3C", "注射・骨髄内"),
    ("3D", "注射・関節腔内"),
    ("3E", "注射・腱鞘"),
    ("3F", "注射・腱鞘"),
    ("3G", "注射・硝子体"),
    ("3H", "注射・結膜下"),
    ("3J", "注射・テノン嚢"),
    ("3K", "注射・耳茸"),
    ("3L", "注射・咽頭"),
    ("3M", "注射・胸腔"),
    ("3N", "注射・痔核"),
    ("3P", "注射・角膜"),
    ("3Q", "注射・球後"),
    ("3R", "注射・腹腔"),
    ("3Z", "注射・局所"),
    ("40", "注入・腹膜透析"),
    ("41", "注入・気管内"),
    ("42", "注入・涙嚢"),
    ("43", "注入・鼓室"),
    ("44", "注入・滑液嚢"),
    ("45", "注入・腹腔"),
    ("4Z", "注入・病巣"),
];

const CONDITIONS: &[(&str, &str)] = &[
    ("11", "疼痛"),
    ("12", "頭痛"),
    ("13", "歯痛"),
    ("14", "胸痛"),
    ("15", "腹痛"),
    ("16", "腰痛"),
    ("17", "関節痛"),
    ("21", "喘鳴"),
    ("22", "喘息発作"),
    ("23", "喉ゴロゴロ"),
    ("24", "咳込"),
    // Written so in the 16-character codes of the FHIR package.
    ("25", "咳込"),
    ("31", "血圧上昇"),
    ("32", "血糖上昇"),
    ("41", "便秘"),
    ("42", "お腹ゴロゴロ"),
    ("43", "下痢"),
    ("44", "排便"),
    ("45", "嘔吐"),
    ("46", "口腔乾燥"),
    ("47", "吐き気"),
    ("48", "空腹"),
    ("49", "出血"),
    ("51", "乏尿"),
    ("52", "多尿"),
    ("53", "むくみ"),
    ("61", "不眠"),
    ("62", "不安"),
    ("63", "不穏"),
    ("64", "いらいら"),
    ("65", "けいれん"),
    ("66", "めまい"),
    ("67", "疲労"),
    ("71", "発熱"),
    ("72", "悪寒"),
    ("81", "かゆい"),
    ("82", "発疹"),
    ("91", "発作"),
    ("92", "症状ある"),
    ("A1", "検査前"),
    ("A2", "検査時"),
    ("A3", "検査後"),
    ("A4", "手術前"),
    ("A5", "手術中"),
    ("A6", "手術後"),
    ("A7", "処置前"),
    ("A8", "処置時"),
    ("A9", "処置後"),
    ("B1", "起床時"),
    ("B2", "入浴前"),
    ("B3", "食事前"),
    ("B4", "食事後"),
    ("B5", "就寝前"),
    ("B6", "外出時"),
    ("B7", "哺乳時"),
    ("W1", "必要時"),
    ("W2", "適宜"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: Option<&str>) {
        assert_eq!(decode(code).as_deref(), expected, "{code}");
    }

    #[test]
    fn meals_and_bedtime() {
        check("1013044400000000", Some("内服・経口・１日３回朝昼夕食後"));
        check("1012040400000000", Some("内服・経口・１日２回朝夕食後"));
        check("1011000400000000", Some("内服・経口・１日１回朝食後"));
        check("1011040000000000", Some("内服・経口・１日１回夕食後"));
        check(
            "1014144400000000",
            Some("内服・経口・１日４回朝昼夕食後と就寝前"),
        );
        check("1011000090000000", Some("内服・経口・１日１回起床時"));
        check("1011100000000000", Some("内服・経口・１日１回就寝前"));
        check(
            "101514440P000000",
            Some("内服・経口・１日５回朝昼夕食後と１５時と就寝前"),
        );
        check(
            "1012040100000000",
            Some("内服・経口・１日２回朝食前と夕食後"),
        );
    }

    #[test]
    fn intervals_counts_and_occasions() {
        check("1023000000000000", Some("内服・経口・１日３回８時間毎"));
        check("2B74000000000000", Some("外用・塗布・１日４回"));
        check("1043B70000000000", Some("内服・経口・１日３回哺乳時"));
    }

    #[test]
    fn as_needed_says_condition_gap_and_limit() {
        check("1050110020000000", Some("内服・経口・疼痛時　１日２回まで"));
        check(
            "1050160A10000000",
            Some("内服・経口・腰痛時　１０時間以上あけ１日１回まで"),
        );
        check("1050610000000000", Some("内服・経口・不眠時"));
    }

    #[test]
    fn what_is_not_understood_is_not_decoded() {
        // a count that contradicts the marks, unknown letters, wrong length, other types
        for code in [
            "1012044400000000",
            "101304440X000000",
            "101304440000000",
            "10130444000000001",
            "1063044400000000",
            "9913044400000000",
            "1013044400000001",
            "１０１３０４４４",
            "",
        ] {
            check(code, None);
        }
    }

    #[test]
    fn words_that_name_another_time_contradict() {
        assert!(contradicts(
            "1011040000000000",
            "内服・経口・１日１回朝食後"
        ));
        assert!(!contradicts(
            "1011000400000000",
            "内服・経口・１日１回朝食後"
        ));
        assert!(!contradicts("1011040000000000", "医師の指示どおり"));
        assert!(!contradicts("local", "１日１回朝食後"));
    }
}
