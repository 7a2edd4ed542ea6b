//! [MS-SIPRE], SIP Routing Extensions.

mod s3_9_5_routing_rules;
mod s3_9_6_timers;
