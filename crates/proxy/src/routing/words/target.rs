//! Whom a rule names: an address, an extension, a number or a SIP URI.

use umbel_sip_message::{Scheme, Uri};

use super::super::TARGETS_MAX;

const EXPECTED: &str = "expected an address, an extension, a number or a SIP URI";

/// `bob@example.test`, `200`, `+1 (555) 555-0100`, `sip:...`, `<sip:...>` or `tel:...`.
pub(super) fn target(text: &str, domain: &str) -> Result<Uri, &'static str> {
    let text = text.trim();
    let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    if let Ok(uri) = text.parse::<Uri>()
        && (uri.user().is_some() || uri.scheme() == Scheme::Tel)
        && uri.scheme() != Scheme::Other
    {
        return if uri.headers().next().is_none() { Ok(uri) } else { Err(EXPECTED) };
    }
    if let Some((user, host)) = text.rsplit_once('@') {
        let is_user = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\":@".contains(c);
        let has_user = !user.is_empty() && user.chars().all(is_user);
        return Uri::sip(user, &host.to_ascii_lowercase()).filter(|_| has_user).ok_or(EXPECTED);
    }
    // RFC 3966 3: visual separators mean nothing.
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    if number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    let uri = Uri::sip(&digits, domain).ok_or(EXPECTED)?;
    // URI-7.
    Ok(if digits.starts_with('+') { uri.with_param("user", Some("phone")) } else { uri })
}

/// Several, with commas between them. A URI with a comma in it stands in angle brackets.
pub(super) fn targets(value: &str, domain: &str) -> Result<Vec<Uri>, &'static str> {
    let mut is_bracketed = false;
    let is_separator = |c: char| {
        is_bracketed = c == '<' || (is_bracketed && c != '>');
        c == ',' && !is_bracketed
    };
    let targets: Vec<Uri> =
        value.split(is_separator).map(|one| target(one, domain)).collect::<Result<_, _>>()?;
    if targets.len() > TARGETS_MAX { Err("more than ten targets") } else { Ok(targets) }
}

/// The shortest text that is read as this target.
pub fn say(uri: &Uri, domain: &str) -> String {
    let user = uri.user_decoded().unwrap_or_default();
    let short = [user.to_string(), format!("{user}@{}", uri.host())];
    let is_plain =
        |text: &String| !text.contains([',', ':', '<', '>']) && !text.contains(char::is_whitespace);
    let is_it = |text: &String| is_plain(text) && target(text, domain).as_ref() == Ok(uri);
    short
        .into_iter()
        .find(is_it)
        .unwrap_or_else(|| if uri.as_str().contains(',') { format!("<{uri}>") } else { uri.to_string() })
}

/// Several.
pub(super) fn say_all(uris: &[Uri], domain: &str) -> String {
    uris.iter().map(|uri| say(uri, domain)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        let uri: Uri = uri.parse().unwrap();
        let said = say(&uri, "example.test");
        assert_eq!(said, expected);
        assert_eq!(targets(&format!("200, {said},201"), "example.test").unwrap()[1], uri, "{said}");
    }

    #[test]
    fn a_target_is_said_as_people_write_it() {
        check("sip:bob@example.test", "bob@example.test");
        check("sip:bob@elsewhere.test", "bob@elsewhere.test");
        check("sip:200@example.test", "200");
        check("sip:200@elsewhere.test", "200@elsewhere.test");
        check("sip:+15555550100@example.test;user=phone", "+15555550100");
        check("sip:+15555550100@example.test", "+15555550100@example.test");
        check("tel:+15555550100", "tel:+15555550100");
    }

    #[test]
    fn what_says_more_stays_a_uri() {
        check("sips:bob@example.test", "sips:bob@example.test");
        check("sip:bob@EXAMPLE.test", "sip:bob@EXAMPLE.test");
        check("sip:bob@example.test:5070", "sip:bob@example.test:5070");
        check("sip:b%6Fb@example.test", "sip:b%6Fb@example.test");
        check("sip:bob@example.test;opaque=app:voicemail", "sip:bob@example.test;opaque=app:voicemail");
        let skips = "sip:+15555550101;ms-skip-rnl=true@example.test;user=phone";
        check(skips, skips);
        check("sip:a,b@example.test", "<sip:a,b@example.test>");
    }
}
