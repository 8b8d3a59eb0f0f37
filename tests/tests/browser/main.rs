//! What only a real browser shows: cookies between sites, the content security policy, forms as people send
//! them. Debian's Chromium, driven over WebDriver; `tests/run tools` installs both. Pictures of what it saw are
//! left in `target/tmp/browser`.

mod checks;
mod console;
mod driver;
mod keyboard;
mod new_user;
mod no_script;
mod pages;
mod pictures;
mod recovery;
mod sign_in;
