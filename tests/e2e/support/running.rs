//! A hub that serves: what people ask over HTTP, and what it tells.

use std::fs;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use auth::factor::totp;
use serde_json::{Value, json};
use store::Clock;

use super::{password, until};
use crate::fhir_rules;

/// A running hub; stopped in order when dropped.
pub(crate) struct Running {
    pub(super) child: Child,
    /// `http://127.0.0.1:port`
    pub(crate) base: String,
    pub(super) log: Arc<Mutex<String>>,
    pub(super) client: reqwest::blocking::Client,
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

    /// Asks the listener of health and metrics.
    pub(crate) fn probe(&self, path: &str) -> Answer {
        until("health and metrics are served", || {
            field(&self.log(), "metrics").is_some()
        });
        let address = field(&self.log(), "metrics").unwrap();
        let url = format!("http://{address}{path}");
        Answer::of(self.client.get(url).send().unwrap())
    }

    /// The address at which senders of HL7 connect.
    pub(crate) fn mllp(&self) -> String {
        until("senders may connect", || {
            field(&self.log(), "mllp").is_some()
        });
        field(&self.log(), "mllp").unwrap()
    }

    /// What is measured.
    pub(crate) fn metrics(&self) -> String {
        self.probe("/metrics").body
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
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
    #[expect(
        clippy::print_stderr,
        reason = "a story that failed tells what the program said"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines = log.lines().filter(|line| !line.contains(" request: "));
            lines.for_each(|line| eprintln!("{line}"));
        }
        if self.child.try_wait().ok().flatten().is_none() {
            self.terminate();
            let _ = self.child.wait();
        }
    }
}

/// The value of a field in a log, as text for people or as JSON.
pub(super) fn field(log: &str, name: &str) -> Option<String> {
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
