//! The store on disks that fail.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod damage;
mod failing_syncs;
mod full_disk;
mod leftovers;
mod power_cut;
