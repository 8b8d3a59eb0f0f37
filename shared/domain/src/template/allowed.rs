//! What of the template language a text may use, and which variables it needs.
//!
//! The engine finds out at render time that a filter does not exist, and only
//! on the branch it takes. So its syntax tree is walked here once. (The tree is
//! the engine's unstable interface: a new version may have to be followed in
//! this file, and nowhere else.)

use std::collections::BTreeSet;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{Span, Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::TemplateError;

const FILTERS: &[&str] = &[
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "default",
    "d",
    "round",
    "int",
    "abs",
    "first",
    "last",
    "length",
];
const TESTS: &[&str] = &["defined", "undefined"];

/// Paths of variables, with dots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Uses {
    pub required: BTreeSet<String>,
    /// Has a default, or is asked for being there.
    pub optional: BTreeSet<String>,
}

pub(super) fn check(source: &str, syntax: SyntaxConfig) -> Result<Uses, TemplateError> {
    // To the engine it is a comment, and would vanish without a word.
    if let Some(at) = dlt_slot(source) {
        return Err(TemplateError::DltSlot { line: source[..at].matches('\n').count() + 1 });
    }
    bound(source, syntax.clone())?;
    let tree = parse(source, super::NAME, syntax).map_err(|e| TemplateError::syntax(&e))?;
    let mut walk = Walk::default();
    walk.statement(&tree)?;
    let Walk { mut bare, guarded } = walk;
    // Who asks whether it is there does not need it.
    bare.retain(|path| !guarded.contains(&(path.clone(), Guard::Test)));
    let optional = guarded.into_iter().map(|(path, _)| path).filter(|path| !bare.contains(path));
    Ok(Uses { optional: optional.collect(), required: bare })
}

fn dlt_slot(source: &str) -> Option<usize> {
    source.match_indices("{#").map(|(at, _)| at).find(|at| {
        source[at + 2..].trim_start().get(..3).is_some_and(|s| s.eq_ignore_ascii_case("var"))
    })
}

/// Parts of one tag, and tags that nest. The engine follows a chain of filters
/// or `or`s as deep as it is long, on the stack.
const MAX_TOKENS: usize = 100;
const MAX_STATEMENTS: usize = 100;

fn bound(source: &str, syntax: SyntaxConfig) -> Checked {
    let (mut tokens, mut statements) = (0, 0);
    for token in tokenize(source, false, syntax) {
        let (token, span) = token.map_err(|error| TemplateError::syntax(&error))?;
        let opens = matches!(token, Token::VariableStart | Token::BlockStart);
        tokens = if opens || matches!(token, Token::TemplateData(_)) { 0 } else { tokens + 1 };
        statements += usize::from(matches!(token, Token::BlockStart));
        if tokens > MAX_TOKENS || statements > MAX_STATEMENTS {
            return refused(span, "something this long in braces".to_owned(), USE_LESS);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guard {
    Default,
    Test,
}

#[derive(Default)]
struct Walk {
    bare: BTreeSet<String>,
    guarded: BTreeSet<(String, Guard)>,
}

type Checked = Result<(), TemplateError>;

impl Walk {
    fn statement(&mut self, statement: &Stmt<'_>) -> Checked {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr)?;
                self.statements(&condition.true_body)?;
                self.statements(&condition.false_body)
            }
            Stmt::ForLoop(s) => statement_refused(s.span(), "for"),
            Stmt::WithBlock(s) => statement_refused(s.span(), "with"),
            Stmt::Set(s) => statement_refused(s.span(), "set"),
            Stmt::SetBlock(s) => statement_refused(s.span(), "set"),
            Stmt::AutoEscape(s) => statement_refused(s.span(), "autoescape"),
            Stmt::FilterBlock(s) => statement_refused(s.span(), "filter"),
            // Statements of features that another crate may switch on.
            #[allow(clippy::wildcard_enum_match_arm)]
            _ => statement_refused(Span::default(), "this statement"),
        }
    }

    fn statements(&mut self, statements: &[Stmt<'_>]) -> Checked {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn expression(&mut self, expression: &Expr<'_>) -> Checked {
        if let Some(path) = path(expression) {
            self.bare.insert(path);
            return Ok(());
        }
        match expression {
            Expr::Const(_) => Ok(()),
            Expr::UnaryOp(unary) => self.expression(&unary.expr),
            Expr::BinOp(binary) => {
                operator(binary.op, binary.span())?;
                self.expression(&binary.left)?;
                self.expression(&binary.right)
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr)?;
                compare.ops.iter().try_for_each(|op| self.expression(&op.expr))
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr)?;
                self.expression(&choice.true_expr)?;
                choice.false_expr.as_ref().map_or(Ok(()), |other| self.expression(other))
            }
            Expr::Filter(filter) => {
                if !FILTERS.contains(&filter.name) {
                    return refused(
                        filter.span(),
                        format!("the filter `{}`", filter.name),
                        USE_FILTERS,
                    );
                }
                let guard = matches!(filter.name, "default" | "d").then_some(Guard::Default);
                self.arguments(&filter.args, filter.span())?;
                filter.expr.as_ref().map_or(Ok(()), |inner| self.guarded(inner, guard))
            }
            Expr::Test(test) => {
                if !TESTS.contains(&test.name) {
                    return refused(test.span(), format!("the test `{}`", test.name), USE_TESTS);
                }
                self.arguments(&test.args, test.span())?;
                self.guarded(&test.expr, Some(Guard::Test))
            }
            Expr::List(list) => list.items.iter().try_for_each(|item| self.expression(item)),
            Expr::Tuple(list) => list.items.iter().try_for_each(|item| self.expression(item)),
            // A path that does not begin with a variable; paths are above.
            Expr::Var(_) | Expr::GetAttr(_) => {
                refused(expression.span(), "a field of a value".to_owned(), USE_PATH)
            }
            Expr::Slice(_) | Expr::GetItem(_) => {
                refused(expression.span(), "[ ]".to_owned(), USE_PATH)
            }
            Expr::Call(_) => refused(expression.span(), "a call".to_owned(), USE_FILTERS),
            Expr::Map(_) => refused(expression.span(), "an object".to_owned(), USE_PATH),
        }
    }

    fn guarded(&mut self, expression: &Expr<'_>, guard: Option<Guard>) -> Checked {
        match (path(expression), guard) {
            (Some(path), Some(guard)) => {
                self.guarded.insert((path, guard));
                Ok(())
            }
            _ => self.expression(expression),
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], span: Span) -> Checked {
        arguments.iter().try_for_each(|argument| match argument {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                refused(span, "*".to_owned(), USE_FILTERS)
            }
        })
    }
}

/// `contact.name`, if the expression is a variable or a field of one.
fn path(expression: &Expr<'_>) -> Option<String> {
    if let Expr::Var(variable) = expression {
        Some(variable.id.to_owned())
    } else if let Expr::GetAttr(field) = expression {
        path(&field.expr).map(|path| format!("{path}.{}", field.name))
    } else {
        None
    }
}

/// Comparing is fine; joining and multiplying is how a short text grows long.
fn operator(op: BinOpKind, span: Span) -> Checked {
    match op {
        BinOpKind::Eq
        | BinOpKind::Ne
        | BinOpKind::Lt
        | BinOpKind::Lte
        | BinOpKind::Gt
        | BinOpKind::Gte
        | BinOpKind::ScAnd
        | BinOpKind::ScOr
        | BinOpKind::In => Ok(()),
        BinOpKind::Add
        | BinOpKind::Sub
        | BinOpKind::Mul
        | BinOpKind::Div
        | BinOpKind::FloorDiv
        | BinOpKind::Rem
        | BinOpKind::Pow
        | BinOpKind::Concat => refused(
            span,
            "calculating".to_owned(),
            "Give the result as a variable, and write variables one after the other.",
        ),
    }
}

const USE_FILTERS: &str = "Use upper, lower, title, capitalize, trim, default, round, int, abs, \
                           first, last or length, as in {{ name | upper }}.";
const USE_LESS: &str = "Decide it before, and give the result as a variable.";
const USE_TESTS: &str = "Use `is defined`, or compare with ==.";
const USE_PATH: &str = "Write a variable or a field of one, as in {{ contact.name }}.";

fn statement_refused(span: Span, name: &str) -> Checked {
    let instead = "Use {{ name }} and {% if name %}…{% endif %}.";
    refused(span, format!("`{{% {name} %}}`"), instead)
}

fn refused(span: Span, what: String, instead: &'static str) -> Checked {
    Err(TemplateError::NotAllowed { line: usize::from(span.start_line.max(1)), what, instead })
}
