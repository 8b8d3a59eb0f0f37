//! Which messages a caller wants to see.

use carillon_domain::message::{Direction, Message, Source, State as MessageState, Status};
use carillon_domain::{CampaignId, Channel, ImportId, PhoneNumber, ProviderName};
use jiff::Timestamp;

use super::list::Query;
use crate::times::Until;

/// What the caller wants to see.
#[derive(Default, PartialEq)]
pub struct Filter {
    /// Set when the list is of one number.
    pub number: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub status: Option<Status>,
    pub channel: Option<Channel>,
    pub direction: Option<Direction>,
    pub provider: Option<ProviderName>,
    pub error_code: Option<String>,
    pub template: Option<String>,
    pub related_type: Option<String>,
    pub related_id: Option<String>,
    pub created_by: Option<String>,
    pub import: Option<ImportId>,
    pub text: Option<String>,
    pub campaign: Option<CampaignId>,
    /// Two things that no message has both: nothing matches.
    pub nothing: bool,
}

impl Filter {
    pub fn of(query: &Query) -> Self {
        let number =
            |text: &str| PhoneNumber::parse(text, None).ok().map(|n| n.as_str().to_owned());
        let (number_of_to, to) = match &query.to {
            Some(Until::Number(number)) => (Some(number.clone()), None),
            Some(Until::Moment(moment)) => (None, Some(moment.end())),
            None => (None, None),
        };
        let searched = query.q.as_deref().and_then(number);
        let text = query.q.as_ref().filter(|_| searched.is_none()).map(|q| q.to_lowercase());
        let related =
            |kind: &str, id: &Option<String>| id.as_ref().map(|id| (kind.to_owned(), id.clone()));
        let booking = related("booking", &query.booking_id);
        let workshop = related("workshop", &query.workshop_id);
        let both = booking.is_some() && workshop.is_some();
        let subject = booking.or(workshop);
        Self {
            number: number_of_to.or(searched),
            from: query.from.map(|moment| moment.start()),
            to,
            status: query.status,
            channel: query.channel,
            direction: query.direction,
            provider: query.provider,
            error_code: query.error_code.clone(),
            template: query.template.clone(),
            related_type: query
                .related_type
                .clone()
                .or_else(|| subject.as_ref().map(|s| s.0.clone())),
            related_id: query.related_id.clone().or_else(|| subject.map(|s| s.1)),
            created_by: query.created_by.clone(),
            import: query.import_id,
            text,
            campaign: query.campaign_id,
            // A message is related to one thing.
            nothing: both,
        }
    }

    /// Some messages do not fit.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    pub fn takes(&self, m: &Message, now: Timestamp) -> bool {
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        let code = match &m.state {
            MessageState::Failed { failure, .. } => Some(failure.code.as_str()),
            _ => None,
        };
        let import = match &m.source {
            Source::Import { id, .. } => Some(*id),
            Source::Single | Source::Person | Source::Answer { .. } => None,
        };
        let template = m.content.template.as_ref();
        !self.nothing
            && self.status.is_none_or(|s| s == m.status(now))
            && self.channel.is_none_or(|c| c == m.channel)
            && self.direction.is_none_or(|d| d == m.direction)
            && self.campaign.is_none_or(|c| Some(c) == m.campaign)
            && self.provider.is_none_or(|p| Some(p) == m.provider)
            && self.from.is_none_or(|from| m.created_at >= from)
            && self.to.is_none_or(|to| m.created_at <= to)
            && same(&self.error_code, code)
            && same(&self.related_type, m.related.as_ref().map(|r| r.kind.as_str()))
            && same(&self.related_id, m.related.as_ref().map(|r| r.id.as_str()))
            && same(&self.created_by, Some(&m.created_by))
            && self.import.is_none_or(|wanted| import == Some(wanted))
            && self.template.as_deref().is_none_or(|wanted| {
                template.is_some_and(|t| t.key == wanted || t.id.to_string() == wanted)
            })
            && self.text.as_deref().is_none_or(|text| {
                m.content.body.to_lowercase().contains(text) || m.address.contains(text)
            })
    }
}
