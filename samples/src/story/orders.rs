//! What the doctor prescribes.

use super::Story;
use crate::catalog::diseases::Disease;
use crate::catalog::drugs::{self, Drug};
use crate::catalog::usages::{self, Usage};
use crate::content::Message;
use crate::content::prescription::{Item, Prescription, Purpose, Rp};
use crate::hl7::{Code, code};
use crate::tape::Draft;

const SKIN: Code = code("AP", "外用", "HL70162");
const EYE: Code = code("OP", "眼", "HL70162");
const RECTUM: Code = code("PR", "直腸", "HL70162");
const LEFT_HAND: Code = code("77L", "左手", "JAMISDP01");
const LEFT_KNEE: Code = code("82L", "左膝", "JAMISDP01");
/// RXE-7, when a box opens or tablets are packed together.
const SECOND_DOSE_FIRST: Code = code("02", "２回目から服用", "JHSP0005");
const ONE_PACK: Code = code("B", "一包化指示", "JHSP0002");

impl Story {
    /// OMP-01 of today: what the diseases need, and often something more.
    pub(super) fn prescription(
        &mut self,
        bed: Option<&'static str>,
        acute: Option<&'static Disease>,
    ) -> Draft {
        let days = *self.random.pick(&[14, 28, 30, 56]);
        let mut rps: Vec<Rp> = Vec::new();
        for disease in self.diseases.clone() {
            for (drug, usage, dose) in disease.treatment {
                let rp = self.internal(drug, *usage, *dose, days);
                // Drugs with the same usage form one RP.
                match rps.iter_mut().find(|known| known.usage == rp.usage) {
                    Some(known) => known.drugs.extend(rp.drugs),
                    None => rps.push(rp),
                }
            }
        }
        for (drug, usage, dose) in acute.map_or(&[][..], |disease| disease.treatment) {
            rps.push(self.internal(drug, *usage, *dose, 7));
        }
        let extra = match self.random.below(9) {
            0 => Some(self.tapering()),
            1 => Some(self.some_days()),
            2 => Some(self.when_needed()),
            3 => Some(self.external()),
            4 => Some(self.powder()),
            5 => Some(self.mixed()),
            _ => None,
        };
        rps.extend(extra);
        let order = self.order(bed);
        let prescription = Prescription {
            order,
            rp_form: self.rp_form,
            days_form: self.days_form,
            outside: self.random.chance(70),
            allergy: None,
            rps,
        };
        let message = Message::Prescription(prescription);
        self.draft(message, self.today, Some(order.number), order.ordered)
    }

    fn internal(&mut self, drug: &'static Drug, usage: Usage, dose: i64, days: i64) -> Rp {
        let refills = self.random.chance(6).then(|| self.random.between(1, 3));
        let instructions = match self.random.below(10) {
            0 => vec![SECOND_DOSE_FIRST],
            1 => vec![SECOND_DOSE_FIRST, ONE_PACK],
            _ => Vec::new(),
        };
        let item = Item {
            dose: Some(dose),
            largest: None,
            daily: Some(dose * usage.per_day),
            total: dose * usage.per_day * days,
            refills,
            instructions,
            drug,
        };
        self.rp(usage.code, Purpose::Internal { days }, vec![item])
    }

    fn rp(&self, usage: Code, purpose: Purpose, drugs: Vec<Item>) -> Rp {
        Rp {
            usage,
            additional: Vec::new(),
            purpose,
            start: self.today,
            drugs,
        }
    }

    /// Prednisolone three, two and one a day.
    fn tapering(&mut self) -> Rp {
        let mut rp = self.internal(&drugs::PREDNISOLONE, usages::THRICE, 2, 7);
        rp.additional = usages::UNEVEN.to_vec();
        if let Some(item) = rp.drugs.first_mut() {
            item.dose = Some(1);
            item.largest = Some(3);
        }
        rp
    }

    /// On certain days of the week, or every other day.
    fn some_days(&mut self) -> Rp {
        let additional = *self
            .random
            .pick(&[usages::MONDAY_THURSDAY, usages::EVERY_OTHER_DAY]);
        let mut rp = self.internal(&drugs::AMLODIPINE_HIGH, usages::BREAKFAST, 1, 8);
        rp.additional = vec![additional];
        rp
    }

    fn when_needed(&mut self) -> Rp {
        let usage = *self.random.pick(&usages::WHEN_NEEDED);
        let drug = match usage.code {
            "1050110020000000" => *self.random.pick(&[&drugs::LOXOPROFEN, &drugs::DICLOFENAC]),
            "1050710000000000" => &drugs::ACETAMINOPHEN,
            _ => &drugs::LEMBOREXANT,
        };
        let times = *self.random.pick(&[5, 10, 14]);
        let purpose = Purpose::WhenNeeded {
            times,
            condition: "１日２回まで",
        };
        self.rp(usage, purpose, vec![single(drug, Some(1), times)])
    }

    fn external(&mut self) -> Rp {
        let on = |route, site| Purpose::External { route, site };
        match self.random.below(4) {
            0 => self.rp(
                usages::SPREAD.code,
                on(SKIN, Some(LEFT_HAND)),
                vec![single(&drugs::OINTMENT, None, 2)],
            ),
            1 => self.rp(
                usages::DROPS.code,
                on(EYE, None),
                vec![single(&drugs::EYE_DROPS, None, 1)],
            ),
            2 => self.rp(
                usages::STICK.code,
                on(SKIN, Some(LEFT_KNEE)),
                vec![single(&drugs::TAPE, None, 35)],
            ),
            _ => self.rp(
                usages::INSERT,
                on(RECTUM, None),
                vec![single(&drugs::SUPPOSITORY, Some(1), 10)],
            ),
        }
    }

    /// Milligrams of a substance, given as powder every eight hours.
    fn powder(&mut self) -> Rp {
        self.internal(&drugs::POWDER, usages::EIGHT_HOURS, 50, 14)
    }

    /// Two drugs with one usage, or one with a usage that is only text.
    fn mixed(&mut self) -> Rp {
        match self.random.below(3) {
            0 => {
                let mut rp = self.internal(&drugs::PROBIOTIC, usages::FOUR_TIMES, 1, 14);
                let other = self.internal(&drugs::REBAMIPIDE, usages::FOUR_TIMES, 1, 14);
                rp.drugs.extend(other.drugs);
                rp
            }
            1 => self.internal(&drugs::LEMBOREXANT, usages::BEDTIME, 1, 14),
            _ => {
                let purpose = Purpose::Internal { days: 5 };
                self.rp(
                    usages::UNCODED,
                    purpose,
                    vec![single(&drugs::MAGNESIUM, Some(1), 10)],
                )
            }
        }
    }
}

fn single(drug: &'static Drug, dose: Option<i64>, total: i64) -> Item {
    Item {
        drug,
        dose,
        largest: None,
        daily: None,
        total,
        refills: None,
        instructions: Vec::new(),
    }
}
