//! From a message to the bytes of a file: MSH, character set, line ends, and what goes wrong.

use crate::charset::Charset;
use crate::content::Message;
use crate::hl7::Segment;
use crate::person::Person;
use crate::random::Random;
use crate::time::Moment;

/// How a sender writes its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The set the bytes are in.
    pub charset: Charset,
    /// MSH-18, whether it is true or not.
    pub declared: &'static str,
    /// What ends a segment.
    pub ending: &'static str,
}

impl Form {
    /// What SS-MIX2 prescribes: ISO-2022-JP, declared, segments ended by CR.
    pub const STANDARD: Self = Self {
        charset: Charset::Iso2022Jp,
        declared: "~ISO IR87",
        ending: "\r",
    };

    /// The forms of the field: each set declared, undeclared and wrongly declared.
    pub const ALL: [Self; 12] = [
        Self::STANDARD,
        form(Charset::Iso2022Jp, "~ISO IR87", "\n"),
        form(Charset::Iso2022Jp, "~ISO IR87", "\r\n"),
        form(Charset::Iso2022Jp, "", "\r"),
        form(Charset::Iso2022Jp, "UNICODE UTF-8", "\r"),
        form(Charset::Utf8, "UNICODE UTF-8", "\r"),
        form(Charset::Utf8, "", "\n"),
        form(Charset::Utf8, "~ISO IR87", "\r"),
        form(Charset::Cp932, "SHIFT_JIS", "\r"),
        form(Charset::Cp932, "CP932", "\r\n"),
        form(Charset::Cp932, "", "\r"),
        form(Charset::Cp932, "~ISO IR87", "\n"),
    ];

    /// True when MSH-18 names the set that the bytes are in.
    pub fn is_declared_truly(self) -> bool {
        match self.charset {
            Charset::Iso2022Jp => self.declared == "~ISO IR87",
            Charset::Utf8 => self.declared == "UNICODE UTF-8",
            Charset::Cp932 => self.declared == "SHIFT_JIS" || self.declared == "CP932",
        }
    }
}

const fn form(charset: Charset, declared: &'static str, ending: &'static str) -> Form {
    Form {
        charset,
        declared,
        ending,
    }
}

/// What is wrong with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// MSH-11 is T: it is a test, whoever it names.
    Test,
    /// PID-3 names somebody else.
    OtherPatient,
    /// PID-7 is another day.
    BirthDate,
    /// PID-5 is a name this number never had.
    Name,
    /// MSH-9 is not the one of the data kind; the kind decides.
    MessageType(&'static str),
}

impl Fault {
    /// The word for it in the truth, and whether the content must not be read.
    pub(crate) const fn finding(self) -> (&'static str, bool) {
        match self {
            Self::Test => ("not-production", true),
            Self::OtherPatient => ("other-patient", true),
            Self::BirthDate | Self::Name => ("demographics-differ", true),
            Self::MessageType(_) => ("message-type-differs", false),
        }
    }
}

/// A file's bytes.
pub(crate) fn bytes(
    message: &Message,
    patient: &Person,
    form: Form,
    sent: Moment,
    control: u64,
    fault: Option<Fault>,
) -> Vec<u8> {
    let claimed = patient.as_claimed_by(fault);
    let mut text = String::with_capacity(4096);
    msh(message, form, sent, control, fault).write(&mut text);
    text.push_str(form.ending);
    for segment in message.segments(&claimed) {
        segment.write(&mut text);
        text.push_str(form.ending);
    }
    form.charset.encode(&text)
}

fn msh(message: &Message, form: Form, sent: Moment, control: u64, fault: Option<Fault>) -> Segment {
    let message_type = match fault {
        Some(Fault::MessageType(other)) => other,
        _ => message.message_type(),
    };
    let stamp = sent.stamp();
    let (seconds, millis) = stamp.split_at_checked(14).unwrap_or((&stamp, ""));
    Segment::new("MSH")
        .set(2, "^~\\&")
        .set(3, "HIS01")
        .set(4, crate::hospital::FACILITY)
        .set(5, "GW")
        .set(6, "RCV")
        .set(7, format!("{seconds}.{millis}"))
        .set(9, message_type)
        .set(10, control.to_string())
        .set(11, if fault == Some(Fault::Test) { "T" } else { "P" })
        .set(12, "2.5")
        .set(18, form.declared)
        .set(20, "ISO 2022-1994")
        .set(
            21,
            "SS-MIX2_1.20_h^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO",
        )
}

impl Person {
    /// The person that a faulty message claims to speak of.
    fn as_claimed_by(&self, fault: Option<Fault>) -> Self {
        let mut claimed = self.clone();
        match fault {
            Some(Fault::OtherPatient) => {
                let other = self.local_id.parse::<u64>().unwrap_or(0) + 1;
                claimed.local_id = format!("{other:010}");
            }
            Some(Fault::BirthDate) => claimed.birth = self.birth.plus_days(31),
            Some(Fault::Name) => {
                // No family of the name tables, so the kana agree with no version of it.
                "別人".clone_into(&mut claimed.family);
                "ベツジン".clone_into(&mut claimed.family_kana);
            }
            Some(Fault::Test | Fault::MessageType(_)) | None => {}
        }
        claimed
    }
}

impl Form {
    /// A form for one patient's files: mostly the standard one.
    pub(crate) fn any(random: &mut Random) -> Self {
        if random.chance(60) {
            Self::STANDARD
        } else {
            *random.pick(&Self::ALL)
        }
    }
}
