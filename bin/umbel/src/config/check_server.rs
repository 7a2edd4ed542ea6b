//! The checks of `[server]`.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use umbel_net::Listener;
use umbel_sip_message::{Scheme, Uri};

use super::Um;
use super::check::{Checker, listen};
use super::file::{self, DigestAlgorithm};
use super::server::{Route, Server};
use crate::exit::Failure;

/// Unified messaging servers, and gateways of one route: nobody waits for more of them.
const SERVERS_MAX: usize = 10;

impl Checker<'_> {
    pub(super) fn server(&self, server: file::Server) -> Result<Server, Failure> {
        let default = Server::default();
        let advertise = self.host(server.advertise.as_ref(), "advertise")?;
        let listen = match &server.listen {
            Some(list) => self.listeners(list, "[server] listen")?,
            None => default.listen,
        };
        // Others are told where to come back to, and nobody can come to "every address".
        if let Some(list) = &server.listen
            && advertise.is_none()
            && let Some(any) = listen.iter().find(|listener| listener.address.ip().is_unspecified())
        {
            let what = format!(
                "{any} is every address of this machine, and Record-Route needs one: add advertise = \"HOST\" to [server]"
            );
            return Err(self.source.wrong(list.span(), what));
        }
        let digest = match &server.digest {
            Some(list) => self.digest(list)?,
            None => default.digest,
        };
        Ok(Server {
            listen,
            advertise,
            voicemail: server
                .voicemail
                .map(|list| self.uris(&list, "sip:127.0.0.1:5066;transport=tls"))
                .transpose()?,
            voicemail_form: server.voicemail_form.unwrap_or_default(),
            subscribe_to_voicemail: server.subscribe_to_voicemail.unwrap_or(default.subscribe_to_voicemail),
            ring_time: self.span_within(server.ring_time, default.ring_time, 1, 1_200, "ring-time")?,
            authentication: server.authentication.unwrap_or_default(),
            digest,
            no_diversion_when_forwarding: server.no_diversion_when_forwarding.unwrap_or_default(),
            routes: self.routes(server.routes.unwrap_or_default())?,
            media_relay: match server.media_relay.filter(|uri| !uri.as_ref().is_empty()) {
                Some(uri) => self.uris(&[uri], "sip:relay.example.test")?.pop(),
                None => None,
            },
        })
    }

    /// Listeners, no two of them alike.
    pub(super) fn listeners(
        &self,
        list: &Spanned<Vec<Spanned<String>>>,
        key: &str,
    ) -> Result<Vec<Listener>, Failure> {
        if list.as_ref().is_empty() {
            let what = format!("{key} names no address; give one, or take the table out");
            return Err(self.source.wrong(list.span(), what));
        }
        let mut listeners: Vec<Listener> = Vec::new();
        for text in list.as_ref() {
            let listener = listen(text.as_ref()).map_err(|what| self.source.wrong(text.span(), what))?;
            // Port 0 is chosen anew for each.
            let is_twice = listener.address.port() != 0
                && listeners.iter().any(|other| other.address == listener.address);
            if is_twice {
                let what = format!("{key}: {} is listened on twice; take one out", listener.address);
                return Err(self.source.wrong(text.span(), what));
            }
            listeners.push(listener);
        }
        Ok(listeners)
    }

    /// Two roles cannot listen on one address; `server` comes with the place of its table.
    pub(super) fn addresses_differ(
        &self,
        server: Option<(&Server, &Range<usize>)>,
        um: Option<&Um>,
    ) -> Result<(), Failure> {
        let (Some((server, table)), Some(um)) = (server, um) else { return Ok(()) };
        let is_shared = |listener: &&Listener| {
            listener.address.port() != 0 && um.listen.iter().any(|other| other.address == listener.address)
        };
        match server.listen.iter().find(is_shared) {
            Some(shared) => {
                let what =
                    format!("[server] and [um] both listen on {}; give one another port", shared.address);
                Err(self.source.wrong(table.clone(), what))
            }
            None => Ok(()),
        }
    }

    /// A host as it stands in a URI; none where it is empty.
    fn host(&self, host: Option<&Spanned<String>>, key: &str) -> Result<Option<String>, Failure> {
        let Some(host) = host.filter(|host| !host.as_ref().is_empty()) else { return Ok(None) };
        let uri = format!("sip:{}", host.as_ref()).parse::<Uri>().ok();
        match uri.filter(|uri| uri.host() == host.as_ref() && uri.port().is_none()) {
            Some(_) => Ok(Some(host.as_ref().to_ascii_lowercase())),
            None => {
                let what =
                    format!("{key}: `{}` is no host name or address; IPv6 goes in brackets", host.as_ref());
                Err(self.source.wrong(host.span(), what))
            }
        }
    }

    fn digest(&self, list: &Spanned<Vec<DigestAlgorithm>>) -> Result<Vec<DigestAlgorithm>, Failure> {
        let algorithms = list.as_ref();
        if algorithms.is_empty() {
            let what = "digest names no algorithm, and nobody could log in; write [\"SHA-256\", \"MD5\"]";
            return Err(self.source.wrong(list.span(), what));
        }
        let is_twice =
            algorithms.iter().enumerate().any(|(i, algorithm)| algorithms[..i].contains(algorithm));
        if is_twice {
            return Err(self.source.wrong(list.span(), "digest names an algorithm twice; take one out"));
        }
        Ok(algorithms.clone())
    }

    /// URIs of servers.
    fn uris(&self, list: &[Spanned<String>], example: &str) -> Result<Vec<Uri>, Failure> {
        if let Some(beyond) = list.get(SERVERS_MAX) {
            let what = format!("more than {SERVERS_MAX} servers; take the others out");
            return Err(self.source.wrong(beyond.span(), what));
        }
        list.iter().map(|text| self.server_uri(text, example)).collect()
    }

    /// The URI of a server: a scheme, a host, and TCP or TLS.
    fn server_uri(&self, text: &Spanned<String>, example: &str) -> Result<Uri, Failure> {
        let wrong = |what: String| self.source.wrong(text.span(), what);
        let uri: Uri = text.as_ref().parse().map_err(|_| {
            wrong(format!("`{}` is no SIP URI; write for example \"{example}\"", text.as_ref()))
        })?;
        if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) || uri.as_ref().has_headers() {
            return Err(wrong(format!("`{uri}` is no server; write for example \"{example}\"")));
        }
        if let Some(transport) = uri.transport()
            && !["tcp", "tls"].iter().any(|known| transport.eq_ignore_ascii_case(known))
        {
            let what = format!(
                "`{transport}` is not offered: [MS-OCEXUM] 2.1 allows TCP and TLS; write ;transport=tls"
            );
            return Err(wrong(what));
        }
        Ok(uri)
    }

    /// The server that requests of the unified messaging server go through; empty: none is named.
    pub(super) fn outbound_proxy(&self, text: Option<&Spanned<String>>) -> Result<Option<Uri>, Failure> {
        let text = text.filter(|text| !text.as_ref().is_empty());
        text.map(|text| self.server_uri(text, "sip:proxy.example.com;transport=tls")).transpose()
    }

    fn routes(&self, routes: Vec<file::Route>) -> Result<Vec<Route>, Failure> {
        let mut prefixes = BTreeSet::new();
        let mut checked = Vec::new();
        for file::Route { prefix, to } in routes {
            let digits = prefix.as_ref().strip_prefix('+').unwrap_or(prefix.as_ref());
            if prefix.as_ref().is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                let what = format!(
                    "routes: `{}` is no beginning of a number; write for example \"+1555\", or \"+\"",
                    prefix.as_ref()
                );
                return Err(self.source.wrong(prefix.span(), what));
            }
            if !prefixes.insert(prefix.as_ref().clone()) {
                let what = format!("routes: the prefix {} has two entries; make them one", prefix.as_ref());
                return Err(self.source.wrong(prefix.span(), what));
            }
            if to.as_ref().is_empty() {
                return Err(self.source.wrong(to.span(), "routes: no gateway to go to; name one in `to`"));
            }
            checked.push(Route {
                to: self.uris(to.as_ref(), "sip:gw.example.test;transport=tls")?,
                prefix: prefix.into_inner(),
            });
        }
        Ok(checked)
    }
}
