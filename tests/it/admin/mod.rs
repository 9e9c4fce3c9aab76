mod a2a_queue;
mod test_token;
