//! Why no call is placed, in the words of either service. The one place where refusals become codes.

use umbel_play_on_phone::Refusal;

use crate::ResponseCode;
use crate::fault::{Exception, Fault};

/// The fault of the unified messaging service ([MS-OXWUMS], section 4 of the digest; DEC-25).
pub fn fault(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::UnknownItem => Fault::Exception(Exception::InvalidObjectId),
        // SEC-44, SEC-45: one exception for what is no number and for what is not allowed.
        Refusal::NotANumber | Refusal::NotAllowed => Fault::Exception(Exception::DialingRules),
        other => Fault::Code(code(other)),
    }
}

/// The code of the Exchange web services.
pub fn code(refusal: Refusal) -> ResponseCode {
    match refusal {
        Refusal::UnknownItem => ResponseCode::ErrorItemNotFound,
        Refusal::NotANumber | Refusal::NotAllowed => ResponseCode::ErrorPhoneNumberNotDialable,
        Refusal::CallInProgress | Refusal::TooManyCalls => ResponseCode::ErrorUnifiedMessagingRequestFailed,
        Refusal::NotEnabled => ResponseCode::ErrorUserNotUnifiedMessagingEnabled,
        Refusal::NoGateway => ResponseCode::ErrorIPGatewayNotFound,
        Refusal::Unavailable => ResponseCode::ErrorUnifiedMessagingServerNotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Refusal; 8] = [
        Refusal::UnknownItem,
        Refusal::NotANumber,
        Refusal::NotAllowed,
        Refusal::CallInProgress,
        Refusal::TooManyCalls,
        Refusal::NotEnabled,
        Refusal::NoGateway,
        Refusal::Unavailable,
    ];

    /// DEC-25
    #[test]
    fn no_refusal_of_a_call_makes_a_client_ask_again_in_another_version() {
        let repeated = [ResponseCode::ErrorInvalidRequest, ResponseCode::ErrorInvalidServerVersion];
        for refusal in ALL {
            assert!(!repeated.contains(&code(refusal)), "{refusal:?}");
            assert!(repeated.into_iter().all(|code| fault(refusal) != Fault::Code(code)), "{refusal:?}");
        }
    }

    /// DEC-25, SEC-44, SEC-45, SEC-46
    #[test]
    fn numbers_items_and_second_calls_are_refused_by_their_own_names() {
        for refusal in [Refusal::NotANumber, Refusal::NotAllowed] {
            assert_eq!(fault(refusal), Fault::Exception(Exception::DialingRules));
            assert_eq!(code(refusal), ResponseCode::ErrorPhoneNumberNotDialable);
        }
        assert_eq!(fault(Refusal::UnknownItem), Fault::Exception(Exception::InvalidObjectId));
        for refusal in [Refusal::CallInProgress, Refusal::TooManyCalls] {
            assert_eq!(fault(refusal), Fault::Code(ResponseCode::ErrorUnifiedMessagingRequestFailed));
        }
    }
}
