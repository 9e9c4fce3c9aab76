//! Private registries of ECR: `ecr:DescribeImages` says what a tag names, in this account and, where a
//! repository's policy lets us, in others.

use aws_config::{Region, SdkConfig};
use aws_sdk_ecr::{
    Client,
    config::Builder,
    error::{DisplayErrorContext, ProvideErrorMetadata},
    types::ImageIdentifier,
};
use domain::image::{Digest, EcrRegistry, Reference};

use super::{Unresolved, because};

/// ECR, in whichever region an image is.
#[derive(Debug)]
pub(super) struct Ecr {
    sdk: SdkConfig,
}

impl Ecr {
    /// With our credentials.
    pub(super) fn over(sdk: &SdkConfig) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// The digest that this tag has now.
    ///
    /// # Errors
    /// ECR did not say.
    pub(super) async fn look(
        &self,
        registry: &EcrRegistry<'_>,
        image: &Reference,
    ) -> Result<Digest, Unresolved> {
        let region = Region::new(registry.region.to_owned());
        // Clients share the HTTP client of their configuration: a new one costs no connection.
        let client = Client::from_conf(Builder::from(&self.sdk).region(region).build());
        let wanted = ImageIdentifier::builder().image_tag(&image.tag).build();
        let answer = client
            .describe_images()
            .registry_id(registry.account)
            .repository_name(&image.repository)
            .image_ids(wanted)
            .send()
            .await
            .map_err(|error| {
                let message = error.message().map(str::to_owned);
                because(message.unwrap_or_else(|| DisplayErrorContext(&error).to_string()))
            })?;
        let found = answer.image_details().first();
        let digest = found.and_then(|image| image.image_digest());
        digest
            .unwrap_or_default()
            .parse()
            .map_err(|_| because("ECR names no digest"))
    }
}

#[cfg(test)]
mod tests {
    use aws_config::retry::RetryConfig;
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::{Answer, Wire};

    const IMAGE: &str = "210987654321.dkr.ecr.eu-west-3.amazonaws.com/agents/hermes:stable";

    async fn ask(status: u16, answer: Value) -> Result<Digest, Unresolved> {
        let wire = Wire::new(move |body, _| {
            let asked: Value = serde_json::from_str(body).expect("JSON");
            let expected = json!({
                "registryId": "210987654321",
                "repositoryName": "agents/hermes",
                "imageIds": [{"imageTag": "stable"}],
            });
            assert_eq!(asked, expected);
            Answer::Body(status, answer.to_string())
        });
        let ecr = Ecr::over(&wire.sdk(RetryConfig::disabled()));
        let image: Reference = IMAGE.parse().expect("a reference");
        let asked = ecr.look(&image.ecr().expect("one of ECR's"), &image).await;
        let uri = wire.uris().pop().expect("a request");
        assert!(uri.contains("ecr.eu-west-3.amazonaws.com"), "{uri}");
        asked
    }

    #[tokio::test]
    async fn a_tag_is_looked_up_where_it_is() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        let found = ask(200, json!({"imageDetails": [{"imageDigest": digest}]})).await;
        assert_eq!(found.expect("found").as_str(), digest);
        for none in [json!({}), json!({"imageDetails": []})] {
            assert_eq!(ask(200, none).await, Err(because("ECR names no digest")));
        }
    }

    #[tokio::test]
    async fn refusals_are_told_in_ecr_s_words() {
        let answer = json!({"__type": "ImageNotFoundException", "message": "no such tag"});
        assert_eq!(ask(400, answer).await, Err(because("no such tag")));
    }
}
