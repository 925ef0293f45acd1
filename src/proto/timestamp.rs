//! Moments as text: RFC 3339, in UTC, to the microsecond. The clock is the caller's.

use super::calendar::Civil;
use std::time::Duration;

/// `2026-11-21T12:00:00.123456Z`; `since_epoch` counts from 1970-01-01T00:00:00Z, without leap
/// seconds. RFC 3339, section 5.6.
pub fn rfc3339(since_epoch: Duration) -> String {
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        ..
    } = Civil::from_unix(since_epoch.as_secs());
    let micros = since_epoch.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (951_868_800, "2000-03-01T00:00:00.000000Z"),
            (1_000_000_000, "2001-09-09T01:46:40.000000Z"),
            (1_795_262_400, "2026-11-21T12:00:00.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000000Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
        }
        let fraction = Duration::new(1, 123_456_789);
        assert_eq!(rfc3339(fraction), "1970-01-01T00:00:01.123456Z");
    }
}
