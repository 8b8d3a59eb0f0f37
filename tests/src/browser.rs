//! A browser as the console sees one: it keeps cookies, sends forms, and follows nothing by itself, so that a
//! story can look at every step. What only a real one can show is in `tests/tests/browser`.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::Url;

use crate::{Answer, World, with_file};

pub struct Browser {
    http: reqwest::Client,
    home: Url,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    /// # Panics
    /// When it cannot be made.
    #[expect(
        clippy::disallowed_methods,
        reason = "a person's browser, on the other side of the wire"
    )]
    pub fn new(world: &World) -> Self {
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().expect("a client"),
            home: Url::parse(&world.url).expect("an address"),
            cookies: Mutex::default(),
        }
    }

    /// `address` may begin with a slash.
    pub async fn open(&self, address: &str) -> Answer {
        let url = self.url(address);
        self.ask(self.http.get(url)).await
    }

    /// Sends a form.
    pub async fn send(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(self.url(address)).body(body);
        self.ask(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// Sends a form with a file.
    pub async fn send_file(&self, address: &str, file: &[u8], fields: &[(&str, &str)]) -> Answer {
        self.ask(with_file(self.http.post(self.url(address)), file, fields)).await
    }

    /// Follows redirects until there is a page.
    ///
    /// # Panics
    /// When there is no end to it.
    pub async fn arrive(&self, answer: Answer) -> Answer {
        let mut answer = answer;
        for _ in 0..10 {
            let Some(next) = answer.header("location").map(str::to_owned) else { return answer };
            answer = self.open(&next).await;
        }
        panic!("sent around in circles");
    }

    /// The way to the issuer's page, and what it would send for somebody.
    ///
    /// # Panics
    /// When the page is not as expected.
    pub async fn to_issuer(&self, subject: &str) -> (String, Vec<(String, String)>) {
        self.to_issuer_by("/console/sign-in/person", subject).await
    }

    /// The same by another way of the sign-in page.
    ///
    /// # Panics
    /// When the page is not as expected.
    pub async fn to_issuer_by(&self, way: &str, subject: &str) -> (String, Vec<(String, String)>) {
        let answer = self.arrive(self.open(way).await).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut fields = fields(&answer.text);
        fields.push(("person".to_owned(), subject.to_owned()));
        (attribute(&answer.text, "<form", "action").expect("a form"), fields)
    }

    /// To the issuer and back as somebody: the answer of the callback, and its address.
    ///
    /// # Panics
    /// When the issuer does not send the browser back.
    pub async fn sign_in_as(&self, subject: &str) -> (Answer, String) {
        let (action, fields) = self.to_issuer(subject).await;
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let back = self.send(&action, &fields).await;
        let callback = back.header("location").expect("a way back").to_owned();
        (self.open(&callback).await, callback)
    }

    /// With an API key.
    pub async fn sign_in_with_key(&self, key: &str) -> Answer {
        let page = self.open("/console/sign-in").await;
        self.send("/console/sign-in/key", &[("csrf", &csrf(&page)), ("key", key)]).await
    }

    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("no panic").get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().expect("no panic").insert(name.to_owned(), value.to_owned());
    }

    fn url(&self, address: &str) -> Url {
        self.home.join(address).expect("an address")
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        let cookies = {
            let cookies = self.cookies.lock().expect("no panic");
            cookies.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ")
        };
        let answer = Answer::to(request.header("cookie", cookies)).await;
        let mut kept = self.cookies.lock().expect("no panic");
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().expect("ASCII");
            let (name, rest) = line.split_once('=').expect("a name");
            match rest.split(';').next().expect("a value") {
                "" => kept.remove(name),
                value => kept.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }
}

/// The CSRF token of a page's first form.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn csrf(page: &Answer) -> String {
    let fields = fields(&page.text);
    let found = fields.into_iter().find(|(name, _)| name == "csrf");
    found.unwrap_or_else(|| panic!("no token: {} {}", page.status, page.text)).1
}

/// Names and values of hidden fields.
fn fields(html: &str) -> Vec<(String, String)> {
    let inputs = html.split("<input ").skip(1).filter(|rest| rest.starts_with("type=\"hidden\""));
    inputs
        .filter_map(|rest| Some((attribute(rest, "", "name")?, attribute(rest, "", "value")?)))
        .collect()
}

fn attribute(html: &str, after: &str, name: &str) -> Option<String> {
    let rest = html.split_once(after).map_or(html, |(_, rest)| rest);
    let (_, rest) = rest.split_once(&format!("{name}=\""))?;
    let text = rest.split('"').next()?;
    Some(text.replace("&#38;", "&").replace("&amp;", "&"))
}
