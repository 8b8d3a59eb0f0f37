//! The chapter of whoever opens the console: the first key lets him in, through the gateway and the function's
//! own role.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;

use crate::client::Page;
use crate::world::World;

pub async fn the_key_opens_the_console(world: &mut World) -> Result<()> {
    let client = world.client()?;
    let outside = client.page("/console", "", None).await?;
    ensure!(outside.status == StatusCode::SEE_OTHER, "/console: {}", outside.status);

    let sign_in = client.page("/console/sign-in", "", None).await?;
    ensure!(sign_in.status == StatusCode::OK, "sign-in: {} {}", sign_in.status, sign_in.text);
    ensure!(sign_in.text.contains("At cognito-idp."), "the user pool is not offered");
    let style = sign_in.text.split("rel=\"stylesheet\" href=\"").nth(1).context("a style")?;
    let style = style.split('"').next().context("an address")?;
    let style = client.page(style, "", None).await?;
    ensure!(style.status == StatusCode::OK, "the style: {}", style.status);

    let form = format!("csrf={}&key={}", csrf(&sign_in)?, world.admin_key);
    let path = "/console/sign-in/key";
    let forged = client.page(path, "", Some(&form)).await?;
    ensure!(forged.status == StatusCode::FORBIDDEN, "without its cookie: {}", forged.status);
    let inside = client.page(path, &sign_in.cookies, Some(&form)).await?;
    ensure!(inside.status == StatusCode::SEE_OTHER, "the key: {} {}", inside.status, inside.text);

    let home = client.page("/console", &inside.cookies, None).await?;
    ensure!(home.status == StatusCode::OK, "the console: {} {}", home.status, home.text);
    let you = client.page("/console/you", &inside.cookies, None).await?;
    ensure!(you.text.contains("Super admin"), "{}", you.text);
    // What the API keeps, with the function's own rights.
    for path in ["/console/messages", "/console/dead-letters", "/console/statistics"] {
        let page = client.page(path, &inside.cookies, None).await?;
        ensure!(page.status == StatusCode::OK, "{path}: {} {}", page.status, page.text);
    }
    let form = format!("csrf={}", csrf(&home)?);
    let out = client.page("/console/sign-out/everywhere", &inside.cookies, Some(&form)).await?;
    ensure!(out.status == StatusCode::SEE_OTHER, "sign-out: {} {}", out.status, out.text);
    let outside = client.page("/console", &inside.cookies, None).await?;
    ensure!(outside.status == StatusCode::SEE_OTHER, "after sign-out: {}", outside.status);
    Ok(())
}

fn csrf(page: &Page) -> Result<&str> {
    let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").context("a form")?;
    rest.split('"').next().context("a token")
}
