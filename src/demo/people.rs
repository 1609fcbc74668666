//! The demo's people: random passwords and secrets, kept in one file that only its owner may read.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow};
use auth::Auth;
use auth::factor::totp;
use model::id::FacilityId;
use model::network::Profession;
use model::time::Instant;
use secrecy::{ExposeSecret, SecretString};
use store::{Clock, MasterKey, NewPerson};

/// Account, name, profession, facility.
const PEOPLE: [(&str, &str, Profession, &str); 5] = [
    (
        "physician",
        "見本 医師",
        Profession::Physician,
        "1319999902",
    ),
    ("nurse", "見本 看護師", Profession::Nurse, "1319999902"),
    (
        "pharmacist",
        "見本 薬剤師",
        Profession::Pharmacist,
        "1349999903",
    ),
    (
        "secretary",
        "見本 事務局員",
        Profession::Secretariat,
        "1319999901",
    ),
    (
        "administrator",
        "見本 管理者",
        Profession::Administrator,
        "1319999901",
    ),
];

/// Tokens live twelve hours; one that ends sooner than this is replaced.
const FRESH_SECONDS: i64 = 60 * 60;

struct Person {
    login: String,
    password: String,
    secret: String,
    /// A read token and the instant it ends, when one was made.
    token: Option<(String, i64)>,
}

/// All of them.
pub(super) struct People(Vec<Person>);

impl People {
    /// Opens the accounts. The file is written first: an account whose password nobody knows would be
    /// worth nothing.
    pub(super) async fn enrol(auth: &Auth, path: &Path) -> anyhow::Result<Self> {
        let mut people = Vec::new();
        for (login, name, profession, facility) in PEOPLE {
            let password = random_password()?;
            let new = NewPerson {
                login: login.parse().context("demo account")?,
                name: name.to_owned(),
                profession,
                facility: facility.parse::<FacilityId>().context("demo facility")?,
            };
            let enrolment = auth
                .enrol(&new, SecretString::from(password.clone()))
                .await?;
            let secret = enrolment.secret.expose_secret().to_owned();
            people.push(Person {
                login: login.to_owned(),
                password,
                secret,
                token: None,
            });
        }
        let people = Self(people);
        people.write(path)?;
        Ok(people)
    }

    /// Reads the file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("read {}; `musubi demo` makes it", path.display()))?;
        let person = |line: &str| {
            let mut words = line.split('\t');
            let mut word = || words.next().map(str::to_owned);
            let (login, password, secret) = (word()?, word()?, word()?);
            let token = word().zip(word().and_then(|ends| ends.parse().ok()));
            Some(Person {
                login,
                password,
                secret,
                token,
            })
        };
        Ok(Self(
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .filter_map(person)
                .collect(),
        ))
    }

    /// Writes the file, readable for its owner only.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text =
            String::from("# login\tpassword\tsecret of one-time codes\tread token\tits end\n");
        for person in &self.0 {
            text += &format!("{}\t{}\t{}", person.login, person.password, person.secret);
            if let Some((token, ends)) = &person.token {
                text += &format!("\t{token}\t{ends}");
            }
            text.push('\n');
        }
        let fresh = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path).with_context(|| format!("write {}", path.display()))
    }

    fn find(&self, login: &str) -> anyhow::Result<&Person> {
        let found = self.0.iter().find(|person| person.login == login);
        found.with_context(|| format!("there is no demo person `{login}`"))
    }

    /// What the person's authenticator shows now.
    pub(super) fn code(&self, login: &str) -> anyhow::Result<String> {
        let secret = &self.find(login)?.secret;
        totp::code(secret, Clock::system().now()).context("the secret in demo.txt is damaged")
    }

    /// A read token that the person made: the last one while it lives, else a new one.
    pub(super) async fn token(&mut self, auth: &Auth, login: &str) -> anyhow::Result<String> {
        let soon = Clock::system().now().plus_seconds(FRESH_SECONDS);
        let person = self.find(login)?;
        if let Some((token, _)) = person
            .token
            .as_ref()
            .filter(|(_, ends)| Instant(*ends) > soon)
        {
            return Ok(token.clone());
        }
        let (password, code) = (
            SecretString::from(person.password.clone()),
            SecretString::from(self.code(login)?),
        );
        let issued = auth.issue_at_terminal(login, password, &code, 12).await;
        let issued = issued.map_err(|refusal| anyhow!("sign in as {login}: {refusal}"))?;
        let token = issued.text.expose_secret().to_owned();
        for person in self.0.iter_mut().filter(|person| person.login == login) {
            person.token = Some((token.clone(), issued.expires_at.0));
        }
        Ok(token)
    }

    /// Rows for the terminal.
    pub(super) fn table(&self) -> Vec<Vec<String>> {
        let header = ["  login", "password", "secret of one-time codes"]
            .map(str::to_owned)
            .to_vec();
        let row = |person: &Person| {
            vec![
                format!("  {}", person.login),
                person.password.clone(),
                person.secret.clone(),
            ]
        };
        std::iter::once(header)
            .chain(self.0.iter().map(row))
            .collect()
    }
}

/// Sixteen letters and digits: nobody has to remember them.
fn random_password() -> anyhow::Result<String> {
    let key = MasterKey::random()?;
    let text = data_encoding::BASE32_NOPAD
        .encode(key.bytes())
        .to_lowercase();
    Ok(text.chars().take(16).collect())
}
