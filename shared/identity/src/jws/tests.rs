//! Tokens as attackers make them. Each begins as a good one of a real key, and is refused for one reason.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;
use crate::claims::{Identity, access_token, id_token};
use crate::jwks::KeySet;
use crate::settings::{ApiTokens, SignIn};

const ISSUER: &str = "https://accounts.example.com";
const NONCE: &str = "the nonce of this attempt";
const NOW: i64 = 1_795_219_200;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a time")
}

fn settings() -> SignIn {
    SignIn {
        issuer: ISSUER.to_owned(),
        client_id: "console".to_owned(),
        client_secret: None,
        redirect_uri: "https://carillon.example.com/console/callback".to_owned(),
        api_tokens: ApiTokens::Audience("carillon-api".to_owned()),
    }
}

fn rsa_key() -> RsaKeyPair {
    let text: String = include_str!("rsa-key.txt").split_whitespace().collect();
    RsaKeyPair::from_der(&STANDARD.decode(text).expect("base64")).expect("a key")
}

fn ec_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("a key")
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rs256(header: &Value, claims: &Value, key: &RsaKeyPair) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .expect("a signature");
    format!("{signed}.{}", b64(signature))
}

fn es256(header: &Value, claims: &Value, key: &EcdsaKeyPair) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", b64(signature))
}

fn jwks(rsa: &RsaKeyPair, ec: &EcdsaKeyPair) -> KeySet {
    let rsa = PublicKeyComponents::<Vec<u8>>::from(rsa.public());
    let point = ec.public_key().as_ref();
    let document = json!({"keys": [
        {"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": b64(rsa.n), "e": b64(rsa.e)},
        {"kty": "EC", "kid": "e", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..])},
    ]});
    KeySet::parse(&document.to_string()).expect("a set")
}

fn id_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "p1", "aud": "console", "exp": NOW + 300, "iat": NOW, "nonce": NONCE,
        "email": "Ada@Example.com", "email_verified": true, "name": "Ada",
    })
}

fn access_claims() -> Value {
    json!({"iss": ISSUER, "sub": "p1", "aud": ["carillon-api"], "exp": NOW + 300, "scope": "openid"})
}

fn changed(mut claims: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().expect("an object") {
        if value.is_null() {
            claims.as_object_mut().expect("an object").remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn verified(token: &str, keys: &KeySet) -> Result<Verified, TokenError> {
    let token = Unverified::parse(token)?;
    let key = keys.for_token(&token)?.clone();
    token.verify(&key)
}

fn read_id(claims: &Value) -> Result<Identity, TokenError> {
    let (rsa, ec) = (rsa_key(), ec_key());
    let token = rs256(&json!({"alg": "RS256", "kid": "r", "typ": "JWT"}), claims, &rsa);
    id_token(&verified(&token, &jwks(&rsa, &ec))?, &settings(), NONCE, now())
}

fn read_access(header: &Value, claims: &Value, settings: &SignIn) -> Result<Identity, TokenError> {
    let (rsa, ec) = (rsa_key(), ec_key());
    let token = es256(&changed(json!({"alg": "ES256", "kid": "e"}), header), claims, &ec);
    access_token(&verified(&token, &jwks(&rsa, &ec))?, settings, now())
}

#[test]
fn good_tokens_of_both_algorithms_say_who_it_is() {
    let who = read_id(&id_claims()).expect("an ID token");
    assert_eq!((who.issuer.as_str(), who.subject.as_str()), (ISSUER, "p1"));
    assert_eq!((who.email.as_deref(), who.name.as_deref()), (Some("ada@example.com"), Some("Ada")));
    let who = read_access(&json!({}), &access_claims(), &settings()).expect("an access token");
    assert_eq!((who.subject.as_str(), who.email), ("p1", None));
}

#[test]
fn an_address_counts_only_when_the_issuer_has_verified_it() {
    for (verified, counts) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (Value::Null, false),
    ] {
        let claims = changed(id_claims(), &json!({"email_verified": verified}));
        assert_eq!(read_id(&claims).expect("a token").email.is_some(), counts, "{verified}");
    }
}

#[test]
fn an_id_token_is_refused_for_each_thing_that_is_wrong() {
    for (change, error) in [
        (json!({"iss": "https://accounts.example.org"}), TokenError::Issuer),
        (json!({"iss": format!("{ISSUER}/")}), TokenError::Issuer),
        (json!({"aud": "another"}), TokenError::Audience),
        (json!({"aud": []}), TokenError::Audience),
        (json!({"aud": null}), TokenError::Audience),
        (json!({"aud": ["console", "another"]}), TokenError::Audience),
        (json!({"aud": ["console", "another"], "azp": "another"}), TokenError::Audience),
        (json!({"azp": "another"}), TokenError::Audience),
        (json!({"exp": NOW - 60}), TokenError::Expired),
        (json!({"exp": 0}), TokenError::Expired),
        (json!({"exp": null}), TokenError::Malformed),
        (json!({"exp": "never"}), TokenError::Malformed),
        (json!({"nbf": NOW + 61}), TokenError::NotYetValid),
        (json!({"iat": NOW + 61}), TokenError::NotYetValid),
        (json!({"nonce": "another"}), TokenError::Nonce),
        (json!({"nonce": ""}), TokenError::Nonce),
        (json!({"nonce": null}), TokenError::Nonce),
        (json!({"sub": ""}), TokenError::Malformed),
        (json!({"sub": null}), TokenError::Malformed),
        (json!({"token_use": "access"}), TokenError::Kind),
    ] {
        assert_eq!(read_id(&changed(id_claims(), &change)), Err(error), "{change}");
    }
    for change in [
        json!({"exp": NOW - 59}),
        json!({"nbf": NOW + 60}),
        json!({"aud": ["console"]}),
        json!({"aud": ["console", "another"], "azp": "console"}),
        json!({"token_use": "id"}),
    ] {
        assert!(read_id(&changed(id_claims(), &change)).is_ok(), "{change}");
    }
}

#[test]
fn an_access_token_is_refused_for_each_thing_that_is_wrong() {
    for (change, error) in [
        (json!({"iss": "https://accounts.example.org"}), TokenError::Issuer),
        (json!({"aud": "another"}), TokenError::Audience),
        (json!({"aud": null}), TokenError::Audience),
        (json!({"aud": "console"}), TokenError::Audience),
        (json!({"aud": null, "client_id": "carillon-api"}), TokenError::Audience),
        (json!({"exp": NOW - 60}), TokenError::Expired),
        (json!({"nbf": NOW + 61}), TokenError::NotYetValid),
        (json!({"nonce": NONCE}), TokenError::Kind),
        (json!({"at_hash": "x"}), TokenError::Kind),
        (json!({"token_use": "id"}), TokenError::Kind),
    ] {
        let read = read_access(&json!({}), &changed(access_claims(), &change), &settings());
        assert_eq!(read, Err(error), "{change}");
    }
    assert!(read_access(&json!({"typ": "at+jwt"}), &access_claims(), &settings()).is_ok());
    let off = SignIn { api_tokens: ApiTokens::Off, ..settings() };
    assert_eq!(read_access(&json!({}), &access_claims(), &off), Err(TokenError::Audience));
}

#[test]
fn an_access_token_is_no_id_token_whatever_it_says() {
    let (rsa, ec) = (rsa_key(), ec_key());
    let header = json!({"alg": "RS256", "kid": "r", "typ": "application/at+JWT"});
    let token = rs256(&header, &id_claims(), &rsa);
    let token = verified(&token, &jwks(&rsa, &ec)).expect("signed");
    assert_eq!(id_token(&token, &settings(), NONCE, now()), Err(TokenError::Kind));
}

#[test]
fn cognito_names_the_client_and_no_audience() {
    let cognito = SignIn { api_tokens: ApiTokens::ClientId("console".to_owned()), ..settings() };
    let claims = |change: &Value| {
        let cognito = json!({"aud": null, "client_id": "console", "token_use": "access"});
        changed(changed(access_claims(), &cognito), change)
    };
    assert!(read_access(&json!({}), &claims(&json!({})), &cognito).is_ok());
    for (change, error) in [
        (json!({"client_id": "another"}), TokenError::Audience),
        (json!({"client_id": null}), TokenError::Audience),
        (json!({"client_id": null, "aud": "console"}), TokenError::Audience),
        (json!({"token_use": "id"}), TokenError::Kind),
    ] {
        assert_eq!(read_access(&json!({}), &claims(&change), &cognito), Err(error), "{change}");
    }
}

#[test]
fn the_clock_decides() {
    let (rsa, ec) = (rsa_key(), ec_key());
    let token = rs256(&json!({"alg": "RS256", "kid": "r"}), &access_claims(), &rsa);
    let token = verified(&token, &jwks(&rsa, &ec)).expect("signed");
    let at =
        |seconds| access_token(&token, &settings(), now() + SignedDuration::from_secs(seconds));
    assert!(at(359).is_ok());
    assert_eq!(at(360), Err(TokenError::Expired));
}

#[test]
fn signatures_that_are_none_are_refused() {
    let (rsa, ec) = (rsa_key(), ec_key());
    let keys = jwks(&rsa, &ec);
    let good = rs256(&json!({"alg": "RS256", "kid": "r"}), &id_claims(), &rsa);
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let with =
        |header: Value| format!("{}.{}", b64(header.to_string()), b64(id_claims().to_string()));
    let modulus = PublicKeyComponents::<Vec<u8>>::from(rsa.public()).n;
    // The old trick: the public key, which everybody has, as the secret of an HMAC.
    let hs256 = with(json!({"alg": "HS256", "kid": "r"}));
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &modulus);
    let tag = ring::hmac::sign(&secret, hs256.as_bytes());
    let another = ec_key();
    for (what, token, error) in [
        ("none", format!("{}.", with(json!({"alg": "none"}))), TokenError::Algorithm),
        ("None", format!("{}.", with(json!({"alg": "None", "kid": "r"}))), TokenError::Algorithm),
        (
            "none, signed",
            format!("{}.{signature}", with(json!({"alg": "none"}))),
            TokenError::Algorithm,
        ),
        ("HS256", format!("{hs256}.{}", b64(tag.as_ref())), TokenError::Algorithm),
        ("no signature", format!("{signed}."), TokenError::Signature),
        ("two parts", signed.to_owned(), TokenError::Malformed),
        ("four parts", format!("{good}.AA"), TokenError::Malformed),
        (
            "another header",
            format!("{}.{signature}", with(json!({"alg": "RS256", "kid": "r", "x": 1}))),
            TokenError::Signature,
        ),
        (
            "another's key",
            es256(&json!({"alg": "ES256", "kid": "e"}), &id_claims(), &another),
            TokenError::Signature,
        ),
        (
            "a key of another kind",
            es256(&json!({"alg": "ES256", "kid": "r"}), &id_claims(), &ec),
            TokenError::UnknownKey,
        ),
        (
            "an unknown key",
            rs256(&json!({"alg": "RS256", "kid": "x"}), &id_claims(), &rsa),
            TokenError::UnknownKey,
        ),
        (
            "its own key",
            es256(
                &json!({"alg": "ES256", "jwk": {"kty": "EC"}, "kid": "own"}),
                &id_claims(),
                &another,
            ),
            TokenError::UnknownKey,
        ),
        (
            "critical",
            rs256(&json!({"alg": "RS256", "kid": "r", "crit": ["b64"]}), &id_claims(), &rsa),
            TokenError::Malformed,
        ),
        ("padded", format!("{good}="), TokenError::Malformed),
        ("with a line end", format!("{good}\n"), TokenError::Malformed),
        (
            "no algorithm",
            format!("{}.{signature}", with(json!({"kid": "r"}))),
            TokenError::Malformed,
        ),
        ("encrypted", "a.b.c.d.e".to_owned(), TokenError::Malformed),
        ("too long", format!("{good}{}", "A".repeat(LONGEST)), TokenError::Malformed),
        ("nothing", String::new(), TokenError::Malformed),
    ] {
        let found = verified(&token, &keys).map(|_| ());
        assert_eq!(found, Err(error), "{what}");
    }
    assert!(verified(&good, &keys).is_ok());
}

#[test]
fn zeros_are_no_signature() {
    let (rsa, ec) = (rsa_key(), ec_key());
    let signed = format!("{}.{}", b64(r#"{"alg":"ES256","kid":"e"}"#), b64("{}"));
    let token = format!("{signed}.{}", b64([0; 64]));
    assert_eq!(verified(&token, &jwks(&rsa, &ec)).map(|_| ()), Err(TokenError::Signature));
}

proptest! {
    #[test]
    fn no_text_makes_it_fall_over(text in "[ -~]{0,200}", parts in "[A-Za-z0-9_.-]{0,200}") {
        for text in [text, parts] {
            let _ = Unverified::parse(&text).map(|_| ());
        }
    }

    #[test]
    fn no_changed_letter_is_taken(place in 0_usize..2_000, letter in "[A-Za-z0-9_-]") {
        let key = ec_key();
        let point = key.public_key().as_ref().to_vec();
        let token = es256(&json!({"alg": "ES256"}), &id_claims(), &key);
        let place = place % token.len();
        prop_assume!(!token[place..].starts_with('.') && !token[place..].starts_with(&letter));
        let forged = format!("{}{letter}{}", &token[..place], &token[place + 1..]);
        let forged = Unverified::parse(&forged)
            .and_then(|token| token.verify(&PublicKey::P256 { point }));
        prop_assert!(forged.is_err());
    }
}
