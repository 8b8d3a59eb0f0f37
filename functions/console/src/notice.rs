//! What a page says was just done: a word in the address, so that a redirect can carry it. Another word says nothing.

const NOTICES: &[(&str, &str)] = &[
    ("sent", "Taken. This page follows what becomes of it."),
    ("cancelled", "Cancelled. It is not sent."),
    ("rescheduled", "Moved to its new time."),
    ("retried", "It is tried again."),
    ("saved", "Saved."),
    ("created", "Made."),
    ("removed", "Removed."),
    ("revoked", "Revoked. Whoever uses this key is out now."),
    ("invited", "Invited. Whoever signs in with this address becomes a member."),
    ("suppressed", "Nothing is sent to this number any more."),
    ("lifted", "This number can be written to again."),
    ("redriven", "It is tried again."),
    ("dropped", "Dropped. Nothing of it is tried again."),
    ("tested", "The provider answered: the account works."),
    ("taken", "The file is taken. This page follows how far it is."),
    ("completed", "Completed."),
    ("moved", "Moved. Its messages were planned anew."),
    ("added", "Added."),
    ("planned", "Planned. The bars below follow what becomes of each message."),
];

/// What an address asks a page to say.
pub fn of(address: &str) -> Option<&'static str> {
    let (_, query) = address.split_once('?')?;
    let word = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?.1;
    NOTICES.iter().find(|(known, _)| *known == word).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn an_address_can_only_say_what_we_say() {
        assert_eq!(of("/console?done=saved"), Some("Saved."));
        assert_eq!(of("/console?done=pay+me"), None);
        assert_eq!(of("/console"), None);
    }
}
