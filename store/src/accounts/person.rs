//! People and their credentials.

use std::fmt;
use std::str::FromStr;

use super::{
    Accounts, Error, FacilityId, Factor, PersonId, Profession, Session, Zeroizing, mask_of, session,
};
use crate::db::params;
use crate::keys::Keys;

/// The name of an account: 1 to 64 of `a-z 0-9 . _ -`, with a letter or digit in front. Capitals are
/// folded, so that nobody is somebody else by a shift key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

/// Why a text is not an account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an account name has 1 to 64 letters a-z, digits, dots, hyphens or underscores, \
     and begins with a letter or digit"
)]
pub struct InvalidLogin;

impl Login {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Login {
    type Err = InvalidLogin;

    fn from_str(text: &str) -> Result<Self, InvalidLogin> {
        let text = text.trim().to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let allowed = |byte: u8| plain(byte) || matches!(byte, b'.' | b'_' | b'-');
        let starts = text.bytes().next().is_some_and(plain);
        if !starts || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(InvalidLogin);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A person who may get an account.
#[derive(Clone)]
pub struct NewPerson {
    /// Account name.
    pub login: Login,
    /// Name as shown to others.
    pub name: String,
    /// 職種.
    pub profession: Profession,
    /// The facility they act for.
    pub facility: FacilityId,
}

/// A person with an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Number.
    pub id: PersonId,
    /// Account name.
    pub login: Login,
    /// Name as shown to others.
    pub name: String,
    /// 職種.
    pub profession: Profession,
    /// The facility they act for.
    pub facility: FacilityId,
    /// Whether the account may be used.
    pub active: bool,
}

/// A shared secret for one-time codes (RFC 6238).
#[derive(Clone)]
pub struct StoredTotp {
    /// The secret's bytes.
    pub secret: Zeroizing<Vec<u8>>,
    /// The last time step whose code was used; codes up to it are spent.
    pub used_step: i64,
}

/// A person with the credentials that stand against what somebody presents.
#[derive(Clone)]
pub struct Account {
    /// The person.
    pub person: Person,
    /// Password hash as a PHC string.
    pub password: Option<Zeroizing<Vec<u8>>>,
    /// Shared secret for one-time codes.
    pub totp: Option<StoredTotp>,
}

/// Columns of a person, as every statement selects them.
pub(super) type PersonRow = (i64, String, Vec<u8>, String, i64, i64);
type AccountRow = (
    i64,
    String,
    Vec<u8>,
    String,
    i64,
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<i64>,
);

pub(super) fn person(keys: &Keys, row: PersonRow) -> Result<Person, Error> {
    let (id, login, sealed, profession, facility, state) = row;
    let name = keys.open_office(&name_place(&login), &sealed)?;
    Ok(Person {
        id: PersonId(id),
        name: String::from_utf8(name).map_err(|_| Error::Corrupt("person"))?,
        login: login.parse().map_err(|_| Error::Corrupt("account name"))?,
        profession: Profession::named(&profession).ok_or(Error::Corrupt("profession"))?,
        facility: FacilityId::from_number(facility).map_err(|_| Error::Corrupt("facility"))?,
        active: state == 1,
    })
}

fn name_place(login: &str) -> String {
    format!("person {login}")
}

fn credential_place(person: PersonId, factor: Factor) -> String {
    format!("credential {} {}", person.0, mask_of(factor))
}

macro_rules! account {
    ($condition:literal) => {
        concat!(
            "select p.id, p.login, p.sealed, p.profession, p.facility, p.state, \
                    w.sealed, t.sealed, t.used_step \
             from person p \
             left join credential w on w.person = p.id and w.kind = 1 \
             left join credential t on t.person = p.id and t.kind = 2 where ",
            $condition
        )
    };
}

impl Accounts {
    /// Opens an account. It has no credentials yet, so nobody can sign in with it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the account name is taken.
    pub async fn add(&self, new: &NewPerson) -> Result<PersonId, Error> {
        let login = new.login.as_str();
        let sealed = self
            .0
            .keys
            .seal_office(&name_place(login), new.name.as_bytes())?;
        let sql = "insert into person (id, login, sealed, profession, facility, state, created_at) \
                   select coalesce(max(id), 0) + 1, $1, $2, $3, $4, 1, $5 from person where true \
                   on conflict do nothing returning id";
        let params = params![
            login,
            sealed,
            new.profession.name(),
            &new.facility,
            self.0.clock.now()
        ];
        let mut tx = self.0.office.begin().await?;
        let row: Option<(i64,)> = tx.fetch_optional(sql, params).await?;
        tx.commit().await?;
        match row {
            Some((id,)) => Ok(PersonId(id)),
            None if self.account(&new.login).await?.is_some() => {
                Err(Error::Conflict("the account name is taken"))
            }
            None => Err(Error::Unavailable("another account is being opened")),
        }
    }

    /// The account of a name. Disabled accounts are found too, so that they cost the same.
    pub async fn account(&self, login: &Login) -> Result<Option<Account>, Error> {
        let params = params![login.as_str()];
        let row = self
            .0
            .office
            .fetch_optional(account!("p.login = $1"), params)
            .await?;
        row.map(|row| self.opened(row)).transpose()
    }

    /// The account of a person.
    pub async fn account_of(&self, person: PersonId) -> Result<Option<Account>, Error> {
        let row = self
            .0
            .office
            .fetch_optional(account!("p.id = $1"), params![person])
            .await?;
        row.map(|row| self.opened(row)).transpose()
    }

    fn opened(&self, row: AccountRow) -> Result<Account, Error> {
        let (id, login, name, profession, facility, state, password, totp, used_step) = row;
        let open = |factor, sealed: Vec<u8>| {
            let place = credential_place(PersonId(id), factor);
            self.0.keys.open_office(&place, &sealed).map(Zeroizing::new)
        };
        let password = password.map(|sealed| open(Factor::Password, sealed));
        let totp = totp.map(|sealed| open(Factor::Totp, sealed)).transpose()?;
        let row = (id, login, name, profession, facility, state);
        Ok(Account {
            person: person(&self.0.keys, row)?,
            password: password.transpose()?,
            totp: totp
                .zip(used_step)
                .map(|(secret, used_step)| StoredTotp { secret, used_step }),
        })
    }

    /// Gives a person a credential, a new one instead of an old one. It ends the person's sessions,
    /// which are returned, and read tokens: they were made with the old one.
    pub async fn set_credential(
        &self,
        person: PersonId,
        factor: Factor,
        secret: &[u8],
    ) -> Result<Vec<Session>, Error> {
        let place = credential_place(person, factor);
        let sealed = self.0.keys.seal_office(&place, secret)?;
        let sql = "insert into credential (person, kind, sealed, used_step, changed_at) \
                   values ($1, $2, $3, 0, $4) on conflict (person, kind) do update \
                   set sealed = excluded.sealed, used_step = 0, changed_at = excluded.changed_at";
        let now = self.0.clock.now();
        let mut tx = self.0.office.begin().await?;
        tx.execute(sql, params![person, mask_of(factor), sealed, now])
            .await?;
        let ended = session::end_all(&mut tx, person).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Marks a one-time code as used; `false` when its step, or a later one, was used before.
    pub async fn use_step(&self, person: PersonId, step: i64) -> Result<bool, Error> {
        let sql = "update credential set used_step = $2 \
                   where person = $1 and kind = 2 and used_step < $2";
        let used = self.0.office.execute(sql, params![person, step]).await?;
        Ok(used == 1)
    }

    /// Opens or shuts an account. Shutting ends its sessions, which are returned, and read tokens.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn set_active(&self, person: PersonId, active: bool) -> Result<Vec<Session>, Error> {
        let sql = "update person set state = $2 where id = $1";
        let mut tx = self.0.office.begin().await?;
        if tx.execute(sql, params![person, active]).await? == 0 {
            return Err(Error::NotFound);
        }
        let ended = if active {
            Vec::new()
        } else {
            session::end_all(&mut tx, person).await?
        };
        tx.commit().await?;
        Ok(ended)
    }
}

/// Holds the person's row until the end of the transaction, so that nothing begins for them while
/// the account is being shut.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person, or the account is shut.
pub(super) async fn hold(tx: &mut crate::db::Tx, person: PersonId) -> Result<(), Error> {
    let sql = "update person set state = state where id = $1 and state = 1";
    match tx.execute(sql, params![person]).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
