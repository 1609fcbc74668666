//! Drugs: HOT9 first, YJ where known; some only by the hospital's own code.

use crate::hl7::{Code, Coded, code};

/// A product that is prescribed.
#[derive(Debug)]
pub(crate) struct Drug {
    pub(crate) name: &'static str,
    pub(crate) hot9: Option<&'static str>,
    pub(crate) yj: Option<&'static str>,
    pub(crate) local: Option<&'static str>,
    pub(crate) unit: Code,
    pub(crate) form: Code,
}

const TABLET: Code = code("TAB", "錠", "MR9P");
const TABLETS: Code = code("TAB", "錠剤", "MR9P");

const fn tablet(name: &'static str, hot9: &'static str, yj: Option<&'static str>) -> Drug {
    Drug {
        name,
        hot9: Some(hot9),
        yj,
        local: None,
        unit: TABLET,
        form: TABLETS,
    }
}

const fn local(name: &'static str, own: &'static str, unit: Code, form: Code) -> Drug {
    Drug {
        name,
        hot9: None,
        yj: None,
        local: Some(own),
        unit,
        form,
    }
}

const fn external(name: &'static str, hot9: &'static str, unit: Code, form: Code) -> Drug {
    Drug {
        name,
        hot9: Some(hot9),
        yj: None,
        local: None,
        unit,
        form,
    }
}

pub(crate) const AMLODIPINE: Drug = tablet("ノルバスク錠５ｍｇ", "103299401", None);
pub(crate) const AMLODIPINE_LOW: Drug =
    tablet("ノルバスク錠２．５ｍｇ", "103297001", Some("2171022F1029"));
pub(crate) const AMLODIPINE_HIGH: Drug = tablet(
    "アムロジピンＯＤ錠１０ｍｇ",
    "121431401",
    Some("2171022F6276"),
);
pub(crate) const LOXOPROFEN: Drug =
    tablet("ロキソニン錠６０ｍｇ", "100988001", Some("1149019F1560"));
pub(crate) const DICLOFENAC: Drug =
    tablet("ボルタレン錠２５ｍｇ", "100795402", Some("1147002F1560"));
pub(crate) const REBAMIPIDE: Drug = tablet("ムコスタ錠１００ｍｇ", "104528401", None);
pub(crate) const MAGNESIUM: Drug = tablet("マグミット錠３３０ｍｇ", "114778001", None);
pub(crate) const CARBOCISTEINE: Drug =
    tablet("ムコダイン錠２５０ｍｇ", "103835401", Some("2233002F1280"));
pub(crate) const PREDNISOLONE: Drug =
    tablet("プレドニン錠５ｍｇ", "105271807", Some("2456001F1310"));
pub(crate) const ACETAMINOPHEN: Drug =
    tablet("カロナール錠５００", "123812902", Some("1141007F3023"));
pub(crate) const PROBIOTIC: Drug = tablet("ミヤＢＭ錠", "104195801", Some("2316009F1022"));
pub(crate) const VONOPRAZAN: Drug = tablet("タケキャブ錠２０ｍｇ", "124045001", None);
pub(crate) const LEMBOREXANT: Drug =
    tablet("デエビゴ錠２．５ｍｇ", "127031001", Some("1190027F1022"));
pub(crate) const CLARITHROMYCIN: Drug = tablet("クラリスロマイシン錠２００ｍｇ", "117417501", None);

pub(crate) const METFORMIN: Drug = local(
    "メトホルミン塩酸塩錠２５０ｍｇ（院内採用）",
    "LC0017",
    TABLET,
    TABLETS,
);
pub(crate) const STATIN: Drug = local(
    "アトルバスタチン錠１０ｍｇ（院内採用）",
    "LC0023",
    TABLET,
    TABLETS,
);
pub(crate) const IRON: Drug = local(
    "クエン酸第一鉄錠５０ｍｇ（院内採用）",
    "LC0031",
    TABLET,
    TABLETS,
);
pub(crate) const ANTICOAGULANT: Drug = local(
    "アピキサバン錠５ｍｇ（院内採用）",
    "LC0044",
    TABLET,
    TABLETS,
);

/// A powder whose dose is milligrams of the substance, not grams of powder.
pub(crate) const POWDER: Drug = Drug {
    name: "アレビアチン散１０％",
    hot9: Some("100607002"),
    yj: None,
    local: Some("LC0102"),
    unit: code("MG", "ミリグラム", "MR9P"),
    form: code("PWD", "散剤", "MR9P"),
};

pub(crate) const OINTMENT: Drug = external(
    "ジフラール軟膏０．０５％",
    "106238001",
    code("HON", "本", "MR9P"),
    code("OIT", "軟膏", "MR9P"),
);
pub(crate) const EYE_DROPS: Drug = external(
    "トラバタンズ点眼液０．００４％",
    "118185202",
    code("BTL", "瓶", "MR9P"),
    code("LQD", "液剤", "MR9P"),
);
pub(crate) const SUPPOSITORY: Drug = external(
    "新レシカルボン坐剤",
    "104937401",
    code("KO", "個", "MR9P"),
    code("SUP", "坐剤", "MR9P"),
);
pub(crate) const TAPE: Drug = local(
    "ケトプロフェンテープ４０ｍｇ（院内採用）",
    "LC0207",
    code("SHT", "枚", "MR9P"),
    code("TPE", "テープ・貼付剤", "MR9P"),
);

const BOTTLE: Code = code("HON", "本", "MR9P");
const AMPOULE: Code = code("AMP", "アンプル", "MR9P");
const INJECTION: Code = code("INJ", "注射剤", "MR9P");

/// Carrier fluids of infusions, with their volume in millilitres.
pub(crate) const FLUIDS: [(Drug, i64); 3] = [
    (
        external(
            "ソリタ−Ｔ３号輸液５００ｍＬ",
            "107750603",
            BOTTLE,
            INJECTION,
        ),
        500,
    ),
    (
        external("生理食塩液１００ｍＬ", "107679002", BOTTLE, INJECTION),
        100,
    ),
    (
        external("大塚糖液５％２５０ｍＬ", "107359101", BOTTLE, INJECTION),
        250,
    ),
];

/// What is mixed into them, with the volume of one ampoule.
pub(crate) const ADDITIVES: [(Drug, i64); 3] = [
    (
        external(
            "アドナ注（静脈用）５０ｍｇ",
            "108010002",
            AMPOULE,
            INJECTION,
        ),
        10,
    ),
    (
        external("ホリゾン注射液１０ｍｇ", "100558502", AMPOULE, INJECTION),
        2,
    ),
    (
        local(
            "メトクロプラミド注１０ｍｇ（院内採用）",
            "LC0301",
            AMPOULE,
            INJECTION,
        ),
        2,
    ),
];

impl Drug {
    /// RXE-2 or RXC-2: HOT9, the hospital's code, or both; a drug with neither is only text.
    pub(crate) fn coded(&self) -> Coded {
        let hot9 = self.hot9.map(|hot9| code(hot9, self.name, "HOT9"));
        let own = self.local.map(|own| code(own, self.name, "99Z14"));
        Coded(hot9, own)
    }

    /// RXE-31.
    pub(crate) fn supplementary(&self) -> Option<Code> {
        self.yj.map(|yj| code(yj, self.name, "YJ"))
    }
}
