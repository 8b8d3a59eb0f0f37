//! Campaigns: what is sent (steps, written once), how far planning is, and the
//! batches that it has planned.

use std::collections::BTreeMap;

use carillon_domain::campaign::{Audience, Batch, Campaign, Plan, Status, Step, When};
use carillon_domain::integration::Money;
use carillon_domain::message::TemplateRef;
use carillon_domain::workshop::Workshop;
use carillon_domain::{
    CampaignId, Channel, ImportId, OrgId, ProviderName, Purpose, SequenceId, StepId, WorkshopId,
};
use serde_json::json;

use crate::attributes::{Item, Reader, Writer, ms, n, s};
use crate::counted::Messages;
use crate::statistics::read_counted;
use crate::{Result, Store, keys};

/// Version of this row shape.
const VERSION: u8 = 1;
/// Batches read at a time.
const BATCHES: i32 = 500;

impl Store {
    /// Stores a new campaign with its steps and its places in the lists, and the
    /// workshop with it, due: all or nothing. False: the campaign is there, or
    /// somebody else has changed the workshop since it was read.
    pub async fn start_campaign(
        &self,
        w: &mut Workshop,
        c: &Campaign,
        steps: &[Step],
        token: &str,
    ) -> Result<bool> {
        let listed = keys::campaign_listed(c.org, c.created_at, c.id);
        let broadcast = keys::broadcast(c.org, c.workshop, c.created_at, c.id);
        let mut t = self.transaction();
        t.put(write(c, token), "attribute_not_exists(pk)", &[]);
        t.set(Writer::new(&listed).done());
        t.set(Writer::new(&broadcast).done());
        for step in steps {
            t.set(write_step(c.org, c.id, step));
        }
        Ok(self.save_workshop_with(w, t, token).await?.is_none())
    }

    /// As of now.
    pub async fn campaign(&self, org: OrgId, id: CampaignId) -> Result<Option<Campaign>> {
        self.get(&keys::campaign(org, id), true).await?.as_ref().map(read).transpose()
    }

    /// A campaign and its workshop, as of now, in one request.
    pub async fn campaign_and_workshop(
        &self,
        org: OrgId,
        id: CampaignId,
        workshop: WorkshopId,
    ) -> Result<(Option<Campaign>, Option<Workshop>)> {
        let wanted = [keys::campaign(org, id), keys::workshop(org, workshop)];
        let (mut campaign, mut found) = (None, None);
        for row in self.get_many(&wanted, true).await? {
            if Reader::new("row", &row).maybe_text("sk") == Some("c") {
                campaign = Some(read(&row)?);
            } else {
                found = Some(crate::workshops::read(&row)?);
            }
        }
        Ok((campaign, found))
    }

    /// Stores a changed one, if it is still at the version it was read at, and
    /// raises that. False: somebody else was first.
    pub async fn save_campaign(&self, c: &mut Campaign, token: &str) -> Result<bool> {
        let seen = c.version;
        c.version += 1;
        let met = self.put_if(write(c, token), "ver = :seen", Some((":seen", n(seen)))).await?;
        Ok(met.is_none_or(|met| Reader::new("campaign", &met).maybe_text("tk") == Some(token)))
    }

    /// Its steps, in order.
    pub async fn campaign_steps(&self, org: OrgId, id: CampaignId) -> Result<Vec<Step>> {
        let pk = keys::campaign_partition(org, id);
        let rows = self.range(&pk, "", Some(keys::STEP_PREFIX), 100).await?;
        rows.iter().map(read_step).collect()
    }

    /// A batch is planned. A repeat leaves it alone.
    pub async fn put_batch(&self, org: OrgId, id: CampaignId, b: &Batch) -> Result<()> {
        let key = keys::campaign_batch(org, id, (b.revision, b.first, b.step));
        let mut w = Writer::new(&key);
        w.number("la", b.last).text("src", b.source.key()).number("rc", b.recipients);
        w.time("at", b.at);
        self.put_if(w.done(), "attribute_not_exists(pk)", None).await.map(drop)
    }

    /// All its batches, in the order in which they were planned.
    pub async fn batches(&self, org: OrgId, id: CampaignId) -> Result<Vec<Batch>> {
        let pk = keys::campaign_partition(org, id);
        let high = format!("{}~", keys::BATCH_PREFIX);
        let mut low = keys::BATCH_PREFIX.to_owned();
        let mut batches = Vec::new();
        loop {
            let rows = self.between(&pk, (low, high.clone()), BATCHES, true, false).await?;
            let Some(last) = rows.last() else { return Ok(batches) };
            low = format!("{}\u{1}", Reader::new("batch", last).text("sk")?);
            batches.extend(rows.iter().map(read_batch).collect::<Result<Vec<_>>>()?);
        }
    }

    /// What rollup has counted of these sources' messages. A source of a step has
    /// two pages at most, and so one side row.
    pub async fn counted_of(&self, org: OrgId, sources: &[ImportId]) -> Result<Vec<Messages>> {
        let wanted: Vec<_> =
            sources.iter().map(|source| keys::counted_pages(org, *source, 0)).collect();
        let rows = self.get_many(&wanted, false).await?;
        let mut found: BTreeMap<String, Messages> = BTreeMap::new();
        for row in &rows {
            found.insert(Reader::new("counted", row).text("pk")?.to_owned(), read_counted(row)?);
        }
        let mut of = |key: keys::Key| found.remove(&key.pk).unwrap_or_default();
        Ok(wanted.into_iter().map(&mut of).collect())
    }

    /// Campaigns of the organization or of one workshop, newest first, from behind
    /// a place; each with its place.
    pub async fn campaigns(
        &self,
        org: OrgId,
        workshop: Option<WorkshopId>,
        before: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, Option<Campaign>)>> {
        let (pk, prefix) = match workshop {
            Some(id) => (keys::workshop_partition(org, id), keys::BROADCAST_PREFIX),
            None => (keys::campaigns(org), ""),
        };
        let rows = self.range_back(&pk, before, prefix, limit).await?;
        let mut places = Vec::with_capacity(rows.len());
        for row in &rows {
            let r = Reader::new("campaign in a list", row);
            let id = r.parsed("sk", |sk| CampaignId::from_key(sk.split_once('#')?.1).ok())?;
            places.push((r.text("sk")?.to_owned(), id));
        }
        let wanted: Vec<_> = places.iter().map(|(_, id)| keys::campaign(org, *id)).collect();
        let found = self.get_many(&wanted, false).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>>>()?;
        let of = |id| found.iter().find(|c| c.id == id).cloned();
        Ok(places.into_iter().map(|(place, id)| (place, of(id))).collect())
    }
}

fn write(c: &Campaign, token: &str) -> Item {
    let mut w = Writer::new(&keys::campaign(c.org, c.id));
    w.number("v", VERSION).number("ver", c.version).text("tk", token);
    w.text("na", &c.name).text("ch", c.channel.as_str()).text("pu", c.purpose.as_str());
    w.some("int", c.integration, |p| s(p.as_str())).text("ws", c.workshop.key());
    match c.audience {
        Audience::Sequence(id) => w.text("seq", id.key()),
        Audience::Registered { until } => w.number("un", until),
    };
    w.text("s", c.status.as_str()).number("st", c.steps).number("mx", c.max_segments);
    w.some("cb", c.changed.as_ref(), |(by, at)| s(json!([by, at.as_millisecond()]).to_string()));
    w.some("es", c.estimate.as_ref(), |m| s(json!([m.amount, m.currency]).to_string()));
    w.some("fa", c.completed_at, ms).number("rv", c.plan.revision).time("pb", c.plan.began_at);
    w.number("pn", c.plan.next).number("pl", c.plan.until);
    w.text("by", &c.created_by).time("ca", c.created_at).time("ua", c.updated_at);
    w.done()
}

fn read(item: &Item) -> Result<Campaign> {
    let r = Reader::new("campaign", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix("cm/").ok_or_else(|| r.corrupt("pk"))?;
    let audience = match r.maybe_parsed("seq", |key| SequenceId::from_key(key).ok())? {
        Some(sequence) => Audience::Sequence(sequence),
        None => Audience::Registered { until: r.number("un")? },
    };
    let changed = match r.json::<(String, i64)>("cb")? {
        Some((by, at)) => {
            let at = jiff::Timestamp::from_millisecond(at).map_err(|_| r.corrupt("cb"))?;
            Some((by, at))
        }
        None => None,
    };
    Ok(Campaign {
        org,
        id: CampaignId::from_key(id)?,
        name: r.text("na")?.to_owned(),
        channel: r.parsed("ch", Channel::parse)?,
        purpose: r.parsed("pu", Purpose::parse)?,
        integration: r.maybe_parsed("int", ProviderName::parse)?,
        workshop: r.parsed("ws", |key| WorkshopId::from_key(key).ok())?,
        audience,
        status: r.parsed("s", Status::parse)?,
        changed,
        steps: r.number("st")?,
        max_segments: r.number("mx")?,
        estimate: r.json("es")?.map(|(amount, currency)| Money { amount, currency }),
        completed_at: r.maybe_time("fa")?,
        plan: Plan {
            revision: r.number("rv")?,
            began_at: r.time("pb")?,
            next: r.number("pn")?,
            until: r.number("pl")?,
        },
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        updated_at: r.time("ua")?,
        version: r.number("ver")?,
    })
}

fn write_step(org: OrgId, id: CampaignId, step: &Step) -> Item {
    let mut w = Writer::new(&keys::campaign_step(org, id, step.place));
    w.number("v", VERSION).text("id", step.id.key()).some("lb", step.label.as_ref(), s);
    w.text("wh", json!(step.when).to_string());
    let t = &step.template;
    w.text("tp", json!([t.id, t.key, t.version]).to_string()).text("b", &step.body);
    w.text("dt", json!(step.details).to_string());
    if !step.mapping.is_empty() {
        w.text("mp", json!(step.mapping).to_string());
    }
    if !step.given.is_empty() {
        w.text("va", json!(step.given).to_string());
    }
    w.done()
}

fn read_step(item: &Item) -> Result<Step> {
    let r = Reader::new("step of a campaign", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (id, key, version) = r.json("tp")?.ok_or_else(|| r.corrupt("tp"))?;
    Ok(Step {
        place: r.parsed("sk", |sk| sk.strip_prefix(keys::STEP_PREFIX)?.parse().ok())?,
        id: r.parsed("id", |key| StepId::from_key(key).ok())?,
        label: r.maybe_text("lb").map(str::to_owned),
        when: r.json::<When>("wh")?.ok_or_else(|| r.corrupt("wh"))?,
        template: TemplateRef { id, key, version },
        body: r.text("b")?.to_owned(),
        details: r.json("dt")?.unwrap_or_default(),
        mapping: r.json("mp")?.unwrap_or_default(),
        given: r.json("va")?.unwrap_or_default(),
    })
}

fn read_batch(item: &Item) -> Result<Batch> {
    let r = Reader::new("batch", item);
    let (revision, first, step) = r.parsed("sk", |sk| {
        let mut parts = sk.strip_prefix(keys::BATCH_PREFIX)?.split('/');
        let mut number = || parts.next()?.parse::<u32>().ok();
        Some((number()?, number()?, u16::try_from(number()?).ok()?))
    })?;
    Ok(Batch {
        revision,
        step,
        first,
        last: r.number("la")?,
        source: r.parsed("src", |key| ImportId::from_key(key).ok())?,
        recipients: r.number("rc")?,
        at: r.time("at")?,
    })
}
