//! What programs that call the commands rely on: one JSON object on standard output, whatever
//! happens, and an exit code that says what kind of end it was.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const GOOD_PASSWORD: &str = "tulip kx7vq2mz\n";

/// Exit code and JSON of a command in a folder with the example network.
fn run(folder: &Path, arguments: &str, typed: &str) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_musubi"));
    command
        .args(arguments.split(' '))
        .arg("--json")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that asks nothing may have ended already.
    drop(child.stdin.take().unwrap().write_all(typed.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, 1, "{arguments}");
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), json)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("networks/example");
    std::fs::create_dir_all(&network).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("networks/example");
    for file in ["profile.toml", "facilities.tsv"] {
        std::fs::copy(example.join(file), network.join(file)).unwrap();
    }
    folder
}

#[test]
fn every_end_is_one_object_and_a_code() {
    let folder = folder();
    let check = |arguments: &str, typed: &str, code: i32, schema: &str| {
        let (exit, json) = run(folder.path(), arguments, typed);
        assert_eq!(
            (exit, &json["schema"]),
            (code, &schema.into()),
            "{arguments}: {json}"
        );
    };
    let error = "musubi-error/1";
    check("check", "", 0, "musubi-check/1");
    check("check --bogus", "", 2, error);
    check("--config none.toml check", "", 3, error);
    check("--config none.toml status", "", 3, error);
    check("status", "", 0, "musubi-status/1");
    check("audit verify", "", 0, "musubi-audit-verify/1");
    let add = "user add sec --name sec --facility 1319999902 --profession";
    check(&format!("{add} msw"), GOOD_PASSWORD, 4, error);
    check(&format!("{add} secretariat"), "sakura123\n", 4, error);
    check(
        &format!("{add} secretariat"),
        GOOD_PASSWORD,
        0,
        "musubi-user/1",
    );
    check(&format!("{add} secretariat"), GOOD_PASSWORD, 4, error);
    check(
        "user unlock sec --reason called --as sec",
        "",
        0,
        "musubi-user/1",
    );
    check("user unlock nobody --reason called", "", 4, error);
    check("token issue --as sec", "wrong\n000000\n", 4, error);
    check("consent show C-1 --as nobody", "", 4, error);
    check("consent show C-1 --as sec", "", 1, error);
    check("consent import none.csv --as sec", "", 3, error);
    check("ingest none --once", "", 3, error);
    check("ingest --once", "", 0, "musubi-ingest/1");
}

#[test]
fn a_bad_configuration_and_bad_papers_are_findings() {
    let folder = folder();
    let profile = folder.path().join("networks/example/profile.toml");
    let good = std::fs::read_to_string(&profile).unwrap();
    let (_, added) = run(
        folder.path(),
        "user add sec --name sec --facility 1319999902 --profession secretariat",
        GOOD_PASSWORD,
    );
    assert_eq!(added["schema"], "musubi-user/1");
    std::fs::write(folder.path().join("bad.csv"), "consent_no,form\nC-1,C-1\n").unwrap();
    let (exit, json) = run(folder.path(), "consent import bad.csv --as sec", "");
    assert_eq!(
        (exit, &json["schema"]),
        (1, &"musubi-consent-import/1".into())
    );
    assert_eq!(json["mistakes"][0]["line"], 1);
    std::fs::write(&profile, good.replace("hold =", "hodl =")).unwrap();
    let (exit, json) = run(folder.path(), "check", "");
    assert_eq!((exit, &json["mistakes"][0]["rule"]), (1, &"C0101".into()));
    let (exit, json) = run(folder.path(), "status", "");
    assert_eq!((exit, &json["schema"]), (1, &"musubi-error/1".into()));
}

/// By line as by file: the words of the manual and no others, and the mistake says which.
#[test]
fn a_sex_is_written_as_in_the_manual() {
    let folder = folder();
    let add = "user add sec --name sec --facility 1319999902 --profession secretariat";
    run(folder.path(), add, GOOD_PASSWORD);
    let line = |sex: &str| {
        format!(
            "C-1,C-1,1,2026-04-01,a,self,ミホンハナコ,1948-04-15,{sex},1319999902:1,*,*,*,2026-04-01,,b,c"
        )
    };
    let told = |answer: &Value| {
        let message = answer["mistakes"][0]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            message.contains("male, female, other, unknown, M, F, O, U"),
            "{message}"
        );
    };
    let header = "consent_no,form,form_version,signed_on,signer,relation,kana,birth_date,sex,local_ids,\
                  sources,readers,categories,from,to,explained_by,kept_at";
    for (sex, code) in [("m", 1), ("Male", 1), ("M", 0), ("male", 0)] {
        let added = run(
            folder.path(),
            &format!("consent add {} --as sec", line(sex)),
            "",
        );
        std::fs::write(
            folder.path().join("one.csv"),
            format!("{header}\n{}\n", line(sex)),
        )
        .unwrap();
        let imported = run(folder.path(), "consent import one.csv --as sec", "");
        for (exit, answer) in [added, imported] {
            assert_eq!(exit, code, "{sex}: {answer}");
            if code == 1 {
                told(&answer);
            }
        }
    }
}
