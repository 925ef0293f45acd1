//! User text to types, floor 0: no sockets, no clock, no name service.
//!
//! Each file takes one kind of word. What needs the machine's tables (service names) gets them as
//! a closure. Errors say which part of the word is wrong; the caller adds the word and the option.

pub mod ciphers;
pub mod duration;
pub mod end;
pub mod escape;
pub mod host_set;
pub mod hostport;
pub mod hosts;
pub mod inet_aton;
pub mod number;
pub mod pin;
pub mod ports;
pub mod size;
pub mod tos;
pub mod url;
pub mod words;
