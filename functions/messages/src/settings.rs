//! What the message functions need beyond the common settings.

use std::time::Duration;

use aws_sdk_lambda::config::{
    StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use domain::address::Reach;
use edge::{App, Missing, settings};

use store::Store;

use crate::{
    agent::Agents,
    flow::{Flow, SystemClock, deliver::Offer},
};

/// The context of `dispatch` and `deliver`.
#[derive(Debug)]
pub struct Messages {
    /// The common part.
    pub app: &'static App,
    /// How long the front door stays open for an answer, counted from the gateway's receive time.
    pub hold: Duration,
    /// How long an agent may be silent on a message unless its workspace says otherwise.
    pub idle_timeout: Duration,
    /// Invokes `deliver`.
    pub lambda: aws_sdk_lambda::Client,
    /// The name or ARN of `deliver`; empty in `deliver` itself.
    pub deliver_function: String,
    /// What reaches agents inside the VPC; none without one.
    pub vpc: Option<Vpc>,
    /// Calls agents.
    pub agents: Agents,
}

/// What reaches agents inside the VPC.
#[derive(Debug)]
pub struct Vpc {
    /// The name or ARN of `deliver_vpc`; empty in `deliver`.
    pub function: String,
    /// Its queue; empty in `dispatch`.
    pub queue: String,
    /// Sends there.
    pub sqs: aws_sdk_sqs::Client,
}

impl Vpc {
    fn start(app: &App) -> Option<Self> {
        let (function, queue) = (
            settings::var("DELIVER_VPC_FUNCTION"),
            settings::var("DELIVERIES_VPC_QUEUE_URL"),
        );
        (!function.is_empty() || !queue.is_empty()).then(|| Self {
            function,
            queue,
            sqs: aws_sdk_sqs::Client::new(&app.sdk),
        })
    }
}

impl AsRef<App> for Messages {
    fn as_ref(&self) -> &App {
        self.app
    }
}

impl Messages {
    /// The context of `dispatch`.
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong.
    pub fn dispatching(app: &'static App) -> Result<&'static Self, Missing> {
        Self::start(
            app,
            settings::parsed("A2A_HOLD_SECONDS")?,
            settings::required("DELIVER_FUNCTION")?,
        )
    }

    /// The context of `deliver`.
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong.
    pub fn delivering(app: &'static App) -> Result<&'static Self, Missing> {
        Self::start(app, 0, String::new())
    }

    fn start(
        app: &'static App,
        hold_seconds: u64,
        deliver_function: String,
    ) -> Result<&'static Self, Missing> {
        let idle_timeout = match settings::var("A2A_IDLE_TIMEOUT_SECONDS").parse() {
            Ok(seconds) if seconds > 0 => seconds,
            _ => 300,
        };
        let agents = Agents::new(&app.names, Reach::from(app.settings.mode))
            .map_err(|error| Missing::Nonsense("the HTTP client", error.to_string()))?;
        Ok(Box::leak(Box::new(Self {
            app,
            hold: Duration::from_secs(hold_seconds),
            idle_timeout: Duration::from_secs(idle_timeout),
            lambda: invoker(app),
            vpc: Vpc::start(app),
            deliver_function,
            agents,
        })))
    }
}

impl Messages {
    /// Who delivers an offer.
    pub(crate) fn deliver_for(&self, offer: &Offer) -> &str {
        let inside = offer
            .call
            .as_ref()
            .is_some_and(|call| call.recorded.is_some());
        match &self.vpc {
            Some(vpc) if inside => &vpc.function,
            _ => &self.deliver_function,
        }
    }

    /// The way of a message, over the table, HTTP and the system's clock.
    pub fn flow(&self) -> Flow<'_, Store, Agents, SystemClock> {
        Flow {
            world: &self.app.store,
            agents: &self.agents,
            clock: &SystemClock,
            idle_timeout: self.idle_timeout,
            boot_within: self.app.settings.fleet.boot_within,
        }
    }
}

/// A client whose one attempt may last as long as a delivery: a second attempt would be a second
/// delivery, and a quiet connection is an agent that thinks.
fn invoker(app: &App) -> aws_sdk_lambda::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .disable_read_timeout()
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build();
    let config = aws_sdk_lambda::config::Builder::from(&app.sdk)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_lambda::Client::from_conf(config)
}
