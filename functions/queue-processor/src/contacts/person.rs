//! A row becomes a contact: it changes who is there ([`super::find`]), or makes
//! somebody new under an id that the line gives. A row that says nothing new writes
//! nothing. The rows of a page are written together, and one by one where somebody
//! else was in the way.

use carillon_domain::contact::import::{ContactImport, RowContact};
use carillon_domain::{AddressSecret, Contact};
use carillon_runtime::{Context, random};
use carillon_store::{ContactSaved, StoreError};
use futures::{StreamExt, TryStreamExt, stream};

use super::ImportError;
use super::find::Known;
use super::page::Outcome;

/// Rows looked for side by side.
const IN_FLIGHT: usize = 16;
/// How often a row that met another's write is tried again.
const ROUNDS: usize = 8;

/// What all rows of a page share.
pub struct Work<'a> {
    pub ctx: &'a Context,
    pub import: &'a ContactImport,
    pub secret: AddressSecret,
}

/// What a row comes to.
enum Wanted {
    /// Nothing is to be written.
    Nothing(Outcome),
    Write(Box<Change>),
}

struct Change {
    before: Option<Contact>,
    after: Contact,
    /// Once it is written.
    outcome: Outcome,
}

impl<'a> Work<'a> {
    pub async fn new(ctx: &'a Context, import: &'a ContactImport) -> Result<Self, ImportError> {
        Ok(Self { ctx, import, secret: ctx.address_secret().await? })
    }

    /// What comes of rows that have nobody in common.
    pub async fn rows(&self, rows: &[(u32, RowContact)]) -> Result<Vec<Outcome>, ImportError> {
        let known = self.known(rows).await?;
        let each: Vec<_> =
            rows.iter().map(|(line, person)| self.wanted(*line, person, Some(&known))).collect();
        let wanted: Vec<_> = stream::iter(each).buffered(IN_FLIGHT).try_collect().await?;
        let (mut outcomes, mut changes, mut written) = (Vec::new(), Vec::new(), Vec::new());
        for (place, wanted) in wanted.into_iter().enumerate() {
            match wanted {
                Wanted::Nothing(outcome) => outcomes.push((place, outcome)),
                Wanted::Write(change) => {
                    changes.push((change.before, change.after));
                    written.push((place, change.outcome));
                }
            }
        }
        let token = random::token();
        let saved = self.ctx.store.save_contacts(&self.secret, &mut changes, &token).await?;
        let changed = changes.iter().zip(saved).zip(written);
        for (((before, after), saved), (place, outcome)) in changed {
            let outcome = if saved {
                self.written(before.as_ref(), after).await?;
                outcome
            } else {
                let (line, person) = &rows[place];
                self.row(*line, person).await?
            };
            outcomes.push((place, outcome));
        }
        outcomes.sort_unstable_by_key(|(place, _)| *place);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// What comes of a row by itself.
    pub async fn row(&self, line: u32, person: &RowContact) -> Result<Outcome, ImportError> {
        for _ in 0..ROUNDS {
            let Change { before, mut after, outcome } =
                match self.wanted(line, person, None).await? {
                    Wanted::Nothing(outcome) => return Ok(outcome),
                    Wanted::Write(change) => *change,
                };
            let (store, token) = (&self.ctx.store, random::token());
            match store.save_contact(&self.secret, before.as_ref(), &mut after, &token).await? {
                ContactSaved::Done => {
                    self.written(before.as_ref(), &after).await?;
                    return Ok(outcome);
                }
                // This line's own, which somebody has changed so that the row does not
                // find it any more.
                ContactSaved::Changed(_)
                    if before.is_none() && after.id == self.import.contact_of(line) =>
                {
                    return Ok(outcome);
                }
                // Somebody else was first.
                ContactSaved::Changed(_)
                | ContactSaved::PhoneTaken(_)
                | ContactSaved::ExternalIdTaken(_) => {}
            }
        }
        Err(StoreError::Contended("a contact").into())
    }

    async fn written(&self, before: Option<&Contact>, after: &Contact) -> Result<(), ImportError> {
        if before.is_some_and(|before| after.phone != before.phone) {
            carillon_runtime::contact::changed(self.ctx, after).await?;
        }
        Ok(())
    }

    async fn wanted(
        &self,
        line: u32,
        person: &RowContact,
        known: Option<&Known>,
    ) -> Result<Wanted, ImportError> {
        match self.find(person, known).await? {
            Err(refused) => Ok(Wanted::Nothing(Outcome::Refused(refused))),
            Ok(Some(before)) => self.change(line, person, before).await,
            Ok(None) => Ok(self.make(line, person)),
        }
    }

    async fn change(
        &self,
        line: u32,
        person: &RowContact,
        before: Contact,
    ) -> Result<Wanted, ImportError> {
        let import = self.import;
        let by_this_file = before.imported.filter(|(id, _)| *id == import.id);
        let outcome = |changed: bool| match by_this_file {
            // Written by this line, before it was cut off.
            Some(by) if by == (import.id, line) && self.was_made(line, person, &before) => {
                Outcome::Created(before.id)
            }
            Some(by) if by == (import.id, line) => Outcome::Updated(before.id),
            Some(_) => Outcome::Duplicate,
            None if changed => Outcome::Updated(before.id),
            None => Outcome::Unchanged(before.id),
        };
        let mut after = before.clone();
        if let Err(refused) = person.apply(&mut after, &import.labels) {
            return Ok(Wanted::Nothing(Outcome::Refused(refused)));
        }
        if after.says_the_same(&before) || import.dry_run {
            // The file's own change may have been cut off before this.
            if by_this_file.is_some() {
                carillon_runtime::contact::changed(self.ctx, &before).await?;
            }
            return Ok(Wanted::Nothing(outcome(!after.says_the_same(&before))));
        }
        // A later line of the file leaves the mark of the first, by which its repeat
        // knows what it did.
        after.imported = Some(by_this_file.unwrap_or((import.id, line)));
        after.updated_at = self.ctx.clock.now();
        let outcome = outcome(true);
        Ok(Wanted::Write(Box::new(Change { before: Some(before), after, outcome })))
    }

    /// Whether this line has made the contact.
    fn was_made(&self, line: u32, person: &RowContact, c: &Contact) -> bool {
        let by_content = person.id_by_content(self.import.org) == Some(c.id);
        c.id == self.import.contact_of(line)
            || (by_content && c.created_at >= self.import.created_at)
    }

    fn make(&self, line: u32, person: &RowContact) -> Wanted {
        let import = self.import;
        let id = person.id_by_content(import.org).unwrap_or_else(|| import.contact_of(line));
        let now = self.ctx.clock.now();
        let mut contact = Contact::new(id, import.org, &import.created_by, now);
        if let Err(refused) = person.apply(&mut contact, &import.labels) {
            return Wanted::Nothing(Outcome::Refused(refused));
        }
        let outcome = Outcome::Created(id);
        if import.dry_run {
            return Wanted::Nothing(outcome);
        }
        contact.imported = Some((import.id, line));
        Wanted::Write(Box::new(Change { before: None, after: contact, outcome }))
    }
}
