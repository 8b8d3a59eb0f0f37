//! Asking to stop in other words than the keyword alone (English).

use super::{Keyword, Match, words};

/// Wherever they stand, unless negated ("don't remove me").
const PHRASES: &[&str] = &[
    "stop texting",
    "stop messaging",
    "stop calling",
    "stop sending",
    "stop contacting",
    "stop emailing",
    "stop bothering",
    "stop spamming",
    "stop these",
    "stop all",
    "stop the messages",
    "stop the texts",
    "stop messages",
    "stop texts",
    "stop sms",
    "take me off",
    "take my number off",
    "remove me",
    "remove my number",
    "remove this number",
    "delete my number",
    "do not text",
    "do not message",
    "do not call",
    "do not contact",
    "do not send me",
    "dont text",
    "dont message",
    "dont call",
    "dont contact",
    "dont send me",
    "no more texts",
    "no more messages",
    "no more sms",
    "no more calls",
    "leave me alone",
    "wrong number",
    "unsubscribe me",
    "opt me out",
    "opt out",
    "lose my number",
];

/// A strong word that is not about us.
const HARMLESS: &[&str] = &[
    "stop by",
    "stop over",
    "stop in",
    "stop at",
    "bus stop",
    "non stop",
    "full stop",
    "pit stop",
    "next stop",
    "last stop",
    "one stop",
    "truck stop",
    "tram stop",
    "train stop",
];

const NEGATORS: &[&str] = &[
    "not", "dont", "never", "didnt", "doesnt", "wont", "cant", "cannot", "couldnt", "shouldnt",
    "wouldnt",
];

/// Words that may stand between a negator and what it negates.
const FILLERS: &[&str] =
    &["ever", "please", "pls", "plz", "you", "u", "to", "just", "even", "really"];

/// Politeness around the word.
const EDGES: &[&str] = &[
    "please", "pls", "plz", "now", "ok", "okay", "hi", "hello", "hey", "thanks", "thank", "you",
    "thx", "sir", "madam", "already", "just", "yes", "no",
];

/// A question about something that stops, not a request.
const QUESTIONS: &[&str] =
    &["when", "where", "what", "which", "who", "why", "how", "does", "did", "is"];

/// A message this short, with a strong word at its beginning or end, asks.
const SHORT: usize = 5;

pub(super) fn stop(tokens: &[String]) -> Option<Match> {
    let spoken: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let mut doubtful = false;
    for phrase in PHRASES {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        for at in starts_of(&phrase, &spoken) {
            if !is_negated(&spoken[..at]) {
                return Some(Match::Phrase(Keyword::Stop));
            }
            doubtful = true;
        }
    }
    let strong: Vec<usize> = (0..spoken.len()).filter(|at| words::is_strong(spoken[*at])).collect();
    if strong.is_empty() {
        return doubtful.then_some(Match::Ambiguous);
    }
    let harmless = HARMLESS.iter().any(|phrase| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        !starts_of(&phrase, &spoken).is_empty()
    });
    let asks = !harmless && !QUESTIONS.contains(&spoken[0]);
    let first = spoken.iter().position(|word| !EDGES.contains(word));
    let last = spoken.iter().rposition(|word| !EDGES.contains(word));
    let short = spoken.len() <= SHORT
        && strong
            .iter()
            .any(|at| (Some(*at) == first || Some(*at) == last) && !is_negated(&spoken[..*at]));
    let not_interested = !starts_of(&["not", "interested"], &spoken).is_empty()
        && strong.iter().any(|at| !is_negated(&spoken[..*at]));
    if asks && (short || not_interested) {
        return Some(Match::Phrase(Keyword::Stop));
    }
    Some(Match::Ambiguous)
}

fn starts_of(phrase: &[&str], spoken: &[&str]) -> Vec<usize> {
    spoken
        .windows(phrase.len())
        .enumerate()
        .filter(|(_, w)| *w == phrase)
        .map(|(at, _)| at)
        .collect()
}

/// Whether what comes next is negated by what was said before it.
fn is_negated(before: &[&str]) -> bool {
    let word = before.iter().rev().find(|word| !FILLERS.contains(word));
    word.is_some_and(|word| NEGATORS.contains(word))
}
