//! What pages need besides themselves; part of the program. A file is asked for by a name with its hash in it, so a
//! browser keeps it for good and meets a new release by another name.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use carillon_domain::ids;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const ASSETS: [Asset; 5] = [
    Asset { name: "console.css", kind: CSS, text: include_str!("../assets/console.css") },
    Asset { name: "console.js", kind: SCRIPT, text: include_str!("../assets/console.js") },
    Asset { name: "htmx.js", kind: SCRIPT, text: include_str!("../assets/vendor/htmx.min.js") },
    Asset { name: "icons.svg", kind: SVG, text: include_str!("../assets/vendor/icons.svg") },
    Asset { name: "mark.svg", kind: SVG, text: include_str!("../assets/mark.svg") },
];

/// Where each is, in the order of [`ASSETS`].
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = |asset: &Asset| {
        let hash = ids::encode(&ids::hash(&[asset.text.as_bytes()])[..10]);
        let (stem, ending) = asset.name.split_once('.').unwrap_or((asset.name, ""));
        format!("/console/assets/{stem}-{hash}.{ending}")
    };
    ASSETS.iter().map(path).collect()
});

/// The address of a file, for a page.
pub fn path(name: &str) -> &'static str {
    let place = ASSETS.iter().position(|asset| asset.name == name);
    place.and_then(|place| PATHS.get(place)).map_or("", String::as_str)
}

/// `GET /console/assets/{file}`
pub async fn file(Path(file): Path<String>) -> Response {
    let wanted = format!("/console/assets/{file}");
    let found = ASSETS.iter().zip(PATHS.iter()).find(|(_, path)| **path == wanted);
    let Some((asset, _)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_that_a_page_shows_is_there() {
        let icons = ASSETS[3].text;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).expect("templates") {
            let text = std::fs::read_to_string(entry.expect("a file").path()).expect("a text");
            for rest in text.split("icon(\"").skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                assert!(icons.contains(&format!("id=\"{name}\"")), "no icon {name}");
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
