//! The page's files, inside the program: nothing is fetched from anywhere else.
//!
//! All but the document stand under a version that is their content's own: so browsers keep them for good and ask for
//! nothing twice, and a new program has a new page at once. The document is asked for each time.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::Desk;
use crate::api::ApiError;

/// SEC-101, SEC-106: only our own files, no script in the document, in no frame; and texts cannot become markup,
/// since the browser itself refuses to read any from a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Browsers ask each time whether it is still the same.
const REVALIDATED: &str = "no-cache";
/// What stands under its version is never another.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

macro_rules! asset {
    ($kind:expr, $file:literal) => {
        Asset { name: $file, kind: $kind, content: include_str!(concat!("../../page/", $file)) }
    };
}

/// Where the document has the version, and the list of modules to fetch at once.
const VERSION: &str = "{version}";
const MODULES: &str = "<!-- modules -->";
const DOCUMENT: &str = include_str!("../../page/index.html");

const ASSETS: [Asset; 30] = [
    asset!(CSS, "page.css"),
    asset!(SVG, "icons.svg"),
    asset!(SVG, "umbel.svg"),
    asset!(SCRIPT, "api.js"),
    asset!(SCRIPT, "connection.js"),
    asset!(SCRIPT, "dom.js"),
    asset!(SCRIPT, "fields.js"),
    asset!(SCRIPT, "filter.js"),
    asset!(SCRIPT, "folders.js"),
    asset!(SCRIPT, "greetings.js"),
    asset!(SCRIPT, "hours.js"),
    asset!(SCRIPT, "kept.js"),
    asset!(SCRIPT, "message.js"),
    asset!(SCRIPT, "messages.js"),
    asset!(SCRIPT, "missed.js"),
    asset!(SCRIPT, "notices.js"),
    asset!(SCRIPT, "page.js"),
    asset!(SCRIPT, "phone.js"),
    asset!(SCRIPT, "player.js"),
    asset!(SCRIPT, "routing.js"),
    asset!(SCRIPT, "say.js"),
    asset!(SCRIPT, "secrets.js"),
    asset!(SCRIPT, "selection.js"),
    asset!(SCRIPT, "settings.js"),
    asset!(SCRIPT, "shortcuts.js"),
    asset!(SCRIPT, "sign-in.js"),
    asset!(SCRIPT, "states.js"),
    asset!(SCRIPT, "users.js"),
    asset!(SCRIPT, "words-de.js"),
    asset!(SCRIPT, "words-en.js"),
];

/// A short digest in hexadecimal digits: the same for the same octets.
fn digest<'a>(contents: impl Iterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for content in contents {
        digest.update(Sha256::digest(content));
    }
    digest.finalize().iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}

/// The version of all files together.
static CURRENT: LazyLock<String> =
    LazyLock::new(|| digest(ASSETS.iter().map(|asset| asset.content).chain([DOCUMENT])));

/// The document, which names the others under their version. Modules are named so that none waits for another to be
/// read.
static PAGE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let modules: String = ASSETS
        .iter()
        .filter(|asset| asset.kind == SCRIPT)
        .map(|asset| format!("<link rel=\"modulepreload\" href=\"/page/{VERSION}/{}\">\n", asset.name))
        .collect();
    DOCUMENT.replace(&format!("{MODULES}\n"), &modules).replace(VERSION, &CURRENT).into()
});

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/", get(document)).route("/page/{version}/{file}", get(file))
}

async fn document(asked: HeaderMap) -> Response {
    answer(HTML, REVALIDATED, Bytes::from_owner(SharedText(Arc::clone(&PAGE))), &asked)
}

/// A file of this version; another version's is not there, and whoever asks for it loads the document again.
async fn file(Path((version, name)): Path<(String, String)>, asked: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name && version == *CURRENT) {
        Some(asset) => answer(asset.kind, FOR_GOOD, Bytes::from_static(asset.content.as_bytes()), &asked),
        None => ApiError::not_found().into_response(),
    }
}

/// Text that all answers share.
struct SharedText(Arc<str>);

impl AsRef<[u8]> for SharedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn answer(kind: &'static str, caching: &'static str, content: Bytes, asked: &HeaderMap) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", CURRENT.as_str()));
    let tag = tag.unwrap_or(HeaderValue::from_static("\"\""));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static(caching)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (ETAG, tag.clone()),
    ];
    if is_known(asked, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, content).into_response()
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

    fn folder() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let mut files: Vec<String> = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut served: Vec<&str> = ASSETS.iter().map(|asset| asset.name).chain(["index.html"]).collect();
        served.sort_unstable();
        assert_eq!(files, served);
    }

    #[test]
    fn what_the_scripts_import_is_served() {
        for asset in ASSETS.iter().filter(|asset| asset.kind == SCRIPT) {
            for line in asset.content.lines().filter(|line| line.starts_with("import ")) {
                let file = line.split("'./").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
                assert!(ASSETS.iter().any(|each| each.name == file), "{}: {line}", asset.name);
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
                assert!(!asset.content.contains(reader), "{}: {reader}", asset.name);
            }
        }
        assert!(!PAGE.contains("<style") && !PAGE.contains(" style=") && !PAGE.contains(" on"), "{}", *PAGE);
        assert_eq!(PAGE.matches("<script").count(), PAGE.matches("<script type=\"module\" src=").count());
        assert!(!POLICY.contains("unsafe") && !POLICY.contains("http"), "{POLICY}");
    }

    #[test]
    fn the_document_names_files_of_this_version_and_every_module() {
        assert!(!PAGE.contains('{') && !PAGE.contains(MODULES), "{}", *PAGE);
        let prefix = format!("\"/page/{}/", CURRENT.as_str());
        let named: Vec<&str> =
            PAGE.split(prefix.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        for asset in &ASSETS {
            let is_named = named.contains(&asset.name);
            // The icons are named by the scripts, beside which they stand.
            assert_eq!(is_named, asset.name != "icons.svg", "{}", asset.name);
        }
        assert!(named.iter().all(|name| ASSETS.iter().any(|asset| asset.name == *name)), "{named:?}");
    }

    #[test]
    fn another_content_is_another_version() {
        assert_eq!(CURRENT.len(), 32);
        let version = |contents: &[&'static str]| digest(contents.iter().copied());
        assert_ne!(version(&["a", "b"]), version(&["a", "c"]));
        assert_ne!(version(&["ab", "c"]), version(&["a", "bc"]));
        assert_eq!(version(&["a", "b"]), version(&["a", "b"]));
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let tag = format!("\"{}\"", CURRENT.as_str());
        let with =
            |value: &str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap())]);
        for (asked, status) in [
            (HeaderMap::new(), 200),
            (with("\"another\""), 200),
            (with(&tag), 304),
            (with(&format!("\"another\", W/{tag}")), 304),
            (with("*"), 304),
        ] {
            for answer in [
                document(asked.clone()).await,
                file(Path((CURRENT.clone(), "page.js".to_owned())), asked.clone()).await,
            ] {
                assert_eq!(answer.status().as_u16(), status, "{asked:?}");
                assert_eq!(answer.headers()[ETAG], tag);
                assert_eq!(answer.headers()[CONTENT_SECURITY_POLICY], POLICY);
            }
        }
    }

    #[tokio::test]
    async fn files_are_kept_for_good_and_the_document_is_asked_for_each_time() {
        let get = async |version: &str, name: &str| {
            file(Path((version.to_owned(), name.to_owned())), HeaderMap::new()).await
        };
        assert_eq!(document(HeaderMap::new()).await.headers()[CACHE_CONTROL], "no-cache");
        for asset in &ASSETS {
            let answer = get(&CURRENT, asset.name).await;
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()[CACHE_CONTROL]),
                (200, &FOR_GOOD.parse().unwrap())
            );
            assert_eq!(answer.headers()[CONTENT_TYPE], asset.kind);
        }
        for (version, name) in
            [("0123", "page.js"), (CURRENT.as_str(), "index.html"), (CURRENT.as_str(), "x.js")]
        {
            assert_eq!(get(version, name).await.status(), 404, "{version} {name}");
        }
    }
}
