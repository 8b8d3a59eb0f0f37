//! Lists: `limit`, an opaque `cursor`, `{"data", "next_cursor"}`.

use axum::http::StatusCode;
use carillon_domain::Channel;
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::extract::Params;
use crate::problem::Problem;

const DEFAULT: usize = 50;
const MOST: usize = 200;

/// How many a page has at most.
#[derive(Debug, Clone, Copy)]
pub struct Limit(usize);

/// The query of a list that has pages.
pub trait Paged {
    fn limit(&self) -> Option<Limit>;
    fn cursor(&self) -> Option<&str>;
}

/// For a query struct with the fields `limit` and `cursor`.
macro_rules! paged {
    ($query:ty) => {
        impl crate::lists::Paged for $query {
            fn limit(&self) -> Option<crate::lists::Limit> {
                self.limit
            }

            fn cursor(&self) -> Option<&str> {
                self.cursor.as_deref()
            }
        }
    };
}
pub(crate) use paged;

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = usize::from(u16::deserialize(deserializer)?);
        let within = (1..=MOST).contains(&limit).then_some(Self(limit));
        within.ok_or_else(|| de::Error::custom("out of range"))
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT})
    }
}

/// Which part of a list that has no filter.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
paged!(PageQuery);

pub fn limit(params: &Params<impl Paged>) -> usize {
    params.query.limit().map_or(DEFAULT, |limit| limit.0)
}

/// What a cursor of this list says, in parts.
///
/// # Errors
/// 400 when it is not one that this list gave, for this filter.
pub fn cursor(params: &Params<impl Paged>) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = params.query.cursor() else { return Ok(None) };
    params.seal.open(text).map(Some).ok_or_else(invalid_cursor)
}

pub fn invalid_cursor() -> Problem {
    let detail = "This cursor is not one that this list gave; begin without a cursor, and keep \
                  the other parameters as they are.";
    Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", detail)
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct Page<T> {
    pub data: Vec<T>,
    /// For `?cursor=`; null on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Up to a place, from where the next page goes on.
    pub fn of<Q>(params: &Params<Q>, data: Vec<T>, place: Option<&[String]>) -> Self {
        Self { data, next_cursor: place.map(|place| params.seal.close(place)) }
    }

    /// Of a list in the order of ids, where the last id says where to go on.
    pub fn by_id<Q>(params: &Params<Q>, data: Vec<T>, last: Option<impl ToString>) -> Self {
        let place = last.map(|id| [id.to_string()]);
        Self::of(params, data, place.as_ref().map(<[String; 1]>::as_slice))
    }
}

/// Limit, and the id behind which a list in the order of ids goes on.
///
/// # Errors
/// 400 when the cursor is wrong.
pub fn by_id<T: std::str::FromStr>(
    params: &Params<impl Paged>,
) -> Result<(usize, Option<T>), Problem> {
    let after = match cursor(params)?.as_deref() {
        None => None,
        Some([id]) => Some(id.parse().map_err(|_| invalid_cursor())?),
        Some(_) => return Err(invalid_cursor()),
    };
    Ok((limit(params), after))
}

/// A limit as the table takes it.
pub fn wanted(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

/// A page of a list whose entries are found by place, newest first, being filled.
/// A narrow filter may leave it short, with a cursor to go on from.
pub struct ByPlace<T> {
    limit: usize,
    before: Option<String>,
    data: Vec<T>,
    rounds: usize,
    ended: bool,
}

/// Times that a page looks for more.
const ROUNDS: usize = 20;

impl<T> ByPlace<T> {
    /// # Errors
    /// 400 for a cursor that is none.
    pub fn new(params: &Params<impl Paged>) -> Result<Self, Problem> {
        let before = match cursor(params)? {
            None => None,
            Some(parts) => {
                let [place] = <[String; 1]>::try_from(parts).map_err(|_| invalid_cursor())?;
                Some(place)
            }
        };
        Ok(Self { limit: limit(params), before, data: Vec::new(), rounds: 0, ended: false })
    }

    /// Behind which place to look, for how many; `None` when the page is done.
    pub fn next(&mut self) -> Option<(Option<String>, usize)> {
        self.rounds += 1;
        let left = self.limit - self.data.len();
        (!self.ended && left > 0 && self.rounds <= ROUNDS).then(|| (self.before.clone(), left))
    }

    /// What was found there, each with its place; nothing where an entry is not
    /// one of those asked for.
    pub fn add<E>(&mut self, found: Vec<(String, Option<E>)>, show: impl Fn(E) -> T) {
        match found.last() {
            Some((last, _)) => self.before = Some(last.clone()),
            None => self.ended = true,
        }
        self.data.extend(found.into_iter().filter_map(|(_, entry)| Some(show(entry?))));
    }

    pub fn page<Q>(self, params: &Params<Q>) -> Page<T> {
        let next = self.before.filter(|_| !self.ended).map(|place| [place]);
        Page::of(params, self.data, next.as_ref().map(<[String; 1]>::as_slice))
    }
}

/// Of one number, or of all.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByAddress {
    /// A number: `%2B61491570157`. What one number has is one page.
    pub to: Option<String>,
    pub channel: Option<Channel>,
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
paged!(ByAddress);
