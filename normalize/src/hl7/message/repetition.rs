//! A repetition of a field, cut into its components in one go: what reads it asks for most of them,
//! and for some more than once.

use std::borrow::Cow;

use model::finding::Place;

use super::{Field, value};
use crate::hl7::escape::{self, first_byte};
use crate::text;

/// Components whose ends are noted; no reader asks for a higher number. Further ones are looked for.
const NOTED: usize = 16;

/// A repetition of a field.
#[derive(Debug, Clone, Copy)]
pub struct Repetition<'m> {
    field: Field<'m>,
    number: u32,
    /// Where it begins in the text of the field.
    start: usize,
    raw: &'m str,
    /// Number of its components.
    count: usize,
    /// Where the first of them end.
    ends: [u32; NOTED],
    /// What is too large to be taken apart is one component.
    whole: bool,
}

/// The repetitions of a field.
pub(super) fn of<'m>(field: Field<'m>) -> impl Iterator<Item = Repetition<'m>> + use<'m> {
    let whole = field.is_oversized();
    let mut next = (!field.is_empty()).then_some(0);
    (1..).map_while(move |number| {
        let repetition = Repetition::cut(field, number, next?, whole)?;
        let end = repetition.start + repetition.raw.len();
        let separator = field.separators().repetition.len_utf8();
        next = (end < field.raw().len()).then_some(end + separator);
        Some(repetition)
    })
}

impl<'m> Repetition<'m> {
    /// Cuts the repetition that begins at a place of the field's text.
    fn cut(field: Field<'m>, number: u32, start: usize, whole: bool) -> Option<Self> {
        let text = field.raw().get(start..)?;
        let separators = field.separators();
        let (component, repetition) = (separators.component, separators.repetition);
        let first_bytes = (first_byte(component), first_byte(repetition));
        let stands = |at: usize, separator: char| {
            let begins = |rest: &str| rest.starts_with(separator);
            separator.is_ascii() || text.get(at..).is_some_and(begins)
        };
        let (mut count, mut ends) = (0, [0; NOTED]);
        let mut note = |end: usize| {
            if let Some(noted) = ends.get_mut(count) {
                *noted = text::offset(end);
            }
            count += 1;
        };
        let mut end = text.len();
        let parted = if whole { "" } else { text };
        for (at, byte) in parted.bytes().enumerate() {
            if byte == first_bytes.0 && stands(at, component) {
                note(at);
            } else if byte == first_bytes.1 && stands(at, repetition) {
                end = at;
                break;
            }
        }
        note(end);
        Some(Self {
            field,
            number,
            start,
            raw: text.get(..end)?,
            count,
            ends,
            whole,
        })
    }

    /// A component with the place where it begins.
    pub(super) fn part(&self, component: usize) -> Option<(usize, &'m str)> {
        if component > self.count {
            return None;
        }
        let index = component.checked_sub(1)?;
        let Some(end) = self.ends.get(index) else {
            return self.beyond().nth(index - NOTED);
        };
        let start = self.after(index);
        Some((start, self.raw.get(start..*end as usize)?))
    }

    /// Where the text begins that stands behind so many components, all of them noted.
    fn after(&self, components: usize) -> usize {
        let separator = self.field.separators().component.len_utf8();
        let last = components
            .checked_sub(1)
            .and_then(|last| self.ends.get(last));
        last.map_or(0, |end| *end as usize + separator)
    }

    /// The components behind those that are noted, with the places where they begin.
    fn beyond(&self) -> impl Iterator<Item = (usize, &'m str)> + use<'m> {
        let separator = self.field.separators().component;
        let mut start = self.after(NOTED);
        let rest = (self.count > NOTED).then(|| self.raw.get(start..).unwrap_or_default());
        let parts = rest.into_iter().flat_map(move |rest| rest.split(separator));
        parts.map(move |part| {
            let next = start + part.len() + separator.len_utf8();
            (std::mem::replace(&mut start, next), part)
        })
    }

    /// Number of the last component that was sent, empty or not.
    pub fn component_count(&self) -> usize {
        self.count
    }

    /// The text between the repetition separators, escapes and all.
    pub fn raw(&self) -> &'m str {
        self.raw
    }

    /// A component by its number, unescaped, its sub-components joined with `&`; blanks stay.
    /// `None` when it is empty or `""`.
    pub fn component(&self, number: usize) -> Option<Cow<'m, str>> {
        let (_, raw) = self.part(number)?;
        self.unescaped(raw)
    }

    /// Where components stand, other than some, that are neither empty nor `""`.
    pub fn filled_beside(&self, numbers: &[usize]) -> impl Iterator<Item = Place> {
        let noted = (1..=self.count.min(NOTED)).filter_map(|number| self.part(number));
        let parts = (1..).zip(noted.chain(self.beyond()));
        let others = parts.filter(|(number, _)| !numbers.contains(number));
        let filled = others.filter(|(_, (_, raw))| self.unescaped(raw).is_some());
        filled.map(|(number, (start, raw))| self.place_of_component(number, start, raw))
    }

    fn unescaped(&self, component: &'m str) -> Option<Cow<'m, str>> {
        if component.is_empty() {
            return None;
        }
        let unescaped = self.field.unescape(component);
        match self.field.separators().subcomponent {
            Some('&') | None => value(unescaped),
            // Escaped separators cannot be told from real ones any more, but both read as `&`.
            Some(other) => value(unescaped.replace(other, "&").into()),
        }
    }

    /// Whether a component has sub-components.
    pub fn is_nested(&self, component: usize) -> bool {
        let separator = self.field.separators().subcomponent.filter(|_| !self.whole);
        self.part(component)
            .zip(separator)
            .is_some_and(|((_, raw), separator)| raw.contains(separator))
    }

    /// The sub-components of a component, unescaped; blanks stay. `None` stands for those that are
    /// empty or `""`.
    pub fn subs(&self, component: usize) -> impl Iterator<Item = Option<Cow<'m, str>>> + use<'m> {
        let separators = self.field.separators();
        let raw = self.part(component).map(|(_, raw)| raw);
        let nested = raw.filter(|_| self.is_nested(component));
        let parsed = nested.and_then(|raw| {
            let inside = separators.inside_a_component();
            hl7_parser::parser::parse_field_with_separators(raw, inside).ok()
        });
        // What has no sub-components, or is taken apart no further, is one.
        let alone = raw.filter(|raw| parsed.is_none() && !raw.is_empty());
        let repeats = parsed.into_iter().flat_map(|field| field.repeats);
        repeats
            .flat_map(|repeat| repeat.components)
            .flat_map(|component| component.subcomponents)
            .map(|part| part.value)
            .chain(alone)
            .map(|part| value(escape::unescape(part, separators)))
    }

    /// Where the repetition stands.
    pub fn place(&self) -> Place {
        Place {
            repetition: self.number,
            ..self.place_of_part(0, self.raw)
        }
    }

    /// Where a component stands.
    pub fn place_of(&self, component: usize) -> Place {
        let (start, raw) = self.part(component).unwrap_or((0, self.raw));
        self.place_of_component(component, start, raw)
    }

    fn place_of_component(&self, number: usize, start: usize, raw: &str) -> Place {
        Place {
            repetition: self.number,
            component: text::offset(number),
            ..self.place_of_part(start, raw)
        }
    }

    fn place_of_part(&self, start: usize, raw: &str) -> Place {
        let start = self.start + start;
        self.field.place_within(start, start + raw.len())
    }
}
