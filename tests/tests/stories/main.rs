//! Stories: what a person would see of the whole stack, told by what the API
//! shows and by what the simulated providers really received.

mod auth;
mod bad_input;
mod bulk;
mod callbacks;
mod consents;
mod dead_letters;
mod expiry;
mod explanations;
mod failover;
mod fairness;
mod fast2sms;
mod files;
mod idempotency;
mod integrations;
mod limits;
mod lists;
mod member_tokens;
mod organizations;
mod quiet_hours;
mod rates;
mod recount;
mod restore;
mod roles;
mod rolling;
mod sending;
mod sessions;
mod settings;
mod shield;
mod sign_in;
mod statistics;
mod tenancy;
mod two_way;
mod unknown;
