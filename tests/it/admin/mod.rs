mod a2a_queue;
mod bootstrap_failed;
mod liveness;
mod test_token;
