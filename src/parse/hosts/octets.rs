//! Sets of values of an octet, of which patterns of IPv4 addresses are made.

use super::error::HostError;

/// Some of the values of an octet: one bit for each, the low half first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Octets([u128; 2]);

impl Octets {
    /// Reads `*`, or a list of values and ranges between commas.
    pub(super) fn read(text: &str) -> Result<Octets, HostError> {
        let mut octets = Octets::default();
        if text == "*" {
            (0..=u8::MAX).for_each(|value| octets.insert(value));
            return Ok(octets);
        }
        for item in text.split(',') {
            let (first, last) = match item.split_once('-') {
                Some((first, last)) => (octet(first, 0)?, octet(last, u8::MAX)?),
                None if item.is_empty() => return Err(HostError::BadOctet),
                None => (octet(item, 0)?, octet(item, 0)?),
            };
            if first > last {
                return Err(HostError::Backwards);
            }
            (first..=last).for_each(|value| octets.insert(value));
        }
        Ok(octets)
    }

    /// All values that agree with one of the set in the bits of the mask, which are the leading
    /// ones.
    pub(super) fn spread(self, mask: u8) -> Octets {
        let mut spread = Octets::default();
        for first in (0..=u8::MAX).step_by(usize::from(!mask) + 1) {
            let alike = first..=first | !mask;
            if alike.clone().any(|value| self.contains(value)) {
                alike.for_each(|value| spread.insert(value));
            }
        }
        spread
    }

    fn insert(&mut self, value: u8) {
        self.0[usize::from(value >> 7)] |= 1 << (value & 127);
    }

    /// Returns whether a value is in the set.
    pub fn contains(&self, value: u8) -> bool {
        self.0[usize::from(value >> 7)] >> (value & 127) & 1 == 1
    }
}

/// Reads a value; nothing is `missing`.
fn octet(text: &str, missing: u8) -> Result<u8, HostError> {
    let has_zero_in_front = text.len() > 1 && text.starts_with('0');
    match text.parse() {
        _ if text.is_empty() => Ok(missing),
        Ok(value) if !has_zero_in_front => Ok(value),
        _ => Err(HostError::BadOctet),
    }
}
