//! A hub of a test: a folder with the example network, a storage, and the real program. Its verbs are
//! those of the people who use it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use auth::factor::totp;
use serde_json::{Value, json};
use store::Clock;
use tempfile::TempDir;

use crate::fhir_rules;

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

/// A running hub; stopped in order when dropped.
pub(crate) struct Running {
    child: Child,
    /// `http://127.0.0.1:port`
    pub(crate) base: String,
    log: std::sync::Arc<std::sync::Mutex<String>>,
    client: reqwest::blocking::Client,
}

/// Somebody who is signed in at a browser.
pub(crate) struct Session {
    /// The cookie, as sent back.
    pub(crate) cookie: String,
    /// The secret that unsafe requests show.
    pub(crate) csrf: String,
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The whole answer; whatever is FHIR keeps FHIR's rules.
    fn of(response: reqwest::blocking::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Self {
            status,
            headers,
            body: response.text().unwrap(),
        };
        let kind = answer
            .headers
            .get("content-type")
            .map(|kind| kind.to_str().unwrap());
        if kind.is_some_and(|kind| kind.starts_with("application/fhir+json"))
            && !answer.body.is_empty()
        {
            assert_eq!(
                fhir_rules::validate(&answer.json()),
                Vec::<String>::new(),
                "{}",
                answer.body
            );
        }
        answer
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
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
        let mut environment = vec![
            ("MUSUBI_SERVE_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("MUSUBI_METRICS_LISTEN".to_owned(), "off".to_owned()),
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
        let mut command = self.command(&["serve", "--roles", roles]);
        let mut child = command
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

impl Running {
    /// Asks as a person with a token, or as nobody.
    pub(crate) fn get(&self, token: Option<&str>, path: &str) -> Answer {
        self.ask(reqwest::Method::GET, token, path, None)
    }

    /// Asks any method, with an optional body and its type.
    pub(crate) fn ask(
        &self,
        method: reqwest::Method,
        token: Option<&str>,
        path: &str,
        body: Option<(&str, String)>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        Answer::of(request.send().unwrap())
    }

    /// All resources of a search, page by page.
    pub(crate) fn all(&self, token: &str, search: &str) -> Vec<Value> {
        let mut resources = Vec::new();
        let mut next = Some(format!("/fhir/{search}"));
        while let Some(path) = next.take() {
            let answer = self.get(Some(token), &path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            let bundle = answer.json();
            let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
            resources.extend(entries.into_iter().map(|entry| entry["resource"].clone()));
            let links = bundle["link"].as_array().cloned().unwrap_or_default();
            let link = links.iter().find(|link| link["relation"] == "next");
            next = link.map(|link| {
                link["url"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches(&self.base)
                    .to_owned()
            });
        }
        resources
    }

    /// The total of a search.
    pub(crate) fn total(&self, token: &str, search: &str) -> u64 {
        let answer = self.get(Some(token), &format!("/fhir/{search}"));
        assert_eq!(answer.status, 200, "{search}: {}", answer.body);
        answer.json()["total"].as_u64().unwrap()
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, so: impl Fn() -> bool) {
        until(what, so);
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// What the metrics listener says.
    pub(crate) fn metrics(&self) -> String {
        until("metrics are served", || {
            field(&self.log(), "metrics").is_some()
        });
        let address = field(&self.log(), "metrics").unwrap();
        self.client
            .get(format!("http://{address}/metrics"))
            .send()
            .unwrap()
            .text()
            .unwrap()
    }

    /// Greatest resident memory so far, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// Signs a person in by password and one-time code, as a browser does.
    pub(crate) fn sign_in(&self, login: &str, secret: &str) -> Session {
        let post = |path: &str, body: Value, cookie: Option<&str>| {
            let mut request = self.client.post(format!("{}{path}", self.base)).json(&body);
            if let Some(cookie) = cookie {
                request = request.header("cookie", cookie);
            }
            let response = request.send().unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let cookie = response.headers()["set-cookie"]
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned();
            (cookie, response.json::<Value>().unwrap())
        };
        let (cookie, _) = post(
            "/login",
            json!({ "user": login, "password": password(login) }),
            None,
        );
        let code = totp::code(secret, Clock::system().now()).unwrap();
        let (cookie, answer) = post("/login/totp", json!({ "code": code }), Some(&cookie));
        Session {
            cookie,
            csrf: answer["csrf"].as_str().unwrap().to_owned(),
        }
    }

    /// Sends a request with any headers.
    pub(crate) fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.body(body).send().unwrap())
    }

    /// Stops in order; whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        self.terminate();
        self.child.wait().unwrap().success()
    }

    /// Ends at once, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn terminate(&self) {
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            self.terminate();
            let _ = self.child.wait();
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

/// The value of a field in a log, as text for people or as JSON.
fn field(log: &str, name: &str) -> Option<String> {
    let human = log
        .split(&format!(" {name}="))
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let json = || {
        log.split(&format!("\"{name}\":\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next())
    };
    human.or_else(json).map(str::to_owned)
}

/// A line of the consent form for an invented patient, as their paper says it.
pub(crate) fn paper(
    consent_no: &str,
    patient: &samples::Patient,
    readers: &str,
    categories: &str,
) -> String {
    let samples::network::Paper {
        kana,
        birth_date,
        sex,
    } = &patient.paper;
    let sex = if sex == "F" { "female" } else { "male" };
    format!(
        "{consent_no},C-1,1,2026-04-01,署名者,self,{kana},{birth_date},{sex},{HOSPITAL}:{},{HOSPITAL},{readers},{categories},\
         2020-01-01,,説明者,事務局",
        patient.person.local_id
    )
}

/// Patients of a well-kept storage whose link is proved and who have something of every kind.
pub(crate) fn patients(seed: u64, count: usize, files: u64) -> Vec<samples::Patient> {
    let network = samples::Network::generate(seed, 60)
        .with_mix(samples::Mix::Ordinary)
        .with_files(files * 60);
    let whole = |patient: &samples::Patient| {
        let truth = patient.truth();
        [
            "encounters",
            "conditions",
            "allergies",
            "medicationRequests",
            "observations",
        ]
        .iter()
        .all(|family| !truth[family].as_array().unwrap().is_empty())
    };
    let found: Vec<_> = network.patients().filter(whole).take(count).collect();
    assert_eq!(
        found.len(),
        count,
        "the generator makes patients with something of every kind"
    );
    found
}

/// The types that are found by patient.
pub(crate) const CLINICAL: [&str; 5] = [
    "AllergyIntolerance",
    "Condition",
    "Encounter",
    "MedicationRequest",
    "Observation",
];

/// Everything a reader sees of a patient, without what differs between two hubs: ids and times of
/// keeping.
pub(crate) fn content(running: &Running, token: &str, patient: &str) -> Vec<String> {
    let of_type = |kind: &&str| running.all(token, &format!("{kind}?patient={patient}&_count=200"));
    let mut resources: Vec<Value> = CLINICAL.iter().flat_map(of_type).collect();
    resources.push(
        running
            .get(Some(token), &format!("/fhir/Patient/{patient}"))
            .json(),
    );
    let mut texts: Vec<String> = resources
        .into_iter()
        .map(|resource| without_ids(resource).to_string().replace(patient, ""))
        .collect();
    texts.sort();
    texts
}

fn without_ids(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let told = fields.into_iter().filter(|(name, _)| {
                !["id", "lastUpdated", "versionId", "reference"].contains(&name.as_str())
            });
            Value::Object(
                told.map(|(name, value)| (name, without_ids(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_ids).collect()),
        other => other,
    }
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
