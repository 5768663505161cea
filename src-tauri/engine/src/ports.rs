//! What the engine is handed from outside, so that a test can hand it its own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use patchbay_contracts::{
    Timestamp,
    secret::{KeychainState, Sensitive},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::Result;

/// Time of day and elapsed time.
pub trait Clock: Send + Sync + 'static {
    /// Unix time in milliseconds. Goes on while the machine sleeps.
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary moment, never backwards. On most systems it stands still while the machine sleeps.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Timestamp)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Where chance comes from.
pub trait Random: Send + Sync + 'static {
    /// A number from 0 up to, and without, 1.
    fn unit(&self) -> f64;
    /// 128 random bits.
    fn bits(&self) -> u128;
}

/// A seeded generator; [`Dice::default`] takes its seed from the operating system.
#[derive(Debug)]
pub struct Dice(Mutex<StdRng>);

impl Dice {
    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Default for Dice {
    fn default() -> Self {
        Self(Mutex::new(rand::make_rng()))
    }
}

impl Random for Dice {
    fn unit(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random()
    }

    fn bits(&self) -> u128 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}

/// Where credentials are kept. Calls may block; they are made off the asynchronous threads.
pub trait Keychain: Send + Sync + 'static {
    /// The value of that name, if there is one.
    ///
    /// # Errors
    /// [`Code::Keychain`](crate::Code::Keychain) where the keychain can't be reached.
    fn get(&self, name: &str) -> Result<Option<Sensitive<String>>>;
    /// Sets or replaces a value.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    fn set(&self, name: &str, value: &Sensitive<String>) -> Result<()>;
    /// Takes a value away; it is no error where there is none.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    fn remove(&self, name: &str) -> Result<()>;
    /// Whether values outlive the program, and what kind of keychain it is or why there is none.
    fn state(&self) -> KeychainState;
}

/// All that the engine is handed.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Credentials.
    pub keychain: Arc<dyn Keychain>,
}
