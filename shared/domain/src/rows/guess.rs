//! What columns mean, from their names.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Names of the recipient's number, folded: lower case, letters and digits
/// only, without accents.
const NUMBER_NAMES: &[&str] = &[
    "to",
    "phone",
    "phonenumber",
    "phoneno",
    "phonenum",
    "mobile",
    "mobilenumber",
    "mobileno",
    "mobilephone",
    "mobilephonenumber",
    "mob",
    "cell",
    "cellphone",
    "cellnumber",
    "cellphonenumber",
    "number",
    "msisdn",
    "sms",
    "smsnumber",
    "whatsapp",
    "whatsappnumber",
    "whatsappno",
    "tel",
    "telno",
    "telephone",
    "telephonenumber",
    "telefon",
    "telefono",
    "telefone",
    "telefonnummer",
    "telefoon",
    "celular",
    "movil",
    "portable",
    "handy",
    "handynummer",
    "mobil",
    "mobilnummer",
    "rufnummer",
    "contactnumber",
    "contactno",
    "contactphone",
    "recipient",
    "recipientphone",
    "nohp",
    "nomor",
    "मोबाइल",
    "मोबाइलनंबर",
    "फोन",
    "电话",
    "手机",
    "手机号",
    "電話番号",
    "телефон",
];

#[must_use]
pub fn is_number_name(name: &str) -> bool {
    let folded = folded(name);
    NUMBER_NAMES.iter().any(|known| unaccented(known) == folded)
}

/// Lower case, letters and digits only, without accents.
#[must_use]
pub fn folded(name: &str) -> String {
    unaccented(name).chars().filter(|c| is_of_word(*c)).collect()
}

/// `First Name`, `firstName` and `first-name` become `first_name`. A name
/// without a Latin letter or digit becomes `column_3`, from its place.
#[must_use]
pub fn variable_name(name: &str, place: usize) -> String {
    let mut out = String::new();
    let mut previous_is_lower = false;
    for c in name.nfd().filter(|c| !is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && previous_is_lower {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        previous_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let out = out.trim_end_matches('_');
    match out.as_bytes().first() {
        None => format!("column_{place}"),
        Some(first) if first.is_ascii_digit() => format!("_{out}"),
        Some(_) => out.to_owned(),
    }
}

/// Whether a cell of the first row is a number, so that the row is no header.
pub(super) fn looks_like_a_number(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches('\'');
    let digits = cell.chars().filter(|c| c.is_numeric()).count();
    let is_phone = (7..=20).contains(&digits)
        && cell.chars().all(|c| {
            c.is_numeric() || c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/')
        });
    let is_scientific = digits >= 3
        && cell.starts_with(|c: char| c.is_ascii_digit())
        && cell.to_ascii_uppercase().contains("E+")
        && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, 'e' | 'E' | '+' | '.' | ','));
    is_phone || is_scientific
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

fn unaccented(text: &str) -> String {
    text.nfd()
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .flat_map(char::to_lowercase)
        .collect()
}
