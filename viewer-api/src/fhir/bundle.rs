//! Searchset bundles: what was found, what came along, how many there are, where it goes on.

use crate::json::Value;

use super::object::Object;

/// Bytes of a bundle beside its entries, and of an entry beside its resource; mostly addresses.
const AROUND: usize = 512;

/// A resource with its address.
pub(crate) struct Entry {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) resource: Value,
}

/// An answer to a search.
pub(crate) struct Bundle<'a> {
    /// Address of the face.
    pub(crate) base: &'a str,
    pub(crate) kind: &'a str,
    /// How many this reader may see in all.
    pub(crate) total: u64,
    pub(crate) matches: Vec<Entry>,
    pub(crate) included: Vec<Entry>,
    /// The used parameters as a query.
    pub(crate) query: &'a str,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
}

impl From<Bundle<'_>> for Value {
    fn from(bundle: Bundle<'_>) -> Self {
        let links: Vec<Object> = bundle.links().collect();
        let base = bundle.base;
        let matches = bundle.matches.iter();
        let matches = matches.map(|found| entry(base, found, "match"));
        let included = bundle.included.iter();
        let included = included.map(|found| entry(base, found, "include"));
        let entries: Vec<Object> = matches.chain(included).collect();
        // A page of results is long: it is not moved each time it has grown.
        let bytes = entries.iter().map(|entry| entry.len() + 2).sum::<usize>() + AROUND;
        Object::sized(bytes)
            .with("resourceType", "Bundle")
            .with("type", "searchset")
            .with("total", bundle.total)
            .with("link", links)
            .with("entry", entries)
            .into()
    }
}

impl Bundle<'_> {
    fn links(&self) -> impl Iterator<Item = Object> {
        let at = |query: &str| {
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{}/{}{mark}{query}", self.base, self.kind)
        };
        let link =
            |relation: &str, url: String| Object::new().with("relation", relation).with("url", url);
        let next = self
            .next
            .as_ref()
            .map(|cursor| link("next", at(&format!("_cursor={cursor}"))));
        std::iter::once(link("self", at(self.query))).chain(next)
    }
}

fn entry(base: &str, found: &Entry, mode: &str) -> Object {
    let Entry { kind, id, resource } = found;
    Object::sized(resource.as_str().len() + AROUND)
        .with("fullUrl", format!("{base}/{kind}/{id}"))
        .with("resource", resource)
        .with("search", Object::new().with("mode", mode))
}
