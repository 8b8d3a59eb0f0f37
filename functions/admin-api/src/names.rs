//! What people call things.

use carillon_domain::contact::fields;

use crate::problem::FieldError;

/// Longest name, in characters.
pub const LONGEST_NAME: usize = 100;

/// A name of one line, without the space around it.
pub fn read_name(field: &str, text: &str, wrong: &mut Vec<FieldError>) -> Option<String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        let detail = format!("A name has 1 to {LONGEST_NAME} characters on one line.");
        wrong.push(FieldError::new(field, "invalid_name", detail));
        return None;
    }
    Some(name.to_owned())
}

/// Longest address that mail is sent to.
pub use carillon_domain::contact::fields::LONGEST_EMAIL;

/// An e-mail address, in lower case: something, an @, and a domain with a dot.
/// Whether it exists, only mail to it can tell.
pub fn read_email(field: &str, text: &str, wrong: &mut Vec<FieldError>) -> Option<String> {
    if let Ok(email) = fields::email(text) {
        return Some(email);
    }
    let detail = "Write an e-mail address such as ada@example.com.";
    wrong.push(FieldError::new(field, "invalid_email", detail));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, read) in [
            ("ada@example.com", Some("ada@example.com")),
            (" Ada.L+x@Example.COM ", Some("ada.l+x@example.com")),
            ("ada@localhost", None),
            ("ada", None),
            ("@example.com", None),
            ("ada@@example.com", None),
            ("ada@example..com", None),
            ("a da@example.com", None),
            ("", None),
        ] {
            let mut wrong = Vec::new();
            assert_eq!(read_email("email", text, &mut wrong).as_deref(), read, "{text}");
            assert_eq!(wrong.is_empty(), read.is_some());
        }
    }
}
