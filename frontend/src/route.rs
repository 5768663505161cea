//! Where in the program one is, as a part of the address behind `#`.

use patchbay_contracts::run::RunId;

/// A place in the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// How everything does.
    Overview,
    /// The list of integrations.
    Integrations,
    /// The form that registers an integration.
    Add,
    /// One integration.
    Integration {
        /// Its name.
        name: String,
        /// Which of its pages.
        tab: Tab,
    },
    /// A probe of any address.
    Probe,
    /// The last contract verdict of each integration.
    Contracts,
    /// The last load run of each integration.
    Load,
    /// The metrics of each integration.
    Metrics,
    /// All incidents.
    Incidents,
    /// All stored runs.
    History,
    /// One stored run.
    Run(RunId),
    /// Settings, secrets, the sample service, the machine.
    Settings,
    /// What the program did.
    Log,
    /// No place by that address.
    Unknown(String),
}

/// A page of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the pages' own")]
pub enum Tab {
    Health,
    Probe,
    Contract,
    Load,
    Metrics,
    History,
    Definition,
}

impl Tab {
    /// All of them, in the order in which they stand.
    pub const ALL: [Self; 7] =
        [Self::Health, Self::Probe, Self::Contract, Self::Load, Self::Metrics, Self::History, Self::Definition];

    /// The word in the address.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Probe => "probe",
            Self::Contract => "contract",
            Self::Load => "load",
            Self::Metrics => "metrics",
            Self::History => "history",
            Self::Definition => "definition",
        }
    }

    /// The word on the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Health => "Health",
            Self::Probe => "Probe",
            Self::Contract => "Contract",
            Self::Load => "Load",
            Self::Metrics => "Metrics",
            Self::History => "History",
            Self::Definition => "Definition",
        }
    }
}

impl Route {
    /// The health page of an integration.
    pub fn integration(name: impl Into<String>) -> Self {
        Self::Integration { name: name.into(), tab: Tab::Health }
    }

    /// The place that the part of an address behind `#` names. Nothing at all names the overview.
    pub fn parse(hash: &str) -> Self {
        let path = hash.trim_start_matches('#').trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        let known = match parts.as_slice() {
            [""] | ["overview"] => Some(Self::Overview),
            ["integrations"] => Some(Self::Integrations),
            ["add"] => Some(Self::Add),
            ["integrations", name] => decode(name).map(Self::integration),
            ["integrations", name, tab] => {
                let tab = Tab::ALL.into_iter().find(|known| known.slug() == *tab);
                decode(name).zip(tab).map(|(name, tab)| Self::Integration { name, tab })
            }
            ["probe"] => Some(Self::Probe),
            ["contracts"] => Some(Self::Contracts),
            ["load"] => Some(Self::Load),
            ["metrics"] => Some(Self::Metrics),
            ["incidents"] => Some(Self::Incidents),
            ["history"] => Some(Self::History),
            ["history", id] => id.parse().ok().map(Self::Run),
            ["settings"] => Some(Self::Settings),
            ["log"] => Some(Self::Log),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unknown(path.to_owned()))
    }

    /// The address, `#` not included; [`Route::parse`] reads it back.
    pub fn path(&self) -> String {
        match self {
            Self::Overview => "/".to_owned(),
            Self::Integrations => "/integrations".to_owned(),
            Self::Add => "/add".to_owned(),
            Self::Integration { name, tab } => format!("/integrations/{}/{}", encode(name), tab.slug()),
            Self::Probe => "/probe".to_owned(),
            Self::Contracts => "/contracts".to_owned(),
            Self::Load => "/load".to_owned(),
            Self::Metrics => "/metrics".to_owned(),
            Self::Incidents => "/incidents".to_owned(),
            Self::History => "/history".to_owned(),
            Self::Run(id) => format!("/history/{id}"),
            Self::Settings => "/settings".to_owned(),
            Self::Log => "/log".to_owned(),
            Self::Unknown(path) => format!("/{path}"),
        }
    }

    /// The address as a link has it.
    pub fn href(&self) -> String {
        format!("#{}", self.path())
    }

    /// What the title says.
    pub fn title(&self) -> String {
        match self {
            Self::Overview => "Overview".to_owned(),
            Self::Integrations => "Integrations".to_owned(),
            Self::Add => "Add an integration".to_owned(),
            Self::Integration { name, tab } => format!("{name} · {}", tab.title()),
            Self::Probe => "Probe".to_owned(),
            Self::Contracts => "Contracts".to_owned(),
            Self::Load => "Load".to_owned(),
            Self::Metrics => "Metrics".to_owned(),
            Self::Incidents => "Incidents".to_owned(),
            Self::History => "History".to_owned(),
            Self::Run(id) => format!("Run {id}"),
            Self::Settings => "Settings".to_owned(),
            Self::Log => "Log".to_owned(),
            Self::Unknown(_) => "Nothing here".to_owned(),
        }
    }

    /// The place one level up, where Escape leads.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Overview => None,
            Self::Integration { tab: Tab::Health, .. } | Self::Add => Some(Self::Integrations),
            Self::Integration { name, .. } => Some(Self::integration(name.clone())),
            Self::Run(_) => Some(Self::History),
            Self::Log => Some(Self::Settings),
            _ => Some(Self::Overview),
        }
    }

    /// The entry of the sidebar that stands for the place.
    pub fn section(&self) -> Self {
        match self {
            Self::Integration { .. } | Self::Add => Self::Integrations,
            Self::Run(_) => Self::History,
            Self::Log => Self::Settings,
            other => other.clone(),
        }
    }
}

/// Percent-encodes all that isn't unreserved in RFC 3986.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Takes percent-encoding away; `None` where what it encodes isn't text.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let pair = bytes.get(at + 1..at + 3)?;
            out.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}
