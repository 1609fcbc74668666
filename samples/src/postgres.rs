//! A private PostgreSQL for tests: started on first use, stopped when the test process ends, with a
//! fresh database for whoever asks. `MUSUBI_TEST_POSTGRES` (a URL without a database name, such as
//! `postgres://user:secret@host:5432`) may point to a server that is there already.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The running server; its wrapper stops it when our end of the pipe closes.
struct Server {
    _wrapper: Child,
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
        .get_or_init(|| start().map_err(|error| format!("PostgreSQL: {error}")))
        .as_ref()?;
    let socket = server.socket.display().to_string();
    let made = server
        .command("createdb")
        .args(["-h", &socket, "-U", "postgres", "-T", "template0", &name])
        .output()
        .map_err(|error| format!("createdb: {error}"))?;
    if !made.status.success() {
        return Err(format!(
            "createdb: {}",
            String::from_utf8_lossy(&made.stderr)
        ));
    }
    Ok(format!("postgres:///{name}?host={socket}&user=postgres"))
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

fn start() -> io::Result<Server> {
    let bin = programs()?;
    // PostgreSQL refuses to run as root.
    let as_postgres = is_root()?;
    let folder = std::env::temp_dir().join(format!("musubi-postgres-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    if as_postgres {
        run(Command::new("chown").arg("postgres").arg(&folder))?;
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
    // The wrapper waits for the end of its standard input, which is the end of this process.
    let script = "\"$0\" -D \"$1\" -k \"$2\" -c listen_addresses='' -c fsync=off -c max_connections=400 \
                  -c log_statement=none -c log_parameter_max_length=0 >\"$3/log\" 2>&1 & server=$!; \
                  read -r _; kill -INT $server; wait $server; rm -rf \"$1\" \"$2\"";
    let mut wrapper = command(Path::new("sh"), as_postgres);
    wrapper
        .args(["-c", script])
        .arg(bin.join("postgres"))
        .arg(&data)
        .arg(&socket)
        .arg(&data);
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
                _wrapper: wrapper,
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
