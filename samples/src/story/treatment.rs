//! A visit to the outpatient department.

use super::Story;
use crate::content::Message;
use crate::content::other::ImagingOrder;

impl Story {
    /// Reception, and what the doctor decides.
    pub(super) fn visit(&mut self) {
        self.recover();
        self.receive();
        let acute = self.random.chance(8).then(|| self.fall_ill());
        if self.random.chance(60) {
            let draft = self.lab_report(None);
            self.put(&draft);
        }
        if acute.is_some() || self.random.chance(75) {
            let draft = self.prescription(None, acute);
            self.put(&draft);
        }
        if self.random.chance(5) {
            let order = self.order(None);
            let message = Message::Imaging(ImagingOrder { order });
            let draft = self.draft(message, self.today, Some(order.number), order.ordered);
            self.put(&draft);
        }
        if self.random.chance(4) {
            self.tape.person.move_house(&mut self.random);
            self.register();
        }
        if self.random.chance(4) {
            self.stay();
        }
    }
}
