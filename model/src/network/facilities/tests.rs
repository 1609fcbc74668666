use super::*;
use crate::mistake::brief;

const HEADER_LINE: &str = "code\tname\tkana\tkind\tgroups\tdiscloses\n";

fn parse(rows: &str) -> Parsed<BTreeMap<FacilityId, Facility>> {
    Facility::parse_all("facilities.tsv", &format!("{HEADER_LINE}{rows}"))
}

/// The mistakes of rows behind the header, each as `line:column rule message | help`.
fn check(rows: &str, expected: &[&str]) {
    assert_eq!(brief(&parse(rows).mistakes), expected, "{rows}");
}

#[test]
fn a_row_is_a_facility() {
    let facilities = parse(
        "# 病院\n1319999901\t中央病院\tチュウオウビョウイン\thospital\teast; north\tlab;micro\n\n",
    )
    .value
    .unwrap();
    let facility = facilities.values().next().unwrap();
    assert_eq!(facility.code.to_string(), "1319999901");
    assert_eq!(facility.kind, FacilityKind::Hospital);
    assert_eq!(facility.groups, ["east", "north"]);
    assert_eq!(
        facility.discloses,
        [Category::Lab, Category::Micro].into_iter().collect()
    );
}

#[test]
fn a_star_discloses_everything_and_nothing_discloses_nothing() {
    let facilities = parse(
        "1319999902\t西医院\tニシイイン\tclinic\t\t*\n1349999903\t薬局\tヤッキョク\tpharmacy\t\t\n",
    )
    .value
    .unwrap();
    let disclosed: Vec<Categories> = facilities
        .values()
        .map(|facility| facility.discloses)
        .collect();
    assert_eq!(disclosed, [Categories::ALL, Categories::NONE]);
}

#[test]
fn a_code_has_ten_digits_of_a_prefecture() {
    check(
        "131999990\t中央\tチュウオウ\thospital\t\t*\n",
        &[
            "2:1 C0102 `code` must be ten digits that begin with a prefecture (01 to 47), not \"131999990\"",
        ],
    );
    check(
        "4819999901\t中央\tチュウオウ\thospital\t\t*\n",
        &[
            "2:1 C0102 `code` must be ten digits that begin with a prefecture (01 to 47), not \"4819999901\"",
        ],
    );
    check(
        "１３１９９９９９０１\t中央\tチュウオウ\thospital\t\t*\n",
        &[
            "2:1 C0102 `code` must be ten digits that begin with a prefecture (01 to 47), not \"１３１９９９９９０１\"",
        ],
    );
}

#[test]
fn the_fee_table_in_the_code_fits_the_kind() {
    check(
        "1319999903\t薬局\tヤッキョク\tpharmacy\t\t*\n",
        &[
            "2:1 C0123 `code` 1319999903 has another fee table than `kind` says: the third digit must be 4",
        ],
    );
}

#[test]
fn a_code_stands_once() {
    check(
        "1319999901\t中央\tチュウオウ\thospital\t\t*\n1319999901\t別\tベツ\tclinic\t\t*\n",
        &["3:1 C0103 `code` 1319999901 stands in two rows"],
    );
}

#[test]
fn kinds_and_categories_are_known_words_and_columns_count_characters() {
    check(
        "1319999901\t中央病院\tチュウオウ\thopsital\t\tlab;labs; imge\n",
        &[
            "2:23 C0122 `kind` does not know \"hopsital\" | did you mean \"hospital\"?",
            "2:37 C0122 `discloses` does not know \"labs\" | did you mean \"lab\"?",
            "2:43 C0122 `discloses` does not know \"imge\" | did you mean \"image\"?",
        ],
    );
}

#[test]
fn names_are_not_empty() {
    check(
        "1319999901\t \t\thospital\t\t*\n",
        &["2:12 C0120 `name` is empty", "2:14 C0120 `kana` is empty"],
    );
}

#[test]
fn a_row_has_six_columns() {
    check(
        "1319999901\t中央\tチュウオウ\thospital\t*\n",
        &["2:1 C0100 the row has 5 columns, not 6"],
    );
}

#[test]
fn the_header_says_which_columns() {
    let found =
        Facility::parse_all("facilities.tsv", "code,name,kana,kind,groups,discloses\n").mistakes;
    assert_eq!(
        found[0].to_string(),
        "facilities.tsv:1:1: error[C0100]: the header line has other columns\n  help: write the columns code name kana kind groups discloses, separated by one tab each"
    );
    let found = Facility::parse_all("facilities.tsv", "# nothing\n").mistakes;
    assert_eq!(
        found[0].labelled("error"),
        "facilities.tsv: error[C0120]: there is no header line\n  help: code<TAB>name<TAB>kana<TAB>kind<TAB>groups<TAB>discloses"
    );
}

#[test]
fn files_of_windows_editors_are_read_with_the_same_places() {
    let text = format!("\u{feff}{HEADER_LINE}1319999901\t中央\tチュウオウ\thospital\t\tlab\n1319999902\t西\tニシ\tcliinic\t\t*\n").replace('\n', "\r\n");
    let found = Facility::parse_all("facilities.tsv", &text).mistakes;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].column), (3, 17));
}
