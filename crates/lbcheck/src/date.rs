//! Calendar dates, for things that expire.

use std::fmt;
use std::str::FromStr;

/// A day of the Gregorian calendar, `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year, 1 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// The day that lies this many days after 1 January 1970, where it is in range.
    #[must_use]
    pub fn from_unix_days(days: u64) -> Option<Self> {
        // Whole years first; the range is small enough to walk.
        let mut left = days;
        let mut year = 1970u16;
        while left >= days_of_year(year) {
            left -= days_of_year(year);
            year = year.checked_add(1).filter(|&year| year <= 9999)?;
        }
        let mut month = 1;
        while left >= u64::from(days_of_month(year, month)) {
            left -= u64::from(days_of_month(year, month));
            month += 1;
        }
        Some(Self { year, month, day: u8::try_from(left).ok()? + 1 })
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The text is not a date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date: write it as 2027-01-31")]
pub struct BadDate(pub String);

impl FromStr for Date {
    type Err = BadDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadDate(text.to_owned());
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(bad()) };
        let plain = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !plain(year, 4) || !plain(month, 2) || !plain(day, 2) {
            return Err(bad());
        }
        let year: u16 = year.parse().map_err(|_| bad())?;
        let month: u8 = month.parse().map_err(|_| bad())?;
        let day: u8 = day.parse().map_err(|_| bad())?;
        let exists = year > 0 && (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
        if exists { Ok(Self { year, month, day }) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_strictly() {
        let read = |text: &str| text.parse::<Date>().ok();
        assert_eq!(read("2028-02-29"), Some(Date { year: 2028, month: 2, day: 29 }));
        for bad in [
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-1-1",
            "27-01-01",
            "2027-01-00",
            "",
            "2027-01-01T",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert!(read("2027-01-31") < read("2027-02-01"));
    }

    #[test]
    fn days_since_1970_become_dates() {
        let show = |days| Date::from_unix_days(days).map(|date| date.to_string());
        assert_eq!(show(0).as_deref(), Some("1970-01-01"));
        assert_eq!(show(59).as_deref(), Some("1970-03-01"));
        assert_eq!(show(20_778).as_deref(), Some("2026-11-21"));
        assert_eq!(show(11_016).as_deref(), Some("2000-02-29"));
        assert_eq!(show(u64::MAX), None);
    }
}
