//! A hub of a test: a folder with the example network, a storage, and the real program. Its verbs are
//! those of the people who use it.

mod patients;
pub(crate) mod pushing;
mod running;
mod sender;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use auth::factor::totp;
use serde_json::Value;
use store::Clock;
use tempfile::TempDir;

use running::field;

pub(crate) use patients::{CLINICAL, content, paper, patients};
pub(crate) use running::{Answer, Running};
pub(crate) use sender::{Message, Sender};

/// The hospital of the example network; its storage is the feed's.
pub(crate) const HOSPITAL: &str = "1319999901";
/// The clinic.
pub(crate) const CLINIC: &str = "1319999902";
/// The pharmacy.
pub(crate) const PHARMACY: &str = "1349999903";
/// No wait in a story is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The header of the consent form.
pub(crate) const CONSENTS: &str = "consent_no,form,form_version,signed_on,signer,relation,kana,birth_date,sex,local_ids,sources,\
     readers,categories,from,to,explained_by,kept_at";

/// Which databases a hub keeps its rows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Both kinds, for stories that run on each.
pub(crate) const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// A hub: its folder, and what it is told by environment.
pub(crate) struct Hub {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Hub {
    /// A hub with the example network and an empty storage that is swept every second.
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let networks = folder.path().join("networks");
        copy(
            &project().join("networks/example"),
            &networks.join("example"),
        );
        fs::create_dir_all(folder.path().join("data/demo-hospital/1319999901")).unwrap();
        let feed = networks.join("example/feeds/demo-hospital.toml");
        let text = fs::read_to_string(&feed).unwrap();
        let text = text
            .replace("sweep = \"10m\"", "sweep = \"1s\"")
            .replace("settle = \"2s\"", "settle = \"0s\"");
        fs::write(&feed, text).unwrap();
        // Programs ask faster than people; the story about limits sets its own.
        let profile = networks.join("example/profile.toml");
        let text = fs::read_to_string(&profile).unwrap();
        let unlimited = |line: &str| match line.split_once(" = ") {
            Some((key, _)) if key.ends_with("_per_minute") || key.ends_with("_per_hour") => {
                format!("{key} = \"unlimited\"")
            }
            _ => line.to_owned(),
        };
        fs::write(
            &profile,
            text.lines().map(unlimited).collect::<Vec<_>>().join("\n"),
        )
        .unwrap();
        let mut environment = vec![
            ("MUSUBI_SERVE_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("MUSUBI_METRICS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ];
        if kind == Kind::Postgres {
            let url = samples::postgres::database().unwrap();
            for name in ["RECORDS", "OFFICE", "AUDIT", "KEYS"] {
                environment.push((format!("MUSUBI_DATABASE_{name}"), url.clone()));
            }
        }
        Self {
            folder,
            environment,
        }
    }

    /// The hub's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The storage that the hospital's feed reads.
    pub(crate) fn storage(&self) -> PathBuf {
        self.path().join("data/demo-hospital/1319999901")
    }

    /// Sets a variable of the environment for everything the hub runs.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What a variable of the environment says.
    pub(crate) fn setting(&self, name: &str) -> &str {
        let mut all = self.environment.iter();
        &all.find(|(one, _)| one == name).unwrap().1
    }

    /// Replaces a text in a file of the network.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join("networks/example").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not contain {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_musubi"));
        command
            .args(arguments)
            .current_dir(self.path())
            .envs(self.environment.iter().cloned());
        command
    }

    /// Starts a command whose end nobody waits for yet; it says nothing.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs a command to its end, with what is typed into it.
    pub(crate) fn musubi(&self, arguments: &[&str], typed: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(typed.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must succeed; its JSON.
    pub(crate) fn json(&self, arguments: &[&str], typed: &str) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = self.musubi(&arguments, typed);
        let (out, error) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{arguments:?}: {out} {error}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {out}"))
    }

    /// Runs a command that may have findings; its JSON.
    pub(crate) fn json_of_findings(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = self.musubi(&arguments, "");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Opens an account; the secret of its one-time codes.
    pub(crate) fn person(&self, login: &str, profession: &str, facility: &str) -> String {
        let arguments = [
            "user",
            "add",
            login,
            "--name",
            "担当者",
            "--profession",
            profession,
            "--facility",
            facility,
        ];
        let made = self.json(&arguments, &format!("{}\n", password(login)));
        made["secret"].as_str().unwrap().to_owned()
    }

    /// Opens an account and makes a read token for it.
    pub(crate) fn token(&self, login: &str, profession: &str, facility: &str) -> String {
        let secret = self.person(login, profession, facility);
        let code = totp::code(&secret, Clock::system().now()).unwrap();
        let issued = self.json(
            &["token", "issue", "--as", login],
            &format!("{}\n{code}\n", password(login)),
        );
        issued["token"].as_str().unwrap().to_owned()
    }

    /// Opens the secretary's account.
    pub(crate) fn secretary(&self) {
        self.person("secretary", "secretariat", HOSPITAL);
    }

    /// Enters consents: lines of the consent form, without its header.
    pub(crate) fn consents(&self, lines: &[String]) {
        let file = self.path().join("consents.csv");
        fs::write(&file, format!("{CONSENTS}\n{}\n", lines.join("\n"))).unwrap();
        self.json(
            &["consent", "import", "consents.csv", "--as", "secretary"],
            "",
        );
    }

    /// Lays the files of an invented patient into the storage.
    pub(crate) fn admit(&self, patient: &samples::Patient) {
        patient
            .write(&samples::roots(&self.path().join("data/demo-hospital")))
            .unwrap();
    }

    /// Lets the feed read the facility's second volume too.
    pub(crate) fn second_root(&self) {
        let [_, second] = samples::roots(&self.path().join("data/demo-hospital"));
        fs::create_dir_all(second).unwrap();
        let one = "[\"data/demo-hospital/1319999901\"]";
        let both = "[\"data/demo-hospital/1319999901\", \"data/demo-hospital/1319999901B\"]";
        self.edit("feeds/demo-hospital.toml", one, both);
    }

    /// Withdraws a consent, with complete papers.
    pub(crate) fn withdraw(&self, consent_no: &str) {
        let arguments = [
            "consent",
            "withdraw",
            consent_no,
            "--on",
            "2026-04-02",
            "--signer",
            "本人",
            "--relation",
            "self",
            "--identity-check",
            "運転免許証",
            "--as",
            "secretary",
        ];
        self.json(&arguments, "");
    }

    /// The public id of the patient of a consent.
    pub(crate) fn patient(&self, consent_no: &str) -> String {
        let shown = self.json(&["consent", "show", consent_no, "--as", "secretary"], "");
        shown["patient"].as_str().unwrap().to_owned()
    }

    /// Sweeps all feeds once.
    pub(crate) fn ingest(&self) -> Value {
        let output = self.musubi(&["ingest", "--once", "--json"], "");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str::<Value>(&text).unwrap()["report"].clone()
    }

    /// Serves until dropped.
    pub(crate) fn serve(&self, roles: &str) -> Running {
        Self::running(self.command(&["serve", "--roles", roles]))
    }

    /// Serves until dropped, as the child of a program that is given the command.
    pub(crate) fn serve_under(&self, program: &mut Command, roles: &str) -> Running {
        let served = self.command(&["serve", "--roles", roles]);
        program.arg(served.get_program()).args(served.get_args());
        program.current_dir(self.path());
        let environment = self.environment.iter().cloned();
        program.envs(environment);
        Self::running(program)
    }

    fn running(mut command: impl std::borrow::BorrowMut<Command>) -> Running {
        let mut child = command
            .borrow_mut()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let (tell, told) = mpsc::channel();
        let kept = std::sync::Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let address = field(&line, "address");
                kept.lock().unwrap().push_str(&format!("{line}\n"));
                if let Some(address) = address {
                    let _ = tell.send(address);
                }
            }
        });
        let address = told
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("not serving: {}", log.lock().unwrap()));
        let client = reqwest::blocking::Client::builder()
            .no_proxy()
            .build()
            .unwrap();
        Running {
            child,
            base: format!("http://{address}"),
            log,
            client,
        }
    }
}

/// Waits until something is so; fails with its name when it never is.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A text as part of an address.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A password nobody would guess from the login.
fn password(login: &str) -> String {
    let shifted: String = login
        .chars()
        .rev()
        .map(|letter| char::from_u32(u32::from(letter) ^ 1).unwrap_or('q'))
        .collect();
    format!("kd7-{shifted}-93jf-qpwm")
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Unpacks an archive of the samples below a folder.
pub(crate) fn unpack(archive: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let archive = project().join("samples").join(archive);
    let status = Command::new("tar")
        .arg("-xJf")
        .arg(archive)
        .arg("-C")
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success(), "tar and xz unpack the samples");
}
