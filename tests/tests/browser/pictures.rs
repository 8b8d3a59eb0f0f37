//! Pictures of what was seen, for people, and the screens it is seen on.

use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::json;

use crate::driver::Browser;

/// Where they are left.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn keep(name: &str, picture: &str) {
    let picture = BASE64.decode(picture.as_bytes()).expect("base64");
    std::fs::write(folder().join(format!("{name}.png")), picture).expect("a file");
}

impl Browser {
    /// A picture of what is on the screen.
    pub async fn picture(&self, name: &str) {
        let picture = self.get("/screenshot").await;
        keep(name, picture.as_str().expect("a text"));
    }

    /// A picture of the whole page.
    pub async fn whole_picture(&self, name: &str) {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", whole).await;
        keep(name, picture["data"].as_str().expect("a text"));
    }

    /// As on a screen of this width, light or dark.
    pub async fn looks_like(&self, width: u32, is_dark: bool) {
        let height = if width < 600 { 844 } else { 900 };
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
        let scheme = if is_dark { "dark" } else { "light" };
        // Without motion: nothing is seen or measured on its way from one colour to another.
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }
}
