//! `musubi serve`: pages and interfaces, feeds, health and metrics, until told to stop.

mod probes;
mod request;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use auth::Auth;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::IntoResponse;
use clap::{Args, ValueEnum};
use store::{AuditAction, Event, Papers};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;
use crate::{logging, metrics};

use probes::Probes;

/// No request takes longer, its row of the audit included. The rooms end an answer of theirs before,
/// so that the row tells of it; what lies outside them concerns nobody who is signed in.
const REQUEST_SECONDS: u64 = 40;
/// What runs out is looked for so often.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Reads: FHIR and sign-in
    Serve,
    /// Papers over HTTP
    Office,
    /// Feeds
    Ingest,
}

/// Serve, until stopped
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi serve
  musubi serve --roles serve,office        feeds run in another process

/healthz, /readyz and /metrics are on a listener of their own, `metrics.listen` (127.0.0.1:9464);
where that is \"off\" there are none.

SIGTERM and Ctrl-C end it in order: requests are answered, batches end, the audit is written.")]
pub(crate) struct Serve {
    /// What this process does
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["serve", "office", "ingest"])]
    roles: Vec<Role>,
}

impl Serve {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let stop = signals()?;
        let served = serve(&opened, &self.roles, output, stop, |_| Ok(())).await;
        opened.close().await;
        served.map(|()| Exit::Good)
    }
}

/// After a change of profile or facilities the grants are brought in line before anything is read.
///
/// # Errors
/// When a database does not answer.
pub(crate) async fn recompute(papers: &Papers) -> anyhow::Result<()> {
    let changed = papers
        .recompute_all()
        .await
        .context("bring grants in line with the profile")?;
    if changed > 0 {
        tracing::info!(
            patients = changed,
            "grants were brought in line with profile and facilities"
        );
    }
    Ok(())
}

/// Serves until `stop`; `ready` is called with the address once it listens.
///
/// # Errors
/// When an address cannot be listened on, or the store cannot be read.
pub(crate) async fn serve(
    opened: &Opened,
    roles: &[Role],
    output: Output,
    stop: watch::Receiver<bool>,
    ready: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    logging::start(&opened.config.log)?;
    let handle = metrics::collect()?;
    let store = &opened.store;
    recompute(&opened.papers()).await?;
    let listener = TcpListener::bind(opened.config.listen).await;
    let listener = listener.with_context(|| format!("listen on {}", opened.config.listen))?;
    let address = listener.local_addr()?;
    let probes = match opened.config.metrics {
        Some(address) => Some(Probes::listen(address, store.clone(), handle).await?),
        None => None,
    };
    store
        .audit()
        .record(Event::new(AuditAction::Started).with(format!("{roles:?}")))
        .await?;
    let auth = Auth::new(store).behind(opened.config.front.clone());
    let app = router(opened, &auth, roles, address);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(tidy(auth.clone(), stop.clone()));
    if roles.contains(&Role::Ingest) {
        let feeds = ingest::Ingest::new(store.clone(), opened.config.max_item);
        tasks.spawn(feeds.run(stop.clone()));
    }
    if let Some(probes) = probes {
        tasks.spawn(probes.answer(stopped(stop.clone())));
    }
    ready(address)?;
    tracing::info!(%address, ?roles, "serving");
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(stopped(stop))
        .await;
    while tasks.join_next().await.is_some() {}
    auth.close().await?;
    store
        .audit()
        .record(Event::new(AuditAction::Stopped))
        .await?;
    tracing::info!("stopped in order");
    output.error("stopped");
    served.context("serve")
}

/// All routes of the roles, inside the frame that every answer has.
fn router(opened: &Opened, auth: &Auth, roles: &[Role], address: SocketAddr) -> Router {
    let store = &opened.store;
    let mut app = Router::new();
    if roles.contains(&Role::Serve) {
        let face = viewer_api::Face {
            disclosure: store.disclosure(),
            network: Arc::clone(&opened.config.network),
            auth: auth.clone(),
            base: match &opened.config.front.site {
                Some(site) => format!("{}/fhir", site.origin()),
                None => format!("http://{address}/fhir"),
            },
            clock: store.clock().clone(),
            fold: normalize::text::fold,
        };
        app = app.merge(viewer_api::router(Arc::new(face)));
    }
    if roles.contains(&Role::Office) {
        let (papers, audit) = (opened.papers(), store.audit().clone());
        app = app.merge(office::router(office::Office {
            auth: auth.clone(),
            papers,
            audit,
        }));
    }
    app.merge(auth::router(auth.clone()))
        .merge(shell::assets::router())
        .fallback(shell::not_found)
        .method_not_allowed_fallback(shell::method_not_allowed)
        .layer(middleware::map_response(shell::headers))
        .layer(CatchPanicLayer::custom(|_| {
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(REQUEST_SECONDS),
        ))
        .layer(middleware::from_fn(request::logged))
}

/// Sessions, tokens and counters that ran out.
async fn tidy(auth: Auth, stop: watch::Receiver<bool>) {
    let mut stopped = Box::pin(stopped(stop));
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(TIDY_EVERY) => {
                if let Err(error) = auth.sweep().await {
                    tracing::warn!(%error, "what ran out is looked for again");
                }
            }
        }
    }
}

/// Done when told to stop.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // A closed channel means the same.
    let _ = stop.wait_for(|stopping| *stopping).await;
}

/// Told to stop by SIGTERM or Ctrl-C.
///
/// # Errors
/// When signals cannot be caught.
pub(crate) fn signals() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("catch SIGTERM")?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        let _ = tell.send(true);
    });
    Ok(told)
}
