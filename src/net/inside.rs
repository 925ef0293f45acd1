//! Ends inside this machine: standard input and output, programs, services.

use super::environment::Addresses;
use super::open_error::OpenError;
use crate::io::child::Child;
use crate::io::endpoint::Endpoint;
use crate::io::internal::Internal;
use crate::io::reactor::Registrar;
use crate::io::stdio::{Stdio, Uses};
use crate::plan::{Base, Builtin, Transport};
use crate::proto::services;
use crate::sys::child::{Channel, Order};
use crate::sys::clock;

/// What an end inside this machine needs from its session.
#[derive(Default)]
pub struct Facing {
    /// Which directions are used.
    pub uses: Uses,
    /// The addresses of the other side.
    pub addresses: Addresses,
    /// The other side sends messages, not a stream of bytes.
    pub keeps_messages: bool,
}

/// Opens one; `transport` is what its peer is reached over.
///
/// # Errors
/// A program cannot be started, or the loop cannot wait for a descriptor.
pub fn open(
    base: &Base,
    facing: &Facing,
    transport: Transport,
    registrar: &Registrar<'_>,
) -> Result<Endpoint, OpenError> {
    Ok(match base {
        Base::Program(order) => {
            let channel = match (order.terminal, facing.keeps_messages) {
                (true, _) => Channel::Terminal,
                (false, true) => Channel::Messages,
                (false, false) => Channel::Bytes,
            };
            let order = Order {
                words: &order.words,
                environment: &facing.addresses.variables(transport),
                channel,
                // What it reads is what would be standard output, and the other way round.
                input: facing.uses.output,
                output: facing.uses.input,
            };
            let started = Child::start(&order, registrar).map_err(OpenError::Program)?;
            Endpoint::Child(Box::new(started))
        }
        Base::Builtin(builtin) => Endpoint::Internal(match builtin {
            Builtin::Echo => Internal::echo(),
            Builtin::Discard => Internal::discard(),
            Builtin::Chargen => Internal::chargen(),
            Builtin::Daytime => Internal::text(services::daytime(clock::since_1970().as_secs())),
        }),
        Base::Stdio | Base::Ip { .. } | Base::Unix { .. } | Base::Vsock { .. } => {
            Endpoint::Stdio(Stdio::new(facing.uses, registrar)?)
        }
    })
}
