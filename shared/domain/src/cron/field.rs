//! One field of an expression: which values it names, and whether it was a star.

/// A field's place in the expression: its name, its lowest and highest value, the names of its values.
pub(super) struct Kind {
    name: &'static str,
    low: u8,
    high: u8,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The five fields, in order.
pub(super) const KINDS: [Kind; 5] = [
    kind("minute", 0, 59, &[]),
    kind("hour", 0, 23, &[]),
    kind("day of month", 1, 31, &[]),
    kind("month", 1, 12, MONTHS),
    kind("day of week", 0, 6, DAYS),
];

const fn kind(name: &'static str, low: u8, high: u8, names: &'static [&'static str]) -> Kind {
    Kind {
        name,
        low,
        high,
        names,
    }
}

/// The values a field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit n is value n; no field has a value over 59.
    bits: u64,
    /// Written as `*` or `?`, without a step over 1: decides how the two fields of days combine.
    pub(super) star: bool,
}

impl Field {
    /// Whether it names `value`.
    pub(super) fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| value < 64 && self.bits >> value & 1 == 1)
    }

    /// How many values it names.
    pub(super) fn len(self) -> u32 {
        self.bits.count_ones()
    }

    /// Its values, ascending.
    pub(super) fn values(self) -> impl Iterator<Item = i8> {
        (0..60).filter(move |value| self.has(*value))
    }

    /// Reads a field: a list of `*`, `?`, `n`, `n-m`, each with `/step` or without.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence's end.
    pub(super) fn parse(text: &str, kind: &Kind) -> Result<Self, String> {
        let mut field = Self {
            bits: 0,
            star: false,
        };
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                None => (part, 1),
                Some((range, step)) => (range, kind.step(step)?),
            };
            let star = matches!(range, "*" | "?");
            let (from, to) = match range.split_once('-') {
                _ if star => (kind.low, kind.high),
                // `n/step` goes on to the highest value; `n` alone is one.
                None if part.len() > range.len() => (kind.value(range)?, kind.high),
                None => (kind.value(range)?, kind.value(range)?),
                Some((from, to)) => (kind.value(from)?, kind.value(to)?),
            };
            if from > to {
                return Err(format!("{}: {range} ends before it begins", kind.name));
            }
            field.star |= star && step == 1;
            field.bits |= (from..=to)
                .step_by(step)
                .fold(0, |bits, value| bits | 1 << value);
        }
        Ok(field)
    }
}

impl Kind {
    /// A value, by number or name.
    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self
            .names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name));
        let value = match named.and_then(|at| u8::try_from(at).ok()) {
            Some(at) => Some(self.low + at),
            None => number(text).and_then(|number| u8::try_from(number).ok()),
        };
        value
            .filter(|value| (self.low..=self.high).contains(value))
            .ok_or_else(|| {
                let Self {
                    name, low, high, ..
                } = self;
                format!("{name}: {text:?} is not between {low} and {high}")
            })
    }

    /// A step. Beyond the field's values it leaves the first of them.
    fn step(&self, text: &str) -> Result<usize, String> {
        number(text)
            .filter(|step| *step > 0)
            .ok_or_else(|| format!("{}: a step is a number over 0, not {text:?}", self.name))
    }
}

/// A number of digits alone: no sign, no space.
fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
