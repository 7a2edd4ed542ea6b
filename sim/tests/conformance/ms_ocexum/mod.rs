//! [MS-OCEXUM], Call Control for Exchange Unified Messaging Protocol Extensions.

mod s2_1_transport;
mod s2_2_1_exchange_command;
mod s2_2_2_sensitivity;
mod s3_1_2_unified_messaging_server;
mod s3_1_protocol_server_relays;
mod s3_2_1_unified_messaging_server;
mod s3_2_2_protocol_server;
mod s4_1_example;
mod s4_2_example;
