//! What real storages do besides the ordinary: every patient of a rough network has some.

/// A deviation that a patient's storage contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    /// An order is corrected: `_1` becomes `_2`.
    Superseded,
    /// An order is deleted, with its delete message.
    Deleted,
    /// A correction by DEL and INS of the same order, 1 ms apart.
    DeletedThenInserted,
    /// A file loses its flag 1 and nothing follows.
    OnlySuperseded,
    /// An older version arrives late, with flag 1, beside the newer one.
    Late,
    /// A file lies in both roots.
    SecondRoot,
    /// One version is deleted in the first root and in force in the second.
    TwoFlags,
    /// A file vanishes without a trace.
    Vanished,
    /// Two receptions on one day share their slot.
    TwoReceptions,
    /// A reception says A01 in MSH-9.
    ReceptionAsAdmission,
    /// MSH-9 belongs to another data kind.
    MessageType,
    /// MSH-11 is T.
    TestMessage,
    /// PID-3 is somebody else's.
    OtherPatient,
    /// PID-7 of one file is wrong.
    BirthDateDiffers,
    /// PID-5 of one file is wrong.
    NameDiffers,
    /// An admission is cancelled by A11 as a delete message (flag 0).
    AdmissionCancelledByDeletion,
    /// An admission is cancelled by A11 in force (flag 1).
    AdmissionCancelledInForce,
    /// A discharge is cancelled by A13 as a delete message, the patient leaves later.
    DischargeCancelledByDeletion,
    /// A discharge is cancelled by A13 in force, the patient leaves later.
    DischargeCancelledInForce,
    /// A discharge without PV1-44.
    DischargeWithoutAdmission,
    /// A stay has no end yet.
    StillAdmitted,
    /// A diagnosis is withdrawn with PRB-1 DE.
    DiagnosisDeleted,
    /// A diagnosis is missing in the newer list.
    DiagnosisDropped,
    /// A diagnosis has PRB-25 V.
    DiagnosisRestricted,
    /// An order carries an allergy that nothing else says.
    OrderAllergy,
    /// The patient marries: older files carry the older name.
    NameChanged,
    /// The paper has another kana name than the hospital: the link is not proved.
    PaperKanaDiffers,
    /// The paper has another birth date than the hospital: the link is not proved.
    PaperBirthDateDiffers,
}

impl Quirk {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::Superseded,
        Self::Deleted,
        Self::DeletedThenInserted,
        Self::OnlySuperseded,
        Self::Late,
        Self::SecondRoot,
        Self::TwoFlags,
        Self::Vanished,
        Self::TwoReceptions,
        Self::ReceptionAsAdmission,
        Self::MessageType,
        Self::TestMessage,
        Self::OtherPatient,
        Self::BirthDateDiffers,
        Self::NameDiffers,
        Self::AdmissionCancelledByDeletion,
        Self::AdmissionCancelledInForce,
        Self::DischargeCancelledByDeletion,
        Self::DischargeCancelledInForce,
        Self::DischargeWithoutAdmission,
        Self::StillAdmitted,
        Self::DiagnosisDeleted,
        Self::DiagnosisDropped,
        Self::DiagnosisRestricted,
        Self::OrderAllergy,
        Self::NameChanged,
        Self::PaperKanaDiffers,
        Self::PaperBirthDateDiffers,
    ];

    /// Those that happen in a well-kept storage.
    pub const ORDINARY: [Self; 8] = [
        Self::Superseded,
        Self::Deleted,
        Self::DeletedThenInserted,
        Self::TwoReceptions,
        Self::DischargeWithoutAdmission,
        Self::DiagnosisDropped,
        Self::NameChanged,
        Self::AdmissionCancelledByDeletion,
    ];
}
