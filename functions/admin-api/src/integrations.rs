//! `/v1/integrations/{provider}`: secrets are written, never read back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use carillon_domain::integration::IntegrationSettings;
use carillon_domain::{Action, ProviderName, Secret, access};
use carillon_providers::{Account, CallbackTrust, Credentials, TestResult, provider};
use carillon_runtime::Context;
use carillon_runtime::secrets::Owner;
use carillon_store::{Former, Integration, IntegrationStatus, callback_token_hash};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::Json;
use crate::auth::Caller;
use crate::callbacks;
use crate::extract;
use crate::openapi::{Operation, Schemas, Takes};
use crate::problem::{FieldError, Problem};
use crate::view::integration::{Integration as Shown, IntegrationTest};

/// How long callbacks that are signed with the secret before are believed.
const OLD_SECRET_COUNTS: SignedDuration = SignedDuration::from_mins(10);
/// How long an account that was replaced is remembered: its receipts come for
/// days, and what it sent is looked up there.
const OLD_ACCOUNT_COUNTS: SignedDuration = SignedDuration::from_hours(7 * 24);
const TEST_SECONDS: u64 = 15;

/// The provider in the path.
pub struct Provider(ProviderName);

impl<S: Send + Sync> FromRequestParts<S> for Provider {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        let name = text.and_then(|Path(text)| ProviderName::parse(&text));
        name.map(Self).ok_or_else(|| Problem::not_found("provider"))
    }
}

impl Takes for Provider {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.takes_path(schemas.read::<ProviderName>());
    }
}

/// `GET /v1/integrations/{provider}`: the account with a provider, without its
/// secrets.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Provider(name): Provider,
) -> Result<Json<Shown>, Problem> {
    match ctx.store.integration(caller.org, name).await? {
        Some(integration) => Ok(Json(view(&ctx, &caller, &integration).await?)),
        None => Ok(Json(Shown::not_configured(name, callbacks::addresses(&ctx, name, None)))),
    }
}

/// Secrets by name, numbers and texts by name; `null` is as good as absent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewIntegration", example = example())]
pub struct Put {
    /// With none at all, and for each that comes as it was shown (`••••1234`),
    /// what is stored stays.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    credentials: BTreeMap<String, Option<Secret>>,
    /// `rate_per_second`, `price_table`, `priority`, `look_up`, and the
    /// provider's own, such as `from`.
    #[serde(default)]
    settings: serde_json::Map<String, Value>,
    enabled: Option<bool>,
    /// Secrets and accounts that were replaced count no more from now on.
    #[serde(default)]
    forget_previous: bool,
}

fn example() -> Value {
    json!({
        "credentials": {
            "account_sid": "AC00000000000000000000000000000000",
            "auth_token": "00000000000000000000000000000000",
        },
        "settings": {
            "from": "+15005550006", "rate_per_second": 10,
            "price_table": {"+61": {"amount": "0.0515", "currency": "USD"}},
        },
        "enabled": true,
    })
}

/// `PUT /v1/integrations/{provider}`: sets the account up, or changes it.
pub async fn put(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Provider(name): Provider,
    extract::Json { value: new, .. }: extract::Json<Put>,
) -> Result<Json<Shown>, Problem> {
    let before = ctx.store.integration(caller.org, name).await?;
    let known = match &before {
        Some(integration) => ctx.credentials(integration).await?,
        None => Credentials::default(),
    };
    let settings = read_settings(name, new.settings)?;
    let mut credentials = read_credentials(name, new.credentials, &known)?;
    if let Err(wrong) = provider(name).check(&credentials, &settings) {
        let wrong = wrong.into_iter().map(|w| {
            let detail = format!("{}: {}.", w.field, w.detail);
            FieldError::new(w.field, "invalid_value", detail)
        });
        return Err(Problem::fields(wrong.collect()));
    }
    let token = match provider(name).capabilities().callback_trust {
        CallbackTrust::Signature => None,
        CallbackTrust::PathToken => {
            Some(known.get(callbacks::TOKEN).map_or_else(callbacks::new_token, Secret::from))
        }
    };
    let masked = credentials.0.iter().map(|(n, v)| (n.clone(), v.masked())).collect();
    if let Some(token) = &token {
        credentials.0.insert(callbacks::TOKEN.to_owned(), token.clone());
    }
    let now = ctx.clock.now();
    let owner = Owner::Integration(caller.org, name);
    let plaintext = credentials.to_plaintext();
    let account = provider(name).account_name(&credentials);
    let account_since = match &before {
        Some(before) if before.account == account => before.account_since,
        Some(_) | None => now,
    };
    let integration = Integration {
        org: caller.org,
        provider: name,
        enabled: new.enabled.unwrap_or(true),
        settings,
        credentials: ctx.secrets.encrypt(owner, &plaintext).await?,
        masked,
        account,
        callback_token_hash: token.as_ref().map(|token| callback_token_hash(token.reveal())),
        status: IntegrationStatus::default(),
        account_since,
        created_at: before.as_ref().map_or(now, |b| b.created_at),
        updated_at: now,
    };
    if let Some(before) = before.filter(|_| known != credentials && !new.forget_previous) {
        // First: between the two it counts for nothing, afterwards for what is under way.
        let is_same_account = before.account == integration.account;
        let counts = if is_same_account { OLD_SECRET_COUNTS } else { OLD_ACCOUNT_COUNTS };
        let former = Former { integration: before, replaced_at: now, until: now + counts };
        ctx.store.keep_former(&former).await?;
    }
    ctx.store.put_integration(&integration).await?;
    if new.forget_previous {
        ctx.store.forget_formers(caller.org, name).await?;
    }
    Ok(Json(view(&ctx, &caller, &integration).await?))
}

fn read_settings(
    name: ProviderName,
    mut fields: serde_json::Map<String, Value>,
) -> Result<IntegrationSettings, Problem> {
    fields.retain(|_, value| !value.is_null());
    let common = ["rate_per_second", "price_table", "priority", "look_up"];
    let own = provider(name).setting_fields();
    if let Some(unknown) =
        fields.keys().find(|f| !common.contains(&f.as_str()) && !own.contains(&f.as_str()))
    {
        let detail = format!(
            "There is no setting “{unknown}”; known are {}, {}.",
            own.join(", "),
            common.join(", ")
        );
        return Err(Problem::field(&format!("settings.{unknown}"), "unknown_field", detail));
    }
    let settings: IntegrationSettings =
        serde_json::from_value(Value::Object(fields)).map_err(|e| {
            Problem::field(
                "settings",
                "invalid_value",
                format!("A setting has a value of the wrong kind: {e}."),
            )
        })?;
    if settings.rate_per_second == 0 || settings.rate_per_second > 10_000 {
        let detail = "A rate from 1 to 10,000 parts a second.";
        return Err(Problem::field("settings.rate_per_second", "out_of_range", detail));
    }
    for (prefix, money) in &settings.price_table {
        let digits = prefix.strip_prefix('+').unwrap_or_default();
        let is_prefix = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let is_currency =
            money.currency.len() == 3 && money.currency.bytes().all(|b| b.is_ascii_uppercase());
        if !is_prefix || !is_currency || money.micros().is_none() {
            let detail =
                "Write prices as {\"+61\": {\"amount\": \"0.0079\", \"currency\": \"USD\"}}.";
            return Err(Problem::field("settings.price_table", "invalid_price", detail));
        }
    }
    Ok(settings)
}

/// New secrets; a mask keeps the old one, and with none at all they all stay.
fn read_credentials(
    name: ProviderName,
    new: BTreeMap<String, Option<Secret>>,
    known: &Credentials,
) -> Result<Credentials, Problem> {
    let fields = provider(name).credential_fields();
    let keep = |field: &str| known.get(field).map(|v| (field.to_owned(), Secret::from(v)));
    if new.is_empty() {
        return Ok(Credentials(fields.iter().filter_map(|f| keep(f)).collect()));
    }
    let mut credentials = BTreeMap::new();
    for (field, value) in new {
        if !fields.contains(&field.as_str()) {
            let detail =
                format!("There is no credential “{field}”; known are {}.", fields.join(", "));
            return Err(Problem::field(&format!("credentials.{field}"), "unknown_field", detail));
        }
        match value {
            Some(value) if value.is_mask() => credentials.extend(keep(&field)),
            Some(value) => {
                let value = value.trimmed();
                if !value.is_empty() {
                    credentials.insert(field, value);
                }
            }
            None => {}
        }
    }
    Ok(Credentials(credentials))
}

async fn view(ctx: &Context, caller: &Caller, i: &Integration) -> Result<Shown, Problem> {
    // The secret part of the address is for those who may change it.
    let token = if access::allows(caller.role, Action::ManageIntegrations)
        && i.callback_token_hash.is_some()
    {
        ctx.credentials(i).await?.get(callbacks::TOKEN).map(str::to_owned)
    } else {
        None
    };
    Ok(Shown::of(i, callbacks::addresses(ctx, i.provider, token.as_deref())))
}

/// `POST /v1/integrations/{provider}/test`: asks the provider, and remembers
/// the answer.
pub async fn test(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Provider(name): Provider,
) -> Result<Json<IntegrationTest>, Problem> {
    let integration = ctx.store.integration(caller.org, name).await?;
    let Some(integration) = integration else {
        let detail = format!("{} is not set up yet; PUT its credentials first.", name.as_str());
        return Err(Problem::conflict("not_configured", detail));
    };
    let account = ctx.account(&integration).await?;
    let result = ask(&ctx, name, &account).await;
    let (balance, error) = match result {
        TestResult::Works { balance } => (balance, None),
        TestResult::Fails(failure) => (integration.status.balance.clone(), Some(failure)),
    };
    let status = IntegrationStatus {
        balance,
        last_error: error.as_ref().map(|f| format!("{}: {}", f.code, f.detail)),
        last_tested_at: Some(ctx.clock.now()),
    };
    ctx.store.put_integration_status(&integration, &status).await?;
    Ok(Json(IntegrationTest {
        ok: error.is_none(),
        balance: status.balance,
        error,
        tested_at: status.last_tested_at,
    }))
}

async fn ask(ctx: &Context, name: ProviderName, account: &Account) -> TestResult {
    let request = provider(name).test_request(account);
    match ctx.providers.call(request, Duration::from_secs(TEST_SECONDS)).await {
        Ok(answer) => provider(name).read_test(&answer),
        Err(error) => TestResult::Fails(carillon_domain::Failure::new(
            "no_answer",
            carillon_domain::FailureReason::ProviderDown,
            false,
            error.to_string(),
        )),
    }
}
