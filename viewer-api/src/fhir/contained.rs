//! Resources inside a resource, each referenced by what holds it (FHIR R4 §2.21.0.3, dom-3).

use crate::json::Say;
use model::id::FacilityId;
use model::person::Staff;

use super::object::Object;
use super::person::practitioner;

/// The contained resources of one resource; equal ones are kept once.
#[derive(Default)]
pub(crate) struct Contained {
    resources: Vec<Held>,
}

/// A resource without its type and id.
struct Held {
    kind: &'static str,
    id: String,
    content: Object,
}

impl Contained {
    /// Takes a resource of a type in and returns the reference to it.
    pub(crate) fn hold(&mut self, kind: &'static str, content: Object) -> Object {
        let mut same = self.resources.iter().filter(|held| held.kind == kind);
        let known = same.clone().find(|held| held.content == content);
        let id = match known {
            Some(held) => held.id.clone(),
            None => {
                let number = same.by_ref().count() + 1;
                let id = format!("{}{number}", kind.to_ascii_lowercase());
                self.resources.push(Held {
                    kind,
                    id: id.clone(),
                    content,
                });
                id
            }
        };
        Object::new().with("reference", format!("#{id}"))
    }

    /// Takes a member of staff in, unless nothing is known of them.
    pub(crate) fn staff(&mut self, staff: &Staff, facility: &FacilityId) -> Option<Object> {
        practitioner(staff, facility).map(|content| self.hold("Practitioner", content))
    }
}

impl Say for Contained {
    fn say(self, out: &mut String) {
        self.resources.say(out);
    }
}

impl Say for Held {
    fn say(self, out: &mut String) {
        Object::resource(self.kind)
            .with("id", self.id.as_str())
            .and(&self.content)
            .say(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::plain;

    #[test]
    fn equal_resources_are_held_once() {
        let doctor = Staff {
            id: Some("D0101".to_owned()),
            name: Some("服部 時夫".to_owned()),
            kana: None,
        };
        let facility = "1319999901".parse().unwrap();
        let mut contained = Contained::default();
        let first = plain(contained.staff(&doctor, &facility).unwrap());
        let again = plain(contained.staff(&doctor, &facility).unwrap());
        assert_eq!(first, again);
        assert!(contained.staff(&Staff::default(), &facility).is_none());
        let held = plain(contained);
        assert_eq!(held.as_array().map(Vec::len), Some(1));
        assert_eq!(held[0]["id"], "practitioner1");
        assert_eq!(first["reference"], "#practitioner1");
    }
}
