//! Keys of what cannot be said whose it is: random, one per feed and day, destroyed with their day.

use model::time::Instant;
use zeroize::Zeroizing;

use super::Keys;
use crate::db::params;
use crate::error::Error;
use crate::seal::{Sealer, Secret, derive, random};

/// The key of one feed and day. It only seals: reading what is in quarantine is a right that nobody
/// has yet.
pub(crate) struct QuarantineKey {
    place: String,
    sealer: Sealer,
}

impl QuarantineKey {
    /// Seals a message.
    pub(crate) fn seal(&self, arrival: i64, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let place = format!("{} {arrival}", self.place);
        self.sealer.seal(plain, place.as_bytes())
    }

    /// Opens a message, to prove in tests what its key seals.
    #[cfg(test)]
    pub(crate) fn open(&self, arrival: i64, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let place = format!("{} {arrival}", self.place);
        self.sealer.open(sealed, place.as_bytes())
    }
}

impl Keys {
    /// The key of a feed and day; made when there is none.
    pub(crate) async fn ensure_quarantine(
        &self,
        feed: &str,
        day: Instant,
    ) -> Result<QuarantineKey, Error> {
        if let Some(key) = self.quarantine(feed, day).await? {
            return Ok(key);
        }
        let key: Secret = Zeroizing::new(random()?);
        let place = self.quarantine_place(feed, day);
        let wrapped = self.0.wrap.seal(key.as_slice(), place.as_bytes())?;
        let sql = "insert into quarantine_key (feed, day, wrapped, created_at) values ($1, $2, $3, $4) \
                   on conflict do nothing";
        let params = params![feed, day, wrapped, self.0.clock.now()];
        self.0.db.execute(sql, params).await?;
        let key = self.quarantine(feed, day).await?;
        key.ok_or(Error::Corrupt("quarantine key"))
    }

    /// The key of a feed and day, if it is there.
    pub(crate) async fn quarantine(
        &self,
        feed: &str,
        day: Instant,
    ) -> Result<Option<QuarantineKey>, Error> {
        let sql = "select wrapped from quarantine_key where feed = $1 and day = $2";
        let row: Option<(Vec<u8>,)> = self.0.db.fetch_optional(sql, params![feed, day]).await?;
        let Some((wrapped,)) = row else {
            return Ok(None);
        };
        let place = self.quarantine_place(feed, day);
        let key = Zeroizing::new(self.0.wrap.open(&wrapped, place.as_bytes())?);
        let key: &[u8; 32] = key
            .as_slice()
            .try_into()
            .map_err(|_| Error::Corrupt("quarantine key"))?;
        let sealer = Sealer::new(&*derive(key, "quarantine")?)?;
        Ok(Some(QuarantineKey { place, sealer }))
    }

    /// Destroys the keys of all days up to this one. The last time may have deleted them and no more, so
    /// their bytes are made unreachable whether there were any or not.
    pub(crate) async fn shred_quarantine(&self, last: Instant) -> Result<(), Error> {
        let blank = vec![0_u8; 60];
        let sql = "update quarantine_key set wrapped = $2 where day <= $1";
        self.0.db.execute(sql, params![last, blank]).await?;
        let sql = "delete from quarantine_key where day <= $1";
        self.0.db.execute(sql, params![last]).await?;
        self.0.db.scrub("vacuum quarantine_key").await
    }

    fn quarantine_place(&self, feed: &str, day: Instant) -> String {
        format!("quarantine 1 {} {feed} {}", self.0.network, day.0)
    }
}
