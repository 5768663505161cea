//! Where credentials are kept: the operating system's keychain, or memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, Once, PoisonError},
    time::Duration,
};

use keyring::Entry;
use patchbay_contracts::{
    Code, Problem,
    secret::{KeychainState, Sensitive},
};

use crate::{Result, ports::Keychain};

/// The service under which each secret lies in the OS keychain, with the secret's name as its user and its raw value as
/// the password. `secret-tool lookup service patchbay username NAME` finds it.
pub const SERVICE: &str = "patchbay";

/// The name of the entry that says which secrets there are and which hosts each may be sent to. It holds a JSON object
/// from a secret's name to its list of hosts. The part before the slash is the service and the part after it the user;
/// no secret can be called so, since a slash is not allowed in a name.
pub const INDEX: &str = "patchbay-index/secrets";

/// How long [`Keychain::state`] waits for the first answer of the keychain. One that asks a person to unlock it takes
/// longer, and is used from the moment that it answers.
const GLANCE: Duration = Duration::from_secs(2);

/// How long a value is awaited while the keychain asks a person to unlock it. After that every call fails at once, until
/// it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The OS keychain: the Secret Service on Linux and the BSDs, Keychain Services on macOS, the Credential Manager on
/// Windows. Whether it truly keeps a value is found out at the first use. Where it does not, values go into memory
/// until the program closes, and [`Keychain::state`] says why.
pub fn os() -> Arc<dyn Keychain> {
    Arc::new(OsKeychain { trial: Arc::default(), begun: Once::new(), memory: MemoryKeychain::default() })
}

/// A keychain in memory: empty at first, gone with the program.
pub fn memory() -> Arc<dyn Keychain> {
    Arc::new(MemoryKeychain::default())
}

#[derive(Default)]
struct MemoryKeychain(Mutex<BTreeMap<String, Sensitive<String>>>);

impl Keychain for MemoryKeychain {
    fn get(&self, name: &str) -> Result<Option<Sensitive<String>>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn set(&self, name: &str, value: &Sensitive<String>) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }

    fn state(&self) -> KeychainState {
        KeychainState { available: false, detail: "memory: values are gone when Patchbay closes".to_owned() }
    }
}

/// The trial of the keychain: a value is put into it and must come out again.
#[derive(Default)]
struct Trial {
    outcome: Mutex<Outcome>,
    ended: Condvar,
}

#[derive(Default, Clone)]
enum Outcome {
    /// It has not ended.
    #[default]
    Waiting,
    /// It has not ended, and somebody has waited for it long enough.
    GivenUp,
    /// The keychain keeps values.
    Works,
    /// It does not, and why. This is final: values go into memory from here on.
    Fails(String),
}

struct OsKeychain {
    trial: Arc<Trial>,
    begun: Once,
    memory: MemoryKeychain,
}

impl OsKeychain {
    /// What the trial showed, waiting for its end as long as `patience`.
    fn outcome(&self, patience: Duration) -> Outcome {
        self.begun.call_once(|| {
            let trial = Arc::clone(&self.trial);
            // A thread of its own: a keychain that waits for a person must not hold up the one who asks.
            std::thread::spawn(move || {
                let outcome = match std::panic::catch_unwind(try_out) {
                    Ok(Ok(())) => Outcome::Works,
                    Ok(Err(why)) => Outcome::Fails(why),
                    Err(_) => Outcome::Fails("it failed in an unforeseen way".to_owned()),
                };
                *trial.outcome.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
                trial.ended.notify_all();
            });
        });
        let outcome = self.trial.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcome, _) = self
            .trial
            .ended
            .wait_timeout_while(outcome, patience, |outcome| matches!(outcome, Outcome::Waiting))
            .unwrap_or_else(PoisonError::into_inner);
        outcome.clone()
    }

    /// Whether the keychain keeps values; if not, memory does.
    fn works(&self) -> Result<bool> {
        match self.outcome(PATIENCE) {
            Outcome::Works => Ok(true),
            Outcome::Fails(_) => Ok(false),
            Outcome::Waiting | Outcome::GivenUp => {
                let mut outcome = self.trial.outcome.lock().unwrap_or_else(PoisonError::into_inner);
                if matches!(*outcome, Outcome::Waiting) {
                    *outcome = Outcome::GivenUp;
                }
                Err(Problem::new(Code::Keychain, format!("{KIND} does not answer"))
                    .why("it may be waiting to be unlocked")
                    .next("Unlock it and try again, or set the secret's PATCHBAY_SECRET_ variable instead"))
            }
        }
    }
}

impl Keychain for OsKeychain {
    fn get(&self, name: &str) -> Result<Option<Sensitive<String>>> {
        if self.works()? { read(name).map_err(|error| refusal(&error, "give a value")) } else { self.memory.get(name) }
    }

    fn set(&self, name: &str, value: &Sensitive<String>) -> Result<()> {
        if self.works()? {
            write(name, value.expose()).map_err(|error| refusal(&error, "keep a value"))
        } else {
            self.memory.set(name, value)
        }
    }

    fn remove(&self, name: &str) -> Result<()> {
        if self.works()? { delete(name).map_err(|error| refusal(&error, "remove a value")) } else { self.memory.remove(name) }
    }

    fn state(&self) -> KeychainState {
        match self.outcome(GLANCE) {
            Outcome::Works => KeychainState { available: true, detail: KIND.to_owned() },
            Outcome::Waiting | Outcome::GivenUp => {
                KeychainState { available: false, detail: format!("{KIND} does not answer; it may be waiting to be unlocked") }
            }
            Outcome::Fails(why) => KeychainState {
                available: false,
                detail: format!(
                    "{KIND} can't be used ({why}); secrets come from PATCHBAY_SECRET_ variables, or stay in memory until Patchbay closes"
                ),
            },
        }
    }
}

#[cfg(target_os = "macos")]
const KIND: &str = "the macOS Keychain";
#[cfg(target_os = "windows")]
const KIND: &str = "the Windows Credential Manager";
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
const KIND: &str = "the Secret Service";

fn refusal(error: &keyring::Error, doing: &str) -> Problem {
    let next = match error {
        keyring::Error::TooLong(..) => "Use a shorter value; this keychain can't hold it",
        keyring::Error::Ambiguous(_) => "Remove all but one of the entries of that name with the system's own keychain program",
        _ => "Unlock the keychain, or set the secret's PATCHBAY_SECRET_ variable instead",
    };
    Problem::new(Code::Keychain, format!("{KIND} did not {doing}")).why(reason(error)).next(next)
}

/// What went wrong, without any value: some of keyring's errors hold one.
fn reason(error: &keyring::Error) -> String {
    match error {
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => "the value isn't text".to_owned(),
        keyring::Error::Ambiguous(entries) => format!("{} entries have that name", entries.len()),
        other => other.to_string(),
    }
}

/// Whether a value that is put into the keychain comes out again. Where the index is there, an earlier run has shown
/// that, and reading it is enough.
fn try_out() -> std::result::Result<(), String> {
    Entry::store_status().as_ref().map_err(reason)?;
    let trial = || {
        if read(INDEX)?.is_some() {
            return Ok(true);
        }
        // Two copies of the program must not take each other's entry away.
        let name = format!("patchbay-index/trial-{}", std::process::id());
        write(&name, "works")?;
        let came_back = read(&name)?.is_some_and(|value| value.expose() == "works");
        delete(&name)?;
        Ok(came_back)
    };
    match trial() {
        Ok(true) => Ok(()),
        Ok(false) => Err("it did not give back what was put into it".to_owned()),
        Err(error) => Err(reason(&error)),
    }
}

fn entry(name: &str) -> keyring::Result<Entry> {
    let (service, user) = name.split_once('/').unwrap_or((SERVICE, name));
    Entry::new(service, user)
}

fn read(name: &str) -> keyring::Result<Option<Sensitive<String>>> {
    match entry(name)?.get_password() {
        Ok(value) => Ok(Some(Sensitive::new(value))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(name: &str, value: &str) -> keyring::Result<()> {
    entry(name)?.set_password(value)
}

fn delete(name: &str) -> keyring::Result<()> {
    match entry(name)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(error) => Err(error),
    }
}
