//! Files and folders that only their owner may read, whatever the process's umask says.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes sure that a folder is there. One that was there keeps its mode: somebody chose it.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a file to append to.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] among others.
pub(crate) fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::testing::{NOW, network};
    use crate::{Clock, MasterKey, Packed, Store, StoreConfig};

    fn files_below(folder: PathBuf) -> Vec<PathBuf> {
        let mut found = vec![folder.clone()];
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files_below(path));
            } else {
                found.push(path);
            }
        }
        found
    }

    #[tokio::test]
    async fn only_the_owner_reads_what_a_store_keeps() {
        let outside = tempfile::tempdir().unwrap();
        let data = outside.path().join("data");
        let config = StoreConfig::local(&data, MasterKey::random().unwrap());
        let store = Store::open(config, Arc::new(network()), Clock::fixed(NOW))
            .await
            .unwrap();
        let patient = model::id::PatientNumber(1);
        let key = Arc::new(store.0.keys.ensure_patient(patient, 1).await.unwrap());
        let packed = Packed::new(b"MSH|", "", std::iter::empty()).unwrap();
        store.0.raw.append(vec![(key, packed)]).await.unwrap();
        let found = files_below(data);
        let named = |end: &str| {
            found
                .iter()
                .any(|path| path.to_string_lossy().ends_with(end))
        };
        assert!(
            [".db", ".db-wal", ".segment"].into_iter().all(named),
            "{found:?}"
        );
        for path in found {
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} {mode:o}", path.display());
        }
    }
}
