use std::fs;
use std::os::unix::fs::PermissionsExt;

use model::feed::{Mllp, Source};
use tempfile::TempDir;

use super::*;

mod blobs;

/// A folder with `musubi.toml` and the example network, in which files can be changed.
struct Stage(TempDir);

impl Stage {
    fn new(text: &str) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(stage.path("networks/example/feeds")).unwrap();
        for file in ["profile.toml", "facilities.tsv", "feeds/demo-hospital.toml"] {
            let name = format!("networks/example/{file}");
            fs::copy(
                Path::new(env!("CARGO_MANIFEST_DIR")).join(&name),
                stage.path(&name),
            )
            .unwrap();
        }
        stage.write("musubi.toml", format!("schema = \"musubi/1\"\n{text}"));
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn replace(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old));
        self.write(name, text.replace(old, new));
    }

    fn read_with(&self, environment: &[(&str, &str)]) -> Reading {
        let text = fs::read_to_string(self.path("musubi.toml")).unwrap();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        keys::read("musubi.toml", &text, self.0.path(), &environment)
    }

    fn read(&self) -> Reading {
        self.read_with(&[])
    }

    /// Mistakes as they are printed, with the folder of the stage left out.
    fn mistakes(&self, environment: &[(&str, &str)]) -> Vec<String> {
        let folder = format!("{}/", self.0.path().display());
        let mistakes = self.read_with(environment).mistakes;
        mistakes
            .iter()
            .map(|mistake| mistake.to_string().replace(&folder, ""))
            .collect()
    }
}

/// The mistakes of `musubi.toml` with lines added behind its schema (they begin at line 2).
fn check(text: &str, expected: &[&str]) {
    assert_eq!(Stage::new(text).mistakes(&[]), expected, "{text}");
}

fn check_environment(variable: (&str, &str), expected: &[&str]) {
    assert_eq!(
        Stage::new("").mistakes(&[variable]),
        expected,
        "{variable:?}"
    );
}

#[test]
fn without_a_file_everything_has_a_default_below_the_current_folder() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = keys::read("musubi.toml", NO_FILE, base, &[])
        .checked()
        .unwrap();
    assert_eq!(config.network.id, "example");
    assert_eq!(
        config.databases.records,
        format!("sqlite://{}", base.join("data/records.db").display())
    );
    assert_eq!(
        (config.blobs, config.data),
        (BlobsUrl::Folder(base.join("data/blobs")), base.join("data"))
    );
    assert_eq!(config.master, KeySource::File(base.join("data/master.key")));
    assert!(config.listen.ip().is_loopback() && config.metrics.unwrap().ip().is_loopback());
    assert_eq!(config.max_item, 16 << 20);
    assert!(config.width > 0);
}

#[test]
fn every_bundled_network_is_accepted() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("networks")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            let mut reading = Reading::default();
            let network = read_network(&folder, Path::new(""), &mut reading);
            assert_eq!(reading.mistakes, [], "{}", folder.display());
            assert!(network.is_some());
        }
    }
}

#[test]
fn what_the_file_says_goes_before_the_defaults() {
    let stage = Stage::new(
        "blobs.url = \"file:///srv/musubi/blobs\"\nserve.listen = \"[::1]:9000\"\nmetrics.listen = \"off\"\nlog = { format = \"json\", level = \"warn\" }\ningest = { max_item = \"1MiB\", width = 3 }\n",
    );
    let config = stage.read().checked().unwrap();
    assert_eq!(
        (config.blobs, config.data),
        (
            BlobsUrl::Folder("/srv/musubi/blobs".into()),
            "/srv/musubi".into()
        )
    );
    assert_eq!((config.listen.port(), config.metrics), (9000, None));
    assert_eq!(
        config.log,
        Log {
            json: true,
            level: tracing::Level::WARN
        }
    );
    assert_eq!((config.max_item, config.width), (1 << 20, 3));
}

#[test]
fn relative_paths_count_from_the_folder_of_the_file() {
    let stage = Stage::new("");
    let config = stage.read().checked().unwrap();
    let feed = config.network.feeds.get("demo-hospital").unwrap();
    assert_eq!(
        feed.source.roots(),
        [stage.path("data/demo-hospital/1319999901")]
    );
    let blobs = BlobsUrl::Folder(stage.path("data/blobs"));
    assert_eq!(config.blobs, blobs);
}

#[test]
fn messages_without_tls_are_warned_of_unless_only_this_machine_sends_them() {
    let feed = |listen: &str, rest: &str| {
        format!(
            "schema = \"feed/1\"\nid = \"his\"\ntitle = \"HIS\"\nfacility = \"1319999901\"\nstate = \"paused\"\n\
             source = {{ kind = \"mllp-listen\", listen = \"{listen}:2575\", allow = [\"10.0.0.0/8\"]{rest} }}\n"
        )
    };
    let tls = ", tls = { certificate = \"a.crt\", key = \"a.key\", authorities = \"/ca.crt\" }";
    for (listen, rest, warned) in [
        ("127.0.0.1", "", 0),
        ("10.1.1.1", "", 1),
        ("10.1.1.1", tls, 0),
    ] {
        let stage = Stage::new("");
        stage.write("networks/example/feeds/his.toml", feed(listen, rest));
        let reading = stage.read();
        let of_feed = reading.warnings.iter();
        let of_feed = of_feed.filter(|warning| warning.file.ends_with("his.toml"));
        assert_eq!(of_feed.count(), warned, "{listen} {rest}");
        let config = reading.checked().unwrap();
        let source = &config.network.feeds["his"].source;
        if let Source::MllpListen(Mllp { tls: Some(tls), .. }) = source {
            assert_eq!(tls.key, stage.path("a.key"));
            assert_eq!(tls.authorities, Path::new("/ca.crt"));
        }
    }
}

#[test]
fn the_environment_goes_before_the_file() {
    let stage = Stage::new("serve.listen = \"127.0.0.1:1\"\n");
    let variables = [
        ("MUSUBI_SERVE_LISTEN", "127.0.0.1:2"),
        ("MUSUBI_INGEST_WIDTH", "5"),
        ("MUSUBI_HOME", "/x"),
    ];
    let config = stage.read_with(&variables).checked().unwrap();
    assert_eq!((config.listen.port(), config.width), (2, 5));
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    check_environment(
        ("MUSUBI_SERVE_LISTEN", "everywhere"),
        &[
            "MUSUBI_SERVE_LISTEN:1:1: error[C0102]: `serve.listen` must be an address such as \"127.0.0.1:8080\", not \"everywhere\"",
        ],
    );
    check_environment(
        ("MUSUBI_SERVE_LISTN", "127.0.0.1:2"),
        &[
            "MUSUBI_SERVE_LISTN: error[C0101]: no key has this variable\n  help: did you mean MUSUBI_SERVE_LISTEN?",
        ],
    );
}

#[test]
fn variables_of_other_meaning_are_left_alone() {
    check_environment(("MUSUBI_TEST_POSTGRES", "postgres://db/x"), &[]);
    check_environment(("MUSUBI_MASTER_KEY", "x"), &[]);
    let stage = Stage::new("keys.master.env = \"MUSUBI_KEYS_MASTER_KEY\"\n");
    assert_eq!(stage.mistakes(&[("MUSUBI_KEYS_MASTER_KEY", "x")]), [""; 0]);
}

#[test]
fn misspelt_keys_and_words_get_suggestions() {
    check(
        "databse.records = \"x\"\n",
        &["musubi.toml:2:1: error[C0101]: unknown key `databse`\n  help: did you mean `database`?"],
    );
    check(
        "log.level = \"wran\"\n",
        &[
            "musubi.toml:2:13: error[C0122]: `log.level` does not know \"wran\"\n  help: did you mean \"warn\"?",
        ],
    );
    check(
        "ingest.max_item = \"16MB\"\n",
        &[
            "musubi.toml:2:19: error[C0102]: `ingest.max_item` must be a size with a unit (B, KiB, MiB, GiB) such as \"16MiB\", not \"16MB\"",
        ],
    );
}

#[test]
fn without_tls_only_this_machine_is_served() {
    check(
        "serve.listen = \"0.0.0.0:8080\"\n",
        &[
            "musubi.toml:2:16: error[C0123]: `serve.listen` is reachable from outside without TLS\n  help: listen on 127.0.0.1 or [::1] behind a proxy that speaks TLS",
        ],
    );
    check(
        "metrics.listen = \"192.0.2.1:9464\"\n",
        &[
            "musubi.toml:2:18: error[C0123]: `metrics.listen` is reachable from outside without TLS\n  help: listen on 127.0.0.1 or [::1] behind a proxy that speaks TLS",
        ],
    );
    let warnings = Stage::new("").read().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.contains("plain HTTP"));
}

#[test]
fn what_stands_in_front_is_configured_by_file_or_environment() {
    let stage = Stage::new(
        "serve.public_url = \"https://Hub.example.jp\"\nserve.trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n",
    );
    let front = stage.read().checked().unwrap().front;
    assert_eq!(front.site.unwrap().origin(), "https://hub.example.jp");
    assert_eq!(front.proxies.len(), 2);
    let variables = [
        ("MUSUBI_SERVE_PUBLIC_URL", "https://other.example.jp"),
        ("MUSUBI_SERVE_TRUSTED_PROXIES", "[\"::1\"]"),
    ];
    let front = stage.read_with(&variables).checked().unwrap().front;
    assert_eq!(front.site.unwrap().origin(), "https://other.example.jp");
    assert_eq!(front.proxies, ["::1".parse().unwrap()]);
}

#[test]
fn what_stands_in_front_is_checked_with_its_place() {
    check(
        "serve.public_url = \"http://hub.example.jp/fhir\"\n",
        &[
            "musubi.toml:2:20: error[C0102]: `serve.public_url` must be an address such as \"https://hub.example.jp\", without a path, not \"http://hub.example.jp/fhir\"",
        ],
    );
    check(
        "serve.trusted_proxies = [\"127.0.0.1\", \"10.0.0.1/8\", \"proxy\"]\n",
        &[
            "musubi.toml:2:39: error[C0102]: `serve.trusted_proxies` must be an address such as \"127.0.0.1\" or a block of them such as \"10.0.0.0/8\", not \"10.0.0.1/8\"",
            "musubi.toml:2:53: error[C0102]: `serve.trusted_proxies` must be an address such as \"127.0.0.1\" or a block of them such as \"10.0.0.0/8\", not \"proxy\"",
        ],
    );
    let warnings = Stage::new("serve.public_url = \"https://hub.example.jp\"\n")
        .read()
        .warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.message.contains("read tokens are refused"))
    );
}

#[test]
fn what_is_not_built_is_refused() {
    check(
        "serve.tls = { certificate = \"a.pem\" }\n",
        &[
            "musubi.toml:2:13: error[C0121]: `serve.tls` is known, not built yet\n  help: leave it out",
        ],
    );
}

/// Four PostgreSQL URLs, with one of them replaced.
fn postgres(office: &str) -> String {
    let url = |name: &str| {
        format!("database.{name} = \"postgres://musubi_{name}@db:5432/musubi?sslmode=require\"\n")
    };
    format!(
        "{}database.office = \"{office}\"\n{}{}",
        url("records"),
        url("audit"),
        url("keys")
    )
}

#[test]
fn four_roles_may_share_one_postgresql_database() {
    let stage = Stage::new(&postgres("postgres://musubi_office@db:5432/musubi"));
    let databases = stage.read().checked().unwrap().databases;
    assert_eq!(databases.office, "postgres://musubi_office@db:5432/musubi");
}

#[test]
fn four_postgresql_urls_name_one_database() {
    let elsewhere = "musubi.toml:3:19: error[C0123]: `database.office` is at another place than `database.records`; all four are schemas of one PostgreSQL database";
    let first = |stage: &Stage| stage.mistakes(&[]).into_iter().next();
    for other in [
        "postgres://o@db:5432/other",
        "postgres://o@db2:5432/musubi",
        "postgres://o@db:5432/musubi?port=5433",
    ] {
        assert_eq!(
            first(&Stage::new(&postgres(other))).as_deref(),
            Some(elsewhere),
            "{other}"
        );
    }
    check(
        &postgres("postgres://o@db:5432/musubi?options[search_path]=x"),
        &[
            "musubi.toml:3:19: error[C0123]: `database.office` names a schema; the schemas are always records, office, audit and keys",
        ],
    );
    check(
        &postgres("mysql://db/musubi"),
        &[
            "musubi.toml:3:19: error[C0102]: `database.office` must be a URL that begins with sqlite:// or postgres://, not \"mysql://db/musubi\"",
        ],
    );
}

#[test]
fn the_four_databases_are_of_one_kind() {
    let found = Stage::new("database.records = \"postgres://db/musubi\"\n").mistakes(&[]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(
        found[0],
        "musubi.toml: error[C0123]: `database.office` is absent, and its safe default \"sqlite://data/office.db\" is of another kind than `database.records`; all four are SQLite, or all are PostgreSQL"
    );
}

#[test]
fn every_sqlite_database_has_its_own_file() {
    check(
        "database.audit = \"sqlite://data/records.db\"\n",
        &[
            "musubi.toml:2:18: error[C0123]: `database.audit` is the file of another database; each has its own",
        ],
    );
    check(
        "database.audit = \"sqlite://a.db?mode=ro\"\n",
        &[
            "musubi.toml:2:18: error[C0102]: `database.audit` must be a plain path behind sqlite://, without parameters, not \"sqlite://a.db?mode=ro\"",
        ],
    );
}

#[test]
fn passwords_of_databases_come_by_the_environment_only() {
    let written = Stage::new(&postgres("postgres://o:hunter2@db:5432/musubi")).mistakes(&[]);
    assert_eq!(written.len(), 1);
    assert!(
        written[0].contains("C0107") && !written[0].contains("hunter2"),
        "{written:?}"
    );
    let parameter =
        Stage::new(&postgres("postgres://o@db:5432/musubi?password=hunter2")).mistakes(&[]);
    assert!(
        parameter[0].contains("C0107") && !parameter[0].contains("hunter2"),
        "{parameter:?}"
    );
    let stage = Stage::new(&postgres("postgres://o@db:5432/musubi"));
    assert_eq!(
        stage.mistakes(&[(
            "MUSUBI_DATABASE_OFFICE",
            "postgres://o:hunter2@db:5432/musubi"
        )]),
        [""; 0]
    );
}

#[test]
fn a_password_shows_in_no_mistake() {
    let found =
        Stage::new("").mistakes(&[("MUSUBI_DATABASE_OFFICE", "mysql://o:hunter2@db/musubi")]);
    assert_eq!(found.len(), 1);
    assert!(!found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn a_master_key_that_cannot_be_made_says_how_to_make_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let path = file.join("master.key");
    let error = KeySource::File(path.clone()).load().err().unwrap();
    let line = format!(
        "(umask 077; head -c 32 /dev/urandom | base64 > {})",
        path.display()
    );
    assert!(error.to_string().ends_with(&line), "{error}");
}

#[test]
fn the_master_key_is_a_reference() {
    check(
        "keys.master = \"c2VjcmV0\"\n",
        &["musubi.toml:2:15: error[C0102]: `keys.master` is a table, not a string"],
    );
    check(
        "keys.master = { file = \"a\", env = \"B\" }\n",
        &[
            "musubi.toml:2:35: error[C0123]: `keys.master.env` stands beside `keys.master.file`: there is one master key",
        ],
    );
    let config = Stage::new("keys.master = { env = \"HUB_KEY\" }\n")
        .read()
        .checked()
        .unwrap();
    assert_eq!(config.master, KeySource::Environment("HUB_KEY".to_owned()));
}

#[test]
fn a_key_file_is_made_once_and_for_its_owner_alone() {
    let stage = Stage::new("");
    let source = stage.read().checked().unwrap().master;
    let made = source.load().unwrap();
    assert_eq!(source.load().unwrap().bytes(), made.bytes());
    let mode = fs::metadata(stage.path("data/master.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_key_file_that_others_may_read_gives_a_warning() {
    let stage = Stage::new("keys.master.file = \"key\"\n");
    stage.write("key", "AAAA");
    fs::set_permissions(stage.path("key"), fs::Permissions::from_mode(0o640)).unwrap();
    let warnings = stage.read().warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.message.ends_with("(mode 640)")),
        "{warnings:?}"
    );
}

#[test]
fn what_is_no_key_is_refused() {
    let stage = Stage::new("keys.master.file = \"key\"\n");
    stage.write("key", "c2hvcnQ=\n");
    assert!(stage.read().checked().unwrap().master.load().is_err());
}

#[test]
fn all_mistakes_of_all_files_come_at_once() {
    let stage = Stage::new("log.format = \"xml\"\n");
    stage.replace(
        "networks/example/profile.toml",
        "hold = \"PT0S\"",
        "hold = \"now\"",
    );
    stage.replace("networks/example/facilities.tsv", "clinic", "clinik");
    stage.replace(
        "networks/example/feeds/demo-hospital.toml",
        "sweep = \"10m\"",
        "sweep = 10",
    );
    let files: Vec<String> = stage
        .read()
        .mistakes
        .into_iter()
        .map(|mistake| mistake.file)
        .collect();
    let name = |file: &str| stage.path(file).display().to_string();
    assert_eq!(
        files,
        [
            "musubi.toml".to_owned(),
            name("networks/example/profile.toml"),
            name("networks/example/facilities.tsv"),
            name("networks/example/feeds/demo-hospital.toml"),
        ]
    );
}

#[test]
fn a_missing_network_is_said_by_file() {
    let stage = Stage::new("network = \"networks/none\"\n");
    let said =
        "networks/none: error[C0104]: cannot be read: no such file or directory (os error 2)";
    assert_eq!(stage.mistakes(&[]), [said]);
    let stage = Stage::new("");
    fs::remove_file(stage.path("networks/example/facilities.tsv")).unwrap();
    let said = "networks/example/facilities.tsv: error[C0104]: cannot be read: no such file or directory (os error 2)";
    assert_eq!(stage.mistakes(&[]), [said]);
}

#[test]
fn a_file_in_another_character_set_is_refused_with_the_place() {
    let stage = Stage::new("");
    stage.write(
        "networks/example/profile.toml",
        b"schema = \"profile/1\"\n# \x8b\x4b\x92\xf6\n",
    );
    assert_eq!(
        stage.mistakes(&[]),
        ["networks/example/profile.toml:2:3: error[C0100]: the text is not UTF-8"]
    );
}

#[test]
fn two_feeds_do_not_share_an_id_or_a_root() {
    let stage = Stage::new("");
    let text = fs::read_to_string(stage.path("networks/example/feeds/demo-hospital.toml")).unwrap();
    stage.write(
        "networks/example/feeds/second.toml",
        text.replace(
            "[\"data/demo-hospital/1319999901\"]",
            "[\"data/demo-hospital/1319999901/a\"]",
        ),
    );
    let rules: Vec<&str> = stage
        .read()
        .mistakes
        .iter()
        .map(|mistake| mistake.rule)
        .collect();
    assert_eq!(rules, [rule::DUPLICATE, rule::SHARED_ROOT]);
}

#[test]
fn the_networks_hash_stands_for_profile_and_facilities() {
    let hash = |stage: &Stage| stage.read().checked().unwrap().network.hash;
    let stage = Stage::new("");
    let first = hash(&stage);
    stage.replace("networks/example/feeds/demo-hospital.toml", "10m", "5m");
    assert_eq!(hash(&stage), first);
    stage.replace(
        "networks/example/facilities.tsv",
        "clinic\t\t*",
        "clinic\t\tlab",
    );
    let second = hash(&stage);
    assert_ne!(second, first);
    stage.replace("networks/example/profile.toml", "P999D", "P998D");
    assert_ne!(hash(&stage), second);
}
