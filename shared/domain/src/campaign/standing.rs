//! Whether messages of a step may go now. The sender asks, seconds before each
//! call; the planner, before it plans.

use crate::campaign::{Campaign, Status};
use crate::import::StepOf;
use crate::workshop::Workshop;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Go,
    /// Until somebody resumes it.
    Paused,
    /// Never any more.
    Withdrawn(Withdrawal),
}

/// Why a planned message is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    CampaignCancelled,
    WorkshopMoved,
    WorkshopDeleted,
    Left,
    NumberChanged,
}

impl Withdrawal {
    pub const ALL: [Self; 5] = [
        Self::CampaignCancelled,
        Self::WorkshopMoved,
        Self::WorkshopDeleted,
        Self::Left,
        Self::NumberChanged,
    ];

    /// As it stands on a message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CampaignCancelled => "campaign_cancelled",
            Self::WorkshopMoved => "workshop_moved",
            Self::WorkshopDeleted => "workshop_deleted",
            Self::Left => "registration_left",
            Self::NumberChanged => "number_changed",
        }
    }

    /// For people.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::CampaignCancelled => "its campaign was cancelled",
            Self::WorkshopMoved => "the workshop was moved; it was planned anew for the new time",
            Self::WorkshopDeleted => "the workshop was deleted",
            Self::Left => "the person is not registered for the workshop any more",
            Self::NumberChanged => {
                "the person's telephone number was changed; it was planned anew for the new one"
            }
        }
    }
}

impl Standing {
    /// Of a source, by its campaign and its workshop as they are. A row that is
    /// missing is one that is not there yet: nothing goes without it.
    #[must_use]
    pub fn of(of: &StepOf, campaign: Option<&Campaign>, workshop: Option<&Workshop>) -> Self {
        let (Some(campaign), Some(workshop)) = (campaign, workshop) else { return Self::Paused };
        if campaign.status == Status::Cancelled {
            return Self::Withdrawn(Withdrawal::CampaignCancelled);
        }
        if workshop.deleted_at.is_some() {
            return Self::Withdrawn(Withdrawal::WorkshopDeleted);
        }
        if campaign.audience.follows() && of.revision != workshop.revision {
            return Self::Withdrawn(Withdrawal::WorkshopMoved);
        }
        match campaign.status {
            Status::Paused => Self::Paused,
            Status::Running | Status::Cancelled => Self::Go,
        }
    }
}
