//! RXR: which way into the body (HL7 v2.5 §4.14.2).

use model::code::{CodeSystem, Concept};
use model::medication::Route;

use super::{code, require, unread};
use crate::hl7::message::Segment;
use crate::lint::{self, Findings};

/// HL7 table 0162 as used in Japan, where it has the letter O that senders write as zero.
const ROUTES_WITH_O: [&str; 5] = ["IO", "OP", "OT", "OTH", "PO"];

pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Route {
    require(segment, &[1], findings);
    unread(segment, &[1, 2, 3, 4, 5, 6], findings);
    let route = code(segment, 1, findings).map(|route| with_letter(segment, route, findings));
    let mut read = Route {
        route,
        site: code(segment, 2, findings).map(as_body_site),
        device: code(segment, 3, findings),
        method: code(segment, 4, findings),
        line: code(segment, 5, findings),
        site_modifier: code(segment, 6, findings),
    };
    // Devices have a table of their own, so one that stands in the field of sites is known.
    if read.device.is_none() && read.site.as_ref().is_some_and(is_device) {
        findings.add(lint::D2019, segment.field(2).place());
        read.device = read.site.take();
    }
    read
}

fn with_letter(segment: &Segment<'_>, mut route: Concept, findings: &mut Findings) -> Concept {
    for coding in &mut route.codings {
        let repaired = coding.code.replace('0', "O");
        if repaired != coding.code && ROUTES_WITH_O.contains(&repaired.as_str()) {
            coding.code = repaired;
            findings.add(lint::D2019, segment.field(1).place());
        }
    }
    route
}

/// JAMI names usages and body sites with one name; sites are what stands here.
fn as_body_site(mut site: Concept) -> Concept {
    for coding in &mut site.codings {
        if coding.system == Some(CodeSystem::JamiUsage) {
            coding.system = Some(CodeSystem::JamiBodySite);
        }
    }
    site
}

fn is_device(concept: &Concept) -> bool {
    concept
        .codings
        .iter()
        .any(|coding| coding.system == Some(CodeSystem::Hl7Table(164)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[track_caller]
    fn check(segment: &str, part: fn(&Route) -> &Option<Concept>, code: &str, rules: &[&str]) {
        let (route, found) = of_segment(segment, read);
        assert_eq!(
            part(&route).as_ref().and_then(Concept::first_code),
            Some(code),
            "{segment}"
        );
        assert_eq!(found, rules, "{segment}");
    }

    #[test]
    fn all_six_fields_are_read() {
        let segment = "RXR|IV^静脈内^HL70162|ARM^腕^HL70550|IVP^点滴ポンプ^HL70164|102^点滴静注^99ILL|01^主管^99IL5|L^左^HL70495";
        check(segment, |route| &route.route, "IV", &[]);
        check(segment, |route| &route.site, "ARM", &[]);
        check(segment, |route| &route.device, "IVP", &[]);
        check(segment, |route| &route.method, "102", &[]);
        check(segment, |route| &route.line, "01", &[]);
        check(segment, |route| &route.site_modifier, "L", &[]);
    }

    #[test]
    fn zero_for_the_letter_o_is_repaired() {
        check(
            "RXR|P0^口^HL70162",
            |route| &route.route,
            "PO",
            &["D2019@1"],
        );
    }

    #[test]
    fn a_pump_in_the_field_of_sites_is_a_device() {
        check(
            "RXR|IV^静脈内^HL70162|IVP^点滴ポンプ^HL70164",
            |route| &route.device,
            "IVP",
            &["D2019@2"],
        );
    }

    #[test]
    fn body_sites_are_a_table_of_their_own() {
        let (route, _) = of_segment("RXR|AP^外用^HL70162|77L^左手^JAMISDP01", read);
        assert_eq!(
            route.site.unwrap().code_in(&CodeSystem::JamiBodySite),
            Some("77L")
        );
    }
}
