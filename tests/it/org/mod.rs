mod import;
mod import_partly;
mod import_refused;
mod templates;
