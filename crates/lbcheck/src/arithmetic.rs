//! Whole numbers.

/// The greatest common divisor. Of nothing but zeros it is 0.
pub(crate) fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The least common multiple of positive numbers, as long as it is no more than `most`.
pub(crate) fn lcm(numbers: impl IntoIterator<Item = u64>, most: u64) -> Option<u64> {
    numbers.into_iter().try_fold(1_u64, |multiple, number| {
        let next = multiple.checked_div(gcd(multiple, number))?.checked_mul(number)?;
        (1..=most).contains(&next).then_some(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_and_multiples() {
        assert_eq!((gcd(12, 18), gcd(0, 5), gcd(0, 0)), (6, 5, 0));
        assert_eq!(lcm([4, 6], 100), Some(12));
        assert_eq!((lcm([], 100), lcm([4, 6], 11), lcm([4, 0], 100)), (Some(1), None, None));
    }
}
