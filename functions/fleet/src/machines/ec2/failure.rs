//! From the SDK's errors to ours.

use std::error::Error as StdError;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::machines::{Class, Trouble, trouble::class_of};

/// The trouble an SDK error stands for. A refusal is known by its code; whatever has no answer, or
/// one that cannot be read, may have been done.
pub(super) fn trouble<E>(error: SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let (class, code) = match &error {
        SdkError::ConstructionFailure(_) => (Class::Defect, "the request cannot be built"),
        SdkError::TimeoutError(_) => (Class::Unknown, "no answer in time"),
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or("no error code");
            // A server error with a known code (no capacity) is a refusal; and a 200 that is no XML
            // ends up here too, as an error without a code.
            let unheard = match refusal.raw().status().is_client_error() {
                true => Class::Config,
                false => Class::Unknown,
            };
            (class_of(code).unwrap_or(unheard), code)
        }
        _ => (Class::Unknown, "no answer"),
    };
    Trouble::new(class, code.to_owned()).caused_by(error)
}
