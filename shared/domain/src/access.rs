//! Who may do what: [`allows`] is the one place that decides it. A route names
//! its [`Action`]; nothing else in the house compares roles.

use serde::{Deserialize, Serialize};

/// What a key or a member may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Role {
    /// Looks.
    Viewer,
    /// Sends, and writes what is sent.
    Manager,
    /// Also accounts, people, keys, settings and limits.
    Admin,
    /// Also other organizations, and the installation.
    SuperAdmin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Manager, Self::Admin, Self::SuperAdmin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// What somebody wants to do. Coarse: one for each thing that a role is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look at messages, files, content, settings and figures.
    Read,
    /// Send, cancel, retry, move; take up what was given up.
    Send,
    /// Templates and what else is sent.
    EditContent,
    /// Contacts, lists and segments.
    EditContacts,
    /// Workshops, their registrants, bookings.
    EditEvents,
    /// Consents, and addresses that must not be written to.
    ManageConsent,
    /// Let an address be written to again that must not be.
    LiftSuppression,
    /// Accounts with providers, and their secrets.
    ManageIntegrations,
    /// Settings and limits.
    ChangeSettings,
    /// Members and what they may do.
    ManageMembers,
    /// API keys.
    ManageKeys,
    /// Who did what.
    ReadAuditLog,
    /// Hand out or erase what is stored about a person.
    ManagePersonalData,
    /// Make, suspend and look at organizations.
    ManageOrganizations,
    /// The installation as a whole.
    ManageInstallation,
}

impl Action {
    pub const ALL: [Self; 15] = [
        Self::Read,
        Self::Send,
        Self::EditContent,
        Self::EditContacts,
        Self::EditEvents,
        Self::ManageConsent,
        Self::LiftSuppression,
        Self::ManageIntegrations,
        Self::ChangeSettings,
        Self::ManageMembers,
        Self::ManageKeys,
        Self::ReadAuditLog,
        Self::ManagePersonalData,
        Self::ManageOrganizations,
        Self::ManageInstallation,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::EditContent => "edit_content",
            Self::EditContacts => "edit_contacts",
            Self::EditEvents => "edit_events",
            Self::ManageConsent => "manage_consent",
            Self::LiftSuppression => "lift_suppression",
            Self::ManageIntegrations => "manage_integrations",
            Self::ChangeSettings => "change_settings",
            Self::ManageMembers => "manage_members",
            Self::ManageKeys => "manage_keys",
            Self::ReadAuditLog => "read_audit_log",
            Self::ManagePersonalData => "manage_personal_data",
            Self::ManageOrganizations => "manage_organizations",
            Self::ManageInstallation => "manage_installation",
        }
    }

    /// The lowest role that may.
    #[must_use]
    pub const fn least(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Send
            | Self::EditContent
            | Self::EditContacts
            | Self::EditEvents
            | Self::ManageConsent => Role::Manager,
            Self::LiftSuppression
            | Self::ManageIntegrations
            | Self::ChangeSettings
            | Self::ManageMembers
            | Self::ManageKeys
            | Self::ReadAuditLog
            | Self::ManagePersonalData => Role::Admin,
            Self::ManageOrganizations | Self::ManageInstallation => Role::SuperAdmin,
        }
    }
}

/// Whether this role may do this.
#[must_use]
pub fn allows(role: Role, action: Action) -> bool {
    role >= action.least()
}

/// Whether who has this role may give that one to somebody: nobody gives more
/// than he has.
#[must_use]
pub fn may_give(role: Role, given: Role) -> bool {
    role >= given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_is_this() {
        // viewer, manager, admin, super_admin
        for (action, may) in [
            (Action::Read, [true, true, true, true]),
            (Action::Send, [false, true, true, true]),
            (Action::EditContent, [false, true, true, true]),
            (Action::EditContacts, [false, true, true, true]),
            (Action::EditEvents, [false, true, true, true]),
            (Action::ManageConsent, [false, true, true, true]),
            (Action::LiftSuppression, [false, false, true, true]),
            (Action::ManageIntegrations, [false, false, true, true]),
            (Action::ChangeSettings, [false, false, true, true]),
            (Action::ManageMembers, [false, false, true, true]),
            (Action::ManageKeys, [false, false, true, true]),
            (Action::ReadAuditLog, [false, false, true, true]),
            (Action::ManagePersonalData, [false, false, true, true]),
            (Action::ManageOrganizations, [false, false, false, true]),
            (Action::ManageInstallation, [false, false, false, true]),
        ] {
            let answers = Role::ALL.map(|role| allows(role, action));
            assert_eq!(answers, may, "{}", action.as_str());
        }
    }

    #[test]
    fn each_word_reads_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("owner"), None);
    }

    #[test]
    fn nobody_gives_more_than_he_has() {
        assert!(may_give(Role::Admin, Role::Admin) && may_give(Role::SuperAdmin, Role::SuperAdmin));
        assert!(!may_give(Role::Admin, Role::SuperAdmin) && !may_give(Role::Manager, Role::Admin));
    }
}
