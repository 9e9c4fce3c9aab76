mod a2a;
mod a2a_queue;
mod delegate;
