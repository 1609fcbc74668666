//! Resources inside a resource, each referenced by what holds it (FHIR R4 §2.21.0.3, dom-3).

use crate::json::Value;
use model::id::FacilityId;
use model::person::Staff;

use super::object::Object;
use super::person::practitioner;

/// The contained resources of one resource; equal ones are kept once.
#[derive(Default)]
pub(crate) struct Contained {
    resources: Vec<(String, Value)>,
}

impl Contained {
    /// Takes a resource in and returns the reference to it.
    pub(crate) fn hold(&mut self, resource: Object) -> Object {
        let resource = Value::from(resource);
        let known = self
            .resources
            .iter()
            .find(|(_, held)| *held == resource)
            .map(|(id, _)| id.clone());
        let id = known.unwrap_or_else(|| self.take(resource));
        Object::new().with("reference", format!("#{id}"))
    }

    fn take(&mut self, resource: Value) -> String {
        let kind = resource
            .get("resourceType")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let number = self
            .resources
            .iter()
            .filter(|(id, _)| id.starts_with(&kind))
            .count()
            + 1;
        let id = format!("{kind}{number}");
        self.resources.push((id.clone(), resource));
        id
    }

    /// Takes a member of staff in, unless nothing is known of them.
    pub(crate) fn staff(&mut self, staff: &Staff, facility: &FacilityId) -> Option<Object> {
        practitioner(staff, facility).map(|resource| self.hold(resource))
    }
}

impl From<Contained> for Value {
    fn from(contained: Contained) -> Self {
        let numbered = |(id, resource): (String, Value)| {
            let kind = resource.get("resourceType").cloned();
            let Value::Object(resource) = resource else {
                return Value::Null;
            };
            let head = Object::new().with("resourceType", kind).with("id", id);
            let rest = resource
                .into_iter()
                .filter(|(name, _)| *name != "resourceType");
            rest.fold(head, |out, (name, value)| out.with(name, value))
                .into()
        };
        Self::Array(contained.resources.into_iter().map(numbered).collect())
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
        let first = contained.staff(&doctor, &facility).map(plain).unwrap();
        let again = contained.staff(&doctor, &facility).map(plain).unwrap();
        assert_eq!(first, again);
        assert!(contained.staff(&Staff::default(), &facility).is_none());
        let held = plain(contained);
        assert_eq!(held.as_array().map(Vec::len), Some(1));
        assert_eq!(held[0]["id"], "practitioner1");
        assert_eq!(first["reference"], "#practitioner1");
    }
}
