//! Credentials: where they are kept, which hosts each may be sent to, and how they stay out of everything else.
//!
//! A value lies in the OS keychain under the secret's own name; which hosts it may be sent to lies there as well, in one
//! entry for all ([`keychain::INDEX`]). Where the keychain has no value, the variable `PATCHBAY_SECRET_<NAME>` gives it
//! (upper case, `_` for everything but letters and digits), and `PATCHBAY_SECRET_<NAME>_HOSTS` its hosts, separated by
//! commas. No value is ever written to a file, a log, a report or the database.

pub mod hosts;
pub mod keychain;
mod redact;
pub mod template;
mod views;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hosts::HostPattern;
use patchbay_contracts::{
    Code, Problem,
    secret::{KeychainState, SecretHome, SecretInfo, Sensitive},
};
pub use redact::Redactor;
use url::Url;
pub use writer::{Redacted, RedactedEvent, guard_panics};

use crate::{Result, ports::Keychain, utils::nearest};

/// The longest name of a secret, in bytes.
pub const LONGEST_NAME: usize = 64;

/// The longest value of a secret, in bytes. A private key with its chain of certificates fits.
pub const LONGEST_VALUE: usize = 64 << 10;

/// The most secrets that are kept.
const MOST: usize = 1000;

/// The longest that one piece of work with the keychain may take. Somebody may have to type a password in that time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which secrets there are, and the hosts that each may be sent to.
type Index = BTreeMap<String, Vec<String>>;

/// Looks a variable of the process up.
type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// All credentials. Clones are the same ones.
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

struct Inner {
    keychain: Arc<dyn Keychain>,
    environment: Environment,
    held: Mutex<BTreeMap<String, Held>>,
    redactor: Redactor,
    /// Held while the index is read, changed and written.
    changing: tokio::sync::Mutex<()>,
}

/// A credential that came with something pasted, and goes with the program.
#[derive(Clone)]
struct Held {
    value: Sensitive<String>,
    hosts: Vec<String>,
}

/// A value with all that decides where it may go.
struct Found {
    value: Sensitive<String>,
    hosts: Vec<String>,
    home: SecretHome,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Credentials from `keychain`, and where it has none from `environment`, which looks a variable of the process up.
    pub fn new(keychain: Arc<dyn Keychain>, environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            keychain,
            environment: Box::new(environment),
            held: Mutex::default(),
            redactor: Redactor::default(),
            changing: tokio::sync::Mutex::new(()),
        }))
    }

    /// Whether values outlive the program. The first call may take up to two seconds, while the keychain is tried out.
    pub fn state(&self) -> KeychainState {
        self.0.keychain.state()
    }

    /// What takes the values of secrets out of texts. It knows each value from the moment at which it was set or asked
    /// for, and clones that were handed out before learn it too.
    pub fn redactor(&self) -> Redactor {
        self.0.redactor.clone()
    }

    /// All secrets by name: those that are kept, and those that definitions name. `used` says which integrations name
    /// which secret.
    ///
    /// # Errors
    /// [`Code::Keychain`] where the keychain can't be read.
    pub async fn list(&self, used: &BTreeMap<String, Vec<String>>) -> Result<Vec<SecretInfo>> {
        let index = self.index().await?;
        let held = self.held();
        let names: BTreeSet<String> = index.keys().chain(held.keys()).chain(used.keys()).cloned().collect();
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let used_by = used.get(&name).cloned().unwrap_or_default();
            let (hosts, home) = match self.find(&name, &index).await? {
                Some(found) => (found.hosts, found.home),
                None => (index.get(&name).cloned().unwrap_or_default(), SecretHome::Missing),
            };
            all.push(SecretInfo { name, hosts, home, used_by });
        }
        Ok(all)
    }

    /// Sets or replaces a secret. An empty value keeps the one that it has, and only the hosts change. `used_by` of what
    /// comes back is empty.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for a name or a host that can't be, or an empty value where there is none to keep;
    /// [`Code::TooLarge`] beyond the bounds; [`Code::Keychain`] where it can't be stored.
    pub async fn set(&self, name: &str, value: Sensitive<String>, hosts: Vec<String>) -> Result<SecretInfo> {
        valid_name(name)?;
        let hosts: Vec<String> = hosts::parse_all(hosts.iter().map(String::as_str))?.iter().map(HostPattern::to_string).collect();
        if value.expose().len() > LONGEST_VALUE {
            return Err(Problem::new(Code::TooLarge, format!("The value of `{name}` is over {} KiB", LONGEST_VALUE >> 10)));
        }
        // Before it is anywhere else: the keychain's answer could quote it.
        self.0.redactor.learn(name, value.expose());
        let _changing = self.0.changing.lock().await;
        let before = self.index().await?;
        let value = if value.expose().is_empty() { self.kept(name).await? } else { Some(value) };
        if before.len() >= MOST && !before.contains_key(name) {
            return Err(
                Problem::new(Code::TooLarge, format!("There are {MOST} secrets already")).next("Remove one that is not used")
            );
        }
        let mut after = before.clone();
        after.insert(name.to_owned(), hosts.clone());
        // The index comes first: a value that it doesn't name would lie in the keychain where nobody sees it.
        self.write_index(&after).await?;
        if let Some(value) = value {
            let key = name.to_owned();
            if let Err(problem) = self.blocking(move |keychain| keychain.set(&key, &value)).await {
                self.write_index(&before).await?;
                return Err(problem);
            }
        }
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let home = self.kept_in();
        Ok(SecretInfo { name: name.to_owned(), hosts, home, used_by: Vec::new() })
    }

    /// Removes a secret with its hosts.
    ///
    /// # Errors
    /// [`Code::NotFound`] with the nearest name where there is none; [`Code::Keychain`] where it can't be removed.
    pub async fn remove(&self, name: &str) -> Result<()> {
        valid_name(name)?;
        let _changing = self.0.changing.lock().await;
        let mut index = self.index().await?;
        let was_held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner).remove(name).is_some();
        let key = name.to_owned();
        let was_kept = self
            .blocking(move |keychain| {
                let was_kept = keychain.get(&key)?.is_some();
                keychain.remove(&key)?;
                Ok(was_kept)
            })
            .await?;
        if index.remove(name).is_some() {
            self.write_index(&index).await
        } else if was_held || was_kept {
            Ok(())
        } else {
            let problem = Problem::new(Code::NotFound, format!("There is no secret `{name}`"));
            Err(match nearest(name, index.keys().map(String::as_str)) {
                Some(near) => problem.next(format!("Did you mean `{near}`?")),
                None => problem,
            })
        }
    }

    /// Keeps a credential that came with something pasted, in memory until the program closes, bound to the given hosts.
    /// Gives the name that it got: `name`, or with a number behind it where that is taken by another value.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub async fn hold(&self, name: &str, value: Sensitive<String>, hosts: Vec<String>) -> Result<String> {
        valid_name(name)?;
        let hosts: Vec<String> = hosts::parse_all(hosts.iter().map(String::as_str))?.iter().map(HostPattern::to_string).collect();
        if value.expose().is_empty() || value.expose().len() > LONGEST_VALUE {
            return Err(Problem::new(
                Code::InvalidInput,
                format!("The value of `{name}` is empty or over {} KiB", LONGEST_VALUE >> 10),
            ));
        }
        let _changing = self.0.changing.lock().await;
        let index = self.index().await?;
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            return Err(Problem::new(Code::TooLarge, format!("There are {MOST} credentials in memory already"))
                .next("Restart Patchbay, or store them as secrets"));
        }
        let stem: String = name.chars().take(LONGEST_NAME - 5).collect();
        let mut free = name.to_owned();
        let mut number = 2;
        loop {
            match held.get(&free) {
                Some(other) if other.value == value && other.hosts == hosts => return Ok(free),
                None if !index.contains_key(&free) => break,
                _ => {
                    free = format!("{stem}-{number}");
                    number += 1;
                }
            }
        }
        self.0.redactor.learn(&free, value.expose());
        held.insert(free.clone(), Held { value, hosts });
        Ok(free)
    }

    /// The value of a secret, to be sent to `target` and nowhere else. The redactor knows it from here on.
    ///
    /// A value from the environment without a `_HOSTS` variable may go to any target: whoever starts the program names
    /// both. It must not follow a redirect; see [`may_follow`](Self::may_follow).
    ///
    /// # Errors
    /// [`Code::SecretMissing`] with the nearest name where it has no value; [`Code::SecretHost`] where it isn't bound to
    /// the target's host; [`Code::Keychain`] where the keychain fails and the environment has no value either.
    pub async fn value_for(&self, name: &str, target: &Url) -> Result<Sensitive<String>> {
        valid_name(name)?;
        let index = self.index().await;
        let known = index.as_ref().cloned().unwrap_or_default();
        let found = match self.find(name, &known).await? {
            Some(found) => found,
            None => return Err(index.err().unwrap_or_else(|| missing(name, &known))),
        };
        self.0.redactor.learn(name, found.value.expose());
        if let (SecretHome::Keychain, Err(problem)) = (found.home, index) {
            return Err(problem);
        }
        let unbound = found.home == SecretHome::Environment && found.hosts.is_empty();
        let host = hosts::host_of(target);
        if host.is_some() && (unbound || bound(&found.hosts, target)?) {
            return Ok(found.value);
        }
        let host = host.unwrap_or_else(|| "an address without a host".to_owned());
        let why = if found.hosts.is_empty() {
            "it isn't bound to any host yet".to_owned()
        } else {
            format!("it is bound to {}", found.hosts.join(", "))
        };
        Err(Problem::new(Code::SecretHost, format!("The secret `{name}` was not sent to {host}"))
            .why(why)
            .next(format!("If it belongs there, add {host} to the hosts of the secret")))
    }

    /// Whether a secret that was sent to `from` may be sent on to `to`, where a redirect points: within the same origin
    /// (scheme, host and port) always, elsewhere only where the secret is bound to that host and encryption isn't lost.
    pub async fn may_follow(&self, name: &str, from: &Url, to: &Url) -> bool {
        if from.origin() == to.origin() {
            return true;
        }
        if matches!(from.scheme(), "https" | "wss") && !matches!(to.scheme(), "https" | "wss") {
            return false;
        }
        let Ok(index) = self.index().await else { return false };
        match self.find(name, &index).await {
            Ok(Some(found)) => bound(&found.hosts, to).unwrap_or(false),
            _ => false,
        }
    }

    /// Looks in memory, then in the keychain, then in the environment. A keychain that fails counts only where the
    /// environment has no value.
    async fn find(&self, name: &str, index: &Index) -> Result<Option<Found>> {
        if let Some(held) = self.held().remove(name) {
            return Ok(Some(Found { value: held.value, hosts: held.hosts, home: SecretHome::Memory }));
        }
        let key = name.to_owned();
        let kept = self.blocking(move |keychain| keychain.get(&key)).await;
        if let Ok(Some(value)) = kept {
            let hosts = index.get(name).cloned().unwrap_or_default();
            return Ok(Some(Found { value, hosts, home: self.kept_in() }));
        }
        let variable = environment_name(name);
        match (self.0.environment)(&variable).filter(|value| !value.is_empty() && value.len() <= LONGEST_VALUE) {
            Some(value) => {
                let hosts = (self.0.environment)(&format!("{variable}_HOSTS")).unwrap_or_default();
                let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect();
                Ok(Some(Found { value: Sensitive::new(value), hosts, home: SecretHome::Environment }))
            }
            None => kept.map(|_| None),
        }
    }

    /// Makes sure that there is a value to keep. Gives it only where it must be moved into the keychain.
    async fn kept(&self, name: &str) -> Result<Option<Sensitive<String>>> {
        if let Some(held) = self.held().remove(name) {
            return Ok(Some(held.value));
        }
        let key = name.to_owned();
        if self.blocking(move |keychain| keychain.get(&key)).await?.is_some() {
            return Ok(None);
        }
        Err(Problem::new(Code::InvalidInput, format!("The secret `{name}` has no value yet")).next("Give it a value"))
    }

    fn kept_in(&self) -> SecretHome {
        if self.0.keychain.state().available { SecretHome::Keychain } else { SecretHome::Memory }
    }

    fn held(&self) -> BTreeMap<String, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn index(&self) -> Result<Index> {
        match self.blocking(|keychain| keychain.get(keychain::INDEX)).await? {
            None => Ok(Index::new()),
            Some(text) if text.expose().len() > 1 << 20 => Err(unreadable("it is over 1 MiB")),
            Some(text) => serde_json::from_str(text.expose()).map_err(|error| unreadable(&error.to_string())),
        }
    }

    async fn write_index(&self, index: &Index) -> Result<()> {
        let text = Sensitive::new(serde_json::to_string(index).map_err(Problem::internal)?);
        self.blocking(move |keychain| keychain.set(keychain::INDEX, &text)).await
    }

    /// Works with the keychain away from the asynchronous threads, and not for ever.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&dyn Keychain) -> Result<T> + Send + 'static) -> Result<T> {
        let keychain = Arc::clone(&self.0.keychain);
        let done = tokio::task::spawn_blocking(move || work(keychain.as_ref()));
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(Problem::internal(error)),
            Err(_) => Err(Problem::new(Code::Keychain, "The keychain does not answer")
                .why(format!("nothing came within {} s", PATIENCE.as_secs()))
                .next("Unlock it, or set the secret's PATCHBAY_SECRET_ variable instead")),
        }
    }
}

/// Whether `name` can be a secret's: 1 to 64 letters and digits of ASCII, `.`, `_` and `-`.
///
/// # Errors
/// [`Code::InvalidInput`] where it can't.
pub fn valid_name(name: &str) -> Result<()> {
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_name_byte) {
        return Ok(());
    }
    // What stands where a name belongs may be the value itself, put there by mistake: it isn't quoted.
    Err(Problem::new(Code::InvalidInput, "That is not the name of a secret")
        .next(format!("Use 1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores, such as orders-token")))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The variable of the process that gives a secret its value where the keychain has none.
pub fn environment_name(name: &str) -> String {
    let suffix: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("PATCHBAY_SECRET_{suffix}")
}

fn bound(hosts: &[String], target: &Url) -> Result<bool> {
    for host in hosts {
        if HostPattern::parse(host)?.matches(target) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn missing(name: &str, index: &Index) -> Problem {
    let problem = Problem::new(Code::SecretMissing, format!("The secret `{name}` has no value"))
        .next(format!("Set it with `patchbay secret set {name}`, or in the variable {}", environment_name(name)));
    match nearest(name, index.keys().map(String::as_str)) {
        Some(near) if near != name => problem.why(format!("did you mean `{near}`?")),
        _ => problem,
    }
}

fn unreadable(why: &str) -> Problem {
    Problem::new(Code::Keychain, "The list of secrets in the keychain can't be read")
        .why(why)
        .next("Remove the entry `secrets` of `patchbay-index` with the system's own keychain program, then set the secrets again")
}
