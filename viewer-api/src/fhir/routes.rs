//! The addresses of the face, as one list: the router is built from it, and the trial of all routes
//! walks it.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Form, middleware};

use super::resources::{RESOURCES, Resource};
use super::search::Pairs;
use super::{Asked, capability, find, read, url};
use crate::caller::{Asker, witnessed};
use crate::error::{Error, fhir_json};
use crate::exchange::{conditional, is_strict, negotiate};
use crate::{Face, Shared};

/// Largest form of a posted search.
const MAX_FORM: usize = 64 * 1024;

/// What is done at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// The CapabilityStatement.
    Capabilities,
    /// One resource by id.
    Read,
    /// A search by `GET`.
    Search,
    /// A search by `POST`.
    PostedSearch,
}

/// An address of the face.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path pattern below the host, as the router and the audit know it.
    pub path: String,
    /// What is done there.
    pub interaction: Interaction,
    /// FHIR resource type; empty for what concerns none.
    pub resource: &'static str,
}

/// A request to a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// HTTP method.
    pub method: Method,
    /// Path and query.
    pub uri: String,
    /// Body of type `application/x-www-form-urlencoded`.
    pub form: Option<String>,
}

impl Route {
    /// A request about a patient: `id` is what stands in the path of a read, `patient` what a search
    /// names.
    pub fn example(&self, id: &str, patient: &str) -> Example {
        let name = if self.resource == "Patient" {
            "_id"
        } else {
            "patient"
        };
        let query = format!("{name}={}", url::encode(patient));
        let (uri, form) = match self.interaction {
            Interaction::Capabilities => (self.path.clone(), None),
            Interaction::Read => (self.path.replace("{id}", &url::encode(id)), None),
            Interaction::Search => (format!("{}?{query}", self.path), None),
            Interaction::PostedSearch => (self.path.clone(), Some(query)),
        };
        Example {
            method: self.method.clone(),
            uri,
            form,
        }
    }
}

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let metadata = Route {
        method: Method::GET,
        path: "/fhir/metadata".to_owned(),
        interaction: Interaction::Capabilities,
        resource: "",
    };
    std::iter::once(metadata)
        .chain(RESOURCES.iter().flat_map(of_resource))
        .collect()
});

fn of_resource(resource: &'static Resource) -> Vec<Route> {
    let name = resource.name;
    let route = |method, path, interaction| Route {
        method,
        path,
        interaction,
        resource: name,
    };
    let mut routes = vec![route(
        Method::GET,
        format!("/fhir/{name}/{{id}}"),
        Interaction::Read,
    )];
    if !resource.search.is_empty() {
        routes.push(route(
            Method::GET,
            format!("/fhir/{name}"),
            Interaction::Search,
        ));
        routes.push(route(
            Method::POST,
            format!("/fhir/{name}/_search"),
            Interaction::PostedSearch,
        ));
    }
    routes
}

/// All addresses of the face.
pub fn routes() -> &'static [Route] {
    &ROUTES
}

/// The face as a router; unknown addresses below `/fhir` are answered by it too.
pub fn router(face: Arc<Face>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(&route.path, method_of(route));
    }
    router
        .route("/fhir", get(unknown))
        .route("/fhir/{*rest}", get(unknown))
        .method_not_allowed_fallback(async || Error::Method)
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(Arc::clone(&face), witnessed))
        .layer(middleware::map_response(private))
        .with_state(face)
}

async fn unknown() -> Error {
    Error::NotFound
}

/// Nobody may keep an answer, and no cache may give it to another person.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}

fn method_of(route: &'static Route) -> MethodRouter<Shared> {
    let resource = RESOURCES
        .iter()
        .find(|resource| resource.name == route.resource);
    match (route.interaction, resource) {
        (Interaction::Read, Some(resource)) => get(
            async move |asker: Asker,
                        Path(id): Path<String>,
                        Query(pairs): Query<Pairs>,
                        headers: HeaderMap| {
                negotiate(&headers, &pairs)?;
                let found = read::read(&asker.asked(&route.path), resource, &id).await?;
                Ok::<_, Error>(conditional(&headers, found))
            },
        ),
        (Interaction::Search, Some(resource)) => get(
            async move |asker: Asker, Query(pairs): Query<Pairs>, headers: HeaderMap| {
                answer(&asker.asked(&route.path), resource, pairs, &headers).await
            },
        ),
        (Interaction::PostedSearch, Some(resource)) => post(
            async move |asker: Asker,
                        Query(mut pairs): Query<Pairs>,
                        headers: HeaderMap,
                        request: Request| {
                pairs.extend(form(request).await?);
                answer(&asker.asked(&route.path), resource, pairs, &headers).await
            },
        ),
        _ => get(capabilities),
    }
}

async fn answer(
    asked: &Asked<'_>,
    resource: &Resource,
    pairs: Pairs,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    negotiate(headers, &pairs)?;
    let bundle = find::search(asked, resource, pairs, is_strict(headers)).await?;
    Ok(fhir_json(StatusCode::OK, bundle))
}

/// The pairs of a posted form.
async fn form(request: Request) -> Result<Pairs, Error> {
    let read = Form::<Pairs>::from_request(request, &()).await;
    read.map(|Form(pairs)| pairs)
        .map_err(|rejection| match rejection.into_response().status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::MediaType,
            StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
            _ => Error::Invalid("the form cannot be read".to_owned()),
        })
}

/// It tells nothing of anybody, so nobody needs to sign in for it (FHIR R4 §3.1.0.9).
async fn capabilities(
    axum::extract::State(face): axum::extract::State<Shared>,
    Query(pairs): Query<Pairs>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    negotiate(&headers, &pairs)?;
    Ok(fhir_json(
        StatusCode::OK,
        capability::statement(&face.base, &face.network),
    ))
}
