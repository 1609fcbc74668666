//! How a person gets an account, a new shared secret, a shut door.

use model::id::PersonId;
use model::network::Factor;
use secrecy::SecretString;
use store::{AuditAction, Event, Login, NewPerson};

use crate::factor::password::{Unfit, fit};
use crate::factor::totp;
use crate::state::Auth;

/// Why somebody cannot get an account.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The profession is none of the regulation's.
    #[error("the profession is not one of the network's professions")]
    Profession,
    /// The facility is not in the register.
    #[error("the facility is not one of the network's facilities")]
    Facility,
    /// The password does not do.
    #[error(transparent)]
    Password(#[from] Unfit),
    /// Accounts or audit.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What goes into a person's authenticator, shown once.
pub struct Enrolment {
    /// Shared secret as base32.
    pub secret: SecretString,
    /// The same as `otpauth:` link.
    pub link: SecretString,
}

impl Auth {
    /// Opens an account with a password and a fresh shared secret for one-time codes.
    ///
    /// # Errors
    /// [`EnrolError`]; [`store::Error::Conflict`] in it when the account name is taken.
    pub async fn enrol(
        &self,
        new: &NewPerson,
        password: SecretString,
    ) -> Result<Enrolment, EnrolError> {
        let profile = &self.network.profile;
        if !profile.professions.contains(&new.profession) {
            return Err(EnrolError::Profession);
        }
        let facility = self.network.facilities.get(&new.facility);
        let facility = facility.ok_or(EnrolError::Facility)?;
        let alone = profile.staff_methods.iter().any(|method| method.len() < 2);
        let known = [
            new.login.as_str(),
            &new.name,
            &facility.name,
            &facility.kana,
            &facility.code.to_string(),
            &self.network.id,
            &profile.title,
        ];
        fit(&password, &known, alone)?;
        let hash = self.passwords.hash(password).await?;
        let person = self.accounts.add(new).await?;
        self.accounts
            .set_credential(person, Factor::Password, hash.as_bytes())
            .await?;
        self.new_codes(&new.login).await
    }

    /// Gives an account a fresh shared secret. Its sessions and read tokens end, and what was
    /// counted against it is taken back: whoever hands the secret over has checked who the person is.
    ///
    /// # Errors
    /// [`store::Error::NotFound`] when there is no such account.
    pub async fn new_codes(&self, login: &Login) -> Result<Enrolment, EnrolError> {
        let account = self
            .accounts
            .account(login)
            .await?
            .ok_or(store::Error::NotFound)?;
        let secret = totp::fresh()?;
        let person = account.person.id;
        let ended = self
            .accounts
            .set_credential(person, Factor::Totp, secret.as_slice())
            .await?;
        for session in ended {
            self.ended(&session, "forced").await?;
        }
        self.accounts.unlock(login).await?;
        let event = Event::new(AuditAction::AccountChanged).of(login.as_str());
        self.note(event.with("one-time codes")).await?;
        let link = totp::link(
            secret.as_slice(),
            login.as_str(),
            &self.network.profile.title,
        );
        let link = link.ok_or(store::Error::Corrupt("one-time codes"))?;
        let secret = totp::text(secret.as_slice());
        Ok(Enrolment {
            secret: SecretString::from(secret),
            link: SecretString::from(link),
        })
    }

    /// Shuts an account: its sessions and read tokens end with the same statement.
    ///
    /// # Errors
    /// [`store::Error::NotFound`] when there is no such account.
    pub async fn disable(&self, login: &Login) -> Result<(), store::Error> {
        let account = self
            .accounts
            .account(login)
            .await?
            .ok_or(store::Error::NotFound)?;
        let ended = self.accounts.set_active(account.person.id, false).await?;
        for session in ended {
            self.ended(&session, "forced").await?;
        }
        let event = Event::new(AuditAction::AccountChanged).of(login.as_str());
        self.note(event.with("disabled")).await
    }

    /// Takes back what was counted against an account: somebody knows the person, and says why.
    ///
    /// # Errors
    /// [`store::Error::NotFound`] when there is no such account.
    pub async fn unlock(
        &self,
        login: &Login,
        by: Option<PersonId>,
        reason: &str,
    ) -> Result<(), store::Error> {
        let account = self.accounts.account(login).await?;
        account.ok_or(store::Error::NotFound)?;
        let event = Event::new(AuditAction::AccountChanged)
            .by_person(by.unwrap_or(PersonId(0)))
            .of(login.as_str());
        self.note(event.with(format!("unlocked: {reason}"))).await?;
        self.accounts.unlock(login).await
    }
}
