mod import;
mod list;
mod refresh;
