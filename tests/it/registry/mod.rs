mod check_access;
mod discover;
mod heartbeat;
mod heartbeat_refused;
mod peers;
mod register;
mod register_refused;
mod update_card;
