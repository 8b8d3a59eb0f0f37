//! Members: people who sign in. The member's row is the truth; what leads to it
//! (by identity, by invited address) is only a pointer, and one that leads to no
//! row, or to a row that says otherwise, is passed over.

use carillon_domain::{MemberId, OrgId, Role};
use jiff::Timestamp;

use crate::attributes::{Item, Reader, Writer, s};
use crate::{Result, Store, keys};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: MemberId,
    pub org: OrgId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// Who that is at the issuer, by [`Identity`]'s hash; none before the first sign-in.
    pub identity: Option<String>,
    pub last_seen_at: Option<Timestamp>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the changes, so that two do not undo each other.
    pub version: u64,
}

impl Member {
    /// Invited until somebody signed in as this member.
    #[must_use]
    pub const fn status(&self) -> MemberStatus {
        if self.identity.is_some() { MemberStatus::Active } else { MemberStatus::Invited }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MemberStatus {
    Invited,
    Active,
}

impl MemberStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
        }
    }
}

/// Invited twice, somebody is still one member.
#[must_use]
pub fn member_id(org: OrgId, email_hash: &str) -> MemberId {
    MemberId::from_hash(&[b"member", org.as_bytes(), email_hash.as_bytes()])
}

/// Who somebody is at an issuer: a hash of issuer and subject.
#[must_use]
pub fn identity(issuer: &str, subject: &str) -> String {
    carillon_domain::ids::encode(&carillon_domain::ids::hash(&[
        b"identity",
        issuer.as_bytes(),
        subject.as_bytes(),
    ]))
}

impl Store {
    /// Somebody new. `email_hash` is keyed; the address itself stands only in the
    /// member's own row. False when there is a member with this id.
    pub async fn invite_member(&self, member: &Member, email_hash: &str) -> Result<bool> {
        let mut w = Writer::new(&keys::invitation_to(email_hash, member.org));
        w.text("id", member.id.key());
        self.put(w.done()).await?;
        Ok(self.put_if(write(member), "attribute_not_exists(pk)", None).await?.is_none())
    }

    pub async fn member(&self, org: OrgId, id: MemberId) -> Result<Option<Member>> {
        self.get(&keys::member(org, id), true).await?.as_ref().map(|i| read(org, i)).transpose()
    }

    /// By id, from behind `after`.
    pub async fn members(
        &self,
        org: OrgId,
        after: Option<MemberId>,
        limit: i32,
    ) -> Result<Vec<Member>> {
        let after = after.map_or_else(String::new, |id| keys::member(org, id).sk);
        let pk = keys::organization(org).pk;
        let items = self.range(&pk, &after, Some(keys::MEMBER_PREFIX), limit).await?;
        items.iter().map(|item| read(org, item)).collect()
    }

    /// The member as changed, whose version is one more than the stored one's.
    /// False when somebody else changed or removed it.
    pub async fn save_member(&self, member: &Member) -> Result<bool> {
        let before = crate::attributes::n(member.version - 1);
        let met = self.put_if(write(member), "vn = :seen", Some((":seen", before))).await?;
        Ok(met.is_none())
    }

    /// Whoever signs in as this identity from now on is that member.
    pub async fn bind_identity(&self, member: &Member, identity: &str) -> Result<()> {
        let mut w = Writer::new(&keys::identity_in(identity, member.org));
        w.text("id", member.id.key());
        self.put(w.done()).await
    }

    /// As which members an identity may act.
    pub async fn memberships(&self, identity: &str) -> Result<Vec<Member>> {
        let mut found = self.pointed(&keys::identity(identity)).await?;
        found.retain(|m| m.identity.as_deref() == Some(identity));
        Ok(found)
    }

    /// Where an address was invited to and nobody signed in yet.
    pub async fn invitations(&self, email_hash: &str) -> Result<Vec<Member>> {
        let mut found = self.pointed(&keys::invitation(email_hash)).await?;
        found.retain(|m| m.identity.is_none());
        Ok(found)
    }

    /// False when there is no such member.
    pub async fn remove_member(&self, org: OrgId, id: MemberId) -> Result<bool> {
        self.delete_row(&keys::member(org, id)).await
    }

    async fn pointed(&self, pk: &str) -> Result<Vec<Member>> {
        /// Nobody is in more organizations than one person can look after.
        const MOST: i32 = 200;
        let mut found = Vec::new();
        for pointer in self.range(pk, "", None, MOST).await? {
            let r = Reader::new("member pointer", &pointer);
            let org = OrgId::from_key(r.text("sk")?)?;
            found.extend(self.member(org, MemberId::from_key(r.text("id")?)?).await?);
        }
        Ok(found)
    }
}

fn write(m: &Member) -> Item {
    let mut w = Writer::new(&keys::member(m.org, m.id));
    w.text("em", &m.email).text("nm", &m.name).text("ro", m.role.as_str());
    w.some("idn", m.identity.as_deref(), s).some("ls", m.last_seen_at, crate::attributes::ms);
    w.text("by", &m.created_by).time("ca", m.created_at).time("ua", m.updated_at);
    w.number("vn", m.version);
    w.done()
}

fn read(org: OrgId, item: &Item) -> Result<Member> {
    let r = Reader::new("member", item);
    let id = r.text("sk")?.strip_prefix(keys::MEMBER_PREFIX).ok_or_else(|| r.corrupt("sk"))?;
    Ok(Member {
        id: MemberId::from_key(id)?,
        org,
        email: r.text("em")?.to_owned(),
        name: r.text("nm")?.to_owned(),
        role: r.parsed("ro", Role::parse)?,
        identity: r.maybe_text("idn").map(str::to_owned),
        last_seen_at: r.maybe_time("ls")?,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        version: r.number("vn")?,
    })
}
