//! The weather over the deployed stack's table (`infra/local/weather.py`): it refuses some of what
//! functions ask, and counts all of it.

use std::env;

use reqwest::{Client, Method};
use serde_json::Value;

/// A table that is watched, and busy now and then.
#[derive(Debug)]
pub struct Weather {
    http: Client,
    url: String,
}

impl Weather {
    /// From now on: `how` as in `weather.py`. Who runs beside other tests names whom it befalls.
    ///
    /// # Panics
    /// There is no emulator.
    pub async fn start(how: &Value) -> Self {
        let endpoint = env::var("AWS_ENDPOINT_URL").expect("set by `make test`");
        let http = Client::builder().no_proxy().build().expect("a client");
        let mut weather = Self {
            http,
            url: format!("{endpoint}/_weather"),
        };
        let number = weather.ask(Method::POST, how).await;
        weather.url = format!("{}/{}", weather.url, number.as_str().expect("a number"));
        weather
    }

    /// What has come of it so far.
    pub async fn told(&self) -> Value {
        self.ask(Method::GET, &Value::Null).await
    }

    /// Ends it; what has come of it.
    pub async fn end(self) -> Value {
        self.ask(Method::DELETE, &Value::Null).await
    }

    async fn ask(&self, method: Method, body: &Value) -> Value {
        let call = self.http.request(method, &self.url).json(body);
        let answer = call.send().await.expect("the emulator answers");
        answer.json().await.expect("JSON")
    }
}
