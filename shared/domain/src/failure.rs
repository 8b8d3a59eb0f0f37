//! Why a message did not arrive, in words that are the same for every provider.

use serde::{Deserialize, Serialize};

/// What the failure means for the organization, whoever the provider was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    InvalidAddress,
    OptedOut,
    Unreachable,
    ContentRejected,
    TemplateMismatch,
    RateLimited,
    ProviderDown,
    Misconfigured,
    InsufficientBalance,
    Expired,
    Other,
}

impl FailureReason {
    pub const ALL: [Self; 11] = [
        Self::InvalidAddress,
        Self::OptedOut,
        Self::Unreachable,
        Self::ContentRejected,
        Self::TemplateMismatch,
        Self::RateLimited,
        Self::ProviderDown,
        Self::Misconfigured,
        Self::InsufficientBalance,
        Self::Expired,
        Self::Other,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidAddress => "invalid_address",
            Self::OptedOut => "opted_out",
            Self::Unreachable => "unreachable",
            Self::ContentRejected => "content_rejected",
            Self::TemplateMismatch => "template_mismatch",
            Self::RateLimited => "rate_limited",
            Self::ProviderDown => "provider_down",
            Self::Misconfigured => "misconfigured",
            Self::InsufficientBalance => "insufficient_balance",
            Self::Expired => "expired",
            Self::Other => "other",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// One failure: the provider's code and words, and what they mean to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// The provider's code as it wrote it, or one of ours in words.
    pub code: String,
    pub reason: FailureReason,
    /// The provider's text; masked and cut by who reads the answer.
    pub detail: String,
    /// True: the same message will fail again. False: worth another attempt.
    pub permanent: bool,
}

impl Failure {
    #[must_use]
    pub fn new(
        code: impl Into<String>,
        reason: FailureReason,
        permanent: bool,
        detail: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), reason, detail: detail.into(), permanent }
    }
}
