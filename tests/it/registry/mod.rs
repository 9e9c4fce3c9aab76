mod heartbeat;
