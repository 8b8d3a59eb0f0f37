//! How long somebody stays signed in to the console, and as whom.

use jiff::{SignedDuration, Timestamp};

use crate::{MemberId, OrgId};

/// Without a request for so long, a session ends.
pub const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// However much is done in it, a session ends so long after it began.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A request is noted when the last noted one is so long ago: most cost no write.
const NOTED_EACH: SignedDuration = SignedDuration::from_mins(15);

/// As whom somebody is signed in. What that lets him do is looked up at each request, so that a key which is
/// revoked and a member who is removed are out at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Whoever has an API key, by the hash of its secret.
    Key { hash: String },
    /// A member, and who that is at the issuer.
    Member { org: OrgId, id: MemberId, identity: String },
}

impl Holder {
    /// Whose sessions end together.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Key { hash } => format!("key/{hash}"),
            Self::Member { identity, .. } => format!("idn/{identity}"),
        }
    }
}

/// The times of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub began_at: Timestamp,
    /// The last request that was noted.
    pub seen_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Ended,
    Open,
    /// Open, and this request is to be noted.
    OpenToNote,
}

impl Session {
    #[must_use]
    pub const fn begin(now: Timestamp) -> Self {
        Self { began_at: now, seen_at: now }
    }

    /// When it ends if nothing more is done.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        (self.seen_at + IDLE).min(self.began_at + LONGEST)
    }

    /// `signed_out_at`: when this person last asked to be signed out everywhere. A session of the same
    /// moment ends as well: which came first cannot be known.
    #[must_use]
    pub fn standing(&self, signed_out_at: Option<Timestamp>, now: Timestamp) -> Standing {
        if self.ends_at() <= now || signed_out_at.is_some_and(|at| self.began_at <= at) {
            Standing::Ended
        } else if self.seen_at + NOTED_EACH <= now {
            Standing::OpenToNote
        } else {
            Standing::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_rest_by_age_and_by_request() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        for (seen, signed_out, now, expected) in [
            (0, None, 0, Standing::Open),
            (0, None, 1, Standing::OpenToNote),
            (0, None, 7, Standing::OpenToNote),
            (0, None, 8, Standing::Ended),
            (100, None, 107, Standing::OpenToNote),
            (160, None, 167, Standing::OpenToNote),
            (167, None, 168, Standing::Ended),
            (100, Some(99), 101, Standing::Ended),
            (5, Some(0), 6, Standing::Ended),
            (5, Some(-1), 6, Standing::OpenToNote),
        ] {
            let session = Session { began_at: at(0), seen_at: at(seen) };
            let standing = session.standing(signed_out.map(at), at(now));
            assert_eq!(standing, expected, "seen {seen}, out {signed_out:?}, now {now}");
        }
    }

    #[test]
    fn few_requests_are_noted() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let session = Session::begin(at(0));
        assert_eq!(session.standing(None, at(14)), Standing::Open);
        assert_eq!(session.standing(None, at(15)), Standing::OpenToNote);
    }
}
