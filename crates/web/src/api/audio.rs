//! Sound in answers: 16-bit PCM WAV, whole or a range of it (RFC 9110 14; DEC-32).

use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use umbel_store::StoredAudio;

use super::ApiError;
use crate::{Desk, sound};

const WAV: &str = "audio/wav";
/// A browser may keep what it plays, and asks each time whether it may still be heard.
const CACHING: &str = "private, no-cache";

/// That whoever asks has it already.
pub(super) fn unchanged(headers: &HeaderMap, tag: &str) -> Option<Response> {
    let known = headers.get(IF_NONE_MATCH)?.to_str().ok()?;
    let is_known = known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    is_known.then(|| {
        (StatusCode::NOT_MODIFIED, [(ETAG, tag), (CACHE_CONTROL, CACHING)], Body::empty()).into_response()
    })
}

/// What a Range header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    Some(Range<usize>),
    Unsatisfiable,
}

/// The one range that is asked for. Several, and what is no range, are answered with all of it (RFC 9110 14.2).
fn part(headers: &HeaderMap, tag: &str, length: usize) -> Part {
    if headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Part::All;
    }
    let Some(range) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else { return Part::All };
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
    else {
        return Part::All;
    };
    let number = |text: &str| -> Option<usize> {
        let is_number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        // One with too many digits is beyond every end.
        is_number.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return Part::All,
    };
    if range.is_empty() { Part::Unsatisfiable } else { Part::Some(range) }
}

/// The sound, or the part of it that is asked for.
pub(super) async fn answer(
    desk: &Desk,
    stored: StoredAudio,
    tag: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let damaged = stored.damaged;
    let file = tokio::task::spawn_blocking(move || sound::pcm16_wav(&stored)).await;
    let file = match file {
        Ok(Ok(file)) => Bytes::from(file),
        Ok(Err(refused)) => return Err(ApiError::internal(&desk.random, &refused.what)),
        Err(error) => return Err(ApiError::internal(&desk.random, &error)),
    };
    let length = file.len();
    let mut response = match part(headers, tag, length) {
        Part::All => (StatusCode::OK, Body::from(file)).into_response(),
        Part::Some(range) => {
            let told = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
            (StatusCode::PARTIAL_CONTENT, [(CONTENT_RANGE, told)], Body::from(file.slice(range)))
                .into_response()
        }
        Part::Unsatisfiable => {
            let error = ApiError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range-not-satisfiable",
                "the sound ends before the range begins",
            );
            return Ok(([(CONTENT_RANGE, format!("bytes */{length}"))], error).into_response());
        }
    };
    let told = [(CONTENT_TYPE, WAV), (ACCEPT_RANGES, "bytes"), (CACHE_CONTROL, CACHING), (ETAG, tag)];
    for (name, value) in told {
        insert(&mut response, name, value);
    }
    if damaged {
        // REL-05: it may still be worth hearing, and nobody is to take it for what was said.
        insert(&mut response, HeaderName::from_static("umbel-damaged"), "true");
    }
    Ok(response)
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn asked(range: &str) -> Part {
        part(&HeaderMap::from_iter([(RANGE, range.parse().unwrap())]), "\"a\"", 100)
    }

    #[test]
    fn one_range_is_read_as_rfc_9110_has_it() {
        assert_eq!(asked("bytes=0-9"), Part::Some(0..10));
        assert_eq!(asked("bytes=90-"), Part::Some(90..100));
        assert_eq!(asked("bytes=99-99"), Part::Some(99..100));
        assert_eq!(asked("bytes=50-1000"), Part::Some(50..100));
        assert_eq!(asked("bytes=-10"), Part::Some(90..100));
        assert_eq!(asked("bytes=-1000"), Part::Some(0..100));
        assert_eq!(asked("bytes=0-99999999999999999999999"), Part::Some(0..100));
    }

    #[test]
    fn what_begins_after_the_end_cannot_be_had() {
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(asked(range), Part::Unsatisfiable, "{range}");
        }
    }

    #[test]
    fn other_ranges_are_answered_with_all_of_it() {
        for range in
            ["bytes=9-0", "bytes=0-1,5-6", "items=0-9", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2"]
        {
            assert_eq!(asked(range), Part::All, "{range}");
        }
        let mut headers = HeaderMap::from_iter([(RANGE, "bytes=0-9".parse().unwrap())]);
        headers.insert(IF_RANGE, "\"a\"".parse().unwrap());
        assert_eq!(part(&headers, "\"a\"", 100), Part::Some(0..10));
        headers.insert(IF_RANGE, "\"b\"".parse().unwrap());
        assert_eq!(part(&headers, "\"a\"", 100), Part::All);
    }
}
