//! The word that was probably meant.

/// The candidate that differs least from the word, if it differs by at most a third of its letters.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (word.chars().count() / 3).max(1);
    let distances = candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate));
    distances
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= bound)
        .map(|(_, word)| word)
}

/// Number of letters to insert, drop, exchange or swap with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (row, letter) in one.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let exchange = at(&last, column) + usize::from(letter != *wanted);
            let mut best = exchange
                .min(at(&last, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped =
                column > 0 && previous == Some(*wanted) && other.get(column - 1) == Some(&letter);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(
            closest(
                word,
                ["physician", "nurse", "pharmacist", "pt", "ot", "viewing"]
            ),
            expected,
            "{word}"
        );
    }

    #[test]
    fn slips_of_the_fingers_find_their_word() {
        check("physican", Some("physician"));
        check("nurze", Some("nurse"));
        check("veiwing", Some("viewing"));
        check("pharmasist", Some("pharmacist"));
    }

    #[test]
    fn what_is_far_from_everything_finds_nothing() {
        check("secretary", None);
        check("", None);
        check("医師", None);
    }
}
