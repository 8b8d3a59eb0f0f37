//! Texts with `{{ variable }}` in them.
//!
//! The engine is minijinja; what of its language a text may use is decided
//! here, when the text is stored and not when it is sent: variables
//! (`{{ contact.name }}`), a few filters, `{% if %}`. There is no way to
//! repeat, include, calculate or call, so rendering is bounded by the length
//! of the text and of its values, and all it needs is known beforehand:
//! nothing is promised to a recipient for whom a variable is missing.
//!
//! `{{ name | default("there") }}` and `{% if code is defined %}` make a
//! variable optional. A JSON `null` is a missing variable; an empty text is
//! a value (`default("there", true)` replaces that too).

mod allowed;
mod error;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, escape_formatter, filters};
use serde_json::{Map, Value};

pub use error::TemplateError;
pub use values::names;

/// The longest template, in characters.
pub const MAX_SOURCE: usize = 10_000;
/// The longest text a template may become, in characters; ten segments are
/// 1,600.
pub const MAX_RENDERED: usize = 20_000;

/// A template that has been read and found sound. Cheap to render often.
#[derive(Clone)]
pub struct Template {
    engine: Environment<'static>,
    uses: allowed::Uses,
}

impl Template {
    /// # Errors
    /// When it is too long, is not a template, or uses what texts may not.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.chars().count() > MAX_SOURCE {
            return Err(TemplateError::TooLong);
        }
        let uses = allowed::check(source, SYNTAX.clone())?;
        let mut engine = ENGINE.clone();
        engine
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| TemplateError::syntax(&error))?;
        Ok(Self { engine, uses })
    }

    /// All variables the text mentions, nested ones with their path
    /// (`contact.name`).
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        self.uses.required.union(&self.uses.optional).cloned().collect()
    }

    /// Variables it cannot do without and that are not among `available`, in
    /// alphabetical order. `contact` covers `contact.name`; [`names`] tells
    /// what a set of values makes available.
    #[must_use]
    pub fn missing(&self, available: &BTreeSet<String>) -> Vec<String> {
        let covered = |path: &str| {
            let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
            ends.into_iter().any(|end| available.contains(&path[..end]))
        };
        self.uses.required.iter().filter(|path| !covered(path)).cloned().collect()
    }

    /// The text for these values, as plain text. Values it does not mention
    /// are ignored.
    ///
    /// # Errors
    /// [`TemplateError::Missing`] with the names; when a value cannot stand in
    /// a text; when the result is too long.
    pub fn render(&self, values: &Map<String, Value>) -> Result<String, TemplateError> {
        let available = names(values);
        let missing = self.missing(&available);
        if !missing.is_empty() {
            return Err(TemplateError::missing(missing));
        }
        let template = self.engine.get_template(NAME).map_err(|e| TemplateError::syntax(&e))?;
        let mut out = Limited(Vec::new());
        let values = values::with_parents(values, &self.uses.optional);
        let result = template.render_captured_to(values::engine_values(&values), &mut out);
        if out.is_full() {
            return Err(TemplateError::RenderedTooLong);
        }
        match result {
            Ok(_) => {}
            // An optional variable outside its guard, or a field of a text.
            Err(error) if error.kind() == ErrorKind::UndefinedError => {
                let variables = self.variables().into_iter();
                let names: Vec<_> = variables.filter(|name| !available.contains(name)).collect();
                // All is there, and one of them is an empty text.
                return Err(if names.is_empty() {
                    TemplateError::nothing()
                } else {
                    TemplateError::missing(names)
                });
            }
            Err(error) => return Err(TemplateError::value(&error)),
        }
        let text = String::from_utf8(out.0).expect("the engine writes texts");
        if text.chars().count() > MAX_RENDERED {
            return Err(TemplateError::RenderedTooLong);
        }
        Ok(text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("uses", &self.uses).finish_non_exhaustive()
    }
}

/// An environment holds one template, by this name.
const NAME: &str = "text";

static SYNTAX: LazyLock<SyntaxConfig> = LazyLock::new(|| {
    // A text ends as it was written.
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    syntax.build().expect("the default delimiters")
});

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_syntax(SYNTAX.clone());
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_formatter(|out, state, value| {
        let kind = value.kind();
        if matches!(kind, ValueKind::Map | ValueKind::Seq) {
            // In a text, an object or a list is a mistake in its path.
            return Err(minijinja::Error::new(ErrorKind::NonPrimitive, "a list or an object"));
        }
        if kind == ValueKind::Bool {
            // The engine would write them in Python's way.
            return Ok(out.write_str(if value.is_true() { "true" } else { "false" })?);
        }
        escape_formatter(out, state, value)
    });
    engine.add_filter("upper", filters::upper);
    engine.add_filter("lower", filters::lower);
    engine.add_filter("title", filters::title);
    engine.add_filter("capitalize", filters::capitalize);
    engine.add_filter("trim", filters::trim);
    engine.add_filter("default", filters::default);
    engine.add_filter("d", filters::default);
    engine.add_filter("round", filters::round);
    engine.add_filter("int", filters::int);
    engine.add_filter("abs", filters::abs);
    engine.add_filter("first", filters::first);
    engine.add_filter("last", filters::last);
    engine.add_filter("length", filters::length);
    engine.add_test("defined", minijinja::tests::is_defined);
    engine.add_test("undefined", minijinja::tests::is_undefined);
    engine
});

/// Takes no more than a text of the greatest length can have bytes.
struct Limited(Vec<u8>);

impl Limited {
    const fn is_full(&self) -> bool {
        self.0.len() > MAX_RENDERED * 4
    }
}

impl io::Write for &mut Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (MAX_RENDERED * 4 + 1).saturating_sub(self.0.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = &bytes[..bytes.len().min(room)];
        self.0.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
