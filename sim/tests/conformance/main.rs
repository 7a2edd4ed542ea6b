//! Conformance, filed by the sections of [MS-OCEXUM]. Each demand is tested in both directions.

mod ms_ocexum;
