//! What follows from a change of a contact: the one place that tells what is
//! planned for the person. Asked by whoever has changed one, and by whoever repeats
//! a change that was cut off: what was done already is found done.

use carillon_domain::Contact;

use crate::broadcast::join;
use crate::context::InstallationError;
use crate::{Context, booking};

/// The contact may have another number than before: what waits for it goes to the
/// number that it has now.
///
/// # Errors
/// When the table or KMS does not answer. To be repeated.
pub async fn changed(ctx: &Context, contact: &Contact) -> Result<(), InstallationError> {
    let address = join::address(ctx, contact).await?;
    join::number_changed(ctx, contact, address).await?;
    booking::follow_client(ctx, contact.org, contact.id).await?;
    Ok(())
}
