//! A page of rows becomes contacts. Each row looks for its person by external
//! id, then by number, then by email address; it changes who is there, or makes
//! somebody new under an id that the line gives. So a page that is repeated finds
//! what it did, and a row that says nothing new writes nothing.

use std::collections::{HashMap, HashSet};

use carillon_domain::contact::import::{ContactImport, Matched, Refused, RowContact};
use carillon_domain::import::Rejected;
use carillon_domain::rows::{self, Row};
use carillon_domain::{AddressKey, AddressSecret, Contact, ContactId};
use carillon_runtime::broadcast::join::{self, Joined};
use carillon_runtime::{Context, random};
use carillon_store::{ContactSaved, StoreError, TOGETHER};
use futures::{StreamExt, TryStreamExt, stream};

use super::{ImportError, Piece};

/// Rows worked on side by side.
const IN_FLIGHT: usize = 16;
/// How often a row that met another's write is tried again.
const ROUNDS: usize = 8;
/// Of a reason that is kept with a page.
const DETAIL_CHARACTERS: usize = 200;

/// What came of a row.
enum Outcome {
    Created(ContactId),
    Updated(ContactId),
    Unchanged(ContactId),
    Duplicate,
    Refused(Refused),
}

/// The page at the cursor, which the import then is behind.
pub async fn page(
    ctx: &Context,
    import: &mut ContactImport,
    piece: &mut Piece,
) -> Result<(), ImportError> {
    let chunk = import.progress.chunk;
    let rows = read(ctx, import, piece).await?;
    let from = usize::try_from(import.progress.record).unwrap_or(0).min(rows.len());
    let to = (from + ctx.config.tuning.page_size).min(rows.len());
    let outcomes = apply(ctx, import, &rows[from..to]).await?;
    if !import.dry_run {
        workshops(ctx, import, &outcomes).await?;
    }
    let is_end = to == rows.len();
    let mut rejected = Vec::new();
    for (line, outcome) in outcomes {
        let p = &mut import.progress;
        match outcome {
            Outcome::Created(_) => p.created += 1,
            Outcome::Updated(_) => p.updated += 1,
            Outcome::Unchanged(_) => p.unchanged += 1,
            Outcome::Duplicate => p.duplicates += 1,
            Outcome::Refused(Refused { code, detail }) => {
                p.rejected += 1;
                let detail = detail.chars().take(DETAIL_CHARACTERS).collect();
                rejected.push(Rejected { line, code: code.to_owned(), detail });
            }
        }
    }
    if !rejected.is_empty() {
        ctx.store.put_refused(import, chunk, &rejected, ctx.clock.now()).await?;
    }
    import.progress.pages += 1;
    (import.progress.chunk, import.progress.record) = match is_end {
        true => (chunk + 1, 0),
        false => (chunk, u32::try_from(to).unwrap_or(u32::MAX)),
    };
    Ok(())
}

/// Who has another number than before joins his workshops anew; and who is in the
/// file joins the one that it is for. A repeat finds what is done.
async fn workshops(
    ctx: &Context,
    import: &ContactImport,
    outcomes: &[(u32, Outcome)],
) -> Result<(), ImportError> {
    let (org, mut changed, mut all) = (import.org, Vec::new(), Vec::new());
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Updated(id) => changed.push(*id),
            Outcome::Created(_)
            | Outcome::Unchanged(_)
            | Outcome::Duplicate
            | Outcome::Refused(_) => {}
        }
        all.extend(outcome.contact());
    }
    let wanted = if import.workshop.is_some() { &all } else { &changed };
    let contacts = ctx.store.contacts(org, wanted, true).await?;
    for contact in changed.iter().filter_map(|id| contacts.get(id)) {
        let address = join::address(ctx, contact).await?;
        join::number_changed(ctx, contact, address).await?;
    }
    let Some(workshop) = import.workshop else { return Ok(()) };
    let mut people = Vec::with_capacity(all.len());
    for contact in all.iter().filter_map(|id| contacts.get(id)) {
        people.push((contact.id, join::address(ctx, contact).await?));
    }
    for part in people.chunks(TOGETHER) {
        match join::register(ctx, (org, workshop), part).await? {
            // The contacts are made, whatever has become of the workshop.
            Joined::Done { .. } | Joined::Gone => {}
            Joined::Full => return Err(ImportError::Full),
        }
    }
    Ok(())
}

async fn read<'a>(
    ctx: &Context,
    import: &ContactImport,
    Piece(piece): &'a mut Piece,
) -> Result<&'a [Row], ImportError> {
    let number = import.progress.chunk;
    if piece.as_ref().is_none_or(|(kept, _)| *kept != number) {
        let text = ctx.store.contact_import_chunk(import.org, import.id, number).await?;
        let text = text.ok_or(ImportError::Gone)?;
        let rows = rows::read_chunk(&text).collect::<Result<Vec<_>, _>>()?;
        *piece = Some((number, rows));
    }
    Ok(piece.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default())
}

/// Who was there when the page began, by what rows know people by.
struct Known {
    phones: HashMap<AddressKey, ContactId>,
    external_ids: HashMap<String, ContactId>,
    contacts: HashMap<ContactId, Contact>,
}

/// What all rows of a page share.
struct Work<'a> {
    ctx: &'a Context,
    import: &'a ContactImport,
    secret: AddressSecret,
}

async fn apply(
    ctx: &Context,
    import: &ContactImport,
    rows: &[Row],
) -> Result<Vec<(u32, Outcome)>, ImportError> {
    let work = Work { ctx, import, secret: ctx.address_secret().await? };
    let mut outcomes = Vec::with_capacity(rows.len());
    let (mut first, mut again) = (Vec::new(), Vec::new());
    // The line on which somebody stands first, by what he is known by.
    let mut seen: HashMap<String, u32> = HashMap::new();
    for row in rows {
        match import.mapping.read(&row.cells, import.default_country) {
            Err(refused) => outcomes.push((row.line, Outcome::Refused(refused))),
            Ok(person) => {
                let keys = keys(&person);
                let earlier = keys.iter().find_map(|key| seen.get(key).copied());
                let line = earlier.unwrap_or(row.line);
                seen.extend(keys.into_iter().map(|key| (key, line)));
                match earlier {
                    Some(earlier) => again.push((row.line, earlier, person)),
                    None => first.push((row.line, person)),
                }
            }
        }
    }
    let known = work.known(&first).await?;
    let each: Vec<_> =
        first.iter().map(|(line, person)| work.row(*line, person, Some(&known))).collect();
    let done: Vec<_> = stream::iter(each).buffered(IN_FLIGHT).try_collect().await?;
    let mut touched: HashSet<ContactId> = done.iter().filter_map(Outcome::contact).collect();
    outcomes.extend(first.iter().map(|(line, _)| *line).zip(done));
    // Behind the others, each after the one before: the last line counts. What it
    // writes is noted as the first line's, which says the same when it is repeated.
    for (line, earlier, person) in &again {
        let outcome = match import.dry_run {
            // Who was not stored cannot be found again.
            true => Outcome::Duplicate,
            false => work.row(*earlier, person, None).await?,
        };
        let outcome = match outcome.contact() {
            Some(id) if !touched.insert(id) => {
                if matches!(outcome, Outcome::Updated(_)) {
                    now_updated(&mut outcomes, id);
                }
                Outcome::Duplicate
            }
            _ => outcome,
        };
        outcomes.push((*line, outcome));
    }
    Ok(outcomes)
}

/// His first line changed nothing, and a later one has.
fn now_updated(outcomes: &mut [(u32, Outcome)], id: ContactId) {
    let unchanged = |o: &&mut (u32, Outcome)| matches!(o.1, Outcome::Unchanged(u) if u == id);
    if let Some((_, outcome)) = outcomes.iter_mut().find(unchanged) {
        *outcome = Outcome::Updated(id);
    }
}

/// What two rows about one person have in common.
fn keys(person: &RowContact) -> Vec<String> {
    let phone = person.phone.iter().map(|phone| format!("p{}", phone.as_str()));
    let email = person.email.iter().map(|email| format!("e{email}"));
    let external = person.external_id.iter().map(|id| format!("x{id}"));
    phone.chain(email).chain(external).collect()
}

impl Outcome {
    const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Created(id) | Self::Updated(id) | Self::Unchanged(id) => Some(*id),
            Self::Duplicate | Self::Refused(_) => None,
        }
    }
}

impl Work<'_> {
    fn address(&self, person: &RowContact) -> Option<AddressKey> {
        let phone = person.phone.as_ref()?;
        Some(AddressKey::new(&self.secret, self.import.org, phone.as_str()))
    }

    /// In two questions for all rows.
    async fn known(&self, rows: &[(u32, RowContact)]) -> Result<Known, ImportError> {
        let (store, org) = (&self.ctx.store, self.import.org);
        let addresses: Vec<_> = rows.iter().filter_map(|(_, p)| self.address(p)).collect();
        let ids: Vec<_> = rows.iter().filter_map(|(_, p)| p.external_id.as_deref()).collect();
        let (phones, external_ids) = store.holders(org, &addresses, &ids).await?;
        let ids: Vec<_> = phones.values().chain(external_ids.values()).copied().collect();
        let contacts = store.contacts(org, &ids, true).await?;
        Ok(Known { phones, external_ids, contacts })
    }

    async fn row(
        &self,
        line: u32,
        person: &RowContact,
        known: Option<&Known>,
    ) -> Result<Outcome, ImportError> {
        let mut known = known;
        for _ in 0..ROUNDS {
            let before = match self.find(person, known.take()).await? {
                Ok(before) => before,
                Err(refused) => return Ok(Outcome::Refused(refused)),
            };
            let done = match before {
                Some(before) => self.change(line, person, &before).await?,
                None => self.make(line, person).await?,
            };
            if let Some(outcome) = done {
                return Ok(outcome);
            }
        }
        Err(StoreError::Contended("a contact").into())
    }

    /// The person of a row, if he is there.
    async fn find(
        &self,
        person: &RowContact,
        known: Option<&Known>,
    ) -> Result<Result<Option<Contact>, Refused>, ImportError> {
        let (store, org) = (&self.ctx.store, self.import.org);
        let mut by_id = None;
        if let Some(external_id) = &person.external_id {
            let id = match known {
                Some(known) => known.external_ids.get(external_id).copied(),
                None => store.contact_of_external_id(org, external_id).await?,
            };
            by_id = self.contact(id, known).await?;
        }
        let mut by_phone = None;
        if let Some(address) = self.address(person) {
            let id = match known {
                Some(known) => known.phones.get(&address).copied(),
                None => store.contact_of_phone(org, address).await?,
            };
            by_phone = self.contact(id, known).await?;
        }
        match (by_id, by_phone) {
            (Some(one), Some(other)) if one.id != other.id => {
                let detail = format!(
                    "The external id is that of contact {}, and the number that of {}; merge the \
                     two, or correct one of them.",
                    one.id, other.id
                );
                return Ok(Err(Refused::new("contact_exists", detail)));
            }
            (Some(contact), _) => return Ok(Ok(Some(contact))),
            (None, Some(contact)) => {
                return Ok(match person.is_of(&contact) {
                    Matched::Conflict(refused) => Err(refused),
                    Matched::Yes | Matched::No => Ok(Some(contact)),
                });
            }
            (None, None) => {}
        }
        if let Some(email) = &person.email {
            for id in store.contacts_of_email(org, email).await? {
                if let Some(contact) = store.contact_now(org, id).await?
                    && person.is_of(&contact) == Matched::Yes
                {
                    return Ok(Ok(Some(contact)));
                }
            }
        }
        match person.id_by_content(org) {
            Some(id) => Ok(Ok(store.contact_now(org, id).await?)),
            None => Ok(Ok(None)),
        }
    }

    async fn contact(
        &self,
        id: Option<ContactId>,
        known: Option<&Known>,
    ) -> Result<Option<Contact>, ImportError> {
        let Some(id) = id else { return Ok(None) };
        match known.and_then(|known| known.contacts.get(&id)) {
            Some(contact) => Ok(Some(contact.clone())),
            None => Ok(self.ctx.store.contact_now(self.import.org, id).await?),
        }
    }

    /// `None`: somebody else was first.
    async fn change(
        &self,
        line: u32,
        person: &RowContact,
        before: &Contact,
    ) -> Result<Option<Outcome>, ImportError> {
        let import = self.import;
        let by_this_file = before.imported.filter(|(id, _)| *id == import.id);
        let outcome = |changed: bool| match by_this_file {
            // Written by this line, before it was cut off.
            Some(by) if by == (import.id, line) && self.was_made(line, person, before) => {
                Outcome::Created(before.id)
            }
            Some(by) if by == (import.id, line) => Outcome::Updated(before.id),
            Some(_) => Outcome::Duplicate,
            None if changed => Outcome::Updated(before.id),
            None => Outcome::Unchanged(before.id),
        };
        let mut after = before.clone();
        if let Err(refused) = person.apply(&mut after, &import.labels) {
            return Ok(Some(Outcome::Refused(refused)));
        }
        if after.says_the_same(before) || import.dry_run {
            // The file's own change may have been cut off before this.
            if by_this_file.is_some() {
                carillon_runtime::contact::changed(self.ctx, before).await?;
            }
            return Ok(Some(outcome(!after.says_the_same(before))));
        }
        // A later line of the file leaves the mark of the first, by which its repeat
        // knows what it did.
        after.imported = Some(by_this_file.unwrap_or((import.id, line)));
        after.updated_at = self.ctx.clock.now();
        let (store, token) = (&self.ctx.store, random::token());
        Ok(match store.save_contact(&self.secret, Some(before), &mut after, &token).await? {
            ContactSaved::Done => {
                if after.phone != before.phone {
                    carillon_runtime::contact::changed(self.ctx, &after).await?;
                }
                Some(outcome(true))
            }
            ContactSaved::Changed(_)
            | ContactSaved::PhoneTaken(_)
            | ContactSaved::ExternalIdTaken(_) => None,
        })
    }

    /// Whether this line has made the contact.
    fn was_made(&self, line: u32, person: &RowContact, c: &Contact) -> bool {
        let by_content = person.id_by_content(self.import.org) == Some(c.id);
        c.id == self.import.contact_of(line)
            || (by_content && c.created_at >= self.import.created_at)
    }

    /// `None`: somebody else was first.
    async fn make(&self, line: u32, person: &RowContact) -> Result<Option<Outcome>, ImportError> {
        let import = self.import;
        let id = person.id_by_content(import.org).unwrap_or_else(|| import.contact_of(line));
        let now = self.ctx.clock.now();
        let mut contact = Contact::new(id, import.org, &import.created_by, now);
        if let Err(refused) = person.apply(&mut contact, &import.labels) {
            return Ok(Some(Outcome::Refused(refused)));
        }
        if import.dry_run {
            return Ok(Some(Outcome::Created(id)));
        }
        contact.imported = Some((import.id, line));
        let (store, token) = (&self.ctx.store, random::token());
        Ok(match store.save_contact(&self.secret, None, &mut contact, &token).await? {
            ContactSaved::Done => Some(Outcome::Created(id)),
            // This line's own, which somebody has changed so that the row does not
            // find it any more.
            ContactSaved::Changed(_) if id == import.contact_of(line) => Some(Outcome::Created(id)),
            ContactSaved::Changed(_)
            | ContactSaved::PhoneTaken(_)
            | ContactSaved::ExternalIdTaken(_) => None,
        })
    }
}
