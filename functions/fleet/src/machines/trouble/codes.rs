//! EC2's error codes, by what they mean to us.

use super::Class;

/// Codes in full; these are looked at first.
const EXACT: &[(Class, &[&str])] = &[
    (
        Class::Throttled,
        &[
            "RequestLimitExceeded",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "EC2ThrottledException",
            "TooManyRequestsException",
            "BandwidthLimitExceeded",
            "PriorRequestNotComplete",
            "SlowDown",
            // Not busy, but the same to us: nothing was done, and new credentials come by themselves.
            "RequestExpired",
            "ExpiredToken",
            "ExpiredTokenException",
        ],
    ),
    (
        Class::Unknown,
        &[
            "Unavailable",
            "ServiceUnavailable",
            "InternalError",
            "InternalFailure",
            "RequestTimeout",
            "RequestTimeoutException",
        ],
    ),
    // The type is not offered in this zone.
    (Class::Capacity, &["Unsupported"]),
    (
        Class::Quota,
        &[
            "VcpuLimitExceeded",
            "InstanceLimitExceeded",
            "VolumeLimitExceeded",
            "MaxSpotInstanceCountExceeded",
        ],
    ),
    (Class::Mismatch, &["IdempotentParameterMismatch"]),
    (Class::Spent, &["IdempotentInstanceTerminated"]),
    (
        Class::WrongState,
        &["IncorrectInstanceState", "IncorrectState", "VolumeInUse"],
    ),
    (Class::Protected, &["OperationNotPermitted"]),
    (
        Class::Defect,
        &["InvalidInstanceID.Malformed", "InvalidVolumeID.Malformed"],
    ),
    (
        Class::Config,
        &[
            "UnauthorizedOperation",
            "AuthFailure",
            "AccessDenied",
            "OptInRequired",
            "PendingVerification",
            "Blocked",
            "UnsupportedOperation",
            "UnknownParameter",
            "UnrecognizedClientException",
        ],
    ),
];

/// Beginnings of codes.
const BEGINNINGS: &[(Class, &str)] = &[
    // …InstanceCapacity, …HostCapacity, …FreeAddressesInSubnet, …VolumeCapacity.
    (Class::Capacity, "Insufficient"),
    // …AMIID, …LaunchTemplate…, …SubnetID.NotFound, …Parameter…, …Group…, …IamInstanceProfile….
    (Class::Config, "Invalid"),
    (Class::Config, "Missing"),
    (Class::Config, "Malformed"),
];

/// EC2 does not know the machine.
pub(crate) const NO_MACHINE: &str = "InvalidInstanceID.NotFound";
/// EC2 does not know the disk.
pub(crate) const NO_VOLUME: &str = "InvalidVolume.NotFound";
/// The machine is not in a state for this.
pub(crate) const WRONG_STATE: &str = "IncorrectInstanceState";

/// The class of an error code; none if we have not heard of it.
pub fn class_of(code: &str) -> Option<Class> {
    let exact = EXACT.iter().find(|(_, codes)| codes.contains(&code));
    let beginning = || BEGINNINGS.iter().find(|(_, begin)| code.starts_with(begin));
    exact
        .map(|(class, _)| *class)
        .or_else(|| beginning().map(|(class, _)| *class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::{Next, Trouble};

    #[test]
    fn every_code_of_the_contract_leads_to_its_action() {
        for (code, class, next, alarms) in [
            ("RequestLimitExceeded", Class::Throttled, Next::Later, false),
            ("Unavailable", Class::Unknown, Next::LookUp, false),
            ("InternalError", Class::Unknown, Next::LookUp, false),
            (
                "InsufficientInstanceCapacity",
                Class::Capacity,
                Next::Elsewhere,
                false,
            ),
            (
                "InsufficientFreeAddressesInSubnet",
                Class::Capacity,
                Next::Elsewhere,
                false,
            ),
            ("Unsupported", Class::Capacity, Next::Elsewhere, false),
            ("VcpuLimitExceeded", Class::Quota, Next::Fail, true),
            ("InstanceLimitExceeded", Class::Quota, Next::Fail, true),
            ("InvalidAMIID.NotFound", Class::Config, Next::Fail, true),
            ("InvalidAMIID.Unavailable", Class::Config, Next::Fail, true),
            (
                "InvalidLaunchTemplateId.NotFound",
                Class::Config,
                Next::Fail,
                true,
            ),
            (
                "InvalidLaunchTemplateId.VersionNotFound",
                Class::Config,
                Next::Fail,
                true,
            ),
            ("InvalidSubnetID.NotFound", Class::Config, Next::Fail, true),
            ("InvalidParameterValue", Class::Config, Next::Fail, true),
            (
                "InvalidParameterCombination",
                Class::Config,
                Next::Fail,
                true,
            ),
            ("UnauthorizedOperation", Class::Config, Next::Fail, true),
            ("AuthFailure", Class::Config, Next::Fail, true),
            (
                "IdempotentParameterMismatch",
                Class::Mismatch,
                Next::Afresh,
                false,
            ),
            (
                "IdempotentInstanceTerminated",
                Class::Spent,
                Next::Afresh,
                false,
            ),
            (
                "InvalidInstanceID.Malformed",
                Class::Defect,
                Next::Fail,
                true,
            ),
            (
                "IncorrectInstanceState",
                Class::WrongState,
                Next::Later,
                false,
            ),
            ("OperationNotPermitted", Class::Protected, Next::Fail, true),
            ("VolumeInUse", Class::WrongState, Next::Later, false),
            ("UnsupportedOperation", Class::Config, Next::Fail, true),
            ("NeverHeardOf", Class::Config, Next::Fail, true),
        ] {
            let trouble = Trouble::of_code(code);
            assert_eq!(trouble.class(), class, "{code}");
            assert_eq!(trouble.next(), next, "{code}");
            assert_eq!(trouble.class().alarms(), alarms, "{code}");
            assert_eq!(trouble.code(), code);
        }
    }

    #[test]
    fn no_code_stands_in_two_rows() {
        let mut all: Vec<_> = EXACT.iter().flat_map(|(_, codes)| *codes).collect();
        all.sort();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
