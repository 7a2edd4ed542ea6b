//! A build without the feature `audio` has no sound card, and says so.

use umbel_media::Samples;
use umbel_phone::CallKey;

use crate::exit::Failure;

/// There is none.
pub(super) enum Card {}

impl Card {
    pub(super) fn find() -> Result<Self, Failure> {
        Err(Failure::usage(
            "--audio device: this program was built without the feature `audio`; build it with --features audio, or use \
             --play and --record",
        ))
    }

    pub(super) fn begin(&mut self, _: CallKey) -> Result<(), Failure> {
        match *self {}
    }

    pub(super) fn end(&mut self, _: CallKey) {
        match *self {}
    }

    pub(super) fn heard(&mut self, _: CallKey, _: &Samples) {
        match *self {}
    }

    pub(super) async fn captured(&mut self) -> (CallKey, Samples) {
        match *self {}
    }
}
