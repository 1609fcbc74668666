//! A network's folder as one value: `profile.toml`, `facilities.tsv`, `feeds/*.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::feed::{Feed, Neighbours, Source};
use model::mistake::{Mistake, rule};
use model::network::{Facility, Network, Profile};
use model::written::Parsed;
use sha2::{Digest, Sha256};

use crate::config::{Reading, text_of, unreadable};

/// Reads a network's folder. Everything that is wrong goes into `reading`; the network is absent
/// then. Relative paths in feeds count from `base`.
pub(crate) fn read_network(folder: &Path, base: &Path, reading: &mut Reading) -> Option<Network> {
    if let Err(error) = std::fs::read_dir(folder) {
        reading.mistakes.push(unreadable(folder, &error));
        return None;
    }
    let id = network_id(folder, reading);
    let mut texts = Sha256::new();
    let mut text = |name: &str, reading: &mut Reading| {
        let path = folder.join(name);
        let text = text_of(&path)
            .map_err(|mistake| reading.mistakes.push(mistake))
            .ok()?;
        // INVARIANT: every text is hashed behind its length, so that no two pairs of texts are alike.
        texts.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        texts.update(&text);
        Some((path.display().to_string(), text))
    };
    let profile = text("profile.toml", reading);
    let register = text("facilities.tsv", reading);
    let profile =
        profile.and_then(|(file, text)| note(&file, Profile::parse(&file, &text), reading));
    let facilities =
        register.and_then(|(file, text)| note(&file, Facility::parse_all(&file, &text), reading));
    let feeds = read_feeds(&folder.join("feeds"), base, facilities.as_ref(), reading);
    Some(Network {
        id: id?,
        profile: profile?,
        facilities: facilities?,
        feeds: feeds?,
        hash: texts.finalize().into(),
    })
}

/// The folder's name is the network's id.
fn network_id(folder: &Path, reading: &mut Reading) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let name = folder.file_name().and_then(|name| name.to_str());
    let id = name.filter(|name| name.bytes().all(allowed));
    if id.is_none() {
        let message =
            "the folder's name is the network's id: ASCII letters, digits and hyphens".to_owned();
        let file = folder.display().to_string();
        reading.mistakes.push(Mistake {
            rule: rule::TYPE,
            file,
            line: 0,
            column: 0,
            message,
            help: None,
        });
    }
    id.map(str::to_owned)
}

/// Keeps what reading a file said, and gives its value.
fn note<T>(file: &str, parsed: Parsed<T>, reading: &mut Reading) -> Option<T> {
    if !parsed.defaults.is_empty() {
        reading.defaults.push((file.to_owned(), parsed.defaults));
    }
    reading.mistakes.extend(parsed.mistakes);
    parsed.value
}

/// Reads the feeds in the order of their file names; a network may have none.
fn read_feeds(
    folder: &Path,
    base: &Path,
    facilities: Option<&BTreeMap<model::id::FacilityId, Facility>>,
    reading: &mut Reading,
) -> Option<BTreeMap<String, Feed>> {
    let files = feed_files(folder)
        .map_err(|error| reading.mistakes.push(unreadable(folder, &error)))
        .ok()?;
    let mut feeds = BTreeMap::new();
    let mut good = true;
    for path in files {
        let text = text_of(&path)
            .map_err(|mistake| reading.mistakes.push(mistake))
            .ok();
        let feed = text.and_then(|text| {
            let (file, hash) = (path.display().to_string(), Sha256::digest(&text).into());
            note(
                &file,
                Feed::parse(
                    &file,
                    &text,
                    hash,
                    Neighbours {
                        facilities,
                        feeds: &feeds,
                    },
                ),
                reading,
            )
        });
        reading
            .warnings
            .extend(feed.as_ref().and_then(|feed| open(&path, feed)));
        match feed {
            Some(feed) => drop(feeds.insert(feed.id.clone(), feed)),
            None => good = false,
        }
    }
    feeds.values_mut().for_each(|feed| place_files(feed, base));
    good.then_some(feeds)
}

/// What others on the network between can read.
fn open(file: &Path, feed: &Feed) -> Option<Mistake> {
    let Source::MllpListen(mllp) = &feed.source else {
        return None;
    };
    let is_open = mllp.tls.is_none() && !mllp.listen.ip().is_loopback();
    is_open.then(|| Mistake {
        rule: rule::REFUSED,
        file: file.display().to_string(),
        line: 0,
        column: 0,
        message: "`source.listen` takes messages without TLS".to_owned(),
        help: Some("only inside a VPN; else write `[source.tls]`".to_owned()),
    })
}

fn feed_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder)?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    Ok(files)
}

fn place_files(feed: &mut Feed, base: &Path) {
    let place = |path: &mut PathBuf| *path = base.join(&*path);
    match &mut feed.source {
        Source::SsMix2Tree { roots, .. } => roots.iter_mut().for_each(place),
        Source::MllpListen(mllp) => {
            if let Some(tls) = &mut mllp.tls {
                let files = [&mut tls.certificate, &mut tls.key, &mut tls.authorities];
                files.into_iter().for_each(place);
            }
        }
    }
}
