mod a2a_queue;
mod bootstrap_failed;
mod test_token;
