//! One route, described.

use domain::Kind;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::{Api, Who, failures};

const JSON: &str = "application/json";

/// An id and a name, for examples.
const SOME_ID: &str = "3f0c2a4e-7b1d-4c58-9a6f-1d2e3c4b5a69";
const SOME_NAME: &str = "GITHUB_TOKEN";

/// A route that is being described.
#[derive(Debug)]
#[must_use = "a route is part of the description once `fails` was called"]
pub struct Route<'a> {
    api: &'a mut Api,
    place: (&'static str, &'static str),
    who: Who,
    has_body: bool,
    operation: Value,
    parameters: Vec<Value>,
    responses: Map<String, Value>,
}

impl<'a> Route<'a> {
    pub(super) fn new(
        api: &'a mut Api,
        id: &str,
        place: (&'static str, &'static str),
        who: Who,
        summary: &str,
    ) -> Self {
        let operation = json!({
            "operationId": id,
            "tags": [api.tag],
            "summary": summary,
            "description": who.sentence(),
            "security": who.security(),
        });
        let names = place.1.split('{').skip(1);
        let names = names.filter_map(|rest| rest.split('}').next());
        let parameters = names.map(|name| {
            let is_id = name == "id" || name.ends_with("_id");
            let (schema, example) = if is_id {
                (json!({"type": "string", "format": "uuid"}), SOME_ID)
            } else {
                (json!({"type": "string", "minLength": 1}), SOME_NAME)
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example})
        });
        let parameters = parameters.collect();
        Self {
            api,
            place,
            who,
            has_body: false,
            operation,
            parameters,
            responses: Map::new(),
        }
    }

    /// More about it, in Markdown.
    pub fn about(mut self, text: &str) -> Self {
        let before = self.operation["description"].as_str().unwrap_or_default();
        self.operation["description"] = format!("{text}\n\n{before}").into();
        self
    }

    /// This part of the path is any text, not an id of ours.
    pub fn text_in_path(mut self, name: &str) -> Self {
        for parameter in &mut self.parameters {
            if parameter["name"] == name {
                parameter["schema"] = json!({"type": "string", "minLength": 1});
            }
        }
        self
    }

    /// What a parameter is, for example.
    pub fn for_example(mut self, name: &str, example: &str) -> Self {
        for parameter in &mut self.parameters {
            if parameter["name"] == name {
                parameter["example"] = example.into();
            }
        }
        self
    }

    /// What may follow the `?`.
    pub fn query<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        self.parameter::<T>("query", name, description, false)
    }

    /// What must follow the `?`.
    pub fn required_query<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        self.parameter::<T>("query", name, description, true)
    }

    /// A header it looks at.
    pub fn header<T: JsonSchema>(self, name: &str, description: &str) -> Self {
        self.parameter::<T>("header", name, description, false)
    }

    /// The header that names the workspace that asks, which its token must belong to.
    pub fn asker(self, required: bool) -> Self {
        let description = "The workspace that asks.";
        let mut this = self.parameter::<String>("header", "X-Workspace-ID", description, required);
        if let Some(parameter) = this.parameters.last_mut() {
            parameter["schema"]["format"] = "uuid".into();
            if required {
                parameter["example"] = SOME_ID.into();
            }
        }
        this
    }

    fn parameter<T: JsonSchema>(
        mut self,
        place: &str,
        name: &str,
        description: &str,
        required: bool,
    ) -> Self {
        let schema = self.api.request::<T>();
        self.parameters.push(json!({
            "name": name,
            "in": place,
            "required": required,
            "description": description,
            "schema": schema,
        }));
        self
    }

    /// Its body: JSON of at most so many bytes.
    pub fn body<T: JsonSchema>(self, max_bytes: usize) -> Self {
        let schema = self.api.request::<T>();
        self.body_of(JSON, schema, max_bytes)
    }

    /// Its body, which may be left out.
    pub fn optional_body<T: JsonSchema>(self, max_bytes: usize) -> Self {
        let mut this = self.body::<T>(max_bytes);
        this.operation["requestBody"]["required"] = false.into();
        this
    }

    /// A body that no type of ours describes.
    pub fn body_of(mut self, content_type: &str, schema: Value, max_bytes: usize) -> Self {
        self.has_body = true;
        self.operation["requestBody"] = json!({
            "required": true,
            "description": format!("At most {max_bytes} bytes."),
            "content": {content_type: {"schema": schema}},
        });
        self
    }

    /// 200 with a `T`.
    pub fn ok<T: JsonSchema>(self, description: &str) -> Self {
        self.answers::<T>(200, description)
    }

    /// 201 with a `T`.
    pub fn created<T: JsonSchema>(self, description: &str) -> Self {
        self.answers::<T>(201, description)
    }

    /// Any status with a `T`; of several for one status it is any one.
    pub fn answers<T: JsonSchema>(self, status: u16, description: &str) -> Self {
        let schema = self.api.reply::<T>();
        let before = self.responses.get(&status.to_string());
        let before = before.map(|before| before["content"][JSON]["schema"].clone());
        let schema = match before {
            Some(before) => json!({"anyOf": [before, schema]}),
            None => schema,
        };
        self.answers_with(status, description, JSON, schema)
    }

    /// Any status with a body that no type of ours describes.
    pub fn answers_with(
        mut self,
        status: u16,
        description: &str,
        content_type: &str,
        schema: Value,
    ) -> Self {
        let answer = json!({
            "description": description,
            "content": {content_type: {"schema": schema}},
        });
        self.responses.insert(status.to_string(), answer);
        self
    }

    /// Any status without a body.
    pub fn answers_empty(mut self, status: u16, description: &str) -> Self {
        let answer = json!({"description": description});
        self.responses.insert(status.to_string(), answer);
        self
    }

    /// Statuses that nobody can name beforehand, with an error.
    pub fn otherwise(mut self, description: &str) -> Self {
        let schema = json!({"$ref": "#/components/schemas/Error"});
        let answer = json!({"description": description, "content": {JSON: {"schema": schema}}});
        self.responses.insert("default".to_owned(), answer);
        self
    }

    /// A header of the answer with this status, which was described before.
    pub fn with_header(mut self, status: u16, name: &str, description: &str) -> Self {
        if let Some(answer) = self.responses.get_mut(&status.to_string()) {
            let header = json!({"description": description, "schema": {"type": "string"}});
            answer["headers"][name] = header;
        }
        self
    }

    /// How it can fail, and the end of its description. What follows from its path, its body and
    /// who may call it goes without saying; so does what may happen to any: 403 to pages of foreign
    /// origins, 429, 500 and 503.
    pub fn fails(self, kinds: &[Kind]) {
        let Self {
            api,
            place: (method, path),
            who,
            has_body,
            mut operation,
            parameters,
            mut responses,
        } = self;
        let mut all = kinds.to_vec();
        all.extend([Kind::Forbidden, Kind::TooMany, Kind::Internal, Kind::Busy]);
        if has_body {
            all.extend([Kind::Invalid, Kind::TooLarge]);
        }
        if path.contains('{') {
            all.push(Kind::Invalid);
        }
        if who.is_asked() {
            all.push(Kind::Unauthenticated);
        }
        for kind in all {
            let (status, reference) = failures::reference(kind);
            responses.entry(status).or_insert(reference);
        }
        operation["parameters"] = parameters.into();
        operation["responses"] = responses.into();
        let methods = api.paths.entry(path).or_insert_with(|| json!({}));
        methods[method.to_ascii_lowercase()] = operation;
    }
}
