//! [MS-EUMR], Routing to Exchange Unified Messaging Extensions.

mod s3_1_5_routing_to_voice_mail;
