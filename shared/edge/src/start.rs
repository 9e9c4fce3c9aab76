//! Starting a function: settings, clients, logging, and the loop.

use std::{fmt, time::Duration};

use aws_config::{
    BehaviorVersion, ConfigLoader, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use lambda_runtime::LambdaEvent;
use serde::{Serialize, de::DeserializeOwned};
use store::Store;

use crate::{Missing, Settings, addresses::Names, limits::Limits};

/// Why a function does not start.
#[derive(thiserror::Error)]
pub enum Stop {
    /// A setting.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// `_HANDLER` names nothing this binary has: template and code disagree.
    #[error("this binary has no handler {0:?}")]
    UnknownHandler(String),
    /// The runtime ended.
    #[error("the Lambda runtime ended: {0}")]
    Runtime(lambda_runtime::Error),
}

/// `main` shows its error by `Debug`: so that is the sentence, too.
impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<lambda_runtime::Error> for Stop {
    fn from(error: lambda_runtime::Error) -> Self {
        Self::Runtime(error)
    }
}

/// What every function has: settings and the store. Built once, lives as long as the process.
#[derive(Debug)]
pub struct App {
    /// The settings.
    pub settings: Settings,
    /// The table and the bucket.
    pub store: Store,
    /// For the clients only one domain needs.
    pub sdk: SdkConfig,
    /// What the names in addresses stand for.
    pub names: Names,
    /// Who calls how often, as far as this process knows.
    pub limits: Limits,
}

impl AsRef<App> for App {
    fn as_ref(&self) -> &App {
        self
    }
}

impl App {
    /// An app over this configuration.
    pub fn new(settings: Settings, sdk: SdkConfig) -> Self {
        let s3 = aws_sdk_s3::config::Builder::from(&sdk)
            // A local endpoint has no bucket subdomains.
            .force_path_style(sdk.endpoint_url().is_some())
            .build();
        let store = Store::new(
            aws_sdk_dynamodb::Client::new(&sdk),
            aws_sdk_s3::Client::from_conf(s3),
            &settings.table,
            &settings.bucket,
        );
        Self::over(settings, store, sdk)
    }

    /// An app over this store.
    pub fn over(settings: Settings, store: Store, sdk: SdkConfig) -> Self {
        Self {
            limits: Limits::new(settings.rate_limit),
            settings,
            store,
            sdk,
            names: Names::system(),
        }
    }
}

/// The handler this process was started for.
///
/// # Errors
/// `_HANDLER` is not set: this is not a Lambda environment.
pub fn handler_name() -> Result<String, Stop> {
    Ok(crate::required("_HANDLER")?)
}

/// Reads the settings, builds the clients, opens the connection to the table.
///
/// The app is leaked on purpose: it lives as long as the process, and handlers borrow it for as
/// long as they like.
///
/// # Errors
/// A setting is missing.
pub async fn start() -> Result<&'static App, Stop> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = Settings::from_env()?;
    let app = App::new(settings, sdk_config().load().await);
    app.store.warm().await;
    Ok(Box::leak(Box::new(app)))
}

/// The SDK's configuration. A call that hangs is tried again, and given up while most functions
/// still have time to say so (they have 10 s). Public, so that tests retry and time out as functions
/// do.
pub fn sdk_config() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .timeout_config(timeouts)
}

/// Serves invocations that are not HTTP: one payload in, one answer out.
///
/// # Errors
/// The runtime ended.
pub async fn serve_jobs<C, I, O, F, Fut>(context: &'static C, handler: F) -> Result<(), Stop>
where
    C: Sync,
    I: DeserializeOwned,
    O: Serialize,
    F: Fn(&'static C, I) -> Fut,
    Fut: Future<Output = domain::Result<O>>,
{
    let service = lambda_runtime::service_fn(|event: LambdaEvent<I>| {
        let answer = handler(context, event.payload);
        async move {
            answer.await.map_err(|error| {
                crate::http::log_failure(&error, "job");
                lambda_runtime::Error::from(error.to_string())
            })
        }
    });
    Ok(lambda_runtime::run(service).await?)
}
