//! What an attacker brings who wants the platform to call where it must not: addresses, a name
//! server that lies, and a listener that counts who came.

mod bait;
mod vectors;

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex},
};

pub use bait::Bait;
use edge::addresses::{Looking, Lookup};
pub use vectors::{ANSWERS, URLS};

/// An address that every mode allows. Nobody calls it.
pub const PUBLIC: &str = "8.8.8.8";

/// A name server that gives its answers one after the other, and the last one for ever.
#[derive(Debug, Clone)]
pub struct Liar(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    next: VecDeque<Vec<IpAddr>>,
    asked: Vec<String>,
}

impl Liar {
    /// With these answers, each of one or more addresses.
    ///
    /// # Panics
    /// One is no address.
    pub fn saying(answers: &[&[&str]]) -> Self {
        let ip = |text: &&str| text.parse().expect("an address");
        let next = answers.iter().map(|all| all.iter().map(ip).collect());
        Self(Arc::new(Mutex::new(State {
            next: next.collect(),
            asked: Vec::new(),
        })))
    }

    /// The names it was asked for, in order.
    ///
    /// # Panics
    /// A thread panicked in it.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().expect("lock").asked.clone()
    }
}

impl Lookup for Liar {
    fn look_up<'a>(&'a self, name: &'a str) -> Looking<'a> {
        let mut state = self.0.lock().expect("lock");
        state.asked.push(name.to_owned());
        let answer = match state.next.len() {
            0 | 1 => state.next.front().cloned(),
            _ => state.next.pop_front(),
        };
        Box::pin(async { Ok(answer.unwrap_or_default()) })
    }
}
