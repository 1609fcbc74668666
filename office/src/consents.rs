//! What happens at each address.

use auth::Recorded;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::papers::ConsentNo;
use serde_json::{Value, json};
use store::{AuditAction, Entered, Entry, Shown};

use crate::Office;
use crate::error::Error;
use crate::form::Form;
use crate::routes::CONSENT;
use crate::secretary::Secretary;

/// `POST /office/consents`: enters a consent form as signed. 201 when it is new, 200 when the same
/// form was entered before.
pub(crate) async fn enter(
    State(office): State<Office>,
    secretary: Secretary,
    form: Form,
) -> Result<Response, Error> {
    let paper = form.consent()?;
    let operator = secretary.requester.person();
    let entered = Box::pin(office.papers.enter_consent(operator, &paper, Entry::Signed)).await?;
    let status = if entered.changed {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let address = CONSENT.replace("{no}", &paper.consent_no.to_string());
    let body = outcome(&office, &secretary, &paper.consent_no, &entered).await?;
    Ok((status, [(header::LOCATION, address)], body).into_response())
}

/// `POST /office/consents/{no}/check`: puts a signed consent in force.
pub(crate) async fn check(
    State(office): State<Office>,
    secretary: Secretary,
    Path(no): Path<String>,
) -> Result<Response, Error> {
    let number = number(&no)?;
    let operator = secretary.requester.person();
    let checked = Box::pin(office.papers.check(operator, &number)).await?;
    outcome(&office, &secretary, &number, &checked).await
}

/// `POST /office/consents/{no}/withdraw`: ends a consent at once; a complete form also has its data
/// erased.
pub(crate) async fn withdraw(
    State(office): State<Office>,
    secretary: Secretary,
    Path(no): Path<String>,
    form: Form,
) -> Result<Response, Error> {
    let number = number(&no)?;
    let paper = form.withdrawal(&number)?;
    let operator = secretary.requester.person();
    let withdrawn = Box::pin(office.papers.withdraw(operator, &paper)).await?;
    outcome(&office, &secretary, &number, &withdrawn).await
}

/// `GET /office/consents/{no}`: a consent and how it stands. Who looked is in the audit first.
pub(crate) async fn show(
    State(office): State<Office>,
    secretary: Secretary,
    Path(no): Path<String>,
) -> Result<Json<Value>, Error> {
    let number = number(&no)?;
    let shown = Box::pin(office.papers.show(&number)).await?;
    let event = secretary.event(AuditAction::Read).of(number.to_string());
    office.audit.record(event).await?;
    Ok(Json(whole(&shown)))
}

fn number(text: &str) -> Result<ConsentNo, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// What became of a paper. A change is in the audit by the paper's own transaction; that nothing
/// changed is told of the request.
async fn outcome(
    office: &Office,
    secretary: &Secretary,
    number: &ConsentNo,
    entered: &Entered,
) -> Result<Response, Error> {
    let body = Json(json!({
        "consent_no": number,
        "patient": entered.public.to_string(),
        "state": entered.state,
        "changed": entered.changed,
    }));
    if entered.changed {
        return Ok((Extension(Recorded), body).into_response());
    }
    let event = secretary.event(AuditAction::Read).of(number.to_string());
    office.audit.record(event).await?;
    Ok(body.into_response())
}

fn whole(shown: &Shown) -> Value {
    let fields = shown.paper.to_fields().into_iter();
    let paper: serde_json::Map<String, Value> = fields
        .map(|(name, text)| (name.to_owned(), Value::String(text)))
        .collect();
    let links = shown.links.iter().map(|(local, state)| {
        json!({ "local_id": format!("{}:{}", local.facility, local.id.reveal()), "state": state })
    });
    let time = |at: Option<model::time::Instant>| at.map(|at| at.to_string());
    json!({
        "paper": paper,
        "patient": shown.patient.to_string(),
        "state": shown.state,
        "active_since": time(shown.active_since),
        "withdrawn_at": time(shown.withdrawn_at),
        "erase_at": time(shown.erase_at),
        "links": links.collect::<Vec<_>>(),
    })
}
