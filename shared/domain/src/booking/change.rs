//! What people change of a booking. Each makes it due: its notices follow.

use jiff::Timestamp;

use super::{Booking, Overrides, State};

/// It is not open any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Cancelled,
    Completed,
}

impl Refused {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cancelled => "booking_cancelled",
            Self::Completed => "booking_completed",
        }
    }
}

/// Another time, another coach, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Move {
    pub starts_at: Option<Timestamp>,
    pub coach_name: Option<String>,
}

/// What else may change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    pub duration_minutes: Option<u32>,
    pub location: Option<String>,
    pub overrides: Option<Overrides>,
}

impl Booking {
    const fn open(&self) -> Result<(), Refused> {
        match self.state {
            State::Confirmed => Ok(()),
            State::Cancelled { .. } => Err(Refused::Cancelled),
            State::Completed { .. } => Err(Refused::Completed),
        }
    }

    fn changed(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.due = Some(now);
    }

    fn revised(&mut self, now: Timestamp) {
        self.revision += 1;
        self.changed_at = now;
        self.changed(now);
    }

    /// Moves it; what is as it was is no move. What the client had answered was
    /// about the time before.
    ///
    /// # Errors
    /// When it is cancelled or completed.
    pub fn move_to(&mut self, to: Move, now: Timestamp) -> Result<(), Refused> {
        self.open()?;
        let is_moved = to.starts_at.is_some_and(|at| at != self.starts_at);
        let is_reassigned = to.coach_name.as_ref().is_some_and(|coach| *coach != self.coach_name);
        if !is_moved && !is_reassigned {
            return Ok(());
        }
        self.revised(now);
        if is_moved {
            self.moved_in = self.revision;
            self.reply = None;
        }
        if is_reassigned {
            self.reassigned_in = self.revision;
        }
        self.starts_at = to.starts_at.unwrap_or(self.starts_at);
        if let Some(coach) = to.coach_name {
            self.coach_name = coach;
        }
        Ok(())
    }

    /// Changes what is told without being a move, and what is told at all.
    ///
    /// # Errors
    /// When it is cancelled or completed.
    pub fn edit(&mut self, edit: Edit, now: Timestamp) -> Result<(), Refused> {
        self.open()?;
        if let Some(overrides) = edit.overrides.filter(|o| *o != self.overrides) {
            // Another channel is another address, and so another id.
            self.overrides = overrides;
            self.changed(now);
        }
        if let Some(minutes) = edit.duration_minutes.filter(|m| *m != self.duration_minutes) {
            self.duration_minutes = minutes;
            self.changed(now);
        }
        if let Some(location) = edit.location.filter(|l| *l != self.location) {
            self.location = location;
            self.revised(now);
        }
        Ok(())
    }

    /// It does not take place. Once more changes nothing.
    ///
    /// # Errors
    /// When it is completed.
    pub fn cancel(&mut self, by: &str, now: Timestamp) -> Result<(), Refused> {
        match self.state {
            State::Cancelled { .. } => Ok(()),
            State::Completed { .. } => Err(Refused::Completed),
            State::Confirmed => {
                self.state = State::Cancelled { by: by.to_owned(), at: now };
                self.changed(now);
                Ok(())
            }
        }
    }

    /// It has taken place. Once more changes nothing.
    ///
    /// # Errors
    /// When it is cancelled.
    pub fn complete(&mut self, by: &str, now: Timestamp) -> Result<(), Refused> {
        match self.state {
            State::Completed { .. } => Ok(()),
            State::Cancelled { .. } => Err(Refused::Cancelled),
            State::Confirmed => {
                self.state = State::Completed { by: by.to_owned(), at: now };
                self.changed(now);
                Ok(())
            }
        }
    }
}
