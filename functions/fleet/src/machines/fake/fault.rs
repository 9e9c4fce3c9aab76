//! What goes wrong, when it is told to.

use std::collections::VecDeque;

/// The calls of [`Machines`](crate::machines::Machines).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// `start`
    Start,
    /// `started`
    Started,
    /// `resume`
    Resume,
    /// `stop`
    Stop,
    /// `reboot`
    Reboot,
    /// `retag`
    Retag,
    /// `terminate`
    Terminate,
    /// `describe`
    Describe,
    /// `list`
    List,
    /// `console`
    Console,
    /// `leftovers`
    Leftovers,
    /// `delete_volume`
    DeleteVolume,
}

impl Op {
    /// The permissions it needs, as IAM calls them: a test holds them against what is sent to EC2.
    pub fn actions(self) -> &'static [&'static str] {
        match self {
            // A machine is launched with its tags and its role.
            Self::Start => &["ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"],
            Self::Started | Self::Describe | Self::List => &["ec2:DescribeInstances"],
            Self::Resume => &["ec2:StartInstances"],
            Self::Stop => &["ec2:StopInstances"],
            // Only what runs can be rebooted.
            Self::Reboot => &["ec2:DescribeInstances", "ec2:RebootInstances"],
            Self::Retag => &["ec2:CreateTags"],
            Self::Terminate => &["ec2:TerminateInstances"],
            Self::Console => &["ec2:GetConsoleOutput"],
            Self::Leftovers => &["ec2:DescribeVolumes"],
            Self::DeleteVolume => &["ec2:DeleteVolume"],
        }
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EC2 refuses with this code; nothing is done.
    Code(&'static str),
    /// It is done, and its answer is lost.
    AnswerLost,
    /// It is not done, and there is no answer.
    NeverArrives,
    /// A listing's first page comes and its second fails.
    CutShort,
}

impl Fault {
    /// EC2 wants fewer calls.
    pub const THROTTLED: Self = Self::Code("RequestLimitExceeded");
    /// No room at this place.
    pub const NO_CAPACITY: Self = Self::Code("InsufficientInstanceCapacity");
    /// No more for this account.
    pub const QUOTA: Self = Self::Code("VcpuLimitExceeded");
}

/// What is to happen to the next calls, in order, each once.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<(Op, Fault)>);

impl Faults {
    pub(crate) fn add(&mut self, op: Op, fault: Fault) {
        self.0.push_back((op, fault));
    }

    pub(crate) fn take(&mut self, op: Op) -> Option<Fault> {
        let at = self.0.iter().position(|(broken, _)| *broken == op)?;
        self.0.remove(at).map(|(_, fault)| fault)
    }
}
