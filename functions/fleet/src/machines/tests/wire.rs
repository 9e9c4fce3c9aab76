//! What EC2 is sent, field by field, and what is made of what it answers.

mod answers;
mod requests;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_config::retry::RetryConfig;

use super::settings_with;
use crate::{
    machines::ec2::Ec2,
    wire::{Answer, Wire},
};

/// EC2 that gives these answers in order, and its wire.
fn ec2(answers: impl IntoIterator<Item = Answer>, retries: RetryConfig) -> (Ec2, Wire) {
    let answers: VecDeque<_> = answers.into_iter().collect();
    let answers = Arc::new(Mutex::new(answers));
    let wire = Wire::new(move |_, _| {
        let next = answers.lock().expect("lock").pop_front();
        next.expect("an answer for every request")
    });
    let settings = settings_with(&[("MOLECULE_ORG_ID", "org-1")]).expect("whole");
    (Ec2::new(settings, &wire.sdk(retries)), wire)
}

/// The same, every call once.
fn once(answers: impl IntoIterator<Item = Answer>) -> (Ec2, Wire) {
    ec2(answers, RetryConfig::disabled())
}
