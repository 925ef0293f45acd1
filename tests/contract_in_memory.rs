//! The contract once more, with every byte going through rnc's memory (RNC_FAST=0): the kernel's
//! fast path changes speed, nothing else.

mod common;
mod contract;
