//! template.yaml as data: what CloudFormation reads, with the short forms (`!Ref`) as the long ones
//! (`{"Ref": …}`).

mod read;

use std::sync::OnceLock;

use serde_json::{Map, Value};

/// The template.
#[derive(Debug)]
pub struct Template {
    /// All of it.
    pub body: Value,
    /// Its routes, once they were looked for: each call in process asks for its own.
    known: OnceLock<Vec<Route>>,
}

/// A function of the template.
#[derive(Debug, Clone, Copy)]
pub struct Function<'a> {
    /// Its logical id.
    pub id: &'a str,
    /// The resource.
    pub resource: &'a Value,
    /// What all functions have in common.
    globals: &'a Value,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `ANY` for all.
    pub method: String,
    /// The path, or `$default`.
    pub path: String,
    /// The `Handler` behind it.
    pub handler: String,
}

impl Template {
    /// This repository's.
    ///
    /// # Panics
    /// It is not there, or no YAML.
    pub fn ours() -> &'static Self {
        static OURS: OnceLock<Template> = OnceLock::new();
        OURS.get_or_init(|| {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
            let text = std::fs::read_to_string(path).expect("template.yaml");
            Self {
                body: read::parse(&text),
                known: OnceLock::new(),
            }
        })
    }

    /// Its resources, by logical id.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.body["Resources"].as_object().into_iter().flatten();
        resources.map(|(id, resource)| (id.as_str(), resource))
    }

    /// Its resources of one type.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        self.resources().filter(move |(_, it)| it["Type"] == kind)
    }

    /// What all functions have.
    pub fn globals(&self) -> &Value {
        &self.body["Globals"]["Function"]
    }

    /// Its functions.
    pub fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        let globals = self.globals();
        let functions = self.of_type("AWS::Serverless::Function");
        functions.map(move |(id, resource)| Function {
            id,
            resource,
            globals,
        })
    }

    /// Its routes.
    pub fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        for function in self.functions() {
            for event in function.events("HttpApi") {
                let text =
                    |key: &str, default: &str| event[key].as_str().unwrap_or(default).to_owned();
                routes.push(Route {
                    method: text("Method", "ANY"),
                    path: text("Path", "$default"),
                    handler: function.handler().to_owned(),
                });
            }
        }
        routes
    }

    /// The function that answers a request, and the path's parameters: as the gateway chooses, the
    /// route with the most literal path first, `$default` last.
    pub fn route(&self, method: &str, path: &str) -> (String, Vec<(String, String)>) {
        let (route, params) = self.chosen(method, path);
        (route.handler, params)
    }

    /// The same route as the template writes it: `GET /workspaces/{id}`.
    pub fn pattern(&self, method: &str, path: &str) -> String {
        let (route, _) = self.chosen(method, path);
        format!("{} {}", route.method, route.path)
    }

    fn chosen(&self, method: &str, path: &str) -> (Route, Vec<(String, String)>) {
        let routes = self.known.get_or_init(|| self.routes());
        let fitting = routes.iter().filter_map(|route| {
            let method_fits = route.method == "ANY" || route.method == method;
            let params = params(&route.path, path).filter(|_| method_fits)?;
            Some((params, route))
        });
        let best = fitting.min_by_key(|(params, _)| params.len());
        match best {
            Some((params, route)) => (route.clone(), params),
            None => {
                let default = routes.iter().find(|route| route.path == "$default");
                (default.expect("a $default route").clone(), Vec::new())
            }
        }
    }
}

/// The parameters of `path` if it fits `pattern`.
fn params(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let mut found = Vec::new();
    for (wanted, given) in pattern.iter().zip(&path) {
        match wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) if !given.is_empty() => found.push((name.to_owned(), (*given).to_owned())),
            _ if wanted == given => {}
            _ => return None,
        }
    }
    (pattern.len() == path.len()).then_some(found)
}

impl<'a> Function<'a> {
    /// A property, its own or what all functions have; maps are merged, as SAM does.
    pub fn property(&self, name: &str) -> Value {
        let (own, common) = (&self.resource["Properties"][name], &self.globals[name]);
        match (own, common) {
            (Value::Object(own), Value::Object(common)) => {
                let mut merged = common.clone();
                merged.extend(own.clone());
                Value::Object(merged)
            }
            (Value::Null, common) => common.clone(),
            (own, _) => own.clone(),
        }
    }

    /// Its `Handler`.
    pub fn handler(&self) -> &'a str {
        let handler = &self.resource["Properties"]["Handler"];
        handler.as_str().unwrap_or_default()
    }

    /// The domain of its `Handler`.
    pub fn domain(&self) -> &'a str {
        self.handler().split('.').next().unwrap_or_default()
    }

    /// The properties of its events of one type.
    pub fn events(&self, kind: &str) -> Vec<&'a Value> {
        let events = self.resource["Properties"]["Events"].as_object();
        let of_kind = events
            .into_iter()
            .flatten()
            .filter(|(_, it)| it["Type"] == kind);
        of_kind.map(|(_, event)| &event["Properties"]).collect()
    }

    /// Its environment variables.
    pub fn variables(&self) -> Map<String, Value> {
        let common = self.globals["Environment"]["Variables"].as_object();
        let own = self.resource["Properties"]["Environment"]["Variables"].as_object();
        let all = common.into_iter().chain(own).flatten();
        all.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The names of the variables every function has.
    pub fn common_variables(self) -> impl Iterator<Item = &'a str> {
        names(&self.globals["Environment"]["Variables"])
    }

    /// The names of the variables that not every function has.
    pub fn own_variables(self) -> impl Iterator<Item = &'a str> {
        names(&self.resource["Properties"]["Environment"]["Variables"])
    }

    /// What it may do: action and resource, as `("dynamodb:Query", "Table/index/tree")`; in brackets
    /// the partition keys that a condition narrows it to.
    pub fn grants(&self) -> Vec<(String, String)> {
        let policies = list(&self.resource["Properties"]["Policies"]);
        let statements = policies
            .iter()
            .flat_map(|policy| list(&policy["Statement"]));
        let mut grants = Vec::new();
        for statement in statements.map(there) {
            let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            for resource in list(&statement["Resource"]) {
                let mut resource = arn(there(resource));
                if let Value::Array(keys) = keys {
                    let keys: Vec<_> = keys.iter().filter_map(Value::as_str).collect();
                    resource += &format!("[{}]", keys.join(","));
                }
                for action in list(&statement["Action"]) {
                    let action = action.as_str().unwrap_or_default().to_owned();
                    grants.push((action, resource.clone()));
                }
            }
        }
        grants
    }
}

fn names(variables: &Value) -> impl Iterator<Item = &str> {
    let variables = variables.as_object().into_iter().flatten();
    variables.map(|(name, _)| name.as_str())
}

/// What is there if its condition holds.
pub fn there(value: &Value) -> &Value {
    match &value["Fn::If"] {
        Value::Array(cases) => &cases[1],
        _ => value,
    }
}

/// A list, or one thing where CloudFormation lets it stand for a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

/// `!GetAtt Table.Arn` → `Table`, `!Sub "${Table.Arn}/index/tree"` → `Table/index/tree`.
fn arn(resource: &Value) -> String {
    if let Some(id) = resource["Fn::GetAtt"][0].as_str() {
        return id.to_owned();
    }
    let text = resource["Fn::Sub"].as_str().or(resource.as_str());
    let text = text.map_or_else(|| resource.to_string(), str::to_owned);
    text.replace("${", "").replace(".Arn}", "").replace('}', "")
}
