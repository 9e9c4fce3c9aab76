//! template.yaml against the code: what one names, the other has.

mod alarms;
mod boundary;
mod catalogue;
mod chat_files;
mod cors;
mod cycles;
mod dashboards;
mod elsewhere;
mod environment;
mod functions;
mod leading_keys;
mod listeners;
mod logs;
mod openapi;
mod paths;
mod permissions;
mod private;
mod reached;
mod resources;
mod start;
