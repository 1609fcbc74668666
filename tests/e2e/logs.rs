//! Nothing that is logged, counted, refused or audited names a patient, whatever happens.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::symlink;

use reqwest::Method;

use crate::needles::Words;
use crate::support::{CLINIC, CONSENTS, HOSPITAL, Hub, Kind, Running, encoded, paper};

/// A hub whose every word is kept.
struct Stage {
    hub: Hub,
    patients: Vec<samples::Patient>,
    /// Everything said, by whom.
    said: Vec<(String, String)>,
}

impl Stage {
    fn new(format: &str) -> Self {
        let mut hub = Hub::new(Kind::Sqlite);
        hub.set("MUSUBI_LOG_LEVEL", "trace");
        hub.set("MUSUBI_LOG_FORMAT", format);
        hub.second_root();
        hub.listens();
        // One patient for each deviation that storages are known for.
        let patients: Vec<_> = samples::Network::generate(71, 28)
            .with_files(28 * 12)
            .patients()
            .collect();
        patients.iter().for_each(|patient| hub.admit(patient));
        Self {
            hub,
            patients,
            said: Vec::new(),
        }
    }

    /// A command; whatever it says must not name anybody.
    fn command(&mut self, arguments: &[&str], typed: &str) {
        let output = self.hub.musubi(arguments, typed);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.said
            .push((arguments[..2].join(" "), text(&output.stdout)));
        self.said
            .push((arguments[..2].join(" "), text(&output.stderr)));
    }

    fn ask(
        &self,
        running: &Running,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        // What is answered to the person who asked is not what this is about.
        running.send(method, path, headers, body.to_owned());
    }

    /// Papers that are good, bad and contradictory.
    fn papers(&mut self) {
        let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
        let good: Vec<String> = self.patients.iter().enumerate().map(line).collect();
        self.hub.consents(&good);
        let person = self.patients[1].person.clone();
        let bad = [
            good[0].replace("1319999901:", "1319999901:../../"),
            good[1].replace("2020-01-01", &person.kana()),
            good[1]
                .replace("N-1,", &format!("{},", person.local_id))
                .replace("self", &person.kana())
                .replace(",*,", ",まち,"),
            good[2].replace(&self.patients[2].paper.birth_date, "1900-02-30"),
            good[3].replace(&self.patients[3].paper.kana, &person.family),
            format!("{},\"{}", good[4], person.kana()),
            person.kana(),
        ];
        for line in &bad {
            self.command(&["consent", "add", line, "--as", "secretary"], "");
            fs::write(
                self.hub.path().join("bad.csv"),
                format!("{CONSENTS}\n{}\n{line}\n", good[0]),
            )
            .unwrap();
            self.command(&["consent", "import", "bad.csv", "--as", "secretary"], "");
            self.command(
                &[
                    "consent",
                    "import",
                    "bad.csv",
                    "--as",
                    "secretary",
                    "--json",
                ],
                "",
            );
        }
        fs::write(
            self.hub.path().join("bad.csv"),
            format!("{}\n{}\n", person.kana(), good[0]),
        )
        .unwrap();
        self.command(&["consent", "import", "bad.csv", "--as", "secretary"], "");
        fs::write(
            self.hub.path().join("bad.csv"),
            samples::charset::Charset::Cp932.encode(&good.join("\n")),
        )
        .unwrap();
        self.command(&["consent", "import", "bad.csv", "--as", "secretary"], "");
        self.command(
            &[
                "consent",
                "withdraw",
                "N-999",
                "--signer",
                &person.kana(),
                "--as",
                "secretary",
            ],
            "",
        );
        self.command(&["consent", "show", "N-999", "--as", "secretary"], "");
        self.command(&["consent", "restore", "N-1", "--as", "secretary"], "");
        self.command(&["consent", "add", &good[0], "--as", "treating"], "");
        self.command(&["consent", "add", &good[0], "--as", "stranger"], "");
    }

    /// Files with hostile names and contents in the folders of patients.
    fn files(&self) {
        for patient in &self.patients[..6] {
            let person = &patient.person;
            let id = &person.local_id;
            let folder = self.hub.storage().join(&id[..3]).join(&id[3..6]).join(id);
            let day = folder.join("20240510/OML-11");
            fs::create_dir_all(&day).unwrap();
            let name =
                |order: u32| format!("{id}_20240510_OML-11_{order:015}_20240510103046984_01_1");
            let full = format!("{}{}", person.family, person.given);
            fs::write(day.join(format!("{full}.txt")), "x").unwrap();
            symlink(&folder, day.join(&full)).unwrap();
            fs::write(day.join(name(1)), "").unwrap();
            fs::write(
                day.join(name(2)),
                format!("MSH|^~\\&|{full}|{full}\r{full}|{id}\rPID|{full}|{id}|{full}"),
            )
            .unwrap();
            fs::write(day.join(name(3)), format!("{full} {id}")).unwrap();
            let head = format!(
                "MSH|^~\\&|{full}||||x||{full}^{id}|{full}|{full}|{id}||||||{full}\rPID|1||{id}||{full}\r"
            );
            fs::write(
                day.join(name(4)),
                format!("{head}{id}|{full}\rOBX|{full}|{full}|{full}\r"),
            )
            .unwrap();
            fs::write(
                day.join(name(5)),
                [head.as_bytes(), b"\0\xff\xfe", full.as_bytes()].concat(),
            )
            .unwrap();
        }
    }

    /// Requests that are good, refused, wrong and malformed; all of them carry names.
    fn requests(&self, running: &Running, token: &str) {
        let bearer = format!("Bearer {token}");
        let signed = [("authorization", bearer.as_str())];
        for (number, patient) in self.patients.iter().enumerate().take(8) {
            let person = &patient.person;
            let (kana, local) = (&person.family_kana, &person.local_id);
            let id = self.hub.patient(&format!("N-{number}"));
            for path in [
                format!("/fhir/Patient/{id}"),
                format!("/fhir/Observation?patient={id}&_include=Observation:patient"),
                format!(
                    "/fhir/Patient?name={kana}&birthdate={}",
                    patient.paper.birth_date
                ),
                format!("/fhir/Patient?identifier={local}"),
                format!("/fhir/Patient/{local}"),
                format!("/fhir/Observation?patient={kana}&date={kana}"),
                format!("/fhir/{kana}/{local}?{kana}={local}"),
                format!("/{kana}/{local}"),
                format!("/office/consents/{local}"),
            ] {
                self.ask(running, Method::GET, &path, &signed, "");
            }
        }
        let person = &self.patients[2].person;
        let (kana, local) = (person.family_kana.as_str(), person.local_id.as_str());
        let json = ("content-type", "application/json");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let wrong_token = format!("Bearer musubi_{local}");
        self.ask(
            running,
            Method::GET,
            "/me",
            &[("authorization", &wrong_token)],
            "",
        );
        self.ask(
            running,
            Method::GET,
            "/me",
            &[
                ("cookie", &format!("musubi={local}; session={local}")),
                ("x-request-id", local),
            ],
            "",
        );
        self.ask(
            running,
            Method::POST,
            "/login",
            &[json],
            &format!("{{\"user\":\"{local}\",\"password\":\"{kana}\"}}"),
        );
        self.ask(
            running,
            Method::POST,
            "/login",
            &[json],
            &format!("{{\"user\":\"{kana}\",\"password\":\"{kana}\"}}"),
        );
        self.ask(
            running,
            Method::POST,
            "/login",
            &[json],
            &format!("{{\"user\":\"treating\",\"password\":\"{kana}\"}}"),
        );
        self.ask(
            running,
            Method::POST,
            "/login",
            &[json],
            &format!("{{{kana}"),
        );
        self.ask(
            running,
            Method::POST,
            "/login",
            &[form],
            &format!("user={local}&{kana}={kana}"),
        );
        self.ask(
            running,
            Method::POST,
            "/login/totp",
            &[json],
            &format!("{{\"code\":\"{local}\"}}"),
        );
        self.ask(
            running,
            Method::POST,
            "/fhir/Patient/_search",
            &[signed[0], form],
            &format!("name={kana}&birthdate={kana}"),
        );
        self.ask(
            running,
            Method::POST,
            "/fhir/Patient/_search",
            &[signed[0], json],
            kana,
        );
        self.ask(
            running,
            Method::DELETE,
            &format!("/fhir/Patient/{local}"),
            &signed,
            kana,
        );
        self.ask(
            running,
            Method::GET,
            &format!("/fhir/Observation?_cursor={local}"),
            &signed,
            "",
        );
    }

    /// The office over HTTP, with mistakes.
    fn office(&self, running: &Running, secret: &str) {
        let session = running.sign_in("clerk", secret);
        let headers = [
            ("cookie", session.cookie.as_str()),
            ("x-csrf-token", &session.csrf),
            ("content-type", "application/json"),
        ];
        let patient = &self.patients[3];
        let (kana, local) = (&patient.paper.kana, &patient.person.local_id);
        for body in [
            format!("{{\"kana\":\"{kana}\",\"local_ids\":\"{local}\",\"{kana}\":1}}"),
            format!(
                "{{\"consent_no\":\"{kana}\",\"kana\":\"{kana}\",\"local_ids\":\"{HOSPITAL}:{local}\"}}"
            ),
            format!("{{\"{kana}"),
        ] {
            self.ask(running, Method::POST, "/office/consents", &headers, &body);
            self.ask(
                running,
                Method::POST,
                "/office/consents/N-3/withdraw",
                &headers,
                &body,
            );
        }
        self.ask(running, Method::GET, "/office/consents/N-3", &headers, "");
        self.ask(
            running,
            Method::POST,
            &format!("/office/consents/{local}/check"),
            &headers,
            "",
        );
    }

    /// Messages that are good, cut off, and none at all.
    fn pushed(&self, running: &Running) {
        running.push_of(&self.patients);
        let person = &self.patients[1].person;
        let full = format!("{}{}", person.family, person.given);
        let head = format!("MSH|^~\\&|{full}|{full}|||x||{full}^{full}|{full}|{full}|{full}\r");
        for bytes in [
            full.clone(),
            format!("{full}\x0b{head}PID|1||{full}\x1c\r{full}\x0b{full}"),
            format!("\x0b{full}\x1c\r"),
            format!(
                "\x0b{}PID|1||{full}\x1c\r",
                head.replace(&format!("|{full}\r"), "|9|P|2.5\r")
            ),
        ] {
            let mut sender = TcpStream::connect(running.mllp()).unwrap();
            sender.write_all(bytes.as_bytes()).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
            let mut answers = Vec::new();
            sender.read_to_end(&mut answers).unwrap();
        }
    }

    /// The storage is taken away while it is swept.
    fn outage(&mut self, running: &Running) {
        let away = self.hub.path().join("away");
        fs::rename(self.hub.storage(), &away).unwrap();
        running.until("the outage is noticed", || {
            running.log().contains("sweep failed")
        });
        self.command(&["ingest", "--once"], "");
        fs::rename(&away, self.hub.storage()).unwrap();
    }
}

fn check(format: &str) {
    let mut stage = Stage::new(format);
    stage.hub.secretary();
    let token = stage.hub.token("treating", "physician", CLINIC);
    let clerk = stage.hub.person("clerk", "secretariat", HOSPITAL);
    let running = stage.hub.serve("serve,office,ingest");
    stage.papers();
    stage.files();
    stage.command(&["ingest", "--once"], "");
    stage.command(&["ingest", "--once", "--json"], "");
    stage.requests(&running, &token);
    stage.office(&running, &clerk);
    stage.pushed(&running);
    stage.outage(&running);
    let name = stage.patients[1].person.kana();
    stage.command(
        &["token", "issue", "--as", "treating"],
        &format!("{name}\n123456\n"),
    );
    stage.command(
        &[
            "user",
            "add",
            "treating",
            "--name",
            &name,
            "--profession",
            "nurse",
            "--facility",
            CLINIC,
        ],
        "x\n",
    );
    stage.hub.withdraw("N-5");
    stage.command(&["status", "--json"], "");
    stage.command(&["status", "--config", "none.toml"], "");
    stage.command(
        &[
            "audit",
            "show",
            "--limit",
            "100000",
            "--json",
            "--as",
            "secretary",
        ],
        "",
    );
    stage.command(&["audit", "verify"], "");
    let metrics = running.metrics();
    assert!(metrics.contains("musubi_http_requests_total"), "{metrics}");
    stage.said.push(("metrics".to_owned(), metrics));
    let log = running.log();
    assert!(running.stop());
    let levels: &[&str] = if format == "json" {
        &["\"level\":\"INFO\"", "\"level\":\"ERROR\""]
    } else {
        &[" INFO ", "ERROR "]
    };
    assert!(
        levels.iter().all(|level| log.contains(level)),
        "the log was really kept"
    );
    stage
        .said
        .extend(log.lines().map(|line| ("log".to_owned(), line.to_owned())));
    // What the network says of itself is nobody's secret.
    let own: String = ["profile.toml", "facilities.tsv", "feeds/demo-hospital.toml"]
        .iter()
        .map(|file| {
            fs::read_to_string(stage.hub.path().join("networks/example").join(file)).unwrap()
        })
        .collect();
    let words = Words::everything(&stage.patients).except(&own);
    let person = &stage.patients[1].person;
    for said in [
        person.kana(),
        person.local_id.clone(),
        encoded(&person.kana()),
    ] {
        assert!(
            words.found_in(&format!("a {said} b")).is_some(),
            "the search finds {said}"
        );
    }
    for (who, text) in &stage.said {
        assert_eq!(words.found_in(text), None, "{who}: {text}");
    }
    let scanner = Words::names(&stage.patients)
        .except(&own)
        .scanner("sign-in-failed");
    let mut found = BTreeSet::new();
    for file in ["audit.db", "audit.db-wal"] {
        let bytes = fs::read(stage.hub.path().join("data").join(file)).unwrap_or_default();
        found.extend(scanner.found_in(&bytes));
        assert_eq!(
            words.found_in(&String::from_utf8_lossy(&bytes)),
            None,
            "{file}"
        );
    }
    // A row of the story itself shows that the search looks where the rows are.
    assert_eq!(found, BTreeSet::from(["sign-in-failed"]));
}

#[test]
fn logs_for_people_name_nobody() {
    check("human");
}

#[test]
fn logs_for_programs_name_nobody() {
    check("json");
}
