//! File names of a storage: what is read and written again is the same name, and slots and versions
//! tell names apart.

#![no_main]

use libfuzzer_sys::fuzz_target;
use normalize::ssmix::path::{FileName, Flag, folder, parse};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(file) = parse(text) else {
        return;
    };
    let written = format!("{}_{}", file.without_flag(), flag(&file));
    let name = text
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let fields: Vec<&str> = name.split('_').collect();
    // Where the department is left out, it is written as none.
    if fields.len() == 7 && !fields[5].is_empty() {
        assert_eq!(written, name);
    }
    again(&file, &written);
    let at_home = [&folder(&file.patient), "-", file.kind.name(), &written].join("/");
    again(&file, &at_home);

    let slot = file.slot(&file.patient);
    assert_eq!(slot.split('|').count(), 4, "{slot}");
    assert!(slot.starts_with(&format!("{}|", file.patient)), "{slot}");
    assert!(file.version().starts_with(&format!("{}|", file.time)));
    let parts: Vec<String> = folder(&file.patient)
        .split('/')
        .map(str::to_owned)
        .collect();
    assert_eq!(parts.last(), Some(&file.patient));
    assert!((1..=3).contains(&parts.len()), "{parts:?}");
});

fn flag(file: &FileName) -> char {
    match file.flag {
        Flag::Deleted => '0',
        Flag::Active => '1',
        Flag::Superseded => '2',
    }
}

/// What a written name says; how it deviates is a matter of how it was written.
fn again(file: &FileName, written: &str) {
    let again = parse(written).unwrap_or_else(|finding| panic!("{} {written}", finding.rule));
    let bare = |file: &FileName| FileName {
        deviations: Vec::new(),
        ..file.clone()
    };
    assert!(bare(&again) == bare(file), "{written}");
    assert_eq!(again.instant(), file.instant());
    assert_eq!(again.slot("1"), file.slot("1"));
    assert_eq!(again.version(), file.version());
}
