//! Templates: what workspaces and organisations are made from.
//!
//! Their files lie in the bucket, their heads in the table (`store::templates`). Only an import of
//! an organisation and a refresh read files; only this domain reads YAML.

pub mod config;
pub mod import;
pub mod list;
pub mod org;
pub mod org_import;
pub mod org_list;
pub mod refresh;
pub mod settings;
pub mod yaml;

pub use settings::Importer;

edge::handlers! { "templates":
    /// `GET /templates`
    List = "list",
    /// `POST /templates/import`
    Import = "import",
    /// `POST /templates/refresh`
    Refresh = "refresh",
    /// `GET /org/templates`
    OrgList = "org_list",
    /// `POST /org/import`
    OrgImport = "org_import",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag(
        "templates",
        "What workspaces and organisations are made from.",
    );
    list::describe(api);
    import::describe(api);
    refresh::describe(api);
    org_list::describe(api);
    org_import::describe(api);
}
