//! Twilio Programmable Messaging (SMS, MMS).
//!
//! Sends by the Messages resource of the 2010-04-01 API. Twilio knows no
//! idempotency key, so an Unknown send is looked up in its list of messages.
//! Callbacks are signed with the account's auth token. Reference: Twilio's
//! Messages resource, error dictionary and webhook security pages.

mod account;
mod answer;
mod callback;
mod codes;
mod look_up;
mod request;
mod signature;
#[cfg(test)]
mod spec_tests;

use carillon_domain::integration::IntegrationSettings;
use carillon_domain::{Failure, PhoneNumber, ProviderName};

use crate::contract::{
    Account, BadSignature, Callback, CallbackAccount, CallbackEvent, CallbackTrust, Capabilities,
    Credentials, HttpAnswer, HttpRequest, InvalidField, LookUp, Malformed, Outgoing, Probe,
    Provider, Reply, TestResult,
};

pub struct Twilio;

impl Provider for Twilio {
    fn name(&self) -> ProviderName {
        ProviderName::Twilio
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            callback_trust: CallbackTrust::Signature,
            look_up: true,
            inbound: true,
            registered_templates: false,
            media: true,
            flash: false,
        }
    }

    fn default_base_url(&self) -> &'static str {
        "https://api.twilio.com"
    }

    fn credential_fields(&self) -> &'static [&'static str] {
        account::CREDENTIALS
    }

    fn setting_fields(&self) -> &'static [&'static str] {
        account::SETTINGS
    }

    fn check(
        &self,
        credentials: &Credentials,
        settings: &IntegrationSettings,
    ) -> Result<(), Vec<InvalidField>> {
        account::check(self, credentials, settings)
    }

    /// Which countries an account may send to is known to Twilio alone (21408).
    fn serves(&self, _to: &PhoneNumber) -> bool {
        true
    }

    fn send_request(&self, account: &Account, message: &Outgoing) -> Result<HttpRequest, Failure> {
        request::send(account, message)
    }

    fn read_send(&self, answer: &HttpAnswer) -> Reply {
        answer::read_send(answer)
    }

    fn look_up_request(&self, account: &Account, probe: &Probe) -> Option<HttpRequest> {
        Some(request::look_up(account, probe))
    }

    fn read_look_up(&self, answer: &HttpAnswer, probe: &Probe) -> LookUp {
        look_up::read(answer, probe)
    }

    fn test_request(&self, account: &Account) -> HttpRequest {
        request::balance(account)
    }

    fn read_test(&self, answer: &HttpAnswer) -> TestResult {
        answer::read_balance(answer)
    }

    fn callback_account(&self, callback: &Callback<'_>) -> Option<CallbackAccount> {
        callback::account(callback)
    }

    fn verify(
        &self,
        credentials: &Credentials,
        callback: &Callback<'_>,
    ) -> Result<(), BadSignature> {
        signature::verify(credentials, callback)
    }

    fn read_callback(&self, callback: &Callback<'_>) -> Result<Vec<CallbackEvent>, Malformed> {
        callback::read(callback)
    }

    /// Twilio expects TwiML; an empty answer says that nothing is to be replied.
    fn callback_answer(&self) -> (&'static str, &'static str) {
        ("text/xml", "<Response/>")
    }

    fn account_name(&self, credentials: &Credentials) -> Option<String> {
        credentials.get("account_sid").map(str::to_owned)
    }
}
