mod import;
mod import_partly;
mod import_refused;
mod import_schedules;
mod templates;
