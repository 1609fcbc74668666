//! A look into a storage sees the patient's files, and nothing of anybody else.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const NAME: &str = "0000123456_20240510_OMP-01_000000024000123_20240510103046984_01_1";

fn storage() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("000/012/0000123456/20240510/OMP-01");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(NAME), "MSH|").unwrap();
    root
}

/// Numbers that the facility may pad with zeros.
const PADDED: Identity = Identity {
    strip_leading_zeros: true,
    pad_to: None,
};

fn look(root: &Path, id: &str, identity: &Identity) -> Listing {
    let roots = [root.to_owned()];
    let padded =
        (*identity != Identity::default()).then(|| Padded::find(&roots, [id], identity).unwrap());
    list(&roots, &[id], padded.as_ref()).unwrap()
}

fn count(root: &Path, id: &str, identity: &Identity) -> (usize, usize) {
    let listing = look(root, id, identity);
    (listing.files.len(), listing.strange)
}

#[test]
fn only_the_folder_of_the_patient_is_opened() {
    let root = storage();
    assert_eq!(
        count(root.path(), "0000123456", &Identity::default()),
        (1, 0)
    );
    assert_eq!(
        count(root.path(), "0000123457", &Identity::default()),
        (0, 0)
    );
    assert_eq!(count(root.path(), "123456", &Identity::default()), (0, 0));
    assert_eq!(count(root.path(), "123456", &PADDED), (1, 0));
    assert_eq!(count(root.path(), "0000123456", &PADDED), (1, 0));
}

#[test]
fn an_empty_folder_hides_no_padded_one() {
    let root = storage();
    fs::create_dir_all(root.path().join("123/456/123456")).unwrap();
    assert_eq!(count(root.path(), "123456", &PADDED), (1, 0));
    let other = root.path().join("123/456/123456/20240510/OMP-01");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join(&NAME[4..]), "MSH|").unwrap();
    assert_eq!(count(root.path(), "123456", &PADDED), (2, 0));
}

#[test]
fn of_padded_numbers_only_those_asked_for_are_remembered() {
    let root = storage();
    fs::create_dir_all(root.path().join("000/012/0000123457")).unwrap();
    let padded = Padded::find(&[root.path().to_owned()], ["123456", "77"], &PADDED).unwrap();
    let known: Vec<(&str, usize)> = padded
        .folders
        .iter()
        .map(|(number, folders)| (number.as_str(), folders.len()))
        .collect();
    assert_eq!(known, [("123456", 1), ("77", 0)]);
    let listing = list(&[root.path().to_owned()], &["123457"], Some(&padded)).unwrap();
    assert!(
        listing.is_partial && listing.files.is_empty(),
        "nothing vanishes of a number that was not asked for"
    );
}

#[test]
fn links_loops_and_strange_names_are_counted_and_not_followed() {
    let root = storage();
    let patient = root.path().join("000/012/0000123456");
    symlink(&patient, patient.join("loop")).unwrap();
    symlink("/etc/passwd", patient.join("20240510/OMP-01/x")).unwrap();
    fs::write(patient.join("20240510/OMP-01/Thumbs.db"), "x").unwrap();
    fs::write(
        patient.join("20240510/OMP-01").join(format!("{NAME}.tmp")),
        "x",
    )
    .unwrap();
    assert_eq!(
        count(root.path(), "0000123456", &Identity::default()),
        (1, 4)
    );
}

#[test]
fn a_linked_folder_above_the_patients_is_not_followed() {
    let (elsewhere, root) = (storage(), tempfile::tempdir().unwrap());
    symlink(elsewhere.path().join("000"), root.path().join("000")).unwrap();
    assert_eq!(
        count(root.path(), "0000123456", &Identity::default()),
        (0, 0)
    );
}

/// What a look gives while a folder has these rights; nothing when the test runs as somebody to
/// whom no folder is shut.
fn while_shut(mode: u32, folder: &str, id: &str, identity: &Identity) -> Option<Listing> {
    let root = storage();
    let shut = root.path().join(folder);
    fs::create_dir_all(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(mode)).unwrap();
    let holds = fs::symlink_metadata(shut.join("anything"))
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let listing = look(root.path(), id, identity);
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
    holds.then_some(listing)
}

#[track_caller]
fn check_unreadable(mode: u32, folder: &str) {
    if let Some(listing) = while_shut(mode, folder, "0000123456", &Identity::default()) {
        assert_eq!(
            (listing.files.len(), listing.strange, listing.unreadable),
            (0, 0, 1),
            "{folder}"
        );
    }
}

#[test]
fn a_folder_above_the_patients_that_is_shut_is_not_gone() {
    check_unreadable(0o000, "000");
    check_unreadable(0o000, "000/012");
    check_unreadable(0o000, "000/012/0000123456");
}

#[test]
fn names_without_what_they_stand_for_are_not_gone() {
    check_unreadable(0o444, "000/012/0000123456/20240510/OMP-01");
}

#[test]
fn a_shut_folder_that_may_hold_a_padded_number_lets_nothing_vanish() {
    let listing = while_shut(0o000, "00", "123456", &PADDED);
    assert!(listing.is_none_or(|listing| listing.is_partial && listing.files.len() == 1));
    let listing = while_shut(0o000, "lost+found", "123456", &PADDED);
    assert!(listing.is_none_or(|listing| !listing.is_partial && listing.files.len() == 1));
}

#[test]
fn a_storage_that_is_not_mounted_is_an_error() {
    let root = storage();
    let gone = root.path().join("gone");
    assert!(list(std::slice::from_ref(&gone), &["0000123456"], None).is_err());
    assert!(Padded::find(&[gone], ["0000123456"], &PADDED).is_err());
}

#[test]
fn nothing_of_a_file_that_is_too_large_is_kept() {
    let root = storage();
    let path = root.path().join("large");
    fs::write(&path, vec![b'x'; 100]).unwrap();
    assert!(matches!(read(&path, 99), Ok(Content::TooLarge)));
    assert!(matches!(read(&path, 100), Ok(Content::Bytes(bytes)) if bytes.len() == 100));
}
