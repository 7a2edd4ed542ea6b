//! Where to send requests for a URI: RFC 3263, without datagrams.
//!
//! What to ask and in which order to try the answers is decided by functions without a network;
//! `hickory` asks.

mod first_step;
mod order;
mod search;

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use umbel_node::{Destination, Unresolved};
use umbel_sip_message::Uri;

use order::{Naptr, Srv};
use search::{NameService, search};

/// The name service could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("name service: {0}; look at /etc/resolv.conf")]
pub struct NoResolver(String);

/// Asks the name service on behalf of one thread. Copies share it.
#[derive(Clone)]
pub struct Resolver {
    names: TokioResolver,
    rng: Rc<RefCell<ChaCha20Rng>>,
}

impl Resolver {
    /// Asks the servers that the operating system is configured for, and reads its hosts file.
    ///
    /// `seed` is for the lots that RFC 2782 draws.
    ///
    /// # Errors
    ///
    /// Where that configuration cannot be used.
    pub fn system(seed: [u8; 32]) -> Result<Self, NoResolver> {
        let (config, options) = hickory_resolver::system_conf::read_system_conf()
            .map_err(|error| NoResolver(error.to_string()))?;
        Resolver::new(config, options, seed)
    }

    /// Asks these servers only.
    ///
    /// # Errors
    ///
    /// Where the library cannot use them.
    pub fn asking(servers: &[SocketAddr], seed: [u8; 32]) -> Result<Self, NoResolver> {
        let servers = servers.iter().map(|server| {
            let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
            udp.port = server.port();
            tcp.port = server.port();
            NameServerConfig::new(server.ip(), true, vec![udp, tcp])
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        Resolver::new(config, ResolverOpts::default(), seed)
    }

    fn new(config: ResolverConfig, mut options: ResolverOpts, seed: [u8; 32]) -> Result<Self, NoResolver> {
        options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let names = builder.build().map_err(|error| NoResolver(error.to_string()))?;
        Ok(Resolver { names, rng: Rc::new(RefCell::new(ChaCha20Rng::from_seed(seed))) })
    }

    /// Finds where requests for `uri` go, best first.
    ///
    /// # Errors
    ///
    /// [`Unresolved::NotFound`] where there is no place that we could connect to,
    /// [`Unresolved::Unavailable`] where that could not be learnt within `limit`.
    pub async fn find(&self, uri: &Uri, limit: Duration) -> Result<Vec<Destination>, Unresolved> {
        // Each search draws from its own generator, since many may be under way.
        let mut rng = ChaCha20Rng::seed_from_u64(self.rng.borrow_mut().next_u64());
        let found = tokio::time::timeout(limit, search(uri, &self.names, &mut rng)).await;
        found.unwrap_or(Err(Unresolved::Unavailable))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl NameService for TokioResolver {
    async fn pointers(&self, domain: &str) -> Result<Vec<Naptr>, Unresolved> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        records(self, domain, RecordType::NAPTR, |data| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: text(&naptr.flags),
                services: text(&naptr.services),
                replacement: naptr.replacement.to_utf8(),
            }),
            _ => None,
        })
        .await
    }

    async fn services(&self, name: &str) -> Result<Vec<Srv>, Unresolved> {
        records(self, name, RecordType::SRV, |data| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: srv.target.to_utf8(),
            }),
            _ => None,
        })
        .await
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved> {
        match self.lookup_ip(host).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) => without_records(&error),
        }
    }
}

/// Records of one type at exactly this name: search domains are for people who type hosts.
async fn records<T>(
    names: &TokioResolver,
    name: &str,
    kind: RecordType,
    read: impl Fn(&RData) -> Option<T>,
) -> Result<Vec<T>, Unresolved> {
    let absolute = format!("{}.", name.trim_end_matches('.'));
    match names.lookup(absolute, kind).await {
        Ok(found) => Ok(found.answers().iter().filter_map(|record| read(&record.data)).collect()),
        Err(error) => without_records(&error),
    }
}

/// "There is none" is an answer; everything else is the lack of one.
fn without_records<T>(error: &NetError) -> Result<Vec<T>, Unresolved> {
    if error.is_no_records_found() || error.is_nx_domain() {
        return Ok(Vec::new());
    }
    tracing::debug!(%error, "name service");
    Err(Unresolved::Unavailable)
}
