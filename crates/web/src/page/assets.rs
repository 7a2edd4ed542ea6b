//! The page's files, inside the program: nothing is fetched from anywhere else.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::Desk;

/// SEC-101, SEC-106: only our own files, no script in the document, in no frame; and texts cannot become markup,
/// since the browser itself refuses to read any from a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Browsers ask each time whether it is still the same; a new program has a new page at once.
const REVALIDATED: &str = "no-cache";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// One file.
struct Asset {
    path: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        Asset { path: $path, kind: $kind, content: include_bytes!(concat!("../../page/", $file)) }
    };
}

const ASSETS: [Asset; 17] = [
    asset!("/", HTML, "index.html"),
    asset!("/page/page.css", CSS, "page.css"),
    asset!("/page/icons.svg", SVG, "icons.svg"),
    asset!("/page/umbel.svg", SVG, "umbel.svg"),
    asset!("/page/api.js", SCRIPT, "api.js"),
    asset!("/page/dom.js", SCRIPT, "dom.js"),
    asset!("/page/greetings.js", SCRIPT, "greetings.js"),
    asset!("/page/message.js", SCRIPT, "message.js"),
    asset!("/page/messages.js", SCRIPT, "messages.js"),
    asset!("/page/notices.js", SCRIPT, "notices.js"),
    asset!("/page/page.js", SCRIPT, "page.js"),
    asset!("/page/phone.js", SCRIPT, "phone.js"),
    asset!("/page/player.js", SCRIPT, "player.js"),
    asset!("/page/say.js", SCRIPT, "say.js"),
    asset!("/page/settings.js", SCRIPT, "settings.js"),
    asset!("/page/sign-in.js", SCRIPT, "sign-in.js"),
    asset!("/page/words.js", SCRIPT, "words.js"),
];

pub(super) fn routes() -> Router<Desk> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        let tag = entity_tag(asset.content);
        router.route(asset.path, get(move |headers: HeaderMap| answer(asset, tag.clone(), headers)))
    })
}

/// RFC 9110 8.8.3: the same for the same octets.
fn entity_tag(content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let tag: String = digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

async fn answer(asset: &'static Asset, tag: HeaderValue, asked: HeaderMap) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (CACHE_CONTROL, HeaderValue::from_static(REVALIDATED)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (ETAG, tag.clone()),
    ];
    if is_known(&asked, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, asset.content).into_response()
}

/// RFC 9110 13.1.2: the browser has this very file.
fn is_known(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|each| each == "*" || each.trim_start_matches("W/") == tag)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn text(path: &str) -> &'static str {
        let asset = ASSETS.iter().find(|asset| asset.path == path).unwrap();
        std::str::from_utf8(asset.content).unwrap()
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|file| if file == "index.html" { "/".to_owned() } else { format!("/page/{file}") })
            .collect();
        files.sort();
        let mut served: Vec<&str> = ASSETS.iter().map(|asset| asset.path).collect();
        served.sort_unstable();
        assert_eq!(files, served);
    }

    #[test]
    fn what_the_scripts_import_is_served() {
        for asset in ASSETS.iter().filter(|asset| asset.kind == SCRIPT) {
            for line in text(asset.path).lines().filter(|line| line.starts_with("import ")) {
                let file = line.split("'./").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
                let path = format!("/page/{file}");
                assert!(ASSETS.iter().any(|each| each.path == path), "{}: {line}", asset.path);
            }
        }
    }

    // SEC-101
    #[test]
    fn no_script_of_the_page_reads_markup_and_no_document_holds_a_script() {
        let readers = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "srcdoc",
        ];
        for asset in ASSETS.iter().filter(|asset| asset.kind == SCRIPT) {
            for reader in readers {
                assert!(!text(asset.path).contains(reader), "{}: {reader}", asset.path);
            }
        }
        let page = text("/");
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" on"), "{page}");
        assert_eq!(page.matches("<script").count(), page.matches("<script type=\"module\" src=").count());
        assert!(!POLICY.contains("unsafe") && !POLICY.contains("http"), "{POLICY}");
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let asset = &ASSETS[0];
        let tag = entity_tag(asset.content);
        let with =
            |value: &str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap())]);
        let known = tag.to_str().unwrap().to_owned();
        for (asked, status) in [
            (HeaderMap::new(), 200),
            (with("\"another\""), 200),
            (with(&known), 304),
            (with(&format!("\"another\", W/{known}")), 304),
            (with("*"), 304),
        ] {
            let answer = answer(asset, tag.clone(), asked.clone()).await;
            assert_eq!(answer.status().as_u16(), status, "{asked:?}");
            assert_eq!(answer.headers()[ETAG], tag);
            assert_eq!(answer.headers()[CONTENT_SECURITY_POLICY], POLICY);
        }
    }
}
