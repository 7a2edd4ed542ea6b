//! What a script wishes its owner to do, in order.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::collect::Grammar;
use crate::keys::Keys;
use crate::mailbox::{Folder, GreetingKind, Importance, MessageId};
use crate::phrase::Phrase;

/// The most actions of one step; every script's longest step is tested to stay within it.
pub const ACTIONS_MAX: usize = 12;

/// The actions of one step.
pub type Actions = ArrayVec<Action, ACTIONS_MAX>;

/// One wish of a script.
///
/// `Say` and `Play` line up what is to be heard. `Collect`, `Record`, `LogIn` and `HangUp` come last in a
/// step and say what happens after that has been heard; a key that `Collect` understands cuts it short
/// (barge-in).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Speak.
    Say(Phrase),
    /// Play something recorded.
    Play(Clip, StartAt),
    /// Listen to keys.
    Collect(Grammar),
    /// Hold the clip that is being played where it is.
    Pause,
    /// Go on with it.
    Resume,
    /// Move within it.
    Seek(Seek),
    /// Play clips at this speed for the rest of the call.
    SetSpeed(Speed),
    /// Play everything at this loudness for the rest of the call.
    SetVolume(Volume),
    /// Sound the tone, then record in place of what this call recorded before.
    Record(Purpose),
    /// End the recording; `Recorded` follows.
    StopRecording,
    /// Ask the store; exactly one reply follows, but for [`Request::DropRecording`] and [`Request::NoteMissedCall`].
    Ask(Request),
    /// This script has ended; go on with subscriber access for the mailbox that was being greeted.
    LogIn,
    /// Hang up once everything has been heard.
    HangUp,
}

/// Something recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clip {
    /// A greeting, or the spoken name, of the mailbox.
    Greeting(GreetingKind),
    /// A message.
    Message(MessageId),
    /// The spoken name of the local user who left this message.
    CallerName(MessageId),
    /// What this call has just recorded.
    Recording,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// At the beginning.
    Beginning,
    /// Where this clip was interrupted last.
    WhereStopped,
}

/// What a recording is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A message: `[um.recording]` limits, kept when the caller hangs up.
    Deposit,
    /// A greeting: dropped unless accepted.
    Greeting(GreetingKind),
}

/// A step within a clip; the ends of the clip bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// Back.
    Back(Duration),
    /// Onward.
    Forward(Duration),
}

/// How fast clips are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speed {
    /// Three quarters.
    Slow,
    /// As recorded.
    #[default]
    Normal,
    /// A quarter faster.
    Fast,
    /// Half as fast again.
    Fastest,
}

impl Speed {
    /// In hundredths of the recorded speed.
    pub const fn percent(self) -> u16 {
        match self {
            Speed::Slow => 75,
            Speed::Normal => 100,
            Speed::Fast => 125,
            Speed::Fastest => 150,
        }
    }

    pub(crate) const fn slower(self) -> Self {
        match self {
            Speed::Slow | Speed::Normal => Speed::Slow,
            Speed::Fast => Speed::Normal,
            Speed::Fastest => Speed::Fast,
        }
    }

    pub(crate) const fn faster(self) -> Self {
        match self {
            Speed::Slow => Speed::Normal,
            Speed::Normal => Speed::Fast,
            Speed::Fast | Speed::Fastest => Speed::Fastest,
        }
    }
}

/// How loud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Softest.
    Softest,
    /// Soft.
    Soft,
    /// As recorded.
    #[default]
    Normal,
    /// Loud.
    Loud,
    /// Loudest.
    Loudest,
}

impl Volume {
    /// The gain.
    pub const fn decibels(self) -> i8 {
        match self {
            Volume::Softest => -12,
            Volume::Soft => -6,
            Volume::Normal => 0,
            Volume::Loud => 6,
            Volume::Loudest => 12,
        }
    }

    pub(crate) const fn softer(self) -> Self {
        match self {
            Volume::Softest | Volume::Soft => Volume::Softest,
            Volume::Normal => Volume::Soft,
            Volume::Loud => Volume::Normal,
            Volume::Loudest => Volume::Loud,
        }
    }

    pub(crate) const fn louder(self) -> Self {
        match self {
            Volume::Softest => Volume::Soft,
            Volume::Soft => Volume::Normal,
            Volume::Normal => Volume::Loud,
            Volume::Loud | Volume::Loudest => Volume::Loudest,
        }
    }
}

/// A question to the store, or an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Is this the PIN? → `PinChecked`. When it is right, the mailbox is this call's from now on.
    CheckPin {
        /// The mailbox number entered; `None`: the mailbox this call is about.
        mailbox: Option<Keys>,
        /// The PIN.
        pin: Keys,
    },
    /// The mailbox's overview. → `Opened`
    Open,
    /// The messages of a folder. → `Listed`
    List(Folder),
    /// A message's envelope, and whether its sound can be read. → `Fetched`
    Fetch(MessageId),
    /// It was heard to its end. → `Done`
    MarkHeard(MessageId),
    /// It is to count as new. → `Done`
    KeepAsNew(MessageId),
    /// It is to be kept as old, heard or not. → `Done`
    Save(MessageId),
    /// It is to be deleted. → `Done`
    Delete(MessageId),
    /// It is to be as it was before it was deleted. → `Done`
    Undelete(MessageId),
    /// Which greetings there are. → `Greetings`
    Greetings,
    /// What was recorded is to be this greeting. → `Done`
    SaveGreeting(GreetingKind),
    /// This greeting is to be removed. → `Done`
    RemoveGreeting(GreetingKind),
    /// Callers are to hear this greeting. → `Done`
    UseGreeting(GreetingKind),
    /// The PIN is to be this. → `Done` or `PinRefused`
    ChangePin(Keys),
    /// Who left this message, and may that be called? → `Sender`, or `Failed` where nobody knows
    FindSender(MessageId),
    /// The caller is to be sent on to who left this message. → `Done` once they talk, `Failed` where they will not
    CallSender(MessageId),
    /// What was recorded is to be a message. → `Done` at durability point D1, or `Full`. The saving may go on
    /// after `Failed`; when it comes to nothing in the end, the owner of the call notes that there was one (MISS-1).
    SaveDeposit(Importance),
    /// What was recorded is not wanted. No reply.
    DropRecording,
    /// Nothing was recorded: the owner of the mailbox is to know of the call (MISS-1). No reply.
    NoteMissedCall,
}

impl Request {
    /// Whether a reply follows, for which the script waits.
    pub const fn has_reply(&self) -> bool {
        !matches!(self, Request::DropRecording | Request::NoteMissedCall)
    }
}
