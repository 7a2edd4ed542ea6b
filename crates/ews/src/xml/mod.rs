//! XML as SOAP uses it: a small tree with namespaces, read within limits, and a writer that escapes.
//!
//! [`read`] makes a [`Document`] of octets or says why not. Prefixes end here: whoever looks at an
//! [`Element`] asks for a [`Namespace`] and a local name. [`Writer`] prints under the fixed prefixes of
//! [`Namespace::declaration`], and cannot leave an element open.

mod element;
mod namespace;
mod reader;
mod writer;

pub use element::{Children, Element, Violation};
pub use namespace::Namespace;
pub use reader::{
    ATTRIBUTES_MAX, BODY_BYTES_MAX, DEPTH_MAX, Document, ELEMENTS_MAX, NAMESPACES_MAX, Place, TEXT_BYTES_MAX,
    Unreadable, read,
};
pub use writer::Writer;
