//! The namespaces that mean something here, compared as strings (never the `https` forms that some pages print).

/// A namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespace {
    /// No namespace: attributes, and elements without a prefix where no default was declared.
    None,
    /// SOAP 1.1 envelopes.
    Soap,
    /// SOAP 1.2 envelopes, which nobody here speaks.
    Soap12,
    /// Messages of the web services.
    Messages,
    /// Types of the web services.
    Types,
    /// Errors of the web services.
    Errors,
    /// Autodiscover by SOAP.
    Autodiscover,
    /// Autodiscover by plain XML: the request.
    AutodiscoverRequest,
    /// Autodiscover by plain XML: the outer element of the response.
    AutodiscoverResponse,
    /// Autodiscover by plain XML: what is within the response.
    AutodiscoverOutlook,
    /// WS-Addressing.
    Addressing,
    /// `xsi:type`, `xsi:nil`.
    SchemaInstance,
    /// `xml:lang`.
    Xml,
    /// XInclude, which is refused.
    Include,
    /// Any other.
    Other,
}

const KNOWN: [(Namespace, &str, &str); 13] = [
    (Namespace::Soap, "xmlns:s", "http://schemas.xmlsoap.org/soap/envelope/"),
    (Namespace::Soap12, "xmlns:s12", "http://www.w3.org/2003/05/soap-envelope"),
    (Namespace::Messages, "xmlns:m", "http://schemas.microsoft.com/exchange/services/2006/messages"),
    (Namespace::Types, "xmlns:t", "http://schemas.microsoft.com/exchange/services/2006/types"),
    (Namespace::Errors, "xmlns:e", "http://schemas.microsoft.com/exchange/services/2006/errors"),
    (Namespace::Autodiscover, "xmlns:a", "http://schemas.microsoft.com/exchange/2010/Autodiscover"),
    (
        Namespace::AutodiscoverRequest,
        "xmlns:q",
        "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006",
    ),
    (
        Namespace::AutodiscoverResponse,
        "xmlns:r",
        "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006",
    ),
    (
        Namespace::AutodiscoverOutlook,
        "xmlns:o",
        "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a",
    ),
    (Namespace::Addressing, "xmlns:wsa", "http://www.w3.org/2005/08/addressing"),
    (Namespace::SchemaInstance, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    (Namespace::Xml, "xmlns:xml", "http://www.w3.org/XML/1998/namespace"),
    (Namespace::Include, "xmlns:xi", "http://www.w3.org/2001/XInclude"),
];

impl Namespace {
    /// The namespace with this name.
    pub fn named(name: &str) -> Namespace {
        KNOWN
            .iter()
            .find(|(_, _, known)| *known == name)
            .map_or(Namespace::Other, |(namespace, _, _)| *namespace)
    }

    /// Its name; empty for `None` and `Other`.
    pub fn name(self) -> &'static str {
        KNOWN.iter().find(|(namespace, _, _)| *namespace == self).map_or("", |(_, _, name)| name)
    }

    /// The attribute that declares the prefix under which it is printed.
    pub fn declaration(self) -> &'static str {
        KNOWN
            .iter()
            .find(|(namespace, _, _)| *namespace == self)
            .map_or("", |(_, declaration, _)| declaration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_namespace_is_found_by_its_name_and_by_nothing_else() {
        for (namespace, _, name) in KNOWN {
            assert_eq!(Namespace::named(name), namespace);
            assert_eq!(namespace.name(), name);
            assert_eq!(Namespace::named(&name.replace("http://", "https://")), Namespace::Other);
            assert_eq!(Namespace::named(&format!("{name}/")), Namespace::Other);
        }
    }
}
