//! What a facility's own message says about who somebody is, and whether it fits: as blind tokens, so
//! that later items are compared without opening anything.

use jiff::civil::Date;
use model::papers::{ConsentPaper, LinkState};
use model::person::Sex;

use super::Fold;
use crate::keys::Keys;

/// Who somebody is, as one message says it. Names are folded, family and given name with a blank
/// between them where the message tells them apart; a name with unreadable characters counts as
/// absent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Birth date.
    pub birth_date: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Name in kana.
    pub kana: Option<String>,
    /// Name in kanji.
    pub kanji: Option<String>,
}

/// The same as blind tokens; 0 is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) birth_date: i64,
    pub(super) sex: i64,
    pub(super) kana: i64,
    pub(super) kanji: i64,
    /// The given name alone, where the message tells it apart.
    pub(super) given_kana: i64,
    pub(super) given_kanji: i64,
}

const fn same(one: i64, other: i64) -> bool {
    one != 0 && one == other
}

const fn differ(one: i64, other: i64) -> bool {
    one != 0 && other != 0 && one != other
}

impl Tokens {
    /// The tokens of a message.
    pub(super) fn of(keys: &Keys, evidence: &Evidence) -> Self {
        let token = |domain: &str, text: Option<&str>| {
            text.filter(|text| !text.is_empty())
                .map_or(0, |text| keys.blind(domain, text))
        };
        let whole = |domain: &str, name: &Option<String>| {
            let name = name.as_ref().map(|name| name.replace(' ', ""));
            token(domain, name.as_deref())
        };
        let given = |domain: &str, name: &Option<String>| {
            let parts = name.as_ref().and_then(|name| name.split_once(' '));
            token(domain, parts.map(|(_, given)| given))
        };
        let sex = evidence.sex.map(|sex| match sex {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Other => "other",
            Sex::Unknown => "",
        });
        Self {
            birth_date: token(
                "link birth date",
                evidence.birth_date.map(|date| date.to_string()).as_deref(),
            ),
            sex: token("link sex", sex),
            kana: whole("link kana", &evidence.kana),
            kanji: whole("link kanji", &evidence.kanji),
            given_kana: given("link given kana", &evidence.kana),
            given_kanji: given("link given kanji", &evidence.kanji),
        }
    }

    /// The tokens of a consent form; it has no kanji.
    pub(super) fn on(keys: &Keys, paper: &ConsentPaper, fold: Fold) -> Self {
        let (birth_date, sex) = (Some(paper.birth_date), Some(paper.sex));
        Self::of(
            keys,
            &Evidence {
                birth_date,
                sex,
                kana: Some(fold(&paper.kana)),
                kanji: None,
            },
        )
    }

    /// What a form and a facility's demographics say of each other. Birth date and kana must agree; a
    /// facility without kana may agree in sex and in the kanji that other facilities, proved already,
    /// have of the patient. What cannot be compared leaves the link unproved.
    pub(super) fn compare(&self, facility: &Self, known_kanji: &[i64]) -> LinkState {
        if differ(self.birth_date, facility.birth_date) {
            return LinkState::Disagrees;
        }
        if facility.birth_date == 0 {
            return LinkState::Unproved;
        }
        let kanji_known = known_kanji.contains(&facility.kanji);
        if same(self.kana, facility.kana) || (same(self.sex, facility.sex) && kanji_known) {
            return LinkState::Proved;
        }
        let other_kana = differ(self.kana, facility.kana);
        let other_kanji = facility.kanji != 0 && !known_kanji.is_empty() && !kanji_known;
        let other_sex = kanji_known && differ(self.sex, facility.sex);
        if other_kana || other_kanji || other_sex {
            LinkState::Disagrees
        } else {
            LinkState::Unproved
        }
    }

    /// Whether a later item may be of the same patient as one of the facility's demographics
    /// versions: birth date, and kana or kanji; sex only where the item carries no name.
    pub(super) fn fits(&self, versions: &[Self]) -> bool {
        versions.iter().any(|version| {
            let nameless = self.kana == 0 && self.kanji == 0;
            let name = same(self.kana, version.kana) || same(self.kanji, version.kanji);
            same(self.birth_date, version.birth_date)
                && (name || (nameless && same(self.sex, version.sex)))
        })
    }

    /// Whether demographics may be a further version of a proved link: they fit, or the family name is
    /// another one. People marry; their birth date, sex and given name stay. Twins share the first two
    /// and the family name, so the given name must be there and agree (ADR 7).
    pub(super) fn follows(&self, versions: &[Self]) -> bool {
        let renamed = |version: &Self| {
            let given = same(self.given_kana, version.given_kana)
                || same(self.given_kanji, version.given_kanji);
            same(self.birth_date, version.birth_date) && !differ(self.sex, version.sex) && given
        };
        self.fits(versions) || versions.iter().any(renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: i64 = 0;

    fn tokens(birth_date: i64, sex: i64, kana: i64, kanji: i64) -> Tokens {
        Tokens {
            birth_date,
            sex,
            kana,
            kanji,
            given_kana: ABSENT,
            given_kanji: ABSENT,
        }
    }

    /// The form says born 1, sex 2, kana 3; other facilities write kanji 4.
    fn check(facility: Tokens, expected: LinkState) {
        assert_eq!(
            tokens(1, 2, 3, ABSENT).compare(&facility, &[4]),
            expected,
            "{facility:?}"
        );
    }

    #[test]
    fn birth_date_and_kana_prove_a_link() {
        check(tokens(1, 2, 3, 4), LinkState::Proved);
        check(tokens(1, ABSENT, 3, ABSENT), LinkState::Proved);
        check(tokens(1, 9, 3, 9), LinkState::Proved);
    }

    #[test]
    fn sex_and_known_kanji_prove_a_link_as_well() {
        check(tokens(1, 2, ABSENT, 4), LinkState::Proved);
        check(tokens(1, 2, 9, 4), LinkState::Proved);
    }

    #[test]
    fn another_birth_date_or_name_disagrees() {
        check(tokens(9, 2, 3, 4), LinkState::Disagrees);
        check(tokens(1, 2, 9, ABSENT), LinkState::Disagrees);
        check(tokens(1, 2, ABSENT, 9), LinkState::Disagrees);
        check(tokens(1, 9, ABSENT, 4), LinkState::Disagrees);
    }

    #[test]
    fn what_cannot_be_compared_proves_nothing() {
        check(tokens(ABSENT, 2, 3, 4), LinkState::Unproved);
        check(tokens(1, 2, ABSENT, ABSENT), LinkState::Unproved);
        check(tokens(1, ABSENT, ABSENT, 4), LinkState::Unproved);
        assert_eq!(
            tokens(1, 2, 3, ABSENT).compare(&tokens(1, 2, ABSENT, 4), &[]),
            LinkState::Unproved
        );
    }

    #[test]
    fn a_later_item_needs_the_birth_date_and_a_name_of_one_version() {
        let versions = [tokens(1, 2, 3, 4), tokens(1, 2, 5, 6)];
        for (item, fits) in [
            (tokens(1, ABSENT, 3, ABSENT), true),
            (tokens(1, 9, 9, 6), true),
            (tokens(1, 2, ABSENT, ABSENT), true),
            (tokens(1, 9, ABSENT, ABSENT), false),
            (tokens(1, 2, 9, 9), false),
            (tokens(9, 2, 3, 4), false),
            (tokens(ABSENT, 2, 3, 4), false),
        ] {
            assert_eq!(item.fits(&versions), fits, "{item:?}");
        }
        assert!(!tokens(1, 2, 3, 4).fits(&[]));
    }

    #[test]
    fn demographics_after_a_marriage_follow_the_earlier_ones() {
        let given = |tokens, given_kana, given_kanji| Tokens {
            given_kana,
            given_kanji,
            ..tokens
        };
        let versions = [given(tokens(1, 2, 3, 4), 7, 8)];
        for (later, follows) in [
            (given(tokens(1, 2, 5, 6), 7, 8), true),
            (given(tokens(1, 2, 5, 6), 7, 9), true),
            (given(tokens(1, ABSENT, 5, 6), ABSENT, 8), true),
            // A twin, or whoever got the number after the patient.
            (given(tokens(1, 2, 5, 6), 9, 9), false),
            (given(tokens(1, 9, 5, 6), 7, 8), false),
            (given(tokens(9, 2, 5, 6), 7, 8), false),
            // What is not told apart cannot be compared.
            (tokens(1, 2, 5, 6), false),
            (tokens(1, 9, 3, 6), true),
            (tokens(9, 2, 3, 4), false),
        ] {
            assert_eq!(later.follows(&versions), follows, "{later:?}");
        }
    }
}
