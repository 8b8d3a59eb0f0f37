//! A page of rows becomes contacts, row by row ([`super::person`]); behind them the
//! workshops that they are registered for. A page that is repeated finds what it
//! did.

use std::collections::{HashMap, HashSet};

use carillon_domain::ContactId;
use carillon_domain::contact::import::{ContactImport, Refused, RowContact};
use carillon_domain::import::Rejected;
use carillon_domain::rows::{self, Row};
use carillon_runtime::Context;
use carillon_runtime::broadcast::join::{self, Joined};
use carillon_store::TOGETHER;

use super::person::Work;
use super::{ImportError, Piece};

/// Of a reason that is kept with a page.
const DETAIL_CHARACTERS: usize = 200;

/// What came of a row.
pub enum Outcome {
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

async fn apply(
    ctx: &Context,
    import: &ContactImport,
    rows: &[Row],
) -> Result<Vec<(u32, Outcome)>, ImportError> {
    let work = Work::new(ctx, import).await?;
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
    let done = work.rows(&first).await?;
    let mut touched: HashSet<ContactId> = done.iter().filter_map(Outcome::contact).collect();
    outcomes.extend(first.iter().map(|(line, _)| *line).zip(done));
    // Behind the others, each after the one before: the last line counts. What it
    // writes is noted as the first line's, which says the same when it is repeated.
    for (line, earlier, person) in &again {
        let outcome = match import.dry_run {
            // Who was not stored cannot be found again.
            true => Outcome::Duplicate,
            false => work.row(*earlier, person).await?,
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
    pub const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Created(id) | Self::Updated(id) | Self::Unchanged(id) => Some(*id),
            Self::Duplicate | Self::Refused(_) => None,
        }
    }
}
