//! Lists whose rows stand by month are walked back, month by month.

use carillon_domain::OrgId;
use carillon_runtime::Context;
use carillon_store::keys;
pub use carillon_store::keys::month_before as previous;

use crate::problem::Problem;

/// The month in which the organization was made: nothing of it is older, so none
/// before it is asked for. `None` where nobody knows.
///
/// # Errors
/// When the table does not answer.
pub async fn first(ctx: &Context, org: OrgId) -> Result<Option<String>, Problem> {
    let organization = ctx.store.organization(org).await?;
    Ok(organization.map(|o| keys::month(o.created_at)))
}
