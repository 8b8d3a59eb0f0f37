//! Who a person is: OpenID Connect against any issuer.
//!
//! - [`settings`]: which issuer, and which of its tokens are for us
//! - [`jws`], [`jwks`]: signatures and the issuer's keys
//! - [`claims`]: what a token says, and whether it is for us, now
//! - [`keyring`]: how long keys are good, and when to ask for others
//! - [`authorization`]: the code flow with PKCE, state and nonce
//! - [`issuer`]: the one edge that speaks HTTP
//!
//! All but [`issuer`] is pure: time and randomness are arguments. Nothing here is retried; a person who is
//! told that sign-in does not work tries again, and a client of the API gets 503.

pub mod authorization;
pub mod claims;
pub mod issuer;
pub mod jwks;
pub mod jws;
pub mod keyring;
pub mod settings;

pub use authorization::Attempt;
pub use claims::{Identity, TokenError};
pub use issuer::{Issuer, SignInError};
pub use settings::{ApiTokens, SignIn};
