//! Private object stores that speak S3, for tests: `s3s-fs` inside this process, which is always
//! there, and `moto_server` beside it where it is installed (`pip install 'moto[server]'`). Each call
//! gives an empty bucket.
//!
//! Both promise less than a real store does. When many write at once, both break the promise of
//! `If-None-Match: *`: they look first and write then. `s3s-fs` keeps it when its writes take turns
//! ([`Bucket::take_turns`]). `s3s-fs` verifies signatures, `moto_server` does not.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard};

/// An empty bucket, and how to reach it. Names and keys are invented.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    /// The bucket's name.
    pub name: String,
    /// Who may ask.
    pub access_key: &'static str,
    /// Their secret.
    pub secret_key: &'static str,
    requests: Arc<AtomicUsize>,
    is_away: Arc<AtomicBool>,
    takes_turns: Arc<AtomicBool>,
    turn: Arc<Mutex<()>>,
}

const ACCESS_KEY: &str = "sample-access-key";
const SECRET_KEY: &str = "sample-secret-key";

static BUCKETS: AtomicU32 = AtomicU32::new(0);

impl Bucket {
    fn at(endpoint: String) -> Self {
        let number = BUCKETS.fetch_add(1, Ordering::SeqCst);
        Self {
            endpoint,
            name: format!("sample-{}-{number}", std::process::id()),
            access_key: ACCESS_KEY,
            secret_key: SECRET_KEY,
            requests: Arc::default(),
            is_away: Arc::default(),
            takes_turns: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// How many requests `s3s-fs` was asked until now; nobody counts at `moto_server`.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Lets `s3s-fs` cut every connection instead of answering, or answer again.
    pub fn set_away(&self, away: bool) {
        self.is_away.store(away, Ordering::SeqCst);
    }

    /// Lets `s3s-fs` do one request after the other from now on.
    pub fn take_turns(&self) {
        self.takes_turns.store(true, Ordering::SeqCst);
    }

    /// When a request may be answered, if it is.
    async fn turn(&self) -> io::Result<Option<MutexGuard<'_, ()>>> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(io::Error::other("away"));
        }
        Ok(if self.takes_turns.load(Ordering::SeqCst) {
            Some(self.turn.lock().await)
        } else {
            None
        })
    }
}

/// A bucket of an `s3s-fs` of its own; it is gone when the process ends.
///
/// # Errors
/// When it does not start.
pub fn s3s() -> Result<Bucket, String> {
    start_s3s().map_err(|error| format!("s3s-fs: {error}"))
}

fn start_s3s() -> io::Result<Bucket> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let bucket = Bucket::at(format!("http://{}", listener.local_addr()?));
    let root = std::env::temp_dir().join(format!("musubi-s3-{}", bucket.name));
    std::fs::create_dir_all(root.join(&bucket.name))?;
    removed_at_the_end(&root)?;
    let files = FileSystem::new(&root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let (service, served) = (service.build(), bucket.clone());
    std::thread::Builder::new().spawn(move || serve(listener, &service, &served))?;
    Ok(bucket)
}

/// Answers as long as the process lives.
fn serve(listener: std::net::TcpListener, service: &S3Service, bucket: &Bucket) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let (service, bucket) = (service.clone(), bucket.clone());
            let answer = service_fn(move |request| {
                bucket.requests.fetch_add(1, Ordering::SeqCst);
                let answer = Service::call(&service, request);
                let bucket = bucket.clone();
                async move {
                    let _turn = bucket.turn().await?;
                    answer
                        .await
                        .map_err(|error| io::Error::other(format!("{error:?}")))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    })
}

/// A shell waits for the end of its standard input, which is the end of this process.
fn removed_at_the_end(folder: &Path) -> io::Result<()> {
    let script = "read -r _; rm -rf \"$0\"";
    let shell = Command::new("sh")
        .args(["-c", script])
        .arg(folder)
        .stdin(Stdio::piped())
        .spawn()?;
    // Our end of the pipe stays open until then.
    std::mem::forget(shell);
    Ok(())
}

/// The running server; its wrapper stops it when our end of the pipe closes.
struct Moto {
    _wrapper: Child,
    endpoint: String,
}

static MOTO: OnceLock<Result<Option<Moto>, String>> = OnceLock::new();

/// A bucket of the process's `moto_server`; nothing when none is installed.
///
/// # Errors
/// When it is installed and does not start, or makes no bucket.
pub fn moto() -> Result<Option<Bucket>, String> {
    let moto = MOTO.get_or_init(|| start_moto().map_err(|error| format!("moto_server: {error}")));
    let Some(moto) = moto.as_ref()? else {
        return Ok(None);
    };
    let bucket = Bucket::at(moto.endpoint.clone());
    make(&bucket).map_err(|error| format!("moto_server: {error}"))?;
    Ok(Some(bucket))
}

fn start_moto() -> io::Result<Option<Moto>> {
    let installed = Command::new("moto_server")
        .arg("--help")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !installed.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let log = std::env::temp_dir().join(format!("musubi-moto-{}.log", std::process::id()));
    let script = "moto_server -H 127.0.0.1 -p 0 >\"$0\" 2>&1 & server=$!; \
                  read -r _; kill $server; wait $server; rm -f \"$0\"";
    let mut wrapper = Command::new("sh")
        .args(["-c", script])
        .arg(&log)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut said = String::new();
    for _ in 0..300 {
        said = std::fs::read_to_string(&log).unwrap_or_default();
        let line = said.lines().find_map(|line| line.split_once("Running on "));
        if let Some((_, endpoint)) = line {
            return Ok(Some(Moto {
                endpoint: endpoint.trim().to_owned(),
                _wrapper: wrapper,
            }));
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    wrapper.kill()?;
    Err(io::Error::other(format!("did not start: {said}")))
}

/// `CreateBucket`, as little of it as `moto_server` wants to see.
fn make(bucket: &Bucket) -> io::Result<()> {
    let address = bucket.endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "PUT /{} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        bucket.name
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.lines().next() {
        Some(line) if line.contains(" 200 ") => Ok(()),
        line => Err(io::Error::other(format!("no bucket: {line:?}"))),
    }
}
