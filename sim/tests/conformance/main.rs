//! Conformance, filed by the sections of the documents. Each demand is tested in both directions.

mod loops;
mod ms_eumr;
mod ms_ocexum;
mod ms_sipre;
mod rfc_3891_replaces;
