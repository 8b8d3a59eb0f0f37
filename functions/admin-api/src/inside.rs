//! The API for the rest of this program: the console asks it as a client would, without the network between, and
//! says itself who asks.
//!
//! Whom it names is believed in place of a key ([`Vouched`]). That is a value in the request's extensions: no byte
//! that arrives over the network becomes one. [`crate::router`], which is what the network reaches, takes it out all
//! the same, so that nothing that stands around it (a layer, a gateway's adapter) could ever let one through.
//! All else is as for everybody: roles, limits, the audit log, idempotency keys.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use carillon_runtime::Context;

use crate::auth::Caller;

/// Somebody that the program itself has let in, by a session.
#[derive(Debug, Clone)]
pub struct Vouched(Caller);

impl Vouched {
    #[must_use]
    pub const fn new(caller: Caller) -> Self {
        Self(caller)
    }
}

/// The API as the program itself asks it. Never to be served.
pub fn router(ctx: Arc<Context>) -> Router {
    crate::routed(ctx)
}

/// Nobody outside vouches for anybody.
pub(crate) async fn from_outside(mut request: Request) -> Request {
    request.extensions_mut().remove::<Vouched>();
    request
}

/// Whom the program vouches for, if it does.
pub(crate) fn vouched(request: &mut Request) -> Option<Caller> {
    request.extensions_mut().remove::<Vouched>().map(|Vouched(caller)| caller)
}
