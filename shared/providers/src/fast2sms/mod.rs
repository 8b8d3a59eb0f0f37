//! Fast2SMS: SMS to Indian mobiles, by DLT templates or the quick route.
//!
//! A request id stands for a request, and there is no list to look a message
//! up in, so one message is one request, and our ids travel as `udf1` (message)
//! and `udf2` (attempt), which delivery reports bring back. Nothing is signed:
//! reports are trusted by the token in their path. Reference: docs.fast2sms.com
//! (DLT SMS, Quick SMS, OTP, error codes, wallet, webhook).

mod account;
mod answer;
mod callback;
mod codes;
mod request;

use carillon_domain::integration::IntegrationSettings;
use carillon_domain::{Failure, FailureReason, PhoneNumber, ProviderName};

use crate::contract::{
    Account, BadSignature, Callback, CallbackAccount, CallbackEvent, CallbackTrust, Capabilities,
    Credentials, HttpAnswer, HttpRequest, InvalidField, LookUp, Malformed, Outgoing, Probe,
    Provider, Reply, TestResult,
};

pub struct Fast2sms;

impl Provider for Fast2sms {
    fn name(&self) -> ProviderName {
        ProviderName::Fast2sms
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            callback_trust: CallbackTrust::PathToken,
            look_up: false,
            inbound: false,
            registered_templates: true,
            media: false,
            flash: true,
        }
    }

    fn default_base_url(&self) -> &'static str {
        "https://www.fast2sms.com"
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

    fn serves(&self, to: &PhoneNumber) -> bool {
        request::national(to).is_some()
    }

    fn send_request(&self, account: &Account, message: &Outgoing) -> Result<HttpRequest, Failure> {
        request::send(account, message)
    }

    fn read_send(&self, answer: &HttpAnswer) -> Reply {
        answer::read_send(answer)
    }

    fn look_up_request(&self, _account: &Account, _probe: &Probe) -> Option<HttpRequest> {
        None
    }

    fn read_look_up(&self, _answer: &HttpAnswer, _probe: &Probe) -> LookUp {
        let detail = "Fast2SMS has no list of messages";
        LookUp::Failed(Failure::new("no_look_up", FailureReason::Other, true, detail))
    }

    fn test_request(&self, account: &Account) -> HttpRequest {
        request::wallet(account)
    }

    fn read_test(&self, answer: &HttpAnswer) -> TestResult {
        answer::read_wallet(answer)
    }

    fn callback_account(&self, _callback: &Callback<'_>) -> Option<CallbackAccount> {
        None
    }

    /// Nothing is signed: the token in the path was the check.
    fn verify(
        &self,
        _credentials: &Credentials,
        _callback: &Callback<'_>,
    ) -> Result<(), BadSignature> {
        Ok(())
    }

    fn read_callback(&self, callback: &Callback<'_>) -> Result<Vec<CallbackEvent>, Malformed> {
        callback::read(callback)
    }
}
