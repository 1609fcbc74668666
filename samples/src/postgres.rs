//! A private PostgreSQL for tests: started on first use, stopped when the test process ends, with a
//! fresh database for whoever asks. `MUSUBI_TEST_POSTGRES` (a URL without a database name, such as
//! `postgres://user:secret@host:5432`) may point to a server that is there already. [`Own`] is a
//! server that a test may stop.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The running server; its wrapper stops it when our end of the pipe closes.
struct Server {
    wrapper: Child,
    socket: PathBuf,
    bin: PathBuf,
    as_postgres: bool,
}

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A URL of a new, empty database with C collation.
///
/// # Errors
/// When no PostgreSQL 15 or later is installed or it does not start. Tests fail then; they do not
/// skip.
pub fn database() -> Result<String, String> {
    let number = DATABASES.fetch_add(1, Ordering::SeqCst);
    let name = format!("musubi_{}_{number}", std::process::id());
    if let Some(base) = elsewhere() {
        let mut createdb = Command::new("createdb");
        createdb
            .arg(format!("--maintenance-db={base}/postgres"))
            .args(["-T", "template0", "--locale=C", &name]);
        run(&mut createdb).map_err(|error| error.to_string())?;
        return Ok(format!("{base}/{name}"));
    }
    let server = SERVER
        .get_or_init(|| {
            start(&folder("shared"), false).map_err(|error| format!("PostgreSQL: {error}"))
        })
        .as_ref()?;
    server.create(&name)?;
    Ok(server.url(&name))
}

/// A server of one test alone, which may be away for a while.
pub struct Own {
    folder: PathBuf,
    server: Option<Server>,
}

impl Own {
    /// Starts a server.
    ///
    /// # Errors
    /// As [`database`].
    pub fn start() -> Result<Self, String> {
        let folder = folder("own");
        let server = start(&folder, true).map_err(|error| format!("PostgreSQL: {error}"))?;
        server.create("musubi")?;
        Ok(Self {
            folder,
            server: Some(server),
        })
    }

    /// URL of its database, with C collation.
    pub fn url(&self) -> String {
        let server = self.server.as_ref();
        server.map_or_else(String::new, |server| server.url("musubi"))
    }

    /// Stops it as a failure would: whoever is connected is cut off.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&mut self) -> io::Result<()> {
        if let Some(mut server) = self.server.take() {
            drop(server.wrapper.stdin.take());
            server.wrapper.wait()?;
        }
        Ok(())
    }

    /// Starts it again, with what it had.
    ///
    /// # Errors
    /// When it does not start.
    pub fn again(&mut self) -> io::Result<()> {
        self.server = Some(launch(&self.folder, true)?);
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests may be pointed to another server"
)]
fn elsewhere() -> Option<String> {
    std::env::var("MUSUBI_TEST_POSTGRES")
        .ok()
        .map(|base| base.trim_end_matches('/').to_owned())
}

/// The folder of the running server, for byte scans.
pub fn data_folder() -> Option<PathBuf> {
    SERVER
        .get()?
        .as_ref()
        .ok()
        .and_then(|server| server.socket.parent().map(|folder| folder.join("data")))
}

impl Server {
    fn create(&self, name: &str) -> Result<(), String> {
        let socket = self.socket.display().to_string();
        let mut createdb = self.command("createdb");
        createdb.args(["-h", &socket, "-U", "postgres", "-T", "template0", name]);
        let made = createdb
            .output()
            .map_err(|error| format!("createdb: {error}"))?;
        if made.status.success() {
            Ok(())
        } else {
            let said = String::from_utf8_lossy(&made.stderr);
            Err(format!("createdb: {said}"))
        }
    }

    fn url(&self, name: &str) -> String {
        let socket = self.socket.display();
        format!("postgres:///{name}?host={socket}&user=postgres")
    }

    fn command(&self, program: &str) -> Command {
        command(&self.bin.join(program), self.as_postgres)
    }
}

fn command(program: &Path, as_postgres: bool) -> Command {
    if as_postgres {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// The newest installed version's programs, where Debian puts them.
fn programs() -> io::Result<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.retain(|bin| bin.join("initdb").exists());
    versions.sort();
    versions.pop().ok_or_else(|| {
        io::Error::other("no initdb below /usr/lib/postgresql; install postgresql-15")
    })
}

/// A folder for a server of this process.
fn folder(purpose: &str) -> PathBuf {
    let number = DATABASES.fetch_add(1, Ordering::SeqCst);
    let name = format!("musubi-postgres-{}-{purpose}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

/// Makes a server in a folder, and starts it; whether it `keeps` what it has when it ends.
fn start(folder: &Path, keeps: bool) -> io::Result<Server> {
    let bin = programs()?;
    // PostgreSQL refuses to run as root.
    let as_postgres = is_root()?;
    std::fs::create_dir_all(folder)?;
    if as_postgres {
        run(Command::new("chown").arg("postgres").arg(folder))?;
    }
    let data = folder.join("data");
    let socket = folder.join("socket");
    run(command(Path::new("mkdir"), as_postgres).arg(&socket))?;
    run(command(&bin.join("initdb"), as_postgres)
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "--locale=C",
            "-E",
            "UTF8",
            "-D",
        ])
        .arg(&data)
        .stdout(Stdio::null()))?;
    launch(folder, keeps)
}

/// Starts the server of a folder.
fn launch(folder: &Path, keeps: bool) -> io::Result<Server> {
    let bin = programs()?;
    let as_postgres = is_root()?;
    let (data, socket) = (folder.join("data"), folder.join("socket"));
    // The wrapper waits for the end of its standard input, which is the end of this process.
    let script = "\"$0\" -D \"$1\" -k \"$2\" -c listen_addresses='' -c fsync=off -c max_connections=400 \
                  -c log_statement=none -c log_parameter_max_length=0 >\"$3/log\" 2>&1 & server=$!; \
                  read -r _; kill -INT $server; wait $server; test \"$4\" = keep || rm -rf \"$1\" \"$2\"";
    let mut wrapper = command(Path::new("sh"), as_postgres);
    wrapper
        .args(["-c", script])
        .arg(bin.join("postgres"))
        .arg(&data)
        .arg(&socket)
        .arg(&data)
        .arg(if keeps { "keep" } else { "remove" });
    let mut wrapper = wrapper
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    for _ in 0..200 {
        let ready = command(&bin.join("pg_isready"), as_postgres)
            .arg("-h")
            .arg(&socket)
            .stdout(Stdio::null())
            .status()?;
        if ready.success() {
            return Ok(Server {
                wrapper,
                socket,
                bin,
                as_postgres,
            });
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let mut log = String::new();
    let _ =
        std::fs::File::open(data.join("log")).and_then(|mut file| file.read_to_string(&mut log));
    wrapper.kill()?;
    Err(io::Error::other(format!("did not start: {log}")))
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{command:?}: {status}")))
    }
}

fn is_root() -> io::Result<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim() == "0")
}
