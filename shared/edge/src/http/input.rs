//! One request as the handlers see it.

use std::{collections::HashMap, str::FromStr};

use domain::{
    Error, Result,
    json::{has_reserved_key, mended},
    trace::Trace,
};
use jiff::Timestamp;
use lambda_http::{
    Body, Request, RequestExt as _,
    http::{HeaderMap, Method},
    request::RequestContext,
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// One request: who sent it is the [`Caller`](crate::Caller), all the rest is here.
#[derive(Debug)]
pub struct Input {
    /// The method.
    pub method: Method,
    /// The path as requested.
    pub path: String,
    /// What follows the path's `?`, as requested; empty when nothing does.
    pub raw_query: String,
    /// The body.
    pub body: Vec<u8>,
    /// When the gateway received it: hold windows count from here.
    pub received_at: Timestamp,
    /// The clock, read once: everything beneath is told.
    pub now: Timestamp,
    /// When Lambda stops this invocation, if it said so.
    pub stops_at: Option<Timestamp>,
    /// Which call it is part of: what the caller says (`traceparent`), else what Lambda says.
    pub trace: Option<Trace>,
    params: HashMap<String, String>,
    query: HashMap<String, String>,
    headers: HeaderMap,
    domain: Option<String>,
    source_ip: Option<String>,
}

impl From<Request> for Input {
    fn from(request: Request) -> Self {
        let now = domain::time::to_micros(Timestamp::now());
        let (received_at, domain, source_ip) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => (
                Timestamp::from_millisecond(context.time_epoch)
                    .ok()
                    .filter(|at| at.as_second() > 0),
                context.domain_name.clone(),
                context.http.source_ip.clone(),
            ),
            _ => (None, None, None),
        };
        let first = |map: lambda_http::aws_lambda_events::query_map::QueryMap| {
            map.iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        };
        let context = request.lambda_context_ref();
        let xray = context.and_then(|context| context.xray_trace_id.as_deref());
        let stops_at = context.and_then(|context| {
            let millis = i64::try_from(context.deadline).ok().filter(|it| *it > 0)?;
            Timestamp::from_millisecond(millis).ok()
        });
        let said = request.headers().get("traceparent");
        let said = said.and_then(|header| header.to_str().ok()?.parse().ok());
        let trace = said.or_else(|| Trace::from_xray(xray?));
        let params = first(request.path_parameters());
        let query = first(request.query_string_parameters());
        let path = request.raw_http_path().to_owned();
        let raw_query = request.uri().query().unwrap_or_default().to_owned();
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            path,
            raw_query,
            body: match body {
                Body::Text(text) => text.into_bytes(),
                Body::Binary(bytes) => bytes,
                _ => Vec::new(),
            },
            received_at: received_at.unwrap_or(now),
            now,
            stops_at,
            trace,
            params,
            query,
            headers: parts.headers,
            domain,
            source_ip,
        }
    }
}

impl Input {
    /// A header, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The address the gateway was called from. Never what a header says.
    pub fn source_ip(&self) -> Option<&str> {
        self.source_ip.as_deref()
    }

    /// A query parameter, if it is there.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A query parameter that is a whole number; anything else counts as absent.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.query(name)?.trim().parse().ok()
    }

    /// Whether the route has this path parameter.
    pub fn has_param(&self, name: &str) -> bool {
        self.params.contains_key(name)
    }

    /// A path parameter as it is; empty if the route has none.
    pub fn text_param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// A path parameter as a `T`.
    ///
    /// # Errors
    /// 400 when it is not one.
    pub fn param<T: FromStr<Err = Error>>(&self, name: &str) -> Result<T> {
        self.text_param(name).parse()
    }

    /// Refuses a body over `max_bytes`.
    ///
    /// # Errors
    /// 413.
    pub fn limit(&self, max_bytes: usize) -> Result<()> {
        if self.body.len() > max_bytes {
            return Err(Error::too_large(max_bytes));
        }
        Ok(())
    }

    /// The body as a `T`. Bytes after the first JSON value are ignored, as the reference does.
    ///
    /// # Errors
    /// 413 over `max_bytes`; 400 with `refusal` when it is no such JSON.
    pub fn json<T: DeserializeOwned>(&self, max_bytes: usize, refusal: &'static str) -> Result<T> {
        self.limit(max_bytes)?;
        // Wire types are objects, but would also read themselves from a list, field by field.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Error::invalid(refusal));
        }
        if has_reserved_key(&self.body) {
            return Err(Error::invalid(refusal));
        }
        let body = mended(&self.body);
        let mut reader = serde_json::Deserializer::from_slice(&body);
        T::deserialize(&mut reader).map_err(|error| Error::invalid(refusal).caused_by(error))
    }

    /// The address clients reach the API at: the configured one, else the gateway's own name.
    /// Never what a header says.
    pub fn base_url(&self, public_url: &str) -> String {
        if public_url.is_empty() {
            format!("https://{}", self.domain.as_deref().unwrap_or_default())
        } else {
            public_url.to_owned()
        }
    }
}

/// For wire types: a number that the table can keep. DynamoDB takes magnitudes from 1e-130 to below
/// 1e126: what is larger is refused, what is smaller is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[schemars(inline, description = "A number below 1e126.")]
#[serde(try_from = "f64")]
pub struct Number(f64);

impl TryFrom<f64> for Number {
    type Error = &'static str;

    fn try_from(number: f64) -> std::result::Result<Self, Self::Error> {
        match number.abs() {
            size if size < 1e-130 => Ok(Self(0.0)),
            size if size < 1e126 => Ok(Self(number)),
            _ => Err("the number is too large"),
        }
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.0
    }
}

/// For wire types: how the reference reads optional fields.
pub struct Fields;

impl Fields {
    /// `null` reads as the zero value.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn or_zero<'de, D, T>(from: D) -> std::result::Result<T, D::Error>
    where
        D: serde::Deserializer<'de>,
        T: Deserialize<'de> + Default,
    {
        Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
    }

    /// Tells an absent key from a `null`: `Some(None)` is a `null`.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn present<'de, D, T>(from: D) -> std::result::Result<Option<Option<T>>, D::Error>
    where
        D: serde::Deserializer<'de>,
        T: Deserialize<'de>,
    {
        Option::<T>::deserialize(from).map(Some)
    }

    /// Any JSON that is there, `null` included.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn any<'de, D>(from: D) -> std::result::Result<Option<Value>, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        Value::deserialize(from).map(Some)
    }
}

#[cfg(test)]
mod tests;
