//! Going through messages: the list is taken once, so that no number moves under the listener (REL-08).

use std::time::Duration;

use crate::action::{Action, Actions, Clip, Request, Seek, StartAt};
use crate::collect::Grammar;
use crate::envelope::say_who_and_when;
use crate::input::Input;
use crate::mailbox::{Envelope, Fetched, Folder, Importance, Listed, MessageId, MessageState};
use crate::menu::{Choice, Menu};
use crate::phrase::Phrase;

use super::session::{Session, goodbye, try_later};
use super::{Place, calling_back, mailbox_menu, open};

/// How far one press of rewind or forward goes.
const SEEK: Duration = Duration::from_secs(5);

/// An owner among messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listening {
    /// As it was on entering, urgent ones first. What arrives or goes meanwhile changes nothing here.
    list: Vec<MessageId>,
    at: usize,
    /// The message at `at`, once fetched and as long as it is there.
    envelope: Option<Box<Envelope>>,
    /// Its sound can be played.
    readable: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits for the list.
    Listing(Folder),
    /// Waits for the message at `at`.
    Fetching,
    Playing,
    Paused,
    /// The message is over, or cannot be played.
    Choosing,
    /// Hears more choices about it.
    ChoosingMore,
    /// Waits for the store to do this.
    Marking(Mark),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Heard,
    New,
    Saved,
    Deleted,
    Undeleted,
}

/// Goes to a folder.
pub(super) fn enter(folder: Folder, actions: &mut Actions) -> Place {
    actions.push(Action::Ask(Request::List(folder)));
    Place::Listening(Listening {
        list: Vec::new(),
        at: 0,
        envelope: None,
        readable: false,
        state: State::Listing(folder),
    })
}

impl Listening {
    pub(super) fn step(mut self, input: Input, session: &mut Session, actions: &mut Actions) -> Place {
        use State::*;
        match (self.state, input) {
            (Listing(folder), Input::Listed(listed)) if listed.is_empty() => {
                actions.push(Action::Say(Phrase::NoMessages(folder)));
                mailbox_menu::enter_main(actions)
            }
            (Listing(_), Input::Listed(listed)) => {
                self.list = urgent_first(&listed);
                self.fetch(actions)
            }
            (Listing(_), Input::Failed) => try_later(actions),
            (Fetching, Input::Fetched(fetched)) => self.fetched(fetched, actions),
            (Fetching, Input::Failed) => {
                actions.push(Action::Say(Phrase::CannotBeRead));
                self.offer(actions)
            }

            (Playing, Input::NoInput) => self.heard(actions),
            (Playing | Paused, Input::ClipFailed) => {
                // REL-38: said, not skipped, not marked heard.
                self.readable = false;
                actions.push(Action::Say(Phrase::CannotBeRead));
                self.offer(actions)
            }
            (Playing | Paused, Input::Chose(choice)) => self.controlled(choice, session, actions),
            // Held long enough.
            (Paused, Input::NoInput) => self.resume(actions),

            (Choosing | ChoosingMore, Input::Chose(choice)) => self.chosen(choice, session, actions),
            (Choosing, input @ (Input::NoInput | Input::NoMatch)) => {
                mailbox_menu::say_if_no_match(&input, actions);
                session.failed(actions).unwrap_or_else(|| self.offer(actions))
            }
            (ChoosingMore, input @ (Input::NoInput | Input::NoMatch)) => {
                mailbox_menu::say_if_no_match(&input, actions);
                session.failed(actions).unwrap_or_else(|| self.offer_more(actions))
            }

            (Marking(mark), Input::Done) => self.marked(mark, actions),
            // It stays new, which is safe, and the listener need not be troubled with it.
            (Marking(Mark::Heard), Input::Failed) => self.offer(actions),
            (Marking(_), Input::Failed) => {
                actions.push(Action::Say(Phrase::NotDone));
                self.offer(actions)
            }

            // Late news about something the caller has already left behind.
            (state, _) => self.at(state),
        }
    }

    /// A key while the message is playing or held.
    fn controlled(mut self, choice: Choice, session: &mut Session, actions: &mut Actions) -> Place {
        match (choice, self.state) {
            (Choice::Pause, State::Playing) => {
                actions.push(Action::Pause);
                actions.push(Action::Collect(Grammar::Menu(Menu::Paused)));
                self.at(State::Paused)
            }
            (Choice::Pause, _) => self.resume(actions),
            (Choice::Rewind, _) => {
                actions.push(Action::Seek(Seek::Back(SEEK)));
                self.resume(actions)
            }
            (Choice::Forward, _) => {
                actions.push(Action::Seek(Seek::Forward(SEEK)));
                self.resume(actions)
            }
            (Choice::Help, _) => {
                actions.push(Action::Say(Phrase::Choices(Menu::Playing)));
                self.play(StartAt::WhereStopped, actions)
            }
            _ if session.adjust(choice, actions) => self.resume(actions),
            _ => {
                self.state = State::Choosing;
                self.chosen(choice, session, actions)
            }
        }
    }

    /// Goes on with what is being heard.
    fn resume(self, actions: &mut Actions) -> Place {
        if self.state == State::Paused {
            actions.push(Action::Resume);
        }
        actions.push(Action::Collect(Grammar::Menu(Menu::Playing)));
        self.at(State::Playing)
    }

    /// A key after the message, or one that ended it.
    fn chosen(self, choice: Choice, session: &mut Session, actions: &mut Actions) -> Place {
        match choice {
            Choice::Repeat if self.readable => self.play(StartAt::Beginning, actions),
            // What could not be read before may be readable now.
            Choice::Repeat => self.fetch(actions),
            Choice::Envelope => {
                self.say_envelope(actions);
                self.offer(actions)
            }
            Choice::Delete if self.is_deleted() => self.mark(Mark::Undeleted, actions),
            Choice::Delete => self.mark(Mark::Deleted, actions),
            Choice::Undelete => self.mark(Mark::Undeleted, actions),
            Choice::KeepAsNew => self.mark(Mark::New, actions),
            Choice::Save => self.mark(Mark::Saved, actions),
            Choice::Next => self.next(actions),
            Choice::Previous => self.previous(actions),
            Choice::CallBack => match self.list.get(self.at).copied().filter(|_| self.envelope.is_some()) {
                Some(id) => calling_back::enter(id, self, actions),
                None => self.offer(actions),
            },
            Choice::Advanced => self.offer_more(actions),
            Choice::Folders => mailbox_menu::enter_folders(actions),
            Choice::Options => mailbox_menu::enter_options(actions),
            Choice::Exit => goodbye(actions),
            Choice::Back if self.state == State::ChoosingMore => self.offer(actions),
            // What has changed meanwhile is counted anew.
            Choice::Back => open(actions),
            _ if session.adjust(choice, actions) => {
                if self.readable {
                    self.play(StartAt::WhereStopped, actions)
                } else {
                    self.offer_more(actions)
                }
            }
            _ if self.state == State::ChoosingMore => self.offer_more(actions),
            _ => self.offer(actions),
        }
    }

    fn fetch(mut self, actions: &mut Actions) -> Place {
        self.envelope = None;
        self.readable = false;
        match self.list.get(self.at) {
            Some(id) => {
                actions.push(Action::Ask(Request::Fetch(*id)));
                self.at(State::Fetching)
            }
            None => open(actions),
        }
    }

    fn fetched(mut self, fetched: Fetched, actions: &mut Actions) -> Place {
        actions.push(Action::Say(Phrase::MessageNumber(self.number())));
        match fetched {
            Fetched::Readable(envelope) => {
                self.envelope = Some(envelope);
                self.readable = true;
                self.say_envelope(actions);
                self.play(StartAt::Beginning, actions)
            }
            // REL-05, REL-38: listed and said, never skipped.
            Fetched::Unreadable(envelope) => {
                self.envelope = Some(envelope);
                self.say_envelope(actions);
                actions.push(Action::Say(Phrase::CannotBeRead));
                self.offer(actions)
            }
            // REL-08: its number stays with it.
            Fetched::Gone => {
                actions.push(Action::Say(Phrase::IsGone));
                self.offer(actions)
            }
        }
    }

    fn say_envelope(&self, actions: &mut Actions) {
        let Some(envelope) = &self.envelope else { return };
        if envelope.importance == Importance::High {
            actions.push(Action::Say(Phrase::IsUrgent));
        }
        if self.is_deleted() {
            actions.push(Action::Say(Phrase::IsDeleted));
        }
        say_who_and_when(envelope, actions);
        actions.push(Action::Say(Phrase::Lasting(envelope.duration)));
        if envelope.incomplete {
            actions.push(Action::Say(Phrase::IsIncomplete));
        }
    }

    fn play(self, start: StartAt, actions: &mut Actions) -> Place {
        let Some(id) = self.list.get(self.at).copied() else { return open(actions) };
        actions.push(Action::Play(Clip::Message(id), start));
        actions.push(Action::Collect(Grammar::Menu(Menu::Playing)));
        self.at(State::Playing)
    }

    /// The message was heard to its end.
    fn heard(self, actions: &mut Actions) -> Place {
        match &self.envelope {
            Some(envelope) if envelope.state == MessageState::New => self.mark(Mark::Heard, actions),
            _ => self.offer(actions),
        }
    }

    fn mark(self, mark: Mark, actions: &mut Actions) -> Place {
        let Some(id) = self.list.get(self.at).copied() else { return open(actions) };
        actions.push(Action::Ask(match mark {
            Mark::Heard => Request::MarkHeard(id),
            Mark::New => Request::KeepAsNew(id),
            Mark::Saved => Request::Save(id),
            Mark::Deleted => Request::Delete(id),
            Mark::Undeleted => Request::Undelete(id),
        }));
        self.at(State::Marking(mark))
    }

    /// The store has done it: only now is it said.
    fn marked(mut self, mark: Mark, actions: &mut Actions) -> Place {
        let (state, phrase) = match mark {
            Mark::Heard => (MessageState::Old, None),
            Mark::New => (MessageState::New, Some(Phrase::KeptAsNew)),
            Mark::Saved => (MessageState::Old, Some(Phrase::Saved)),
            Mark::Deleted => (MessageState::Deleted, Some(Phrase::Deleted)),
            // It may be old again, or new; as new it is marked heard when it has been, which suits both.
            Mark::Undeleted => (MessageState::New, Some(Phrase::Undeleted)),
        };
        if let Some(envelope) = &mut self.envelope {
            envelope.state = state;
        }
        actions.extend(phrase.map(Action::Say));
        match mark {
            Mark::New | Mark::Saved | Mark::Deleted => self.next(actions),
            Mark::Heard | Mark::Undeleted => self.offer(actions),
        }
    }

    fn next(mut self, actions: &mut Actions) -> Place {
        if self.at + 1 < self.list.len() {
            self.at += 1;
            return self.fetch(actions);
        }
        actions.push(Action::Say(Phrase::NoMoreMessages));
        self.offer(actions)
    }

    fn previous(mut self, actions: &mut Actions) -> Place {
        if self.at > 0 {
            self.at -= 1;
            return self.fetch(actions);
        }
        actions.push(Action::Say(Phrase::NoEarlierMessages));
        self.offer(actions)
    }

    fn offer(self, actions: &mut Actions) -> Place {
        mailbox_menu::offer(if self.is_deleted() { Menu::DeletedMessage } else { Menu::Message }, actions);
        self.at(State::Choosing)
    }

    /// Somebody comes back from calling the sender.
    pub(super) fn come_back(self, actions: &mut Actions) -> Place {
        self.offer(actions)
    }

    fn offer_more(self, actions: &mut Actions) -> Place {
        mailbox_menu::offer(Menu::Advanced, actions);
        self.at(State::ChoosingMore)
    }

    fn is_deleted(&self) -> bool {
        self.envelope.as_ref().is_some_and(|envelope| envelope.state == MessageState::Deleted)
    }

    fn number(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn at(self, state: State) -> Place {
        Place::Listening(Listening { state, ..self })
    }
}

/// Urgent messages first, each group in the order in which they came.
fn urgent_first(listed: &[Listed]) -> Vec<MessageId> {
    let urgent = listed.iter().filter(|one| one.urgent);
    let others = listed.iter().filter(|one| !one.urgent);
    urgent.chain(others).map(|one| one.id).collect()
}
