//! Where the canvas looks: one record per deployment.

use domain::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Store, expr, keys};

/// Position and zoom of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Viewport {
    /// Horizontal position.
    pub x: f64,
    /// Vertical position.
    pub y: f64,
    /// Zoom factor.
    pub zoom: f64,
}

impl Default for Viewport {
    fn default() -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            zoom: 1.0,
        }
    }
}

impl Store {
    /// The saved viewport, if one was saved.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn viewport(&self) -> Result<Option<Viewport>> {
        let key = keys::viewport();
        self.rows([key.clone()]).await?.take(&key)
    }

    /// Saves the viewport; the last write wins.
    ///
    /// # Errors
    /// The datastore did not answer.
    pub async fn save_viewport(&self, viewport: Viewport) -> Result<()> {
        self.db
            .put_item()
            .table_name(&self.table)
            .set_item(Some(expr::item(keys::viewport(), &viewport)))
            .send()
            .await
            .map_err(Error::unavailable)?;
        Ok(())
    }
}
