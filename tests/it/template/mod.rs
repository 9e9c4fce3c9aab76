//! template.yaml against the code: what one names, the other has.

mod alarms;
mod chat_files;
mod cycles;
mod environment;
mod functions;
mod logs;
mod paths;
mod permissions;
mod private;
mod reached;
mod resources;
mod start;
