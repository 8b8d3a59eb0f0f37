//! The people of the demo. Their numbers are Australian mobiles of a range that
//! is kept for fiction; five have none.

/// Everybody who is registered for the workshop.
pub const PEOPLE: [&str; 52] = [
    "Ada Lovelace",
    "Grace Hopper",
    "Alan Turing",
    "Katherine Johnson",
    "Edsger Dijkstra",
    "Barbara Liskov",
    "Donald Knuth",
    "Radia Perlman",
    "Claude Shannon",
    "Margaret Hamilton",
    "Tony Hoare",
    "Frances Allen",
    "John Backus",
    "Shafi Goldwasser",
    "Leslie Lamport",
    "Adele Goldberg",
    "Niklaus Wirth",
    "Karen Spärck Jones",
    "Robin Milner",
    "Jean Sammet",
    "Dennis Ritchie",
    "Evelyn Boyd Granville",
    "Ken Thompson",
    "Mary Kenneth Keller",
    "Ole-Johan Dahl",
    "Joan Clarke",
    "Kristen Nygaard",
    "Hedy Lamarr",
    "Vint Cerf",
    "Annie Easley",
    "Whitfield Diffie",
    "Gladys West",
    "Martin Hellman",
    "Betty Holberton",
    "Ralph Merkle",
    "Jean Bartik",
    "Andrew Yao",
    "Kathleen Antonelli",
    "Juris Hartmanis",
    "Marlyn Meltzer",
    "Richard Hamming",
    "Ruth Teitelbaum",
    "Marvin Minsky",
    "Frances Spence",
    "John McCarthy",
    "Dorothy Vaughan",
    "Butler Lampson",
    "Mary Jackson",
    "Raj Reddy",
    "Lynn Conway",
    "Amir Pnueli",
    "Sophie Wilson",
];

/// From this one on they have no number.
pub const WITH_PHONE: usize = 47;

/// The number of somebody who has left.
pub const LEFT: &str = "+61491570199";

/// `None` for those who gave none.
pub fn phone(place: usize) -> Option<String> {
    (place < WITH_PHONE).then(|| format!("+6149157{:04}", 100 + place))
}

/// `Ada Lovelace` → `ada.lovelace@example.com`; every seventh has none.
pub fn email(place: usize, name: &str) -> Option<String> {
    let simple = name.to_lowercase().replace('ä', "a").replace(' ', ".");
    (place % 7 != 6).then(|| format!("{simple}@example.com"))
}
