//! What the import of an organisation needs beyond the app: its workspaces are born with secrets.

use edge::{App, Missing, required};
use store::secrets::Vault;

/// The common part, and the secrets.
#[derive(Debug)]
pub struct Importer {
    /// The common part.
    pub app: &'static App,
    /// The secrets.
    pub vault: Vault,
}

impl AsRef<App> for Importer {
    fn as_ref(&self) -> &App {
        self.app
    }
}

impl Importer {
    /// From the environment.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn start(app: &'static App) -> Result<&'static Self, Missing> {
        Ok(Self::with_key(app, &required("SECRETS_KEY_ARN")?))
    }

    /// With this KMS key. Leaked on purpose, as the app is: both live as long as the process.
    pub fn with_key(app: &'static App, key: &str) -> &'static Self {
        let kms = aws_sdk_kms::Client::new(&app.sdk);
        let vault = Vault::new(app.store.clone(), kms, key);
        Box::leak(Box::new(Self { app, vault }))
    }
}
