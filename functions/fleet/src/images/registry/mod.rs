//! Registries: which digest a tag has now. ECR's private ones are asked by its own API, which wants no
//! password; all others by the OCI distribution API.

mod ecr;
mod oci;

use std::time::Duration;

use aws_config::SdkConfig;
use domain::{
    Mode,
    image::{Digest, Reference},
};
use edge::{Missing, addresses::Names};
use tokio::time::timeout;

use self::{ecr::Ecr, oci::Public};

/// How long one image may take, token and all (contract: lifecycle-and-sweepers 11.8).
const PATIENCE: Duration = Duration::from_secs(10);
/// Why an image was not resolved: for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unresolved(pub String);

fn because(why: impl ToString) -> Unresolved {
    Unresolved(why.to_string())
}

/// Tells which digest an image has.
pub trait Resolves: Send + Sync {
    /// The digest that this reference's tag has now.
    ///
    /// # Errors
    /// It could not be found out.
    fn digest(&self, image: &Reference) -> impl Future<Output = Result<Digest, Unresolved>> + Send;
}

/// All registries.
#[derive(Debug)]
pub struct Registries {
    public: Public,
    ecr: Ecr,
}

impl Registries {
    /// With clients of their own, which look up names as `names` does and reach what `mode` allows.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn start(sdk: &SdkConfig, names: &Names, mode: Mode) -> Result<Self, Missing> {
        Ok(Self {
            public: Public::start(names, mode)?,
            ecr: Ecr::over(sdk),
        })
    }

    async fn look(&self, image: &Reference) -> Result<Digest, Unresolved> {
        match image.ecr() {
            Some(private) => self.ecr.look(&private, image).await,
            None => self.public.look(image).await,
        }
    }
}

impl Resolves for Registries {
    async fn digest(&self, image: &Reference) -> Result<Digest, Unresolved> {
        // What is named by digest needs nobody's answer.
        if let Some(digest) = &image.digest {
            return Ok(digest.clone());
        }
        let look = timeout(PATIENCE, self.look(image)).await;
        look.unwrap_or_else(|_| Err(because("no answer in time")))
    }
}
