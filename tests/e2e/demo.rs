//! `musubi demo` as a newcomer meets it: its printed lines are run as printed, and each must give the
//! answer that is printed beside it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{copy, project, unpack};

/// A running demo, and what it printed.
struct Demo {
    child: Child,
    printed: Vec<String>,
}

impl Demo {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_musubi"))
            .arg("demo")
            .current_dir(folder)
            .env("MUSUBI_SERVE_LISTEN", "127.0.0.1:0")
            .env("MUSUBI_METRICS_LISTEN", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut printed = Vec::new();
        for line in lines {
            let last = line.starts_with("Ctrl-C");
            printed.push(line);
            if last {
                break;
            }
        }
        Self { child, printed }
    }

    /// The command printed below the line that begins with a mark, and the answer that line promises.
    fn command(&self, mark: &str) -> (String, String) {
        let at = self
            .printed
            .iter()
            .position(|line| line.starts_with(mark))
            .unwrap();
        let promised = self.printed[at].split("Expect ").nth(1).unwrap().to_owned();
        (self.printed[at + 1].trim().to_owned(), promised)
    }

    fn stop(mut self) {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(
            self.child.wait().unwrap().success(),
            "the demo stops in order"
        );
    }
}

fn run(command: &str, folder: &Path) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{command}: {text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn the_printed_commands_give_the_printed_answers() {
    let folder = tempfile::tempdir().unwrap();
    copy(
        &project().join("networks/example"),
        &folder.path().join("networks/example"),
    );
    unpack(
        "demo-hospital.tar.xz",
        &folder.path().join("data/demo-hospital"),
    );
    std::fs::create_dir(folder.path().join("samples")).unwrap();
    for paper in ["demo-consents.csv", "demo-withdrawals.csv"] {
        std::fs::copy(
            project().join("samples").join(paper),
            folder.path().join("samples").join(paper),
        )
        .unwrap();
    }
    let demo = Demo::start(folder.path());
    let (reads, promised) = demo.command("(a)");
    assert_ne!(promised, "\"total\":0", "the demo shows something");
    assert!(run(&reads, folder.path()).contains(&promised), "{promised}");
    let (asks, promised) = demo.command("(b)");
    let nothing = run(&asks, folder.path());
    assert!(nothing.contains(&promised), "{promised}");
    // The same as for a patient who does not exist.
    let unknown = asks.replace(id_of(&asks), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(
        run(&unknown, folder.path()).replace("aaaaaaaaaaaaaaaaaaaaaaaaaa", id_of(&asks)),
        nothing
    );
    let (withdraws, promised) = demo.command("(c)");
    run(&withdraws, folder.path());
    assert!(run(&reads, folder.path()).contains(&promised), "{promised}");
    let code = run(
        &format!("{} demo code physician", env!("CARGO_BIN_EXE_musubi")),
        folder.path(),
    );
    assert!(code.trim().len() == 6 && code.trim().bytes().all(|digit| digit.is_ascii_digit()));
    demo.stop();

    let again = Demo::start(folder.path());
    let (reads, promised) = again.command("(a)");
    assert_eq!(
        promised, "\"total\":0",
        "started again it continues with its data"
    );
    assert!(run(&reads, folder.path()).contains(&promised));
    again.stop();
}

/// The patient's id in a printed command.
fn id_of(command: &str) -> &str {
    command
        .split("patient=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
}
