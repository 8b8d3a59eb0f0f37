//! Lists whose rows stand by month are walked back, month by month.

use carillon_domain::OrgId;
use carillon_runtime::Context;
use carillon_store::keys;
pub use carillon_store::keys::month_before as previous;
use jiff::Timestamp;

use crate::problem::Problem;

/// The month that is asked for last: that of `from`, or that in which the
/// organization was made, since nothing of it is older. `None` where nobody knows.
///
/// # Errors
/// When the table does not answer.
pub async fn oldest(
    ctx: &Context,
    org: OrgId,
    from: Option<Timestamp>,
) -> Result<Option<String>, Problem> {
    let organization = ctx.store.organization(org).await?;
    Ok(from.max(organization.map(|o| o.created_at)).map(keys::month))
}
