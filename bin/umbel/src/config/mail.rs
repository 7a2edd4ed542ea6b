//! `[mail]`: which server takes our mails, how it is reached, and whose they are.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use umbel_store::Address;

use super::check::Checker;
use super::file::{self, MailTls};
use crate::exit::Failure;

/// Where mails go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) smtp: Smtp,
    pub(crate) tls: MailTls,
    /// Who vouches for the server; `None`: the operating system's authorities.
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) password_file: Option<PathBuf>,
    /// The address that mails come from.
    pub(crate) from: String,
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Smtp {
    /// TLS from the first octet (RFC 8314).
    pub(crate) implicit_tls: bool,
    pub(crate) user: Option<String>,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Smtp {
    /// Whether nobody can stand between us and the server.
    pub(crate) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or(self.host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }
}

/// As the configuration has it, a `%` or `@` of the user as an escape.
impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.implicit_tls { "smtps://" } else { "smtp://" })?;
        if let Some(user) = &self.user {
            write!(f, "{}@", user.replace('%', "%25").replace('@', "%40").replace(':', "%3A"))?;
        }
        let brackets = if self.host.contains(':') { ["[", "]"] } else { ["", ""] };
        write!(f, "{}{}{}:{}", brackets[0], self.host, brackets[1], self.port)
    }
}

impl Checker<'_> {
    pub(super) fn mail(&self, mail: file::Mail) -> Result<Mail, Failure> {
        let smtp =
            read_server(mail.smtp.as_ref()).map_err(|what| self.source.wrong(mail.smtp.span(), what))?;
        let by_itself =
            if smtp.is_loopback() && !smtp.implicit_tls { MailTls::Off } else { MailTls::Required };
        let tls = mail.tls.as_ref().map_or(by_itself, |tls| *tls.as_ref());
        if let Some(given) = &mail.tls
            && smtp.implicit_tls
            && tls != MailTls::Required
        {
            return Err(self.source.wrong(given.span(), "smtps:// is encrypted in any case; take `tls` out"));
        }
        let password_file = mail.password_file.filter(|path| !path.as_ref().as_os_str().is_empty());
        match (&smtp.user, &password_file) {
            (Some(_), None) => {
                let what = "the server knows a user by a password: give password-file, or take the user out";
                return Err(self.source.wrong(mail.smtp.span(), what));
            }
            (None, Some(file)) => {
                let what = "whose password? write the user into smtp, as in smtp://user@host";
                return Err(self.source.wrong(file.span(), what));
            }
            _ => {}
        }
        // SEC-115, SEC-120
        if password_file.is_some() && tls != MailTls::Required && !smtp.is_loopback() {
            let what = "a password is told over TLS only: take `tls` out, or write tls = \"required\"";
            return Err(self.source.wrong(mail.tls.map_or(mail.smtp.span(), |tls| tls.span()), what));
        }
        let from = mail.from.as_ref();
        let legal =
            from.parse::<Address>().is_ok() && from.is_ascii() && !from.contains(['<', '>', ',', ' ']);
        if !legal {
            let what = format!("\"{from}\" is no mail address; write one such as voicemail@example.test");
            return Err(self.source.wrong(mail.from.span(), what));
        }
        Ok(Mail {
            smtp,
            tls,
            authorities: mail
                .authorities
                .filter(|path| !path.as_os_str().is_empty())
                .map(|path| self.folder.join(path)),
            password_file: password_file.map(|path| self.folder.join(path.into_inner())),
            from: from.clone(),
        })
    }
}

/// Reads `smtp://[user@]host[:port]`.
fn read_server(text: &str) -> Result<Smtp, String> {
    let form = "write smtp://host, smtps://host or smtp://user@host:587";
    let (implicit_tls, rest) = match (text.strip_prefix("smtp://"), text.strip_prefix("smtps://")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        (None, None) => return Err(format!("\"{text}\" is no mail server; {form}")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (user, server) = match rest.rsplit_once('@') {
        // SEC-120
        Some((user, _)) if user.contains(':') => {
            return Err("a password has no place in the configuration; use password-file".to_owned());
        }
        Some((user, server)) => {
            (Some(unescaped(user).ok_or_else(|| format!("the user cannot be read; {form}"))?), server)
        }
        None => (None, rest),
    };
    // RFC 6409: who has a name submits; RFC 8314: over TLS.
    let default_port = match (implicit_tls, &user) {
        (true, _) => 465,
        (false, Some(_)) => 587,
        (false, None) => 25,
    };
    let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, after)) if host.parse::<std::net::Ipv6Addr>().is_ok() => {
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':').unwrap_or("?")) })
        }
        Some(_) => return Err(format!("\"{server}\" is no address; {form}")),
        None => server.rsplit_once(':').map_or((server, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("\"{port}\" is no port; {form}"))?,
        None => default_port,
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(legal) {
        return Err(format!("\"{host}\" is no host; {form}"));
    }
    Ok(Smtp { implicit_tls, user, host: host.to_owned(), port })
}

/// Text with `%40` and its like read.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                let legal = digits.bytes().all(|b| b.is_ascii_hexdigit());
                bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| legal)?);
                rest = after.get(2..)?;
            }
            other => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::check::read;
    use super::super::print;
    use super::*;

    fn mail(table: &str) -> Result<Mail, String> {
        let text = format!("[um]\n[mail]\n{table}\n");
        let config = read(&text, Path::new("/etc/umbel/umbel.toml")).map_err(|failure| failure.message)?;
        Ok(config.mail.expect("there is a [mail] table"))
    }

    fn check_server(text: &str, expected: Result<(bool, Option<&str>, &str, u16), &str>) {
        match (read_server(text), expected) {
            (Ok(smtp), Ok(expected)) => {
                let found = (smtp.implicit_tls, smtp.user.as_deref(), smtp.host.as_str(), smtp.port);
                assert_eq!(found, expected, "{text}");
                assert_eq!(read_server(&smtp.to_string()), Ok(smtp), "read as it is printed");
            }
            (Err(what), Err(part)) => assert!(what.contains(part), "{text}: {what}"),
            (found, expected) => panic!("{text}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_mail_server_is_read_as_people_write_it() {
        check_server("smtp://127.0.0.1:25", Ok((false, None, "127.0.0.1", 25)));
        check_server("smtp://mail.example.test", Ok((false, None, "mail.example.test", 25)));
        check_server("smtp://um@mail.example.test", Ok((false, Some("um"), "mail.example.test", 587)));
        check_server(
            "smtps://um@example.test@mail.example.test/",
            Ok((true, Some("um@example.test"), "mail.example.test", 465)),
        );
        check_server("smtps://um%40x%3A@[::1]:1465", Ok((true, Some("um@x:"), "::1", 1_465)));
        check_server("smtp://um:secret@mail", Err("password-file"));
        check_server("mail.example.test", Err("is no mail server"));
        check_server("http://mail", Err("is no mail server"));
        check_server("smtp://", Err("is no host"));
        check_server("smtp://mail:99999", Err("is no port"));
        check_server("smtp://mail:0", Err("is no port"));
        check_server("smtp://ma il", Err("is no host"));
        check_server("smtp://mail\\r\\nQUIT", Err("is no host"));
        check_server("smtp://[::g]", Err("is no address"));
        check_server("smtp://%zz@mail", Err("the user cannot be read"));
    }

    /// SEC-115: encryption is asked for unless nobody can stand between.
    #[test]
    fn off_this_machine_mails_travel_encrypted_unless_told_otherwise() {
        let from = "from = \"voicemail@example.test\"";
        let tls =
            |smtp: &str, more: &str| mail(&format!("smtp = \"{smtp}\"\n{from}\n{more}")).map(|mail| mail.tls);
        assert_eq!(tls("smtp://127.0.0.1", ""), Ok(MailTls::Off));
        assert_eq!(tls("smtp://[::1]", ""), Ok(MailTls::Off));
        assert_eq!(tls("smtp://localhost", ""), Ok(MailTls::Off));
        assert_eq!(tls("smtps://localhost", ""), Ok(MailTls::Required));
        assert_eq!(tls("smtp://mail.example.test", ""), Ok(MailTls::Required));
        assert_eq!(tls("smtp://mail.example.test", "tls = \"offered\""), Ok(MailTls::Offered));
        assert_eq!(tls("smtp://mail.example.test", "tls = \"off\""), Ok(MailTls::Off));
        let password = "password-file = \"mail.password\"";
        for weak in ["offered", "off"] {
            let found = tls("smtp://um@mail.example.test", &format!("{password}\ntls = \"{weak}\""));
            assert!(found.is_err_and(|what| what.contains("over TLS only")), "{weak}");
        }
        assert_eq!(tls("smtp://um@localhost", password), Ok(MailTls::Off));
        assert!(tls("smtps://mail", "tls = \"off\"").is_err_and(|what| what.contains("take `tls` out")));
    }

    #[test]
    fn what_is_wrong_in_the_table_is_said_with_its_place() {
        let smtp = "smtp = \"smtp://127.0.0.1\"";
        let check = |table: &str, place: &str, part: &str| {
            let what = mail(table).expect_err(table);
            assert!(what.starts_with(&format!("/etc/umbel/umbel.toml:{place}")), "{what}");
            assert!(what.contains(part), "{what}");
        };
        check(&format!("{smtp}\nfrom = \"Voice Mail <a@b>\""), "4:8", "is no mail address");
        check(&format!("{smtp}\nfrom = \"voicemail\""), "4:8", "is no mail address");
        check(&format!("{smtp}\nfrom = \"a@b.test\"\npassword-file = \"x\""), "5:17", "whose password?");
        check("smtp = \"smtp://um@localhost\"\nfrom = \"a@b.test\"", "3:8", "give password-file");
        check(&format!("{smtp}\nfrom = \"a@b.test\"\npassword = \"x\""), "5:1", "unknown field `password`");
        check(smtp, "2:1", "missing field `from`");
    }

    #[test]
    fn the_table_is_printed_as_it_is_read() {
        let table = "smtp = \"smtp://um@mail.example.test\"\npassword-file = \"mail.password\"\n\
                     authorities = \"ca.pem\"\nfrom = \"voicemail@example.test\"";
        let config = read(&format!("[um]\n[mail]\n{table}"), Path::new("/etc/umbel.toml")).expect("read");
        let again = read(&print(&config), Path::new("/etc/umbel.toml")).expect("what is printed can be read");
        assert_eq!(again.mail, config.mail);
        let mail = config.mail.expect("a [mail] table");
        assert_eq!(mail.password_file.as_deref(), Some(Path::new("/etc/mail.password")));
        assert_eq!(mail.authorities.as_deref(), Some(Path::new("/etc/ca.pem")));
    }
}
