//! A function's environment as the template says it, for a stack that is an address on the loopback.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::template::{Function, Template};

/// What stands for the stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Where AWS answers.
    pub aws: String,
    /// Values of parameters that are not to be the template's defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Stack {
    /// The environment of a function, and what makes the SDK ask our AWS.
    pub fn environment(
        &self,
        template: &Template,
        function: &Function<'_>,
    ) -> BTreeMap<String, String> {
        let own = function.variables().into_iter();
        let own = own.map(|(name, value)| (name, self.value(template, &value)));
        let sdk = [
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_SESSION_TOKEN", "bench"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &self.aws),
        ];
        let sdk = sdk.map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(sdk).collect()
    }

    /// What CloudFormation makes of a value. Of a choice the second case is taken: nothing that is
    /// optional is there.
    fn value(&self, template: &Template, value: &Value) -> String {
        match value {
            Value::String(text) => return text.clone(),
            Value::Number(number) => return number.to_string(),
            Value::Bool(it) => return it.to_string(),
            _ => {}
        }
        if let Some(name) = value["Ref"].as_str() {
            return self.reference(template, name);
        }
        if let Value::Array(cases) = &value["Fn::If"] {
            return cases
                .get(2)
                .map(|case| self.value(template, case))
                .unwrap_or_default();
        }
        if let Some(id) = value["Fn::GetAtt"][0].as_str() {
            return format!("arn:aws:bench:us-east-1:000000000000:{id}");
        }
        value["Fn::Sub"].as_str().unwrap_or_default().to_owned()
    }

    fn reference(&self, template: &Template, name: &str) -> String {
        if let Some(given) = self.parameters.get(name) {
            return given.clone();
        }
        let parameter = &template.body["Parameters"][name];
        if !parameter.is_null() {
            return self.value(template, &parameter["Default"]);
        }
        match template.body["Resources"][name]["Type"].as_str() {
            Some("AWS::SQS::Queue") => format!("{}/000000000000/{name}", self.aws),
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_get_what_the_template_says() {
        let stack = Stack {
            aws: "http://127.0.0.1:1".to_owned(),
            parameters: [("AdminToken".to_owned(), "secret".to_owned())].into(),
        };
        let template = Template::ours();
        let of = |handler: &str| {
            let function = template.functions().find(|it| it.handler() == handler);
            stack.environment(template, &function.expect("a function"))
        };
        let (beat, dispatch) = (of("registry.heartbeat"), of("messages.dispatch"));
        for (name, value) in [
            ("TABLE_NAME", "Table"),
            ("ADMIN_TOKEN", "secret"),
            ("MOLECULE_ENV", "production"),
            ("RUNTIME_IMAGES", ""),
            (
                "DELIVERIES_QUEUE_URL",
                "http://127.0.0.1:1/000000000000/Deliveries",
            ),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ] {
            assert_eq!(beat.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(dispatch["A2A_HOLD_SECONDS"], "25");
        assert_eq!(dispatch["DELIVER_FUNCTION"], "MessagesDeliver");
        assert_eq!(dispatch["DELIVER_VPC_FUNCTION"], "");
    }
}
