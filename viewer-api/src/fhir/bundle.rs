//! Searchset bundles: what was found, what came along, how many there are, where it goes on.

use crate::json::Value;

use super::object::Object;

/// An answer to a search.
pub(crate) struct Bundle<'a> {
    /// Address of the face.
    pub(crate) base: &'a str,
    pub(crate) kind: &'a str,
    /// How many this reader may see in all.
    pub(crate) total: u64,
    pub(crate) matches: Vec<Value>,
    pub(crate) included: Vec<Value>,
    /// The used parameters as a query.
    pub(crate) query: &'a str,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
}

impl From<Bundle<'_>> for Value {
    fn from(bundle: Bundle<'_>) -> Self {
        let links: Vec<Self> = bundle.links().collect();
        let base = bundle.base;
        let matches = bundle
            .matches
            .into_iter()
            .map(|resource| entry(base, resource, "match"));
        let included = bundle
            .included
            .into_iter()
            .map(|resource| entry(base, resource, "include"));
        Object::resource("Bundle")
            .with("type", "searchset")
            .with("total", bundle.total)
            .with("link", links)
            .with("entry", matches.chain(included).collect::<Vec<_>>())
            .into()
    }
}

impl Bundle<'_> {
    fn links(&self) -> impl Iterator<Item = Value> {
        let at = |query: &str| {
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{}/{}{mark}{query}", self.base, self.kind)
        };
        let link = |relation: &str, url: String| {
            Object::new()
                .with("relation", relation)
                .with("url", url)
                .into()
        };
        let next = self
            .next
            .as_ref()
            .map(|cursor| link("next", at(&format!("_cursor={cursor}"))));
        std::iter::once(link("self", at(self.query))).chain(next)
    }
}

fn entry(base: &str, resource: Value, mode: &str) -> Value {
    let part = |key: &str| {
        resource
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let url = format!("{base}/{}/{}", part("resourceType"), part("id"));
    Object::new()
        .with("fullUrl", url)
        .with("resource", resource)
        .with("search", Object::new().with("mode", mode))
        .into()
}
