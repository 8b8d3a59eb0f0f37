//! Twilio accounts: who may come in, and whose auth token signs callbacks.
//!
//! An account that was preset (the default one, or by `POST /sim/accounts`) is checked. Any other is
//! taken as it comes, and its token is learned, since callbacks are signed with it. An API key says
//! nothing about the auth token, so callbacks of an account known only by keys wait until it is set.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use crate::{
    database::State,
    error::{Error, Result},
    settings::TwilioAuth,
};

/// The account that `cargo run` and examples use. Not a secret: it opens only the simulator.
pub const DEFAULT_ACCOUNT_SID: &str = "AC00000000000000000000000000c0ffee";
/// Auth token of [`DEFAULT_ACCOUNT_SID`].
pub const DEFAULT_AUTH_TOKEN: &str = "51mu1a7ed0000000000000000000beef";
/// A sender of [`DEFAULT_ACCOUNT_SID`]: the number Twilio documents as a valid test sender.
pub const DEFAULT_FROM: &str = "+15005550006";
/// An API key of [`DEFAULT_ACCOUNT_SID`].
pub const DEFAULT_API_KEY_SID: &str = "SK00000000000000000000000000c0ffee";
/// Secret of [`DEFAULT_API_KEY_SID`].
pub const DEFAULT_API_KEY_SECRET: &str = "51mu1a7ed0000000000000000000cafe";
/// A key for Fast2SMS; the simulator takes any until `fast2sms_keys` is set.
pub const DEFAULT_FAST2SMS_KEY: &str = "simulated-fast2sms-key";

/// Body of `POST /sim/accounts`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preset {
    pub account_sid: String,
    pub auth_token: String,
    /// API key sid → secret. Other keys of the account are taken with any secret.
    #[serde(default)]
    pub api_keys: BTreeMap<String, String>,
}

pub(crate) struct Basic {
    user: String,
    password: String,
}

/// The `Authorization: Basic` of a request.
pub(crate) fn basic(headers: &HeaderMap) -> Option<Basic> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(Basic { user: user.to_owned(), password: password.to_owned() })
}

/// Whether these credentials open the account in the path.
pub(crate) fn admits(state: &State, account: &str, basic: Option<&Basic>) -> Result<bool> {
    let Some(basic) = basic else { return Ok(false) };
    if basic.password.is_empty() || !is_sid("AC", account) {
        return Ok(false);
    }
    let own = basic.user == account;
    if !own && !is_sid("SK", &basic.user) {
        return Ok(false);
    }
    let known: Option<(String, bool, String)> = state
        .connection
        .prepare_cached("SELECT auth_token, preset, api_keys FROM account WHERE sid = ?1")?
        .query_row([account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match known {
        Some((token, true, _)) if own => Ok(token == basic.password),
        Some((_, true, keys)) => {
            let keys: BTreeMap<String, String> =
                serde_json::from_str(&keys).map_err(Error::Stored)?;
            Ok(keys
                .get(&basic.user)
                .map_or(state.settings.twilio_auth == TwilioAuth::Any, |secret| {
                    *secret == basic.password
                }))
        }
        _ if state.settings.twilio_auth == TwilioAuth::Configured => Ok(false),
        known => {
            let learned = known.is_some_and(|(token, ..)| token == basic.password);
            if own && !learned {
                state.connection.execute(
                    "INSERT INTO account (sid, auth_token, preset) VALUES (?1, ?2, 0)
                     ON CONFLICT (sid) DO UPDATE SET auth_token = excluded.auth_token",
                    params![account, basic.password],
                )?;
            }
            Ok(true)
        }
    }
}

pub(crate) fn set(connection: &Connection, preset: &Preset) -> Result<()> {
    if !is_sid("AC", &preset.account_sid) || preset.auth_token.is_empty() {
        return Err(Error::Control(
            "an account has a sid (AC and 32 hex digits) and an auth token".to_owned(),
        ));
    }
    let keys = serde_json::to_string(&preset.api_keys).map_err(Error::Stored)?;
    connection.execute(
        "INSERT INTO account (sid, auth_token, preset, api_keys) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (sid) DO UPDATE
         SET auth_token = excluded.auth_token, preset = 1, api_keys = excluded.api_keys",
        params![preset.account_sid, preset.auth_token, keys],
    )?;
    Ok(())
}

/// The default account, unless the file already has it (perhaps with another token).
pub(crate) fn preset(connection: &Connection) -> Result<()> {
    let keys = serde_json::json!({ DEFAULT_API_KEY_SID: DEFAULT_API_KEY_SECRET });
    connection.execute(
        "INSERT OR IGNORE INTO account (sid, auth_token, preset, api_keys) VALUES (?1, ?2, 1, ?3)",
        params![DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, keys.to_string()],
    )?;
    Ok(())
}

/// A sid of Twilio's: two letters and 32 hex digits.
pub(crate) fn is_sid(kind: &str, text: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
