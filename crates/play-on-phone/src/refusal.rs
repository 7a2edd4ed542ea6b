//! Why no call is placed.

/// Why no call is placed. The texts name nothing that the owner did not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such message, or it is another's: nobody is told which (SEC-46).
    #[error("there is no such message")]
    UnknownItem,
    /// The dial string is neither a number nor an address of ours (SEC-45).
    #[error("this is no telephone number and no address of this server's")]
    NotANumber,
    /// The dialling rules do not allow it (SEC-44).
    #[error("the dialling rules do not allow this number")]
    NotAllowed,
    /// A call for this mailbox is under way (DEC-25).
    #[error("another call is under way for this mailbox; end it first")]
    CallInProgress,
    /// Too many calls to outside numbers within an hour (DEC-24).
    #[error("too many calls to outside numbers within an hour; try again later")]
    TooManyCalls,
    /// The mailbox takes no calls.
    #[error("the mailbox is not enabled for unified messaging")]
    NotEnabled,
    /// No way out is configured.
    #[error("no protocol server or gateway is configured for outgoing calls")]
    NoGateway,
    /// The unified messaging server does not run here, is full, is stopping, or its store does not answer.
    #[error("the unified messaging server cannot place the call now; try again later")]
    Unavailable,
}
