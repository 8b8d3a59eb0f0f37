//! From a handler's signature to its operation: each argument says what it
//! takes, the answer says what it gives. A handler with an argument or an answer
//! that cannot say so does not compile into the table of routes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_runtime::Context;
use schemars::JsonSchema;

use super::{Operation, Schemas};
use crate::answers::{Accepted, AcceptedOnce, Created, Csv, Found, Json, NoContent};
use crate::auth::Caller;
use crate::extract;
use crate::problem::Problem;

/// What an argument of a handler takes from a request.
#[diagnostic::on_unimplemented(
    message = "the OpenAPI document cannot tell what `{Self}` takes from a request",
    note = "take `extract::{{Json, Id, Params, Upload}}` of a type that is `JsonSchema`"
)]
pub trait Takes {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

/// What a handler gives back.
#[diagnostic::on_unimplemented(
    message = "the OpenAPI document cannot tell what `{Self}` answers",
    note = "answer one of `answers::{{Json, Created, Accepted, NoContent, Csv, …}}`, of a \
            type that is `JsonSchema`"
)]
pub trait Gives {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

/// A handler with these arguments.
pub trait Documented<Arguments> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

macro_rules! documented {
    ($($argument:ident),*) => {
        impl<Handler, Answer, Given, $($argument),*> Documented<($($argument,)*)> for Handler
        where
            Handler: Fn($($argument),*) -> Answer,
            Answer: Future<Output = Given>,
            Given: Gives,
            $($argument: Takes,)*
        {
            fn describe(operation: &mut Operation, schemas: &mut Schemas) {
                $($argument::describe(operation, schemas);)*
                Given::describe(operation, schemas);
            }
        }
    };
}

documented!();
documented!(A);
documented!(A, B);
documented!(A, B, C);
documented!(A, B, C, D);
documented!(A, B, C, D, E);
documented!(A, B, C, D, E, F);

// ---- what says nothing about the request ----

impl Takes for State<Arc<Context>> {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

/// The door asks for it; what it needs is said of every route.
impl Takes for Caller {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

/// Headers that many routes know are said of all of them.
impl Takes for HeaderMap {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

// ---- what does ----

impl<T: JsonSchema> Takes for extract::Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.takes_json(schemas.read::<T>(), schemas.examples::<T>());
    }
}

impl<T: JsonSchema> Takes for extract::Id<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.takes_path(schemas.read::<T>());
    }
}

impl<T: JsonSchema> Takes for extract::Params<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.takes_query(&schemas.fields::<T>());
    }
}

impl<T: JsonSchema> Takes for extract::Upload<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.takes_form(schemas.fields::<T>(), schemas.examples::<T>());
    }
}

// ---- answers ----

impl<T: Gives> Gives for Result<T, Problem> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        T::describe(operation, schemas);
    }
}

const JSON: &str = "application/json";

impl<T: JsonSchema> Gives for Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.gives(200, JSON, Some(schemas.written::<T>()));
    }
}

impl<T: JsonSchema> Gives for axum::Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.gives(200, JSON, Some(schemas.written::<T>()));
    }
}

impl<T: JsonSchema> Gives for Created<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.gives(201, JSON, Some(schemas.written::<T>()));
    }
}

impl<T: JsonSchema> Gives for Found<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.gives(201, JSON, Some(schemas.written::<T>()));
        operation.gives(200, JSON, Some(schemas.written::<T>()));
    }
}

impl<T: JsonSchema> Gives for Accepted<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.gives(202, JSON, Some(schemas.written::<T>()));
    }
}

impl<T: JsonSchema> Gives for AcceptedOnce<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.gives(202, JSON, Some(schemas.written::<T>()));
    }
}

impl Gives for NoContent {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.gives(204, JSON, None);
    }
}

impl Gives for Csv {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.gives(200, "text/csv", Some(serde_json::json!({"type": "string"})));
    }
}
