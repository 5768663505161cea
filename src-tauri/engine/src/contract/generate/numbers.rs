//! Numbers within the limits of a shape, at them and beyond them.

use serde_json::{Number, Value, json};

use super::{Case, Chance, shapes::Shape};

/// The largest whole number that every JSON implementation keeps exactly (RFC 8259, 6).
const EXACT: f64 = 9_007_199_254_740_991.0;

/// The limits of a shape's numbers.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    whole: bool,
    least: Option<f64>,
    most: Option<f64>,
    /// Whether the limits themselves are excluded.
    above: bool,
    below: bool,
    step: Option<f64>,
    /// Limits beyond what a float keeps, exactly.
    exact: (Option<i64>, Option<i64>),
}

impl Limits {
    pub(super) fn of(shape: &Shape, whole: bool) -> Self {
        let number = |key: &str| shape.get(key).and_then(Value::as_f64);
        let exact = |key: &str| shape.get(key).and_then(Value::as_i64);
        let (mut least, mut above) = (number("minimum"), false);
        if let Some(limit) = number("exclusiveMinimum").filter(|limit| least.is_none_or(|least| *limit >= least)) {
            (least, above) = (Some(limit), true);
        }
        let (mut most, mut below) = (number("maximum"), false);
        if let Some(limit) = number("exclusiveMaximum").filter(|limit| most.is_none_or(|most| *limit <= most)) {
            (most, below) = (Some(limit), true);
        }
        let step = number("multipleOf").filter(|step| *step > 0.0);
        Self { whole, least, most, above, below, step, exact: (exact("minimum"), exact("maximum")) }
    }

    /// The distance between two neighbours.
    fn unit(&self) -> f64 {
        match self.step {
            Some(step) if !self.whole || step.fract() == 0.0 => step,
            _ if self.whole => 1.0,
            _ => 0.01,
        }
    }

    /// The number that is so many units from zero.
    fn at(&self, units: f64) -> f64 {
        let unit = self.unit();
        // A hundredth has no exact float; dividing by a hundred rounds once, where multiplying would round twice.
        let inverse = (1.0 / unit).round();
        if unit < 1.0 && (1.0 / unit - inverse).abs() < 1e-9 { units / inverse } else { units * unit }
    }

    fn units(&self, value: f64) -> f64 {
        let units = value / self.unit();
        if (units - units.round()).abs() < 1e-6 { units.round() } else { units }
    }

    /// The smallest number that is allowed.
    pub(super) fn lowest(&self) -> Option<f64> {
        let least = self.least?;
        if !self.whole && self.step.is_none() && !self.above {
            return Some(least);
        }
        let mut units = self.units(least).ceil();
        if self.above && self.at(units) <= least {
            units += 1.0;
        }
        Some(self.at(units))
    }

    /// The largest number that is allowed.
    pub(super) fn highest(&self) -> Option<f64> {
        let most = self.most?;
        if !self.whole && self.step.is_none() && !self.below {
            return Some(most);
        }
        let mut units = self.units(most).floor();
        if self.below && self.at(units) >= most {
            units -= 1.0;
        }
        Some(self.at(units))
    }

    fn fits(&self, value: f64) -> bool {
        self.lowest().is_none_or(|lowest| value >= lowest) && self.highest().is_none_or(|highest| value <= highest)
    }

    /// An ordinary number: 1, or what is nearest to it.
    pub(super) fn plain(&self) -> Value {
        let one = if self.step.is_some() { self.at(1.0) } else { 1.0 };
        let value = match (self.lowest(), self.highest()) {
            _ if self.fits(one) => one,
            (Some(lowest), _) if lowest > one => lowest,
            (_, Some(highest)) => highest,
            (Some(lowest), None) => lowest,
            (None, None) => one,
        };
        self.number(value)
    }

    /// Numbers at the limits, and others that are easily got wrong.
    pub(super) fn edges(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        let mut put = |value: Value, keyword, what: String| cases.push(Case::new(value, keyword, what));
        if let Some(lowest) = self.lowest() {
            let value = self.exact.0.filter(|_| lowest.abs() > EXACT).map_or_else(|| self.number(lowest), Value::from);
            put(value.clone(), "minimum", format!("is {value}, the smallest that is allowed"));
            if lowest.abs() <= EXACT {
                let next = self.number(self.at(self.units(lowest).floor() + 1.0));
                put(next.clone(), "minimum", format!("is {next}, just above the smallest that is allowed"));
            }
        }
        if let Some(highest) = self.highest() {
            let value = self.exact.1.filter(|_| highest.abs() > EXACT).map_or_else(|| self.number(highest), Value::from);
            put(value.clone(), "maximum", format!("is {value}, the largest that is allowed"));
            if highest.abs() <= EXACT {
                let next = self.number(self.at(self.units(highest).ceil() - 1.0));
                put(next.clone(), "maximum", format!("is {next}, just below the largest that is allowed"));
            }
        }
        put(json!(0), "type", "is 0".to_owned());
        let minus = self.number(-self.at(1.0).abs().max(1.0));
        put(minus.clone(), "type", format!("is {minus}"));
        if self.highest().is_none() {
            put(self.number(self.at(self.units(2_147_483_647.0).floor())), "type", "is large".to_owned());
        }
        if self.lowest().is_none() {
            put(self.number(self.at(self.units(-2_147_483_648.0).ceil())), "type", "is far below zero".to_owned());
        }
        if !self.whole && self.step.is_none() {
            let middle = match (self.lowest(), self.highest()) {
                (Some(low), Some(high)) => f64::midpoint(low, high),
                (Some(low), None) => low + 0.5,
                (None, Some(high)) => high - 0.5,
                (None, None) => 0.5,
            };
            put(self.number(middle), "type", "has a fraction".to_owned());
        }
        if let Some(step) = self.step {
            let third = self.number(self.at(3.0));
            put(third, "multipleOf", format!("is another multiple of {step}"));
        }
        cases
    }

    /// Numbers outside of the limits.
    pub(super) fn wrong(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        // Beyond 2^53 a float has no neighbour at a distance of one; one past a limit of 64 bits is still written exactly.
        let past = |limit: f64, by: f64| match limit.abs() > EXACT {
            true => big(limit, by),
            false => Some(self.number(limit + by)),
        };
        let unit = if self.whole { 1.0 } else { self.unit() };
        if let Some(least) = self.least {
            let value = if self.above { Some(self.number(least)) } else { past(self.at(self.units(least).floor()), -unit) };
            let keyword = if self.above { "exclusiveMinimum" } else { "minimum" };
            let said = if self.above { "which must be exceeded" } else { "below the minimum" };
            cases.extend(value.map(|value| {
                Case::new(value.clone(), keyword, format!("is {value}, {said} ({keyword}: {})", self.number(least)))
            }));
            if least.abs() <= EXACT {
                let far = self.number(self.at(self.units(least).floor()) - 1000.0);
                cases.push(Case::new(far.clone(), keyword, format!("is {far}, far below {} ({keyword})", self.number(least))));
            }
        }
        if let Some(most) = self.most {
            let value = if self.below { Some(self.number(most)) } else { past(self.at(self.units(most).ceil()), unit) };
            let keyword = if self.below { "exclusiveMaximum" } else { "maximum" };
            let said = if self.below { "which must not be reached" } else { "above the maximum" };
            cases.extend(value.map(|value| {
                Case::new(value.clone(), keyword, format!("is {value}, {said} ({keyword}: {})", self.number(most)))
            }));
            if most.abs() <= EXACT {
                let far = self.number(self.at(self.units(most).ceil()) + 1_000_000.0);
                cases.push(Case::new(far.clone(), keyword, format!("is {far}, far above {} ({keyword})", self.number(most))));
            }
        }
        if let Some(step) = self.step {
            let base = self.lowest().unwrap_or(0.0);
            let value = if self.whole { base + 1.0 } else { base + step / 2.0 };
            let value = self.number(value);
            cases.push(Case::new(value.clone(), "multipleOf", format!("is {value}, which is no multiple of {step}")));
        }
        if self.whole {
            let half = self.plain().as_f64().unwrap_or(1.0) + 0.5;
            cases.push(Case::new(json!(half), "type", format!("is {half}, and a whole number is asked for")));
        }
        cases
    }

    pub(super) fn random(&self, chance: &mut Chance) -> Value {
        let near = 10_f64.powi(i32::try_from(chance.below(6)).unwrap_or(0) + 1);
        let (low, high) = match (self.lowest(), self.highest()) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, low + near),
            (None, Some(high)) => (high - near, high),
            (None, None) => (-near, near),
        };
        let (first, last) = (self.units(low).ceil(), self.units(high).floor());
        let units = (first + (chance.unit() * (last - first + 1.0)).floor()).clamp(first.min(last), last.max(first));
        self.number(self.at(units))
    }

    fn number(&self, value: f64) -> Value {
        if value.fract() == 0.0 && value.abs() <= 9.3e18 {
            // The conversion saturates at the limits of 64 bits, which are what is meant there.
            return json!(value as i64);
        }
        json!(value)
    }
}

/// A limit of 64 bits and one more, which only an unsigned number or a float can be.
fn big(limit: f64, by: f64) -> Option<Value> {
    if limit >= 9.2e18 && by > 0.0 {
        return Some(json!(9_223_372_036_854_775_808_u64));
    }
    Number::from_f64(limit * 1.001).map(Value::Number)
}
