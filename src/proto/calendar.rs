//! The calendar: seconds since 1970 as a date and a time of day, in UTC. Leap seconds are not
//! counted, as in POSIX.

const DAY_SECONDS: u64 = 86_400;
/// Days of 400 years, after which the Gregorian calendar repeats.
const ERA_DAYS: u64 = 146_097;
/// Days from 1 March of the year 0, where an era begins, to 1 January 1970.
const EPOCH_DAY: u64 = 719_468;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A date of the Gregorian calendar and a time of day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: u64,
    /// The month, 1 to 12.
    pub month: usize,
    /// The day of the month, from 1.
    pub day: u64,
    /// The day of the week, 0 to 6; Sunday is 0.
    pub weekday: usize,
    /// The hour, 0 to 23.
    pub hour: u64,
    /// The minute.
    pub minute: u64,
    /// The second, 0 to 59.
    pub second: u64,
}

impl Civil {
    /// The time so many seconds after the beginning of 1970, in UTC.
    pub fn from_unix(seconds: u64) -> Civil {
        let (days, rest) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
        let (year, month, day) = date(days + EPOCH_DAY);
        // 1 January 1970 was a Thursday.
        let weekday = usize::try_from((days + 4) % 7).unwrap_or_default();
        Civil {
            year,
            month,
            day,
            weekday,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// The month's English name.
    pub fn month_name(&self) -> &'static str {
        MONTHS[(self.month - 1) % MONTHS.len()]
    }

    /// The day's English name.
    pub fn weekday_name(&self) -> &'static str {
        WEEKDAYS[self.weekday % WEEKDAYS.len()]
    }
}

/// Year, month and day of the month of a day counted from 1 March of the year 0. With years that
/// begin in March a leap day is the last of its year, and every five months have 153 days.
fn date(days: u64) -> (u64, usize, u64) {
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (ERA_DAYS - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let before = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let day_of_year = day_of_era - before;
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_leap(year: u64) -> bool {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    }

    fn month_days(year: u64, month: usize) -> u64 {
        match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u64::from(is_leap(year)),
            _ => 31,
        }
    }

    #[test]
    fn each_day_of_six_hundred_years_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for count in 0..600 * 365 {
            let civil = Civil::from_unix(count * DAY_SECONDS);
            assert_eq!((civil.year, civil.month, civil.day), (year, month, day));
            day += 1;
            if day > month_days(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn days_have_their_names() {
        let moon = Civil::from_unix(1_000_000_000);
        assert_eq!(
            (moon.weekday_name(), moon.month_name(), moon.day, moon.year),
            ("Sunday", "September", 9, 2001)
        );
    }

    proptest! {
        #[test]
        fn the_time_of_day_is_the_rest_of_the_day(seconds in 0..400_000_000_000u64) {
            let civil = Civil::from_unix(seconds);
            let rest = civil.hour * 3600 + civil.minute * 60 + civil.second;
            prop_assert_eq!(rest, seconds % DAY_SECONDS);
            prop_assert!(civil.hour < 24 && civil.minute < 60 && civil.second < 60);
        }
    }
}
