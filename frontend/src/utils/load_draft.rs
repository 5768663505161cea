//! What stands in the form of a load run, as text, so that what is half typed stays as it is; and what is meant by it.

use std::collections::BTreeMap;

use patchbay_contracts::{
    integration::{DataFeed, Executor, FeedOrder, Level, LoadSpec, Protocol, Spacing, SpanRange, Stage, Weighted},
    units::{BadQuantity, Rate, Span},
};

/// Which endpoints are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Calls {
    /// One of them.
    #[default]
    One,
    /// Several, of which each request takes one by weight.
    Mix,
    /// Several in order.
    Chain,
}

/// A list of endpoints that are called in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// By each user, again and again.
    Chain,
    /// Once, before the run.
    Setup,
    /// Once, after it.
    Teardown,
}

/// What stands in the fields.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct Draft {
    pub executor: Executor,
    pub calls: Calls,
    pub endpoint: String,
    /// Endpoints with their weights; without a weight one isn't called.
    pub mix: Vec<(String, String)>,
    pub chain: Vec<String>,
    pub setup: Vec<String>,
    pub teardown: Vec<String>,
    /// Files with values, and which row is taken.
    pub data: Vec<(String, FeedOrder)>,
    pub rate: String,
    /// The rate that the first stage begins at.
    pub start_rate: String,
    pub connections: String,
    /// The connections that the first stage begins at.
    pub start_connections: String,
    /// Where each stage leads, and how long it takes.
    pub stages: Vec<(String, String)>,
    pub duration: String,
    pub warm_up: String,
    pub timeout: String,
    pub grace: String,
    pub connect_rate: String,
    pub seed: String,
    pub think_time: String,
    pub streams: String,
    pub iterations: String,
    pub abort_after: String,
    pub spacing: Spacing,
    pub protocol: Protocol,
    pub keep_alive: bool,
    pub session_reuse: bool,
    pub thresholds: Vec<String>,
    /// The threshold that is typed and not yet added.
    pub threshold: String,
}

/// What would do in the fields that can't be read, by the field's name.
pub type Mistakes = BTreeMap<String, String>;

fn shown<T: ToString>(value: Option<T>, otherwise: &str) -> String {
    value.map_or_else(|| otherwise.to_owned(), |value| value.to_string())
}

impl Draft {
    /// What a file says, or what suits where it says nothing.
    pub fn of(spec: Option<&LoadSpec>) -> Self {
        let spec = spec.cloned().unwrap_or_default();
        let executor = spec.executor;
        let calls = match (spec.mix.is_empty(), spec.chain.is_empty()) {
            (true, true) => Calls::One,
            (false, _) => Calls::Mix,
            (true, false) => Calls::Chain,
        };
        let at = |wanted: bool, text: String| if wanted { text } else { String::new() };
        let starts_at_connections = executor == Executor::RampingConnections;
        let mut draft = Self {
            executor,
            calls,
            endpoint: spec.endpoint.unwrap_or_default(),
            mix: spec.mix.into_iter().map(|one| (one.endpoint, one.weight.to_string())).collect(),
            chain: spec.chain,
            setup: spec.setup,
            teardown: spec.teardown,
            data: spec.data.into_iter().map(|feed| (feed.file, feed.order)).collect(),
            rate: if executor == Executor::ConstantArrivalRate { shown(spec.rate, "50/s") } else { "50/s".to_owned() },
            start_rate: at(executor == Executor::RampingArrivalRate, shown(spec.rate, "")),
            connections: at(!starts_at_connections, shown(spec.connections, "")),
            start_connections: at(starts_at_connections, shown(spec.connections, "")),
            stages: spec.stages.iter().map(|stage| (stage.to.to_string(), stage.over.to_string())).collect(),
            duration: at(!executor.is_ramping(), shown(spec.duration, "10s")),
            warm_up: shown(spec.warm_up, ""),
            timeout: shown(spec.timeout, ""),
            grace: shown(spec.grace, ""),
            connect_rate: shown(spec.connect_rate, ""),
            seed: shown(spec.seed, ""),
            think_time: shown(spec.think_time, ""),
            streams: shown(spec.streams, ""),
            iterations: shown(spec.iterations, ""),
            abort_after: shown(spec.abort_after, ""),
            spacing: spec.spacing,
            protocol: spec.protocol,
            keep_alive: spec.keep_alive,
            session_reuse: spec.session_reuse,
            thresholds: spec.thresholds,
            threshold: String::new(),
        };
        if draft.duration.is_empty() {
            "10s".clone_into(&mut draft.duration);
        }
        draft
    }

    /// Chooses who decides when the next request goes out. Stages that lead to something else give way to ones that suit.
    pub fn choose(&mut self, executor: Executor) {
        self.executor = executor;
        let suits = |(to, _): &(String, String)| matches!(to.parse(), Ok(Level::Rate(_))) == executor.is_open();
        if executor.is_ramping() && (self.stages.is_empty() || !self.stages.iter().all(suits)) {
            let to = if executor.is_open() { "50/s" } else { "20" };
            self.stages = ["10s", "20s"].map(|over| (to.to_owned(), over.to_owned())).to_vec();
        }
    }

    /// One stage more, which stays where the last one led.
    pub fn add_stage(&mut self) {
        let open = self.executor.is_open();
        let last = self.stages.last().cloned();
        self.stages.push(last.unwrap_or_else(|| (if open { "50/s" } else { "20" }.to_owned(), "10s".to_owned())));
    }

    /// The endpoints of a list.
    pub const fn listed(&self, which: Listed) -> &Vec<String> {
        match which {
            Listed::Chain => &self.chain,
            Listed::Setup => &self.setup,
            Listed::Teardown => &self.teardown,
        }
    }

    /// The same, to change them.
    pub const fn listed_mut(&mut self, which: Listed) -> &mut Vec<String> {
        match which {
            Listed::Chain => &mut self.chain,
            Listed::Setup => &mut self.setup,
            Listed::Teardown => &mut self.teardown,
        }
    }

    /// The weight of an endpoint; empty where it isn't called.
    pub fn weight(&self, endpoint: &str) -> &str {
        self.mix.iter().find(|(name, _)| name == endpoint).map_or("", |(_, weight)| weight)
    }

    /// Gives an endpoint a weight.
    pub fn weigh(&mut self, endpoint: &str, weight: String) {
        match self.mix.iter_mut().find(|(name, _)| name == endpoint) {
            Some(one) => one.1 = weight,
            None => self.mix.push((endpoint.to_owned(), weight)),
        }
    }

    /// The thresholds, with the one that is typed and not yet added: it was meant.
    pub fn all_thresholds(&self) -> Vec<String> {
        let typed = self.threshold.trim();
        let mut all = self.thresholds.clone();
        if !typed.is_empty() && !all.iter().any(|known| known == typed) {
            all.push(typed.to_owned());
        }
        all
    }

    /// How many of the fields that are rarely used say something.
    pub fn rarely_used(&self) -> usize {
        let texts = [
            &self.think_time,
            &self.streams,
            &self.iterations,
            &self.abort_after,
            &self.timeout,
            &self.grace,
            &self.connect_rate,
            &self.seed,
        ];
        let lists = [self.setup.is_empty(), self.teardown.is_empty(), self.data.is_empty()];
        texts.into_iter().filter(|text| !text.trim().is_empty()).count()
            + lists.into_iter().filter(|empty| !empty).count()
            + usize::from(self.spacing != Spacing::default() && self.executor.is_open())
            + usize::from(self.protocol != Protocol::default())
            + usize::from(!self.keep_alive)
            + usize::from(!self.session_reuse)
    }

    /// What is meant.
    ///
    /// # Errors
    /// For each field that can't be read, what would do.
    pub fn read(&self) -> Result<LoadSpec, Mistakes> {
        let mut wrong = Mistakes::new();
        let (executor, open) = (self.executor, self.executor.is_open());
        let spec = LoadSpec {
            executor,
            endpoint: Some(self.endpoint.clone()).filter(|endpoint| self.calls == Calls::One && !endpoint.is_empty()),
            mix: self.read_mix(&mut wrong),
            chain: self.read_chain(&mut wrong),
            setup: self.setup.clone(),
            teardown: self.teardown.clone(),
            data: self.read_data(),
            rate: match executor {
                Executor::ConstantArrivalRate => rate("rate", &self.rate, true, &mut wrong),
                Executor::RampingArrivalRate => rate("start-rate", &self.start_rate, false, &mut wrong),
                _ => None,
            },
            connections: match executor {
                Executor::RampingConnections => whole("start-connections", &self.start_connections, 0, &mut wrong),
                _ => whole("connections", &self.connections, 1, &mut wrong),
            },
            stages: if executor.is_ramping() { self.read_stages(&mut wrong) } else { Vec::new() },
            duration: if executor.is_ramping() { None } else { duration(&self.duration, &mut wrong) },
            warm_up: quantity("warm-up", &self.warm_up, &mut wrong),
            timeout: quantity("timeout", &self.timeout, &mut wrong),
            grace: quantity("grace", &self.grace, &mut wrong),
            connect_rate: some_rate("connect-rate", &self.connect_rate, &mut wrong),
            seed: seed(&self.seed, &mut wrong),
            think_time: if open { None } else { quantity::<SpanRange>("think-time", &self.think_time, &mut wrong) },
            streams: if self.protocol == Protocol::Http2 { whole("streams", &self.streams, 1, &mut wrong) } else { None },
            iterations: whole("iterations", &self.iterations, 1, &mut wrong).map(u64::from),
            abort_after: quantity("abort-after", &self.abort_after, &mut wrong),
            spacing: if open { self.spacing } else { Spacing::default() },
            protocol: self.protocol,
            keep_alive: self.keep_alive,
            session_reuse: self.session_reuse,
            thresholds: self.all_thresholds(),
        };
        if wrong.is_empty() { Ok(spec) } else { Err(wrong) }
    }

    fn read_mix(&self, wrong: &mut Mistakes) -> Vec<Weighted> {
        if self.calls != Calls::Mix {
            return Vec::new();
        }
        let mut mix = Vec::new();
        for (endpoint, text) in &self.mix {
            match text.trim() {
                "" | "0" => {}
                text => match text.parse() {
                    Ok(weight) => mix.push(Weighted { endpoint: endpoint.clone(), weight }),
                    Err(_) => {
                        wrong.insert(format!("mix {endpoint}"), "A whole number; nothing leaves it out".to_owned());
                    }
                },
            }
        }
        if mix.is_empty() {
            wrong.entry("mix".to_owned()).or_insert_with(|| "Give at least one endpoint a weight".to_owned());
        }
        mix
    }

    fn read_chain(&self, wrong: &mut Mistakes) -> Vec<String> {
        if self.calls != Calls::Chain {
            return Vec::new();
        }
        if self.chain.is_empty() {
            wrong.insert("chain".to_owned(), "Add at least one endpoint".to_owned());
        }
        self.chain.clone()
    }

    fn read_data(&self) -> Vec<DataFeed> {
        let named = self.data.iter().filter(|(file, _)| !file.trim().is_empty());
        named.map(|(file, order)| DataFeed { file: file.trim().to_owned(), order: *order }).collect()
    }

    fn read_stages(&self, wrong: &mut Mistakes) -> Vec<Stage> {
        let mut stages = Vec::new();
        for (at, (to, over)) in self.stages.iter().enumerate() {
            let level = match (to.trim().parse(), self.executor.is_open()) {
                (Ok(level @ Level::Rate(_)), true) | (Ok(level @ Level::Connections(_)), false) => Some(level),
                (Ok(_) | Err(_), open) => {
                    let what = if open { "A rate, such as 200/s" } else { "A number of connections, such as 50" };
                    wrong.insert(format!("stage-to-{at}"), what.to_owned());
                    None
                }
            };
            let over = match over.trim().parse::<Span>() {
                Ok(over) => Some(over),
                Err(_) => {
                    wrong.insert(format!("stage-over-{at}"), "A time, such as 30s".to_owned());
                    None
                }
            };
            stages.extend(level.zip(over).map(|(to, over)| Stage { to, over }));
        }
        if self.stages.is_empty() {
            wrong.insert("stages".to_owned(), "Add at least one stage".to_owned());
        }
        stages
    }
}

/// Nothing, or a quantity.
fn quantity<T: std::str::FromStr<Err = BadQuantity>>(field: &str, text: &str, wrong: &mut Mistakes) -> Option<T> {
    match text.trim() {
        "" => None,
        text => text.parse().map_err(|bad: BadQuantity| wrong.insert(field.to_owned(), bad.to_string())).ok(),
    }
}

fn duration(text: &str, wrong: &mut Mistakes) -> Option<Span> {
    let duration: Option<Span> = quantity("duration", text, wrong);
    if duration.is_none_or(|span| span.as_ms() <= 0.0) {
        wrong.entry("duration".to_owned()).or_insert_with(|| "Say how long, such as 30s or 1m".to_owned());
    }
    duration
}

fn rate(field: &str, text: &str, needed: bool, wrong: &mut Mistakes) -> Option<Rate> {
    let rate: Option<Rate> = quantity(field, text, wrong);
    if needed && rate.is_none_or(|rate| rate.count <= 0.0) {
        wrong.entry(field.to_owned()).or_insert_with(|| "A rate above zero, such as 50/s".to_owned());
    }
    rate
}

/// Nothing, or a rate above zero.
fn some_rate(field: &str, text: &str, wrong: &mut Mistakes) -> Option<Rate> {
    rate(field, text, !text.trim().is_empty(), wrong)
}

fn seed(text: &str, wrong: &mut Mistakes) -> Option<u64> {
    match text.trim() {
        "" => None,
        text => text.parse().map_err(|_| wrong.insert("seed".to_owned(), "A whole number".to_owned())).ok(),
    }
}

fn whole(field: &str, text: &str, least: u32, wrong: &mut Mistakes) -> Option<u32> {
    match text.trim() {
        "" => None,
        text => match text.parse() {
            Ok(count) if count >= least => Some(count),
            _ => {
                let what = if least == 0 { "A whole number" } else { "A whole number above zero" };
                wrong.insert(field.to_owned(), what.to_owned());
                None
            }
        },
    }
}
