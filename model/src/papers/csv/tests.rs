//! Cells: quotation marks, line breaks, places.

use super::cells::rows;

/// Each cell as `line:column text`, lines apart by `|`.
fn check(text: &str, expected: &str) {
    let rows = rows(text).unwrap();
    let row = |row: &super::Row| {
        let cell = |at| format!("{}:{} {}", row.place(at).0, row.place(at).1, row.text(at));
        (0..row.len()).map(cell).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        rows.iter().map(row).collect::<Vec<_>>().join(" | "),
        expected,
        "{text:?}"
    );
}

#[test]
fn cells_know_where_they_begin() {
    check("a,b\nc,d", "1:1 a, 1:3 b | 2:1 c, 2:3 d");
    check("名,前\r\nc,\r\n", "1:1 名, 1:3 前 | 2:1 c, 2:3 ");
}

#[test]
fn quotation_marks_keep_commas_and_line_breaks() {
    check("\"a,b\",c", "1:1 a,b, 1:7 c");
    check("\"a\nb\",c\nd,e", "1:1 a\nb, 2:4 c | 3:1 d, 3:3 e");
    check("\"say \"\"a\"\"\",b", "1:1 say \"a\", 1:13 b");
}

#[test]
fn blank_lines_are_no_rows_and_blanks_around_are_not_told() {
    check("\n\r\n  \na , b\n\n", "4:1 a, 4:4 b");
    check("", "");
}

#[test]
fn a_quotation_mark_that_is_not_closed_is_where_it_was_opened() {
    assert_eq!(rows("a,\"b\nc").err(), Some((1, 3)));
}

proptest::proptest! {
    #[test]
    fn whatever_is_quoted_comes_back(cells in proptest::collection::vec("[^\r]{0,12}", 1..5)) {
        let quoted = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        let text = quoted.collect::<Vec<_>>().join(",");
        let rows = rows(&text).unwrap();
        for row in &rows {
            for (at, cell) in cells.iter().enumerate() {
                proptest::prop_assert_eq!(row.text(at), cell.trim());
            }
        }
    }
}
