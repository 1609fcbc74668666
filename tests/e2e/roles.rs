//! PostgreSQL with a role for each schema, set up as the manual says: everything works, and no role
//! sees what is another's.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{CLINIC, Hub, Kind, paper, patients, project};

const ROLES: [&str; 4] = ["records", "office", "audit", "keys"];
const SECRET: &str = "only-for-this-test";

/// A database of its own on the server of the tests.
struct Database {
    /// Some other database of the server, as its superuser.
    server: String,
    name: String,
}

impl Database {
    fn new() -> Self {
        let server = samples::postgres::database().unwrap();
        let name = format!("musubi_roles_{}", std::process::id());
        Self { server, name }
    }

    /// What `docs/postgresql.sql` says to run.
    fn set_up(&self) {
        let file = project().join("docs/postgresql.sql");
        let name = format!("database={}", self.name);
        let options = ["-v", "ON_ERROR_STOP=1", "-v", &name, "-f"];
        let done = psql(&self.server, &options, &file);
        assert!(done.status.success(), "{}", said(&done));
    }

    /// Servers that are not this test's own want to know who logs in.
    fn give_passwords(&self) {
        for role in ROLES {
            let sql = format!("alter role musubi_{role} password '{SECRET}'");
            let done = psql(&self.server, &["-c"], Path::new(&sql));
            assert!(done.status.success(), "{}", said(&done));
        }
    }

    /// The database as a role of the program.
    fn url(&self, role: &str) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, _) = place.rsplit_once('/').unwrap();
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let others = query.split('&').filter(|pair| !pair.starts_with("user="));
        let query = others.collect::<Vec<_>>().join("&");
        let (name, host) = (&self.name, if host.is_empty() { "localhost" } else { host });
        format!("{scheme}://musubi_{role}:{SECRET}@{host}/{name}?{query}")
    }

    /// Whether a role may do something.
    fn may(&self, role: &str, sql: &str) -> bool {
        let done = psql(&self.url(role), &["-c"], Path::new(sql));
        let denied = said(&done).contains("permission denied");
        assert_eq!(
            denied,
            !done.status.success(),
            "{role} {sql}: {}",
            said(&done)
        );
        !denied
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        psql(&self.server, &["-c"], Path::new(&sql));
    }
}

fn psql(url: &str, options: &[&str], what: &Path) -> Output {
    Command::new("psql")
        .args(["-X", "-q", "-d", url])
        .args(options)
        .arg(what)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_role_for_each_schema_suffices_and_sees_no_other() {
    let database = Database::new();
    database.set_up();
    database.give_passwords();
    let mut hub = Hub::new(Kind::Sqlite);
    for role in ROLES {
        let name = format!("MUSUBI_DATABASE_{}", role.to_uppercase());
        hub.set(&name, &database.url(role));
    }
    hub.json(&["status"], "");
    database.set_up();

    let patient = patients(9, 1, 60).remove(0);
    hub.admit(&patient);
    hub.secretary();
    hub.consents(&[paper("N-1", &patient, CLINIC, "*")]);
    hub.ingest();
    let token = hub.token("reader", "physician", CLINIC);
    let running = hub.serve("serve,office,ingest");
    let search = format!("Observation?patient={}", hub.patient("N-1"));
    assert!(running.total(&token, &search) > 0);
    hub.withdraw("N-1");
    assert_eq!(running.total(&token, &search), 0);
    let kept = Path::new("select count(*) from records.record");
    running.until("the records are erased", || {
        said(&psql(&database.url("records"), &["-At", "-c"], kept)).trim() == "0"
    });
    assert!(running.stop());
    hub.json(&["audit", "verify"], "");

    for (role, sql, expected) in [
        ("records", "select count(*) from office.patient", true),
        (
            "records",
            "select count(*) from office.effective_grant",
            true,
        ),
        ("records", "delete from office.effective_grant", false),
        ("records", "select count(*) from office.consent", false),
        ("records", "select count(*) from office.session", false),
        ("records", "select count(*) from keys.patient_key", false),
        ("records", "select count(*) from audit.event", false),
        ("office", "select count(*) from records.record", false),
        ("office", "select count(*) from keys.patient_key", false),
        ("office", "delete from audit.event", false),
        ("audit", "select count(*) from keys.audit_head", false),
        ("audit", "select count(*) from office.consent", false),
        ("keys", "select count(*) from records.record", false),
        ("keys", "select count(*) from audit.event", false),
        ("keys", "create schema other", false),
    ] {
        assert_eq!(database.may(role, sql), expected, "{role}: {sql}");
    }
}
