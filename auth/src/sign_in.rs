//! How a person signs in, step by step, and out.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use consent::{Requester, Via};
use model::network::Factor;
use secrecy::{ExposeSecret, SecretString};
use store::{Account, AuditAction, Event, Login, Person, Session, Throttle};

use crate::lockout::{self, Rule, Stake};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::session::is_over;
use crate::state::Auth;
use crate::verify::{Asks, Presented, Proof, asks, is_admitted, is_complete, verify};

/// A session is noted as used at most this often, in seconds: it may end that much earlier, never
/// later.
const TOUCH: i64 = 10;

/// A sign-in that came one step further.
pub(crate) struct Step {
    /// The session's new secret; earlier ones are worth nothing any more.
    pub(crate) secret: Secret,
    /// What is asked next; nothing when the person is signed in.
    pub(crate) next: Option<Factor>,
}

/// A session that holds now.
pub(crate) struct Seat {
    /// Whose.
    pub(crate) person: Person,
    /// Every factor that was verified so far.
    pub(crate) factors: BTreeSet<Factor>,
    /// What is asked next; nothing when the person is signed in.
    pub(crate) next: Option<Factor>,
}

/// Attempts from one place count together: an IPv6 subscriber holds a whole /64.
pub(crate) fn place(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).to_string(),
        v4 @ IpAddr::V4(_) => v4.to_string(),
    }
}

impl Auth {
    /// The first step: account name and password.
    pub(crate) async fn present_password(
        &self,
        from: IpAddr,
        login: &str,
        password: SecretString,
    ) -> Result<Step, Refusal> {
        let (account, proof) = self.check_password(from, login, password).await?;
        self.go_on(from, &account, proof).await
    }

    /// The second step: a one-time code.
    pub(crate) async fn present_code(
        &self,
        from: IpAddr,
        secret: &Secret,
        code: &SecretString,
    ) -> Result<Step, Refusal> {
        let seat = self.seat(secret).await?.ok_or(Refusal::SignInEnded)?;
        if seat.next != Some(Factor::Totp) {
            return Err(Refusal::SignInEnded);
        }
        let account = self.accounts.account_of(seat.person.id).await?;
        let account = account.ok_or(Refusal::SignInEnded)?;
        let checked = self.check_code(from, &account, &seat.factors, code).await;
        if matches!(checked, Err(Refusal::SignInEnded)) {
            self.accounts.end_session(&secret.digest()).await?;
        }
        self.go_on(from, &account, checked?).await
    }

    /// Checks a password and counts the attempt.
    pub(crate) async fn check_password(
        &self,
        from: IpAddr,
        login: &str,
        password: SecretString,
    ) -> Result<(Account, Proof), Refusal> {
        let place = place(from);
        self.attempt(Throttle::Address, &place).await?;
        let name: Result<Login, _> = login.parse();
        // What cannot be an account name is counted and checked like one.
        let subject = name.as_ref().map_or(login, Login::as_str);
        let stake = self.attempt(Throttle::Password, subject).await?;
        let account = match &name {
            Ok(name) => self.accounts.account(name).await?,
            Err(_) => None,
        };
        let hash = account
            .as_ref()
            .and_then(|account| account.password.clone());
        let right = Presented::Password(self.passwords.verify(password, hash).await?);
        let proof = verify(
            &self.network,
            account.as_ref(),
            &BTreeSet::new(),
            right,
            self.now(),
        );
        let Some((account, proof)) = account.as_ref().zip(proof) else {
            self.failed(from, account.as_ref(), "password", stake)
                .await?;
            return Err(Refusal::Wrong);
        };
        self.succeeded(Throttle::Password, subject).await?;
        self.succeeded(Throttle::Address, &place).await?;
        Ok((account.clone(), proof))
    }

    /// Checks a one-time code and counts the attempt. The failure that begins a hold ends the sign-in.
    pub(crate) async fn check_code(
        &self,
        from: IpAddr,
        account: &Account,
        already: &BTreeSet<Factor>,
        code: &SecretString,
    ) -> Result<Proof, Refusal> {
        let subject = account.person.login.as_str();
        let stake = self.attempt(Throttle::Totp, subject).await?;
        let presented = Presented::Totp(code.expose_secret());
        let proof = verify(&self.network, Some(account), already, presented, self.now());
        let fresh = match proof.as_ref().and_then(|proof| proof.spends) {
            Some(step) => self.accounts.use_step(account.person.id, step).await?,
            None => false,
        };
        let Some(proof) = proof.filter(|_| fresh) else {
            self.failed(from, Some(account), "totp", stake).await?;
            let goes_on = stake == Stake::Pause;
            return Err(if goes_on {
                Refusal::Wrong
            } else {
                Refusal::SignInEnded
            });
        };
        self.succeeded(Throttle::Totp, subject).await?;
        Ok(proof)
    }

    /// Begins the session that a proof allows, under a new secret.
    async fn go_on(&self, from: IpAddr, account: &Account, proof: Proof) -> Result<Step, Refusal> {
        let (person, secret) = (&account.person, Secret::random()?);
        let begun = self
            .accounts
            .begin_session(&secret.digest(), person.id, &proof.factors)
            .await;
        let ended = begun.map_err(|error| match error {
            store::Error::NotFound => Refusal::Wrong,
            other => Refusal::Unavailable(other),
        })?;
        for session in ended {
            let over = is_over(&session, person.profession, true, self.now());
            self.ended(&session, if over { "timeout" } else { "forced" })
                .await?;
        }
        if proof.next.is_none() {
            let requester = Self::requester(person, proof.factors, Via::Session);
            let event = Event::new(AuditAction::SignIn).by(&requester);
            self.note(event.with(format!("from {from}"))).await?;
        }
        Ok(Step {
            secret,
            next: proof.next,
        })
    }

    /// The session of a secret, if it holds now. One that has run out ends here.
    pub(crate) async fn seat(&self, secret: &Secret) -> Result<Option<Seat>, Refusal> {
        let digest = secret.digest();
        let Some((session, person)) = self.accounts.session(&digest).await? else {
            return Ok(None);
        };
        let next = match asks(&self.network, &session.factors) {
            Asks::Nothing => None,
            Asks::For(factor) => Some(factor),
            Asks::Impossible => return Ok(None),
        };
        let now = self.now();
        if is_over(&session, person.profession, next.is_none(), now) {
            if let Some(session) = self.accounts.end_session(&digest).await? {
                self.ended(&session, "timeout").await?;
            }
            return Ok(None);
        }
        if !is_admitted(&self.network, &person) {
            return Ok(None);
        }
        if now >= session.seen_at.plus_seconds(TOUCH) {
            self.accounts.touch_session(&digest, now).await?;
        }
        Ok(Some(Seat {
            person,
            factors: session.factors,
            next,
        }))
    }

    /// Ends a session because its person wants it.
    pub(crate) async fn sign_out(&self, secret: &Secret) -> Result<(), Refusal> {
        if let Some(session) = self.accounts.end_session(&secret.digest()).await? {
            self.ended(&session, "logout").await?;
        }
        Ok(())
    }

    /// Ends what ran out though nobody came back: sessions, read tokens, counters, what is counted;
    /// tells the audit who was turned away. To be called every minute or so, so that every sign-in
    /// gets its end in the audit.
    ///
    /// # Errors
    /// When accounts or audit cannot be reached; the next call does the rest.
    pub async fn sweep(&self) -> Result<(), store::Error> {
        let now = self.now();
        for (digest, session, profession) in self.accounts.sessions().await? {
            let complete = is_complete(&self.network, &session.factors);
            if is_over(&session, profession, complete, now)
                && let Some(session) = self.accounts.end_session(&digest).await?
            {
                self.ended(&session, "timeout").await?;
            }
        }
        self.usage(|usage| usage.forget_idle(now));
        self.tell_turned_away(now).await?;
        self.accounts.forget_expired_tokens().await?;
        self.accounts.forget_old_counters().await
    }

    /// Notes the end of a session: `logout`, `timeout` or `forced`. A sign-in that was never
    /// finished has no beginning in the audit, hence no end.
    pub(crate) async fn ended(&self, session: &Session, how: &str) -> Result<(), store::Error> {
        if !is_complete(&self.network, &session.factors) {
            return Ok(());
        }
        let event = Event::new(AuditAction::SignOut).by_person(session.person);
        self.note(event.of(how)).await
    }

    async fn failed(
        &self,
        from: IpAddr,
        account: Option<&Account>,
        what: &str,
        stake: Stake,
    ) -> Result<(), Refusal> {
        let mut event = Event::new(AuditAction::SignInFailed).refused_because(what);
        if let Some(account) = account {
            event = event.by_person(account.person.id);
        }
        let held = match stake {
            Stake::Pause => "",
            Stake::Hold => ", held",
            Stake::Lock => ", locked",
        };
        self.note(event.with(format!("from {from}{held}"))).await?;
        if stake == Stake::Lock {
            let person = account.map_or(0, |account| account.person.id.0);
            tracing::error!(
                person,
                factor = what,
                "an account is locked after failed sign-ins"
            );
            if let Some(account) = account {
                self.accounts.report_lock(account.person.id).await?;
            }
        }
        Ok(())
    }

    async fn attempt(&self, kind: Throttle, subject: &str) -> Result<Stake, Refusal> {
        let (rule, now) = (rule(kind), self.now());
        let answer = self
            .accounts
            .count(kind, subject, |counter| {
                lockout::attempt(rule, counter, now)
            })
            .await?;
        if kind == Throttle::Address && answer == Ok(Stake::Hold) {
            tracing::warn!("sign-in attempts from one network address are held");
        }
        answer.map_err(Refusal::Held)
    }

    async fn succeeded(&self, kind: Throttle, subject: &str) -> Result<(), Refusal> {
        let rule = rule(kind);
        let change = |counter: &mut _| lockout::succeed(rule, counter);
        Ok(self.accounts.count(kind, subject, change).await?)
    }

    /// The requester of a session that holds and is complete.
    pub(crate) fn requester_of(seat: &Seat) -> Option<Arc<Requester>> {
        let complete = seat.next.is_none();
        complete.then(|| Self::requester(&seat.person, seat.factors.clone(), Via::Session))
    }
}

const fn rule(kind: Throttle) -> &'static Rule {
    match kind {
        Throttle::Password => &lockout::PASSWORD,
        Throttle::Totp => &lockout::TOTP,
        Throttle::Address => &lockout::ADDRESS,
    }
}
