//! The API's description: OpenAPI 3.1, out of the types that are on the wire.
//!
//! Each domain describes its routes where its handlers are, in functions called `describe`;
//! `tests/src/openapi.rs` puts them together and holds `docs/openapi.json` against them. No function
//! calls any of this, so the linker leaves it out of their binaries.

mod failures;
mod route;
mod schemas;
mod who;

use schemars::{
    JsonSchema,
    generate::{SchemaGenerator, SchemaSettings},
};
use serde_json::{Map, Value, json};

pub use route::Route;
pub use who::Who;

/// Where types that have a name are described.
const SCHEMAS: &str = "/components/schemas";

/// A description that is being written.
#[derive(Debug)]
pub struct Api {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
    paths: Map<String, Value>,
    tags: Vec<Value>,
    tag: &'static str,
}

impl Default for Api {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SCHEMAS.into();
            settings.meta_schema = None;
        });
        Self {
            requests: settings.clone().for_deserialize().into_generator(),
            replies: settings.for_serialize().into_generator(),
            paths: Map::new(),
            tags: Vec::new(),
            tag: "",
        }
    }
}

impl Api {
    /// Says what the routes that follow are about.
    pub fn tag(&mut self, name: &'static str, description: &str) {
        self.tag = name;
        self.tags
            .push(json!({"name": name, "description": description}));
    }

    /// Describes a route, up to [`Route::fails`]. `id` is what clients that are generated call it;
    /// `method_and_path` are as in `template.yaml`: `GET /workspaces/{id}`.
    ///
    /// # Panics
    /// There is no space between method and path.
    pub fn route(
        &mut self,
        id: &'static str,
        method_and_path: &'static str,
        who: Who,
        summary: &str,
    ) -> Route<'_> {
        let (method, path) = method_and_path
            .split_once(' ')
            .expect("a method, a space and a path");
        Route::new(self, id, (method, path), who, summary)
    }

    fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().to_value()
    }

    fn reply<T: JsonSchema>(&mut self) -> Value {
        self.replies.subschema_for::<T>().to_value()
    }

    /// The whole document, with `info` and whatever else its head has.
    ///
    /// # Panics
    /// Two types of one name are not described alike.
    pub fn document(mut self, head: Value) -> Value {
        let mut schemas = self.requests.take_definitions(false);
        for (name, schema) in self.replies.take_definitions(false) {
            let before = schemas.insert(name.clone(), schema.clone());
            assert!(
                before.is_none_or(|before| before == schema),
                "two types are called {name}: give one of them another name (schemars, rename)"
            );
        }
        schemas.insert("Error".to_owned(), failures::error());
        schemas.insert("GatewayError".to_owned(), failures::gateway_error());
        schemas.values_mut().for_each(schemas::finish);
        let mut document = head;
        document["openapi"] = "3.1.0".into();
        document["tags"] = self.tags.into();
        document["paths"] = self.paths.into();
        document["components"] = json!({
            "schemas": schemas,
            "responses": failures::responses(),
            "securitySchemes": who::schemes(),
        });
        document
    }
}
