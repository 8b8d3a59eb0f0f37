//! Where a list goes on: a cursor opens for the list that it was closed for, and
//! for no other organization, address or filter; nothing else opens at all.

use carillon_domain::OrgId;
use carillon_domain::cursor::Seal;

use crate::input::texts;

const KEY: [u8; 32] = [7; 32];

/// A list and another, each as organization, address and filter (`name=value`
/// a line); places, one a line; what somebody sends as a cursor.
pub fn check(data: &[u8]) {
    let Some([org, path, filter, other_org, other_path, other_filter, places, sent]) = texts(data)
    else {
        return;
    };
    let own = List { org: OrgId::from_hash(&[org.as_bytes()]), path, filter };
    let other = List {
        org: OrgId::from_hash(&[other_org.as_bytes()]),
        path: other_path,
        filter: other_filter,
    };
    let place: Vec<String> = places.lines().map(str::to_owned).collect();
    let cursor = own.seal().close(&place);
    assert_eq!(own.seal().open(&cursor).as_ref(), Some(&place));
    let is_same = own.org == other.org && own.path == other.path && own.pairs() == other.pairs();
    assert_eq!(other.seal().open(&cursor).is_some(), is_same, "a cursor of another list");
    if sent != cursor {
        assert_eq!(own.seal().open(sent), None, "a cursor that we did not make");
    }
}

struct List<'a> {
    org: OrgId,
    path: &'a str,
    filter: &'a str,
}

impl<'a> List<'a> {
    fn pairs(&self) -> Vec<(&'a str, &'a str)> {
        self.filter.lines().map(|line| line.split_once('=').unwrap_or((line, ""))).collect()
    }

    fn seal(&self) -> Seal {
        Seal::new(&KEY, self.org, self.path, self.pairs().into_iter())
    }
}
