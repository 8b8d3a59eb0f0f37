//! The address that a request is about: a number and its key in the table.

use carillon_domain::{AddressKey, PhoneNumber};
use carillon_runtime::Context;

use crate::auth::Caller;
use crate::problem::{FieldError, Problem};

/// # Errors
/// Outer: storage. Inner: it is not a number.
pub async fn read(
    ctx: &Context,
    caller: &Caller,
    text: Option<&str>,
) -> Result<Result<(PhoneNumber, AddressKey), FieldError>, Problem> {
    let settings = ctx.store.settings(caller.org).await?;
    match PhoneNumber::parse(text.unwrap_or_default(), settings.default_country) {
        Ok(to) => {
            let key = ctx.address_key(caller.org, to.as_str()).await?;
            Ok(Ok((to, key)))
        }
        Err(error) => Ok(Err(FieldError::new("to", error.code(), error.to_string()))),
    }
}

/// The parameter `to`.
///
/// # Errors
/// 422 when it is not a number.
pub async fn of_query(
    ctx: &Context,
    caller: &Caller,
    to: &str,
) -> Result<(PhoneNumber, AddressKey), Problem> {
    read(ctx, caller, Some(to)).await?.map_err(|wrong| Problem::fields(vec![wrong]))
}
